#include "linger.h"

#include <sched.h>

/* A wait in sleep is longer than the same one looking on, by the time that waking takes. */
enum { SHORT_WAITS = 2 };

static int processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);
}

void linger_init(struct lingering *l, uint64_t most_us)
{
    *l = (struct lingering){.most_ns = processors() > 1 ? (int64_t)most_us * 1000 : 0};
}

int64_t linger_ns(const struct lingering *l)
{
    return l->waited_ns <= SHORT_WAITS * l->most_ns ? l->most_ns : 0;
}

void linger_waited(struct lingering *l, int64_t ns)
{
    l->waited_ns = ns;
}
