/* What goroutines do: for dumps, stragglers and statistics. Reads others' state while they run; each answer
 * is checked to belong to one wait, or says no more than that it runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotate.h"
#include "backtrace.h"
#include "group.h"
#include "scheduler.h"

struct each {
    int (*fn)(const struct go_info *info, void *arg);
    void *arg;
};

/* Byte by byte: the goroutine may be renaming itself. */
ANNOTATE_UNCHECKED static void name_copy(char *to, const volatile char *from, size_t size)
{
    size_t i = 0;

    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}

ANNOTATE_UNCHECKED static void name_fill(struct go_info *info, const struct g *g)
{
    name_copy(info->name, g->name[0] || !g->site ? g->name : g->site->function, sizeof info->name);
    if (!info->name[0])
        backtrace_symbol((const char *)g->fn + 1, info->name, sizeof info->name);
}

/* Whether a processor has it: a glance, not a promise. */
ANNOTATE_UNCHECKED static bool runs_now(const struct g *g)
{
    int made = atomic_load(&sched.made);

    for (int i = 0; i < made; i++)
        if (atomic_load(&sched.proc[i])->thread.current == g)
            return true;
    return false;
}

/* A goroutine's own fields are written before it is published and hardly ever after. */
ANNOTATE_UNCHECKED static void info_fill(struct go_info *info, const struct g *g)
{
    uint64_t wait = atomic_load(&g->wait);

    memset(info, 0, sizeof *info);
    info->id = atomic_load(&g->id);
    info->function = g->fn;
    info->site = g->site;
    info->spawn_pc = g->spawn_pc;
    info->group = g->group;
    info->reason = "";
    info->state = runs_now(g) ? GO_STATE_RUNNING : GO_STATE_READY;
    name_fill(info, g);
    if (atomic_load(&g->token) != TOKEN_PARKED)
        return;
    info->reason = atomic_load(&g->reason);
    info->age_ns = clock_ns() - atomic_load(&g->wait_since_ns);
    info->frames = backtrace_parked(g, info->frame, GO_FRAMES_MAX);
    info->state = GO_STATE_PARKED;
    if (atomic_load(&g->wait) == wait && atomic_load(&g->token) == TOKEN_PARKED)
        return;
    info->reason = "";
    info->frames = 0;
    info->state = GO_STATE_READY;
}

ANNOTATE_UNCHECKED static int each_one(struct g *g, void *arg)
{
    struct each *each = arg;
    struct go_info info;

    if (g->thread || g->system)
        return 0;
    info_fill(&info, g);
    return info.id ? each->fn(&info, each->arg) : 0;
}

int go_each(const go_group *group, int (*fn)(const struct go_info *info, void *arg), void *arg)
{
    struct each each = {.fn = fn, .arg = arg};

    g_self(); /* the caller is known from here on */
    return group ? group_each((go_group *)group, each_one, &each) : g_each(each_one, &each);
}

static const char *const state_names[] = {
    [GO_STATE_READY] = "ready", [GO_STATE_RUNNING] = "running", [GO_STATE_PARKED] = "parked"};

int go_info_format(const struct go_info *info, char *out, size_t size)
{
    char wait[96] = "", site[128] = "";
    size_t head;
    int stack;

    if (info->state == GO_STATE_PARKED)
        snprintf(wait, sizeof wait, ": %s, %lld.%03lld s", info->reason,
                 (long long)(info->age_ns / 1000000000), (long long)(info->age_ns / 1000000 % 1000));
    if (info->site)
        snprintf(site, sizeof site, "%s:%d", info->site->file, info->site->line);
    else
        backtrace_symbol(info->spawn_pc, site, sizeof site);
    head = (size_t)snprintf(out, size, "goroutine %llu [%s%s] %s\n  started at %s\n",
                            (unsigned long long)info->id, state_names[info->state], wait, info->name, site);
    stack = backtrace_format(info->frame, info->frames, head < size ? out + head : NULL,
                             head < size ? size - head : 0);
    return (int)head + stack;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, p, n);

        if (r < 0 && errno != EINTR)
            return -errno;
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        }
    }
    return 0;
}

struct dump {
    char *text;
    size_t size;
    int fd;
};

static int dump_one(const struct go_info *info, void *arg)
{
    struct dump *d = arg;
    int n = go_info_format(info, d->text, d->size - 1);
    int used = n < (int)d->size - 2 ? n : (int)d->size - 2;

    d->text[used] = '\n';
    return write_all(d->fd, d->text, (size_t)used + 1);
}

int go_group_dump(const go_group *group, int fd)
{
    struct dump d = {.size = 8192, .fd = fd, .text = malloc(8192)};
    int r;

    if (!d.text)
        return -ENOMEM;
    r = go_each(group, dump_one, &d);
    free(d.text);
    return r;
}

int go_dump(int fd)
{
    return go_group_dump(NULL, fd);
}

ANNOTATE_UNCHECKED static int count_parked(struct g *g, void *arg)
{
    *(int64_t *)arg += !g->thread && !g->system && atomic_load(&g->token) == TOKEN_PARKED;
    return 0;
}

void go_stats_read(struct go_stats *out)
{
    int made = atomic_load(&sched.made);

    memset(out, 0, sizeof *out);
    for (int i = 0; i < made; i++) {
        struct proc *p = atomic_load(&sched.proc[i]);

        out->spawned += atomic_load_explicit(&p->spawned, memory_order_relaxed);
        out->ended += atomic_load_explicit(&p->ended, memory_order_relaxed);
        out->switches += atomic_load_explicit(&p->switches, memory_order_relaxed);
        out->steals += atomic_load_explicit(&p->steals, memory_order_relaxed);
        out->wakeups += atomic_load_explicit(&p->wakeups, memory_order_relaxed);
    }
    out->timers_fired = atomic_load_explicit(&sched.timers_fired, memory_order_relaxed);
    out->live = go_live();
    g_each(count_parked, &out->parked);
    out->stacks_bytes = stack_bytes_mapped();
    out->procs = atomic_load(&sched.procs);
    out->procs_extra = atomic_load(&sched.extras);
}
