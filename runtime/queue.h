/* A queue of goroutines that wait for their turn: what locks, semaphores and flights are made of. */
#pragma once

#include "frames.h"
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

/*
 * Where an object is used from: it remembers the bubble or else the group of its first user, and that others use it too,
 * once they do. A wait on it can be ended by that bubble's or group's members alone as long as no others do: home_note
 * notes the caller and returns the flags of its wait.
 */
typedef _Atomic(const void *) home;

unsigned home_note(home *at, const struct g *g);

/*
 * The same for a wait that can fail, at the end of the queue, with an `until` that is neither over nor GO_NOW. An outcome
 * other than that of `w` is for wait_failed; it has left the queue then.
 */
unsigned queue_wait_until(struct list *queue, struct lock *lock, struct waiter *w, const char *reason,
                          unsigned flags, go_until until);

/*
 * Debug builds keep the address at which an object was first used, and panic when it is used at another one (G12, K4).
 * No lock is held.
 */
static inline void copy_check(_Atomic(const void *) *self, const void *object, const char *what)
{
#ifndef NDEBUG
    const void *first = NULL;

    if (!atomic_compare_exchange_strong(self, &first, object) && first != object)
        go_panic("%s was copied after its first use", what);
#endif
}
