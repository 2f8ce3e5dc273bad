/*
 * G76 between processes: whoever works needs a token, and the size of the pool is the number of tokens there are.
 *
 * Pattern: pool whose size changes.
 */
#include "parts.h"

enum { WORKERS = 4, TASKS = 100, SMALL = 1, LARGE = 4, MEDIUM = 2, FIRST = 10 };

static void producer(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    for (int id = 1; id <= TASKS; id++)
        send_number(me, tasks, id);
    close_chan(me, tasks);
}

/* Tasks FIRST + 1 to FIRST + LARGE are held, so that all the tokens are in use. */
static void worker(struct part *me)
{
    gc_chan tokens = chan_of(me, "tokens"), tasks = chan_of(me, "tasks"), results = chan_of(me, "results");
    char token[TEXT_BYTES];
    int id;

    while (recv_text(me, tokens, token)) {
        if (!recv_number(me, tasks, &id))
            break;
        say(me, "begin %d", id);
        if (id > FIRST && id <= FIRST + LARGE)
            step_wait(me, "gate");
        say(me, "end %d", id);
        send_number(me, results, id);
        if (gc_send(me->g, tokens, gc_string(token), GC_FOREVER) == -EPIPE)
            break;
    }
}

/* One token less, whenever somebody gives his back. */
static void shrinker(struct part *me)
{
    char token[TEXT_BYTES];

    step_wait(me, "grown");
    must(recv_text(me, chan_of(me, "tokens"), token));
}

static void resizer(struct part *me)
{
    gc_chan tokens = chan_of(me, "tokens"), results = chan_of(me, "results");
    int id, seen[TASKS + 1] = {0};

    send_text(me, tokens, "token");
    for (int i = 0; i < TASKS; i++) {
        if (i == FIRST) {
            say(me, "size %d", LARGE);
            for (int more = SMALL; more < LARGE; more++)
                send_text(me, tokens, "token");
            until_waiting(me, chan_of(me, "gate"), 0, LARGE);
            step_done(me, "grown");
            until_waiting(me, tokens, 0, LARGE - MEDIUM);
            say(me, "size %d", MEDIUM);
            step_done(me, "gate");
        }
        must(recv_number(me, results, &id));
        seen[id]++;
    }
    close_chan(me, tokens);
    /* "100 results" */
    /* "no task is lost, none is done twice" */
    for (id = 1; id <= TASKS; id++)
        must(seen[id] == 1);
}

static void resize(void)
{
    int at_work = 0, size = SMALL, shrinking = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        const char *line = part_lines.line[i];

        if (sscanf(line, "size %d", &size) == 1)
            shrinking = size == MEDIUM;
        at_work -= strncmp(line, "end", 3) == 0;
        if (strncmp(line, "begin", 5) == 0)
            /* "after shrinking to 2 those at work finish, and nothing begins until fewer than 2 are at work" */
            /* "tasks at work are never more than the size: 1, then 4" */
            must(++at_work <= (shrinking ? MEDIUM : size));
    }
    must(at_work == 0);
}

GUIDE_PARTS(G76, resize,
            .channels = {{"tokens", {.capacity = LARGE}}, {"tasks"}, {"results"}, {"gate"}, {"grown"}},
            .parts = {PART(producer), PARTS(WORKERS, worker), PARTS(2, shrinker), PART(resizer)});
