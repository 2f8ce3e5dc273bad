/* Bubbles: goroutines with a clock of their own, which jumps when all of them are durably blocked (Z3). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "g.h"

int64_t bubble_clock(const struct bubble *bubble);
struct timers *bubble_timers(struct bubble *bubble);
bool bubble_over(const struct bubble *bubble);

void bubble_join(struct bubble *bubble, struct g *g);
void bubble_leave(struct g *g);
void bubble_awake(struct bubble *bubble);
void bubble_asleep(struct bubble *bubble);

void bubble_panic(const char *what) __attribute__((noreturn));

/* Panics unless the object, made in `owner`, may be used by g. */
static inline void bubble_check(const struct bubble *owner, const struct g *g, const char *what)
{
    if (owner && owner != g->bubble)
        bubble_panic(what);
}
