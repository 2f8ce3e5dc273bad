/*
 * Orders that the machine seldom makes: one participant begins late, when all others have come to rest, or is slow, with
 * a pause behind each of its calls. A row must hold in each of them.
 *
 * The pauses here wait for nothing: they let others run. None is needed for a row to hold, and each has its bound.
 *
 * A client is a process of its own; jobs may share a host, but they are all of one round, and only one of them is slow.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "goclient_inspect.h"
#include "parts_run.h"

enum {
    REST_MS = 40,                  /* for so long, whoever rests has asked nothing */
    RESTS_MAX = 50,                /* looks; then the late one begins all the same */
    TIME_RUNS_NS_MAX = 1000000000, /* a wait with a deadline beyond that is one without */
    LOOK_MS = 2 * REST_MS,         /* between two looks of one who waits for a state while another is late */
    PAUSE_MS = 20,
    PAUSES_MAX = 60, /* of the slow one */
};

static atomic_int order, pauses;
static const void *_Atomic slow;

/* Whether somebody waits in the daemon for a moment that comes soon: he is not at rest. */
static bool time_runs(struct part *me)
{
    struct gc_parked_page page = {0};
    bool runs = false;

    must(gc_parked(me->g, NULL, &page, GC_FOREVER) >= 0);
    for (size_t i = 0; i < page.n; i++)
        runs |= page.items[i].left_ns > 0 && page.items[i].left_ns < TIME_RUNS_NS_MAX;
    gc_parked_page_clear(&page);
    return runs;
}

static uint64_t arrived(struct part *me)
{
    struct gc_stats stats = {0};
    uint64_t n;

    must(gc_stats(me->g, "ops.arrived", &stats, GC_FOREVER) > 0);
    n = stats.items[0].value;
    gc_stats_clear(&stats);
    return n;
}

/* Until all others have ended or wait, and nothing moves. */
static void until_rest(struct part *me, bool time_stands)
{
    for (int i = 0; i < RESTS_MAX; i++) {
        uint64_t before = arrived(me);

        part_sleep(REST_MS);
        if (arrived(me) == before + 1 && (time_stands || !time_runs(me)))
            return;
    }
    fprintf(stderr, "%s %d begins late, but not all others rest\n", me->name, me->index);
}

/* Of those that begin when they are submitted nobody knows how many there will be. */
static bool is_first(const struct part_run *run)
{
    char path[sizeof run->lines + sizeof ".turn"];
    int file;

    snprintf(path, sizeof path, "%s.turn", run->lines);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    return file >= 0;
}

void part_order_begin(struct part *me, const struct part_run *run, const struct between_row *row,
                      const struct part_function *function)
{
    order = run->order;
    if (order == ORDER_ANY || strcmp(run->turn, me->name) != 0)
        return;
    if (function->on_call ? !is_first(run) : run->turn_index != me->index)
        return;
    if (order == ORDER_LATE) {
        until_rest(me, row->test_clock);
    } else {
        pauses = 0;
        slow = part_here();
    }
}

void part_pause(void)
{
    if (order == ORDER_SLOW && slow && slow == part_here() && pauses++ < PAUSES_MAX)
        part_sleep(PAUSE_MS);
}

void part_look(void)
{
    if (order == ORDER_LATE)
        part_sleep(LOOK_MS);
}
