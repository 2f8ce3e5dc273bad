/*
 * One 4-ary heap of deadlines for all of the core. Timers are intrusive and know their place, so a cancel
 * costs no search.
 *
 * Invariants: a parent is never later than its children; timer->place is its index + 1, or 0 when not armed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct timer;

typedef void timer_fire(struct core *core, struct timer *timer);

struct timer {
    int64_t at_ns;    /* monotonic */
    timer_fire *fire; /* called once, disarmed */
    size_t place;
};

struct timers {
    struct timer **heap;
    size_t count, size, reserved;
};

/* Keeps a place for one timer to be armed later, until timers_unreserve. 0 or -ENOMEM. */
int timers_reserve(struct core *core);
void timers_unreserve(struct core *core);
/* Arms or moves a timer for which a place is reserved. Never fails. */
void timer_arm(struct core *core, struct timer *timer, int64_t at_ns, timer_fire *fire);
/* Safe to repeat. */
void timer_disarm(struct core *core, struct timer *timer);
static inline bool timer_armed(const struct timer *timer)
{
    return timer->place != 0;
}
/* Fires what is due, at most `most` of them. Returns what is left of `most`. */
size_t timers_run(struct core *core, size_t most);
/* Of the earliest timer; INT64_MAX: none. */
int64_t timers_next(const struct core *core);
void timers_check(const struct core *core);
