/* What goroutines do: for dumps, stragglers and statistics. Reads others' state while they run; each answer
 * is checked to belong to one wait, or says no more than that it runs. */
#include "dump.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "annotate.h"
#include "backtrace.h"
#include "fatal.h"
#include "group.h"
#include "living.h"
#include "objects.h"
#include "scheduler.h"
#include "symbol.h"

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
        symbol_exported((const void *)g->fn, info->name, sizeof info->name);
}

/* The processor that has it, or NULL: a glance, not a promise. */
ANNOTATE_UNCHECKED static const struct proc *runs_on(const struct g *g)
{
    int made = atomic_load(&sched.made);

    for (int i = 0; i < made; i++) {
        const struct proc *p = atomic_load(&sched.proc[i]);

        if (p->thread.current == g)
            return p;
    }
    return NULL;
}

/* On its processor: of a hog it is known since when. Who asks is none, however long it asks. */
static void running_fill(struct go_info *info, const struct g *g, const struct proc *p)
{
    int64_t since = atomic_load_explicit(&p->hog_since_ns, memory_order_relaxed);

    info->state = GO_STATE_RUNNING;
    if (since && g != g_self() &&
        atomic_load_explicit(&p->switches, memory_order_relaxed) ==
            atomic_load_explicit(&p->hog_switches, memory_order_relaxed))
        info->age_ns = clock_ns() - since;
}

/* A goroutine's own fields are written before it is published and hardly ever after. */
ANNOTATE_UNCHECKED void info_fill(struct go_info *info, const struct g *g)
{
    uint64_t wait = atomic_load(&g->wait);
    const struct proc *p = runs_on(g);

    memset(info, 0, sizeof *info);
    info->id = atomic_load(&g->id);
    info->function = g->fn;
    info->site = g->site;
    info->spawn_pc = g->spawn_pc;
    info->group = g->group;
    info->reason = info->object_kind = "";
    info->state = GO_STATE_READY;
    name_fill(info, g);
    if (atomic_load(&g->token) != TOKEN_PARKED) {
        if (p)
            running_fill(info, g, p);
        return;
    }
    info->reason = atomic_load(&g->reason);
    info->age_ns = clock_ns() - atomic_load(&g->wait_since_ns);
    objects_read(info, g);
    info->timed = atomic_load_explicit(&g->timed, memory_order_relaxed);
    info->frames = backtrace_parked(g, info->frame, GO_FRAMES_MAX);
    info->state = GO_STATE_PARKED;
    if (atomic_load(&g->wait) == wait && atomic_load(&g->token) == TOKEN_PARKED)
        return;
    info->reason = info->object_kind = "";
    info->object = NULL;
    info->objects = info->frames = 0;
    info->age_ns = 0;
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
    struct g *self = g_self();
    unsigned char before = self->heed;
    int r;

    self->heed |= HEED_EACH;
    r = group ? group_each((go_group *)group, each_one, &each) : g_each(each_one, &each);
    self->heed = before;
    return r;
}

void each_refuse(const struct g *g, const char *what)
{
    const char *reason = atomic_load(&g->reason);

    fatal("goroutine %llu: a callback of go_each must not %s%s%s%s", (unsigned long long)atomic_load(&g->id),
          what, *reason ? " (" : "", reason, *reason ? ")" : "");
}

static const char *const state_names[] = {
    [GO_STATE_READY] = "ready", [GO_STATE_RUNNING] = "running", [GO_STATE_PARKED] = "parked"};

static void place_format(const struct go_info *info, char *out, size_t size)
{
    const char *pc = info->spawn_pc;

    if (info->site)
        snprintf(out, size, "%s:%d", symbol_path(info->site->file), info->site->line);
    else /* what the runtime starts by itself has no caller: its function stands for it */
        backtrace_symbol(pc == (const char *)info->function ? pc + 1 : pc, out, size);
}

/* The function that dumps show: the name in `info`, or what debug information knows. */
static const char *name_of(const struct go_info *info, struct symbol *room)
{
    if (info->name[0])
        return info->name;
    symbol_find((const void *)info->function, room);
    return room->name[0] ? room->name : "?";
}

int go_info_format(const struct go_info *info, char *out, size_t size)
{
    char wait[96] = "", place[256], object[256];
    struct symbol function;
    size_t head;
    int stack;

    if (info->state == GO_STATE_PARKED || info->age_ns)
        snprintf(wait, sizeof wait, ": %s, %lld.%03lld s", *info->reason ? info->reason : "does not yield",
                 (long long)(info->age_ns / 1000000000), (long long)(info->age_ns / 1000000 % 1000));
    place_format(info, place, sizeof place);
    object_format(info, object, sizeof object);
    head = (size_t)snprintf(out, size, "goroutine %llu [%s%s] %s\n  started at %s\n%s%s%s",
                            (unsigned long long)info->id, state_names[info->state], wait,
                            name_of(info, &function), place, object[0] ? "  " : "", object,
                            object[0] ? "\n" : "");
    stack = backtrace_format(info->frame, info->frames, head < size ? out + head : NULL,
                             head < size ? size - head : 0);
    return (int)head + stack;
}

int fd_write(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t r = write(fd, bytes, n);

        if (r < 0 && errno != EINTR)
            return -errno;
        if (r > 0) {
            bytes += r;
            n -= (size_t)r;
        }
    }
    return 0;
}

int fd_print(int fd, const char *format, ...)
{
    char text[1024];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fd_write(fd, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

ANNOTATE_UNCHECKED static int census_add(struct g *g, void *arg)
{
    struct census *c = arg;

    if (g->thread || g->system)
        return 0;
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        struct member *members = realloc(c->members, room * sizeof *members);

        if (!members)
            return -ENOMEM;
        c->members = members;
        c->room = room;
    }
    c->members[c->n++] = (struct member){.id = atomic_load(&g->id), .g = g};
    return 0;
}

static int older(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

enum { ENTRY_BYTES = 16384 }; /* of one goroutine in a dump; longer ones are cut */

static int census_write(const struct census *c, int fd)
{
    char *text = malloc(ENTRY_BYTES);
    int r = text ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < c->n; i++) {
        struct go_info info;
        int n;

        info_fill(&info, c->members[i].g);
        if (info.id != c->members[i].id)
            continue;
        n = go_info_format(&info, text, ENTRY_BYTES - 1);
        n = n < ENTRY_BYTES - 2 ? n : ENTRY_BYTES - 2;
        text[n] = '\n';
        r = fd_write(fd, text, (size_t)n + 1);
    }
    free(text);
    return r;
}

int census_take(struct census *c, const go_group *group)
{
    int r;

    memset(c, 0, sizeof *c);
    g_self(); /* the caller is known from here on */
    r = group ? group_each((go_group *)group, census_add, c) : g_each(census_add, c);
    if (r == 0 && c->n)
        qsort(c->members, c->n, sizeof *c->members, older);
    return r;
}

int go_group_dump(const go_group *group, int fd)
{
    struct census c;
    int r = census_take(&c, group);

    if (r == 0)
        r = census_write(&c, fd);
    free(c.members);
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
    struct living living = living_read();
    int made = atomic_load(&sched.made);

    memset(out, 0, sizeof *out);
    out->spawned = living.spawned;
    out->ended = living.ended;
    for (int i = 0; i < made; i++) {
        struct proc *p = atomic_load(&sched.proc[i]);

        out->switches += atomic_load_explicit(&p->switches, memory_order_relaxed);
        out->parks += atomic_load_explicit(&p->parks, memory_order_relaxed);
        out->steals += atomic_load_explicit(&p->steals, memory_order_relaxed);
        out->wakeups += atomic_load_explicit(&p->wakeups, memory_order_relaxed);
    }
    out->timers_fired = atomic_load_explicit(&sched.timers_fired, memory_order_relaxed);
    out->live = (int64_t)(living.spawned - living.ended);
    g_each(count_parked, &out->parked);
    out->stacks_bytes = stack_bytes_mapped();
    out->procs = atomic_load(&sched.procs);
    out->procs_extra = atomic_load(&sched.extras);
}
