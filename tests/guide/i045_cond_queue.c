/*
 * G45 between processes: a queue in a file, under a named lock, with a condition for whoever waits for more.
 *
 * Pattern: wait in a loop for the condition; the consumer leaves when the queue is empty and the end was told.
 */
#include "parts.h"

enum { ITEMS = 3 };

/* The file holds how many items were produced, how many consumed, and whether there will be more. */
struct queue {
    int produced, consumed, done;
};

static void load(struct part *me, struct queue *queue)
{
    char path[TEXT_BYTES];
    FILE *file;

    *queue = (struct queue){0};
    shared_file(me, "queue", path);
    file = fopen(path, "re");
    if (!file)
        return;
    must(fscanf(file, "%d %d %d", &queue->produced, &queue->consumed, &queue->done) == 3);
    must(fclose(file) == 0);
}

static void store(struct part *me, const struct queue *queue)
{
    char path[TEXT_BYTES];
    FILE *file;

    shared_file(me, "queue", path);
    file = fopen(path, "we");
    must(file != NULL && fprintf(file, "%d %d %d\n", queue->produced, queue->consumed, queue->done) > 0);
    must(fclose(file) == 0);
}

static void producer(struct part *me)
{
    struct queue queue;
    uint64_t token;

    for (int i = 1; i <= ITEMS + 1; i++) {
        must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
        load(me, &queue);
        queue.produced = i <= ITEMS ? i : ITEMS;
        queue.done = i > ITEMS;
        store(me, &queue);
        if (queue.done)
            must(gc_cond_broadcast(me->g, "more", GC_FOREVER) >= 0);
        else
            must(gc_cond_signal(me->g, "more", GC_FOREVER) >= 0);
        must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
    }
    step_done(me, "produced");
}

static void consumer(struct part *me)
{
    struct queue queue;
    uint64_t token;

    must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
    for (;;) {
        for (load(me, &queue); queue.consumed == queue.produced && !queue.done; load(me, &queue))
            must(gc_cond_wait(me->g, "more", "lock", &token, GC_FOREVER) == 0);
        if (queue.consumed == queue.produced)
            break;
        say(me, "consumed %d", ++queue.consumed);
        store(me, &queue);
    }
    must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
    step_done(me, "consumed");
}

static void joiner(struct part *me)
{
    step_wait(me, "produced");
    step_wait(me, "consumed");
    say(me, "both have ended");
}

static void cond_queue(void)
{
    /* "consumed exactly 1, 2, 3 in order, then both end" */
    must(said(LINES("consumed 1", "consumed 2", "consumed 3", "both have ended")));
}

GUIDE_PARTS(G45, cond_queue, .channels = {{"produced"}, {"consumed"}},
            .parts = {PART(producer), PART(consumer), PART(joiner)});
