/* The table of armed faults. Passings are counted with atomics: points are passed by several threads. */
#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Invariant: passings run from `first` on; a point is armed while `first` is not 0. */
struct point {
    const char *name;
    _Atomic uint64_t first, last, passed;
    _Atomic int outcome;
};

static struct point points[FAULT_COUNT] = {
#define FAULT_POINT(NAME, text, help) {.name = (text)},
    FAULTS(FAULT_POINT)
#undef FAULT_POINT
};

static const struct {
    const char *name;
    int outcome;
} outcomes[] = {{"ENOSPC", -ENOSPC}, {"EIO", -EIO}, {"ENOMEM", -ENOMEM}, {"kill", FAULT_KILL}};

void fault_arm(enum fault fault, uint64_t first, uint64_t more, int outcome)
{
    struct point *point = &points[fault];

    atomic_store(&point->first, 0);
    atomic_store(&point->passed, 0);
    atomic_store(&point->last, first + more);
    atomic_store(&point->outcome, outcome);
    atomic_store(&point->first, first);
}

void fault_disarm_all(void)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        fault_arm((enum fault)i, 0, 0, 0);
}

int fault_hit(enum fault fault)
{
    struct point *point = &points[fault];
    uint64_t first = atomic_load_explicit(&point->first, memory_order_relaxed);

    if (first == 0)
        return 0;
    uint64_t passing = atomic_fetch_add(&point->passed, 1) + 1;
    if (passing < first || passing > atomic_load(&point->last))
        return 0;
    int outcome = atomic_load(&point->outcome);
    if (outcome == FAULT_KILL)
        kill(getpid(), SIGKILL);
    return outcome;
}

/* Steps over one of `count` names at **text. Its index, or -1. */
static int read_name(const char **text, const char *(*name)(int), int count)
{
    for (int i = 0; i < count; i++) {
        size_t n = strlen(name(i));
        if (strncmp(*text, name(i), n) == 0 && strchr("=:,", (*text)[n])) {
            *text += n;
            return i;
        }
    }
    return -1;
}

static const char *point_name(int i)
{
    return points[i].name;
}

static const char *outcome_name(int i)
{
    return outcomes[i].name;
}

static bool read_mark(const char **text, char mark)
{
    if (**text != mark)
        return false;
    ++*text;
    return true;
}

static bool read_number(const char **text, uint64_t *number)
{
    char *end;

    *number = strtoull(*text, &end, 10);
    if (end == *text)
        return false;
    *text = end;
    return true;
}

static int arm_one(const char **text)
{
    uint64_t first, more = 0;
    int point = read_name(text, point_name, FAULT_COUNT);

    if (point < 0 || !read_mark(text, '=') || !read_number(text, &first) || first == 0)
        return -EINVAL;
    if (read_mark(text, '+') && !read_number(text, &more))
        return -EINVAL;
    if (!read_mark(text, ':'))
        return -EINVAL;
    int outcome = read_name(text, outcome_name, sizeof(outcomes) / sizeof(*outcomes));
    if (outcome < 0)
        return -EINVAL;
    fault_arm((enum fault)point, first, more, outcomes[outcome].outcome);
    return 0;
}

int fault_arm_text(const char *text, const char **where)
{
    while (text && *text) {
        *where = text;
        int r = arm_one(&text);
        if (r < 0 || (*text && !read_mark(&text, ',')))
            return -EINVAL;
    }
    return 0;
}
