/*
 * A value that is made once. Above go_once: what that is silent about, a panic or an exit of the function, is kept here
 * and raised for every caller (O2).
 *
 * Invariant: once the once is done, either `made` or `panic` says how it ended; neither changes any more.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>

#include "goroutine_sync.h"

struct once_value {
    go_once once;
    void *value;
    bool made;
    char panic[512];
};

static_assert(sizeof(struct once_value) <= sizeof(go_once_value), "go_once_value has room for it");

struct making {
    struct once_value *o;
    void *(*fn)(void *);
    void *arg;
};

/* After what the function has deferred. */
static void making_end(void *p)
{
    struct once_value *o = ((struct making *)p)->o;
    const char *text = go_recover();

    if (o->made && !text)
        return;
    o->made = false;
    snprintf(o->panic, sizeof o->panic, "%s", text ? text : "go_once_value_get: the function has exited");
}

static void making_frame(void *p)
{
    struct making *m = p;

    go_defer(making_end, m);
    m->o->value = m->fn(m->arg);
    m->o->made = true;
}

static void making_run(void *p)
{
    go_call(making_frame, p);
}

void *go_once_value_get(go_once_value *once, void *(*fn)(void *arg), void *arg)
{
    struct once_value *o = (struct once_value *)once;
    struct making m = {o, fn, arg};

    go_once_do(&o->once, making_run, &m);
    if (!o->made)
        go_panic("%s", o->panic);
    return o->value;
}
