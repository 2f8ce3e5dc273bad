/* Names in a process that is about to die of a signal. */
#pragma once

#include <stddef.h>

/* The stack that a signal interrupted (`context`: the third argument of its handler), as in dumps, by a child process.
 * Async-signal-safe. The length, or a negative errno value; then the addresses are all there is. */
int last_words_stack(const void *context, char *out, size_t size);
