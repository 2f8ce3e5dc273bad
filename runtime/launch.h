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

/* go_spawn for whoever called at pc; name is shown in dumps. */
int spawn_for(void (*fn)(void *arg), void *arg, const char *name, void *pc);

/*
 * `size` zeroed bytes to be freed by the caller, with a copy of arg_bytes (at most GO_ARG_BYTES_MAX) at arg behind them,
 * aligned for any type: *copy says where; with arg_bytes 0 it is arg itself. NULL: out of memory.
 */
void *arg_block(size_t size, const void *arg, size_t arg_bytes, void **copy);

/* fn(arg) in a goroutine of the runtime's own, in no group. Fatal when out of memory: something that was
 * promised. */
void spawn_system(void (*fn)(void *), void *arg);
