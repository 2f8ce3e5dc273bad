/* Stacks as addresses, and as text. */
#pragma once

#include <stddef.h>

struct g;

/* The caller's own stack, without the runtime's innermost frames. Returns how many. */
int backtrace_take(void **frames, int max);

/* Of a goroutine that is parked: a walk of its frame pointers. What it finds may be old by the time it is
 * read. */
int backtrace_parked(const struct g *g, void **frames, int max);

/* One line a frame; returns the length it needs, as snprintf. */
int backtrace_format(void *const *frames, int n, char *out, size_t size);

/* "name+offset (file)" of an address. */
int backtrace_symbol(const void *address, char *out, size_t size);
