/*
 * G44 A lazy singleton: the first who asks makes it, all others wait until it is finished.
 *
 * Pattern: once.
 */
#include "goroutine_sync.h"
#include "guide.h"

enum { CALLERS = 5 };

struct singleton {
    const char *name;
};

struct lazy {
    go_once_value once;
    struct gate *making;
    struct singleton instance;
    atomic_int made, finished;
};

static void *make_instance(void *arg)
{
    struct lazy *lazy = arg;

    atomic_fetch_add(&lazy->made, 1);
    gate_pass(lazy->making);
    lazy->instance.name = "Singleton Instance";
    atomic_store(&lazy->finished, 1);
    return &lazy->instance;
}

static void get_instance(void *arg)
{
    struct lazy *lazy = arg;
    const struct singleton *instance = go_once_value_get(&lazy->once, make_instance, lazy);

    /* "nobody returns before it is finished" */
    must(atomic_load(&lazy->finished) == 1);
    say("%s", instance->name);
}

static void once_for_all(void)
{
    struct gate making = {0};
    struct lazy lazy = {.making = &making};
    go_waitgroup callers = {0};

    for (int i = 0; i < CALLERS; i++)
        must(go_waitgroup_go(&callers, get_instance, &lazy, 0) == 0);
    gate_until(&making, 1);
    until_parked(CALLERS - 1, "once");
    gate_open(&making);
    go_waitgroup_wait(&callers);
    /* "the initialiser runs exactly once" */
    must(atomic_load(&lazy.made) == 1);
    /* "all 5, in any order, get "Singleton Instance"" */
    must(said_lines() == CALLERS && said_times("Singleton Instance") == CALLERS);
}

static void *break_down(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
    go_panic("no instance today");
    return NULL;
}

struct caller {
    go_once_value *once;
    atomic_int *made;
};

static void recover(void *unused)
{
    const char *what = go_recover();

    if (what)
        say("recovered: %s", what);
}

static void get_broken(void *arg)
{
    struct caller *caller = arg;

    go_defer(recover, NULL);
    go_once_value_get(caller->once, break_down, caller->made);
    say("not reached");
}

static void one_that_dies(void)
{
    go_once_value once = {0};
    atomic_int made = 0;
    struct caller caller = {&once, &made};

    for (int i = 0; i < CALLERS; i++)
        must(go_call(get_broken, &caller) == 1);
    /* "a runner that dies leaves an error for the others, no hang" */
    must(said_times("recovered: no instance today") == CALLERS && said_lines() == CALLERS);
    must(atomic_load(&made) == 1);
}

static void once(void)
{
    once_for_all();
    say_nothing_yet();
    one_that_dies();
}

GUIDE_ROW(G44, once);
