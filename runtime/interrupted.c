#include "interrupted.h"

#include <stdbool.h>
#include <ucontext.h>

#include "annotate.h"
#include "objects.h"

struct registers {
    uintptr_t pc, sp, fp, link; /* link: where a call just made returns to, 0 where the stack says it */
};

static struct registers registers(const void *context)
{
    const ucontext_t *u = context;

#if defined(__x86_64__)
    return (struct registers){.pc = (uintptr_t)u->uc_mcontext.gregs[REG_RIP],
                              .sp = (uintptr_t)u->uc_mcontext.gregs[REG_RSP],
                              .fp = (uintptr_t)u->uc_mcontext.gregs[REG_RBP]};
#else
    return (struct registers){.pc = u->uc_mcontext.pc,
                              .sp = u->uc_mcontext.sp,
                              .fp = u->uc_mcontext.regs[29],
                              .link = u->uc_mcontext.regs[30]};
#endif
}

/* What a frame pointer points to. */
struct record {
    uintptr_t up, resume;
};

enum { FUNCTION_BYTES_MAX = 1 << 16 };

/* Whether the call before `resume` goes to the function that `pc` is in: then nothing but `pc` lies between. */
static bool calls_here(uintptr_t resume, uintptr_t pc)
{
#if defined(__x86_64__)
    struct __attribute__((packed)) {
        unsigned char code;
        int32_t distance;
    } call;
    bool direct = peek(&call, (void *)(resume - sizeof call), sizeof call) && call.code == 0xe8;
    uintptr_t target = direct ? resume + (uintptr_t)(intptr_t)call.distance : 0;
#else
    uint32_t call;
    bool direct = peek(&call, (void *)(resume - sizeof call), sizeof call) && call >> 26 == 0x25;
    int64_t distance = direct ? (int64_t)((uint64_t)call << 38) >> 36 : 0;
    uintptr_t target = direct ? resume - sizeof call + (uintptr_t)distance : 0;
#endif

    return direct && target <= pc && pc - target < FUNCTION_BYTES_MAX;
}

/* A function that calls nobody may do without a frame, and one that has just begun has none yet: who called it is found
 * where the call left it. 0: it has a frame, or nobody can tell. */
ANNOTATE_UNCHECKED static uintptr_t frameless_caller(const struct registers *r)
{
    uintptr_t resume = r->link ? r->link : *(const uintptr_t *)r->sp;

    return calls_here(resume, r->pc) ? resume : 0;
}

uintptr_t interrupted_pc(const void *context)
{
    return registers(context).pc;
}

int interrupted_frames(const void *context, void **frames, int max)
{
    struct registers r = registers(context);
    struct record record;
    uint32_t code;
    int n = 0;

    frames[n++] = (void *)(r.pc + 1);
    if (n < max && !peek(&code, (void *)r.pc, sizeof code)) { /* a call to nowhere */
        if (r.link)
            frames[n++] = (void *)r.link;
        else if (peek(&frames[n], (void *)r.sp, sizeof *frames))
            n++;
    }
    while (n < max && r.fp >= r.sp && r.fp % sizeof r.fp == 0 && peek(&record, (void *)r.fp, sizeof record) &&
           record.resume) {
        frames[n++] = (void *)record.resume;
        r.sp = r.fp + 1; /* stacks grow down: every frame lies above the one before */
        r.fp = record.up;
    }
    return n;
}

ANNOTATE_UNCHECKED int interrupted_frames_within(const void *context, uintptr_t low, uintptr_t top,
                                                 void **frames, int max)
{
    struct registers r = registers(context);
    uintptr_t caller;
    int n = 0;

    frames[n++] = (void *)(r.pc + 1);
    if (r.sp < low || r.sp > top - sizeof(struct record) || r.sp % sizeof r.sp)
        return n;
    caller = frameless_caller(&r);
    if (caller && n < max)
        frames[n++] = (void *)caller;
    while (n < max && r.fp >= r.sp && r.fp <= top - sizeof(struct record) && r.fp % sizeof r.fp == 0) {
        const struct record *record = (const struct record *)r.fp;

        if (!record->resume)
            break;
        frames[n++] = (void *)record->resume;
        r.sp = r.fp + 1;
        r.fp = record->up;
    }
    return n;
}
