/* A queue of goroutines that wait for something that has no error: what the locks of sync are made of. */
#pragma once

#include "waiting.h"

/* A list that is ready when zeroed: the links are made at first use. Under the owner's lock. */
static inline struct list *queue_list(struct list *queue)
{
    if (!queue->next)
        list_init(queue);
    return queue;
}

/*
 * The owner's lock is held and is dropped: enqueues the caller, parks, returns the outcome of the claim. When
 * the scope ended instead it leaves the queue again and answers OUTCOME_SCOPE; the caller unwinds with
 * wait_check.
 */
unsigned queue_wait(struct list *queue, struct lock *lock, struct waiter *w, bool in_front,
                    const char *reason, unsigned flags);
