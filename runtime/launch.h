/* Making goroutines. */
#pragma once

#include "g.h"

struct spawn {
    void (*fn)(void *);
    const void *arg;
    size_t arg_bytes;
    const struct go_spawn_options *options;
    void *pc; /* the caller, when options name no site */
    struct go_group *group;
    struct bubble *bubble;
    bool system; /* of the runtime: not counted, in no group */
};

int spawn(const struct spawn *what);

/* fn(arg) in a goroutine of the runtime's own, in no group. Fatal when out of memory: something that was
 * promised. */
void spawn_system(void (*fn)(void *), void *arg);
