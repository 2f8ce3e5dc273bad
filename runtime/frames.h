/* Frames, deferred functions, panic and exit: how a goroutine ends before its function returns. */
#pragma once

#include "g.h"

/* Runs the goroutine's function as its outermost frame and tells its group, its bubble and the counters that
 * it ended. */
void goroutine_body(struct g *g);

/* go_exit for the calling goroutine. */
void unwind_exit(struct g *g) __attribute__((noreturn));

/* A panic that recover cannot catch: wrong use that has already broken something (M4). */
void panic_fatal(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Whether the innermost deferred function that runs was called because of a panic (A4). */
bool unwind_is_panic(const struct g *g);

/* The stack of the panic that the goroutine recovered last, one line a frame; returns the length it needs, as snprintf. */
int panic_recovered_stack(const struct g *g, char *out, size_t size);
