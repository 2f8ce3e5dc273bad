/* A stack of its own for foreign code that needs more than a goroutine has. */
#pragma once

/* Calls fn(arg) on it, on the calling thread, and returns when fn has. One call at a time; fn must not park,
 * panic or exit. Without memory for it fn is called where the caller stands. */
void big_stack_call(void (*fn)(void *arg), void *arg);
