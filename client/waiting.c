/*
 * Threads block on a semaphore of their own. Who waits returns only after its one post, so the semaphore lives
 * while anybody may touch it; sem_post allows the waiter to go, and its thread to end, as soon as it has counted.
 */
#include "goclient_waiting.h"

#include <errno.h>
#include <semaphore.h>
#include <stddef.h>

static _Thread_local sem_t turn;
static _Thread_local bool turn_ready;

static struct gc_wait thread_begin(void)
{
    if (!turn_ready)
        sem_init(&turn, 0, 0);
    turn_ready = true;
    return (struct gc_wait){&turn, 0};
}

static int thread_park(struct gc_wait wait, const char *reason, bool masked)
{
    while (sem_wait(wait.who) < 0 && errno == EINTR)
        ;
    return 0;
}

static void thread_ready(struct gc_wait wait)
{
    sem_post(wait.who);
}

static uint64_t thread_scope(void)
{
    return 0;
}

const struct gc_waiting gc_waiting_threads = {
    .begin = thread_begin,
    .park = thread_park,
    .ready = thread_ready,
    .scope = thread_scope,
    .leads = true,
};
