/*
 * A token bucket: one token each `period_ns`, at most `burst` kept.
 *
 * The bucket is one number: when it was, or will be, empty. Tokens are the time since then. burst * period_ns fits an
 * int64_t four times.
 */
#pragma once

#include "core_internal.h"

struct bucket {
    uint64_t burst;
    int64_t period_ns; /* of one token */
    int64_t empty_ns;  /* monotonic */
};

/* When so many tokens are there. */
static inline int64_t bucket_ready_ns(const struct bucket *b, uint64_t units)
{
    return time_after(b->empty_ns, (int64_t)units * b->period_ns);
}

/* When it is full. */
static inline int64_t bucket_full_ns(const struct bucket *b)
{
    return bucket_ready_ns(b, b->burst);
}

static inline void bucket_fill(struct bucket *b, int64_t now_ns)
{
    b->empty_ns = now_ns - (int64_t)b->burst * b->period_ns;
}

/* What would run over is as if it had never been there. */
static inline void bucket_pour(struct bucket *b, int64_t now_ns)
{
    int64_t floor = now_ns - (int64_t)b->burst * b->period_ns;

    if (b->empty_ns < floor)
        b->empty_ns = floor;
}

static inline void bucket_spend(struct bucket *b, uint64_t units)
{
    b->empty_ns = bucket_ready_ns(b, units);
}
