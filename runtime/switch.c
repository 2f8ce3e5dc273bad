#include "switch.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "annotate.h"

extern void goroutine_entry(void);

/* As in asm/prctl.h of kernels from 6.6 on. */
#define SHADOW_STACK_STATUS 0x5005
#define SHADOW_STACK_ON     1ul

#if defined(__x86_64__)

/* Pushed by goroutine_switch, from the saved stack pointer up. */
struct saved {
    void *r15, *r14, *r13, *r12, *rbx, *rbp, *rip;
};

/* endbr64: the return into goroutine_entry and indirect calls land here under IBT.
 * goroutine_entry: rip undefined and rbp 0, so that unwinders and frame walks end there. */
__asm__(".text\n"
        ".globl goroutine_switch\n.hidden goroutine_switch\n.type goroutine_switch,@function\n"
        "goroutine_switch:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    .cfi_rel_offset rbp, 0\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    .cfi_adjust_cfa_offset 40\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    .cfi_adjust_cfa_offset -40\n"
        "    popq %rbp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    .cfi_restore rbp\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size goroutine_switch,.-goroutine_switch\n"

        ".globl goroutine_entry\n.hidden goroutine_entry\n.type goroutine_entry,@function\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined rip\n"
        "    nop\n" /* unwinders look up the call's address minus one */
        "goroutine_entry:\n"
        "    endbr64\n"
        "    xorl %ebp, %ebp\n"
        "    callq *%rbx\n"
        "    ud2\n"
        "    .cfi_endproc\n"
        ".size goroutine_entry,.-goroutine_entry\n"

        ".globl goroutine_call_marked\n.hidden goroutine_call_marked\n.type goroutine_call_marked,@function\n"
        "goroutine_call_marked:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    pushq %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset rbp, -16\n"
        "    movq %rsp, %rbp\n"
        "    .cfi_def_cfa_register rbp\n"
        "    movq %rsp, (%rdx)\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    callq *%rax\n"
        "    popq %rbp\n"
        "    .cfi_def_cfa rsp, 8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size goroutine_call_marked,.-goroutine_call_marked\n");

bool switch_refused(void)
{
    unsigned long features = 0;

    return syscall(SYS_arch_prctl, SHADOW_STACK_STATUS, &features) == 0 && features & SHADOW_STACK_ON;
}

static void saved_init(struct saved *s, void (*entry)(void))
{
    s->rbx = (void *)entry;
    s->rip = (void *)goroutine_entry;
}

ANNOTATE_UNCHECKED struct switch_saved switch_saved(const void *sp)
{
    const struct saved *s = sp;

    return (struct switch_saved){.frame = s->rbp, .resume = s->rip};
}

#elif defined(__aarch64__)

struct saved {
    void *x19, *x20, *x21, *x22, *x23, *x24, *x25, *x26, *x27, *x28, *x29, *x30;
    uint64_t d8_d15[8];
};

/* hint #34 is bti c: a landing pad for indirect calls. */
__asm__(".text\n"
        ".globl goroutine_switch\n.hidden goroutine_switch\n.type goroutine_switch,%function\n"
        "goroutine_switch:\n"
        "    .cfi_startproc\n"
        "    hint #34\n"
        "    sub sp, sp, #160\n"
        "    .cfi_def_cfa_offset 160\n"
        "    stp x19, x20, [sp, #0]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    .cfi_rel_offset x29, 80\n"
        "    .cfi_rel_offset x30, 88\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp, #0]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    .cfi_def_cfa_offset 0\n"
        "    .cfi_restore x29\n"
        "    .cfi_restore x30\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size goroutine_switch,.-goroutine_switch\n"

        ".globl goroutine_entry\n.hidden goroutine_entry\n.type goroutine_entry,%function\n"
        "    .cfi_startproc\n"
        "    .cfi_undefined x30\n"
        "    nop\n" /* unwinders look up the call's address minus one */
        "goroutine_entry:\n"
        "    hint #36\n" /* bti j: reached by ret, and by no call */
        "    mov x29, #0\n"
        "    mov x30, #0\n"
        "    blr x19\n"
        "    brk #1\n"
        "    .cfi_endproc\n"
        ".size goroutine_entry,.-goroutine_entry\n"

        ".globl goroutine_call_marked\n.hidden goroutine_call_marked\n.type goroutine_call_marked,%function\n"
        "goroutine_call_marked:\n"
        "    .cfi_startproc\n"
        "    hint #34\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset x29, -16\n"
        "    .cfi_offset x30, -8\n"
        "    mov x29, sp\n"
        "    mov x9, sp\n"
        "    str x9, [x2]\n"
        "    mov x9, x0\n"
        "    mov x0, x1\n"
        "    blr x9\n"
        "    ldp x29, x30, [sp], #16\n"
        "    .cfi_def_cfa_offset 0\n"
        "    .cfi_restore x29\n"
        "    .cfi_restore x30\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size goroutine_call_marked,.-goroutine_call_marked\n");

bool switch_refused(void)
{
    return false;
}

static void saved_init(struct saved *s, void (*entry)(void))
{
    s->x19 = (void *)entry;
    s->x30 = (void *)goroutine_entry;
}

ANNOTATE_UNCHECKED struct switch_saved switch_saved(const void *sp)
{
    const struct saved *s = sp;

    return (struct switch_saved){.frame = s->x29, .resume = s->x30};
}

#else
#error "libgoroutine knows x86_64 and aarch64"
#endif

/* After goroutine_switch has popped all of `saved`, the stack pointer is 16-aligned, as a call from entry
 * needs it. */
void *switch_prepare(void *top, void (*entry)(void))
{
    uintptr_t end = (uintptr_t)top & ~(uintptr_t)15;
    struct saved *s = (struct saved *)(end - sizeof *s);

    memset(s, 0, sizeof *s);
    saved_init(s, entry);
    return s;
}
