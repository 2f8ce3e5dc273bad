/* How often each stack was seen: what profiles are made of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "goroutine_inspect.h"

/* Return addresses, innermost first. */
struct stack_count {
    uint64_t count;  /* 0: a free slot */
    uint64_t amount; /* of the profile's second kind: nanoseconds, bytes */
    int n;
    void *frame[GO_FRAMES_MAX];
};

/* One caller at a time. Adding allocates nothing, so a signal handler may. */
struct stack_counts {
    struct stack_count *slot;
    size_t slots; /* a power of two */
    size_t used, room;
};

/* Room for `room` different stacks; pages are taken as they fill. 0 or -ENOMEM. */
int stack_counts_init(struct stack_counts *counts, size_t room);
void stack_counts_free(struct stack_counts *counts);

/* Frames beyond GO_FRAMES_MAX, the outermost, are left out. False: there is no room for one more stack. */
bool stack_counts_add(struct stack_counts *counts, void *const *frames, int n, uint64_t count,
                      uint64_t amount);

/* A copy with memory of its own. 0 or -ENOMEM. */
int stack_counts_copy(const struct stack_counts *from, struct stack_counts *to);

/* What to make of them. */
struct profile_kind {
    const char *type, *unit;               /* of a count: "goroutine", "count" */
    const char *period_type, *period_unit; /* what a sample stands for */
    int64_t period, duration_ns;
    const char *second_type, *second_unit; /* of amounts; NULL: only counts are written */
};

/* Writes them. 0, -ENOMEM, -EINVAL (no such format), or a negative errno value of write. */
int profile_write(const struct stack_counts *counts, const struct profile_kind *kind,
                  enum go_profile_format format, int fd);

/* The protobuf of pprof (profile.proto), not compressed. */
int pprof_write(const struct stack_counts *counts, const struct profile_kind *kind, int fd);
