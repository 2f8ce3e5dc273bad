/* The stack that a signal interrupted, from the third argument of its handler. All async-signal-safe. */
#pragma once

#include <stdint.h>

/* The instruction itself. */
uintptr_t interrupted_pc(const void *context);

/* A walk of frame pointers through memory that may be damaged; the kernel reads it for us. The first frame is the
 * instruction, as if it were a call. */
int interrupted_frames(const void *context, void **frames, int max);

/* The same inside a stack that is known to be mapped from `low` to `top`: without system calls. */
int interrupted_frames_within(const void *context, uintptr_t low, uintptr_t top, void **frames, int max);
