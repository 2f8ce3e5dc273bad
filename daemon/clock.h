/* The time of the hub. A test clock stands still but for clock_advance. */
#pragma once

#include <stdbool.h>

#include "core.h"

struct clock {
    bool test;
    struct now at; /* test: the time it is */
};

void clock_start(struct clock *clock, bool test);
struct now clock_now(const struct clock *clock);
void clock_advance(struct clock *clock, int64_t ns);
/* How long epoll may sleep until `mono_ns`, in milliseconds rounded up; -1: for ever. */
int clock_timeout_ms(const struct clock *clock, int64_t mono_ns);
