/*
 * Leaving one stack for another. What is saved: the callee-saved registers of the ABI, on the stack that is
 * left. Not saved: the signal mask, the floating-point control words (fpenv.h), and a shadow stack (switch_refused).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Saves the caller's registers, stores its stack pointer at *save, and goes on where `load` was saved. */
void goroutine_switch(void **save, void *load);

/* Whether returns of this process are checked against a shadow stack: a switch would be taken for an attack. */
bool switch_refused(void);

/*
 * The stack pointer of a fresh stack that ends at `top`: switching to it calls entry(), which must never
 * return, in a frame where unwinders stop.
 */
void *switch_prepare(void *top, void (*entry)(void));

/* Calls fn(arg) and first stores at *cfa the canonical frame address that fn will have: who is called
 * directly (P2). */
void goroutine_call_marked(void (*fn)(void *), void *arg, void **cfa);

/* Where goroutine_switch left the frame pointer and the resume address of a stack saved at `sp`. */
struct switch_saved {
    void *frame, *resume;
};
struct switch_saved switch_saved(const void *sp);

/* What lies there at most. */
#define SWITCH_SAVED_BYTES 160

/* Of the function it is inlined into. */
static inline __attribute__((always_inline)) void *stack_pointer(void)
{
    void *sp;

#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
#else
    __asm__ volatile("mov %0, sp" : "=r"(sp));
#endif
    return sp;
}
