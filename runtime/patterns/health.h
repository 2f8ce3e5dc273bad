/*
 * Health checks: functions that run side by side, each with a timeout. health.c keeps them, probe.c is the goroutine of
 * one.
 *
 * Invariants, inside the monitor: a check has at most one goroutine. It is idle, or it runs, or it hangs: it ran into its
 * timeout, which is its result, and its goroutine has not ended; what that will say is nobody's concern any more, and
 * until then no other one is started.
 */
#pragma once

#include "monitor.h"

enum check_state { CHECK_IDLE, CHECK_RUNS, CHECK_HANGS };

struct check {
    char *name;
    go_health_fn fn;
    void *arg;
    int64_t timeout_ns;
    /* inside the monitor */
    enum check_state state;
    int64_t due_ns; /* while it runs: the timeout */
    int code;
    char text[GO_HEALTH_TEXT_BYTES];
};

struct go_health {
    struct monitor m;
    _Atomic int holders, refs; /* refs: the holders together, and each goroutine */
    go_ctx *ctx;               /* ends with close */
    /* inside the monitor */
    bool closed;
    int goroutines, n;
    struct list answers; /* who waits for results, or for the end of goroutines */
    struct check *checks[GO_HEALTH_CHECKS_MAX];
};

/* Frees what the last of `refs` held. */
void health_drop(go_health *h);

/* Inside: judges those whose time is over. True while some run; *next_ns is when the next of them will have run too long. */
bool health_settle(go_health *h, int64_t *next_ns);

/* Starts a goroutine, which calls health_leave at its end. As go_spawn. */
int health_spawn(go_health *h, void (*fn)(void *), const void *arg, size_t arg_bytes, const char *name);
void health_leave(go_health *h);

/* Starts the goroutine of a check that was claimed: it runs until due_ns. As go_spawn. */
int probe_start(go_health *h, struct check *c);
