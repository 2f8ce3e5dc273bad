/*
 * An execution trace: who ran when and where, who waited for what, who woke whom, which value went from whom to whom.
 * Each hook costs one branch while no trace is taken.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct g;
struct go_chan;
struct thread;

extern _Atomic bool trace_active;

static inline bool trace_on(void)
{
    return __builtin_expect(atomic_load_explicit(&trace_active, memory_order_relaxed), 0);
}

/* All of these only while it is on. A goroutine that is NULL is the caller. */
void trace_create(const struct g *g);
/* By the one that ends, before anybody can know of it. */
void trace_end(const struct g *g);
void trace_switch(const struct thread *t, const struct g *to, int why);
void trace_wake(const struct g *g);
/* A value goes straight from one to the other; into the buffer, by a sender; out of it, where `count` were before. */
void trace_pass(const struct g *from, const struct g *to);
void trace_put(const struct go_chan *c, const struct g *from);
void trace_take(const struct go_chan *c, size_t count);

/* ---- what was recorded ---- */

enum trace_kind {
    TRACE_THERE, /* at the start of the trace: in `state` */
    TRACE_CREATE,
    TRACE_BEGIN,
    TRACE_BLOCK,
    TRACE_YIELD,
    TRACE_WAKE,
    TRACE_END,
    TRACE_PASS,
    TRACE_PUT,
    TRACE_TAKE
};

enum { TRACE_NAME_BYTES = 24 };

struct trace_event {
    int64_t ns;
    uint64_t g, other; /* other: creator, waker, sender; of a TAKE how many there were */
    const void *what;  /* reason of the wait, the goroutine's function, the channel */
    unsigned char kind, state;
    short processor;             /* -1: none */
    char name[TRACE_NAME_BYTES]; /* of a goroutine, "" for that of its function */
};

/* Sorts the events and writes them. 0, -ENOMEM or a negative errno value of write. */
int trace_write(struct trace_event *events, size_t n, int64_t begin_ns, int64_t end_ns, uint64_t dropped,
                int fd);
