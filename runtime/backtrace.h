/* Stacks as addresses, and as text. */
#pragma once

#include <stddef.h>

struct g;

/* The caller's own stack, without the runtime's innermost frames. Returns how many. */
int backtrace_take(void **frames, int max);

/* Of a goroutine that is parked: a walk of its frame pointers. What it finds may be old by the time it is
 * read. */
int backtrace_parked(const struct g *g, void **frames, int max);

/* Leaves out what the runtime does inside the call that the program made, and below the goroutine's function.
 * Returns how many are left. When the runtime is linked into the program it cannot tell, and leaves all. */
int backtrace_trim(void *const **frames, int n);

/* The same for the outer frames alone: below the goroutine's function. */
int backtrace_trim_outer(void *const *frames, int n);

/* One line a frame; returns the length it needs, as snprintf. */
int backtrace_lines(void *const *frames, int n, char *out, size_t size);

/* The same, trimmed; returns the length it needs, as snprintf. */
int backtrace_format(void *const *frames, int n, char *out, size_t size);

/* "name+offset file:line (object)" of a return address: the call before it. */
int backtrace_symbol(const void *address, char *out, size_t size);
