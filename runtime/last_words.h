/* Names in a process that is about to die of a signal. */
#pragma once

#include <stddef.h>

/* The stack of what a signal interrupted: a walk of frame pointers through memory that may be damaged. The first frame
 * is the instruction itself, as if it were a call. `context` is the handler's third argument. Async-signal-safe. */
int last_words_frames(const void *context, void **frames, int max);

/* Its text, as in dumps, by a child process. The length, or a negative errno value; then the addresses are all there is. */
int last_words_stack(const void *context, char *out, size_t size);
