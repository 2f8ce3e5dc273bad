/*
 * G109 between processes: ten workers share a million tasks. The queue is closed when the last task is in it: that is what
 * lets the workers end.
 *
 * Pattern: worker pool over a channel that is closed, and joined. Tasks go and come many at a time.
 */
#include "goclient_chan.h"
#include "parts.h"

enum { WORKERS = 10, TASKS = 1000000, BATCH = 250 };

static void worker(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");
    struct gc_value v = {0};
    long long sum = 0;
    gc_window *window;
    int task, done = 0, r;

    step_wait(me, "gate");
    must(gc_window_open(me->g, tasks, BATCH, &window, GC_FOREVER) == 0);
    while ((r = gc_window_range(window, &v, 0, GC_FOREVER)) == 1) {
        memcpy(&task, v.data, sizeof task);
        sum += task;
        done++;
    }
    must(r == 0);
    gc_window_close(window);
    send_text(me, chan_of(me, "ended"), "%d %lld", done, sum);
}

static void fill(struct part *me, gc_chan tasks)
{
    struct gc_value batch[BATCH];
    int task[BATCH];

    for (int first = 1; first <= TASKS; first += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            task[i] = first + i;
            batch[i] = gc_bytes(&task[i], sizeof task[i]);
        }
        must(gc_send_many(me->g, tasks, batch, BATCH, GC_FOREVER) == BATCH);
    }
    close_chan(me, tasks);
}

static void join_workers(struct part *me)
{
    long long sum = 0, part_sum;
    char text[TEXT_BYTES];
    int done = 0, part_done;

    for (int i = 0; i < WORKERS; i++) {
        must(recv_text(me, chan_of(me, "ended"), text));
        must(sscanf(text, "%d %lld", &part_done, &part_sum) == 2);
        done += part_done;
        sum += part_sum;
    }
    say(me, "%d tasks done, sum %lld", done, sum);
}

/* Those who have the queue open. */
static int goroutines(struct part *me, gc_chan tasks)
{
    struct gc_chan_info info;

    must(gc_chan_info(me->g, tasks, &info, GC_FOREVER) == 0);
    return (int)info.handles;
}

static void starter(struct part *me)
{
    gc_chan tasks = chan_of(me, "tasks");

    until_waiting(me, chan_of(me, "gate"), 0, WORKERS);
    say(me, "%d goroutines", goroutines(me, tasks));
    step_done(me, "gate");
    fill(me, tasks);
    /* "never more than 11 goroutines: 10 workers and their starter" */
    must(goroutines(me, tasks) <= WORKERS + 1);
    join_workers(me);
    while (goroutines(me, tasks) > 1) /* the daemon hears of an end in its own time */
        continue;
    say(me, "%d at the end", goroutines(me, tasks));
}

static void queue_workers(void)
{
    /* "all 1000000 tasks are done, each once" */
    /* "1 at the end" */
    must(said(LINES("11 goroutines", "1000000 tasks done, sum 500000500000", "1 at the end")));
}

GUIDE_PARTS(G109, queue_workers,
            .channels = {{"tasks", {.capacity = 40 * BATCH, .element_bytes = sizeof(int)}},
                         {"gate"},
                         {"ended"}},
            .parts = {PARTS(WORKERS, worker), PART(starter)});
