#include "clock.h"

#include <time.h>

static int64_t read_ns(clockid_t id)
{
    struct timespec at;

    clock_gettime(id, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static struct now read_now(void)
{
    return (struct now){read_ns(CLOCK_MONOTONIC), read_ns(CLOCK_REALTIME)};
}

void clock_start(struct clock *clock, bool test)
{
    *clock = (struct clock){.test = test, .at = read_now()};
}

struct now clock_now(const struct clock *clock)
{
    return clock->test ? clock->at : read_now();
}

void clock_advance(struct clock *clock, int64_t ns)
{
    clock->at.mono_ns += ns;
    clock->at.wall_ns += ns;
}

int clock_timeout_ms(const struct clock *clock, int64_t mono_ns)
{
    const int64_t longest_ms = 3600 * 1000;

    if (mono_ns == INT64_MAX)
        return -1;
    int64_t left_ns = mono_ns - clock_now(clock).mono_ns;
    if (left_ns <= 0)
        return 0;
    if (clock->test)
        return -1; /* only clock_advance brings it nearer */
    int64_t left_ms = (left_ns + 999999) / 1000000;
    return left_ms > longest_ms ? (int)longest_ms : (int)left_ms;
}
