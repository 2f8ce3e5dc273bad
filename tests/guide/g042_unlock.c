/*
 * G42 Unlocking on every way out: by a deferred function, or by a cleanup attribute of a variable.
 *
 * Pattern: unlock at the end of the scope. A panic in the critical section then leaves the lock free.
 */
#include "guide.h"

static void unlock(void *mutex)
{
    go_mutex_unlock(mutex);
}

static void recover(void *unused)
{
    const char *what = go_recover();

    if (what)
        say("recovered: %s", what);
}

static void panic_with_defer(void *mutex)
{
    go_defer(recover, NULL);
    go_mutex_lock(mutex);
    go_defer(unlock, mutex);
    go_panic("in the critical section");
}

static void unlock_at(go_mutex **held)
{
    go_mutex_unlock(*held);
}

static void panic_with_cleanup(void *mutex)
{
    __attribute__((cleanup(unlock_at))) go_mutex *held = mutex;

    go_mutex_lock(held);
    go_panic("in the critical section");
}

static void panic_in_inner_frame(void *mutex)
{
    go_defer(recover, NULL);
    panic_with_cleanup(mutex);
}

static void unlock_discipline(void)
{
    static void (*const ways[])(void *) = {panic_with_defer, panic_in_inner_frame};
    go_mutex mutex = {0};

    for (int i = 0; i < 2; i++) {
        must(go_call(ways[i], &mutex) == 1);
        /* "after the recovered panic the lock is free" */
        must(go_mutex_trylock(&mutex) == 1);
        go_mutex_unlock(&mutex);
    }
    must(said(LINES("recovered: in the critical section", "recovered: in the critical section")));
}

/* A panic that recover does not stop: somebody believes that it holds what it does not hold. */
static void unlock_of_a_free_mutex(void)
{
    go_mutex mutex = {0};

    go_defer(recover, NULL);
    go_mutex_unlock(&mutex);
}

GUIDE_ROW(G42, unlock_discipline);
/* "unlocking a free mutex is a fatal error of that program or job only" */
GUIDE_PART(G42, unlock_of_a_free_mutex, .ends = ENDS_IN_PANIC,
           .says = {"unlock of a mutex that is not locked"}, .never = {"recovered"});
