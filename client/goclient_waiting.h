/*
 * How a call waits: a thread blocks, a goroutine parks. One table for a client's whole life.
 *
 * One wait is begun, published, and then parked exactly once, and made ready exactly once; which of the two
 * comes first does not matter. Who parks returns only after `ready`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gc_wait {
    void *who;
    uint64_t ticket;
};

struct gc_waiting {
    /* Names a wait of the caller; nothing happens yet. */
    struct gc_wait (*begin)(void);

    /* Waits for `ready`. 0: it came. -ECANCELED, never when `masked`: the caller's scope ended first; the wait is
     * over, its `ready` does nothing. May unwind the caller instead, never when `masked`. `reason` is static. */
    int (*park)(struct gc_wait wait, const char *reason, bool masked);

    /* Ends the wait. Any thread; never blocks. */
    void (*ready)(struct gc_wait wait);

    /* The run the caller works for (IP0 scope); 0: the session itself. */
    uint64_t (*scope)(void);

    /* Callers may block their thread in poll, and so lead the connection. Otherwise the service thread always
     * leads. */
    bool leads;
};

extern const struct gc_waiting gc_waiting_threads;

#ifdef __cplusplus
}
#endif
