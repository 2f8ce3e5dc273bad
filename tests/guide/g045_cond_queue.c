/*
 * G45 A queue with an end flag, under a condition variable.
 *
 * Pattern: wait in a loop for the condition. The consumer leaves only when the queue is empty *and* the end was told, so
 * that nothing is lost that was queued before the end.
 */
#include "guide.h"

enum { ITEMS = 3, ROUNDS = 100 };

struct queue {
    go_mutex lock;
    go_cond changed;
    int items[ITEMS], head, tail; /* lock */
    bool done;                    /* lock */
};

static void produce(void *arg)
{
    struct queue *queue = arg;

    for (int i = 1; i <= ITEMS; i++) {
        go_mutex_lock(&queue->lock);
        queue->items[queue->tail++] = i;
        go_cond_signal(&queue->changed);
        go_mutex_unlock(&queue->lock);
    }
    go_mutex_lock(&queue->lock);
    queue->done = true;
    go_cond_broadcast(&queue->changed);
    go_mutex_unlock(&queue->lock);
}

static void consume(void *arg)
{
    struct queue *queue = arg;

    go_mutex_lock(&queue->lock);
    for (;;) {
        while (queue->head == queue->tail && !queue->done)
            go_cond_wait(&queue->changed, &queue->lock);
        if (queue->head == queue->tail)
            break;
        say("Consumed %d", queue->items[queue->head++]);
    }
    go_mutex_unlock(&queue->lock);
    say("Consumer ends");
}

/* The order of the start changes who waits for whom: with the producer first all items are queued at the end. */
static void run_queue(bool consumer_first)
{
    struct queue queue = {0};
    go_waitgroup both = {0};

    if (consumer_first)
        must(go_waitgroup_go(&both, consume, &queue, 0) == 0);
    must(go_waitgroup_go(&both, produce, &queue, 0) == 0);
    if (!consumer_first) {
        until_live(1);
        must(go_waitgroup_go(&both, consume, &queue, 0) == 0);
    }
    go_waitgroup_wait(&both);
    /* "consumed exactly 1, 2, 3 in order, then both end" */
    must(said(LINES("Consumed 1", "Consumed 2", "Consumed 3", "Consumer ends")));
    until_live(1);
}

static void cond_queue(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        say_nothing_yet();
        run_queue(i % 2);
    }
}

GUIDE_ROW(G45, cond_queue);
