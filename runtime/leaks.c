/*
 * Leaks: goroutines that wait for what will never come (Z4). Proven and suspected ones are found by different calls, for
 * different moments, and never mixed: a proof needs the end of a scope or of the program.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deadlock.h"
#include "dump.h"
#include "leaks.h"
#include "scheduler.h"
#include "waiting.h"

static const char *const kind_names[] = {[GO_LEAK_PROVEN] = "proven leak",
                                         [GO_LEAK_SUSPECTED] = "suspected leak",
                                         [GO_LEAK_BLOCKED] = "left blocked",
                                         [GO_LEAK_RUNNING] = "left running"};

const char *go_leak_kind_name(enum go_leak_kind kind)
{
    return kind_names[kind];
}

/* ---- one after the other ---- */

struct each {
    int64_t age_ns;
    bool proven; /* at the end: who is parked can never run again */
    int (*fn)(const struct go_leak *leak, void *arg);
    void *arg;
};

/* False: it is of no interest. */
static bool classify(struct go_leak *leak, const struct each *each)
{
    bool parked = leak->info.state == GO_STATE_PARKED;

    if (each->age_ns == GO_LEAKS_AT_END) {
        leak->kind = !parked ? GO_LEAK_RUNNING : each->proven ? GO_LEAK_PROVEN : GO_LEAK_BLOCKED;
        return true;
    }
    leak->kind = parked ? GO_LEAK_SUSPECTED : GO_LEAK_RUNNING;
    return parked ? leak->info.age_ns >= each->age_ns : leak->info.state == GO_STATE_RUNNING;
}

static int each_member(const struct census *census, const struct each *each)
{
    for (size_t i = 0; i < census->n; i++) {
        struct go_leak leak;
        int r = 0;

        info_fill(&leak.info, census->members[i].g);
        if (leak.info.id == census->members[i].id && leak.info.id != go_id() && classify(&leak, each))
            r = each->fn(&leak, each->arg);
        if (r)
            return r;
    }
    return 0;
}

int go_leaks(const go_group *group, int64_t age_ns, int (*fn)(const struct go_leak *leak, void *arg),
             void *arg)
{
    struct each each = {.age_ns = age_ns, .fn = fn, .arg = arg};
    struct census census;
    int r = census_take(&census, group);

    if (r == 0 && age_ns == GO_LEAKS_AT_END)
        each.proven = leaks_proven(group);
    if (r == 0)
        r = each_member(&census, &each);
    free(census.members);
    return r;
}

/* ---- as text ---- */

enum { ENTRY_BYTES = 16384 };

struct writing {
    int fd;
    int64_t found;
    char *text;
};

static int write_one(const struct go_leak *leak, void *arg)
{
    struct writing *w = arg;
    int n = go_info_format(&leak->info, w->text, ENTRY_BYTES);
    int r;

    n = n < ENTRY_BYTES - 1 ? n : ENTRY_BYTES - 1;
    w->found += leak->kind == GO_LEAK_PROVEN || leak->kind == GO_LEAK_SUSPECTED;
    r = fd_print(w->fd, "%s: ", kind_names[leak->kind]);
    if (r == 0)
        r = fd_write(w->fd, w->text, (size_t)n);
    return r ? r : fd_write(w->fd, "\n", 1);
}

int64_t go_leaks_write(const go_group *group, int64_t age_ns, int fd)
{
    struct writing w = {.fd = fd, .text = malloc(ENTRY_BYTES)};
    int r = w.text ? go_leaks(group, age_ns, write_one, &w) : -ENOMEM;

    free(w.text);
    return r ? r : w.found;
}

void leaks_at_exit(void)
{
    const char *wanted = getenv("GOROUTINE_LEAKS");

    if (wanted && *wanted && strcmp(wanted, "0") != 0)
        go_leaks_write(NULL, GO_LEAKS_AT_END, STDERR_FILENO);
}

/* ---- for tests ---- */

struct go_leak_mark go_leak_mark(void)
{
    return (struct go_leak_mark){.id = g_last_id()};
}

enum { LOOKS = 3 };

struct since {
    uint64_t id;
    int64_t n, moving; /* moving: they do not wait */
};

static int count_since(const struct go_info *info, void *arg)
{
    struct since *since = arg;

    if (info->id <= since->id || info->id == go_id())
        return 0;
    since->n++;
    since->moving += info->state != GO_STATE_PARKED;
    return 0;
}

static int write_since(const struct census *census, const struct go_leak_mark *mark, int fd)
{
    struct writing w = {.fd = fd, .text = malloc(ENTRY_BYTES)};
    int r = w.text ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < census->n; i++) {
        struct go_leak leak;

        info_fill(&leak.info, census->members[i].g);
        if (leak.info.id != census->members[i].id || leak.info.id <= mark->id || leak.info.id == go_id())
            continue;
        leak.kind = leak.info.state == GO_STATE_PARKED ? GO_LEAK_BLOCKED : GO_LEAK_RUNNING;
        r = write_one(&leak, &w);
    }
    free(w.text);
    return r;
}

/* Whether all that are left wait and nothing that was due before we looked can have woken them since. */
static bool settled(struct since *since, uint64_t id)
{
    for (int i = 0; i < LOOKS; i++) {
        bool still = nothing_pending();

        *since = (struct since){.id = id};
        go_each(NULL, count_since, since);
        if (!still || since->moving)
            return false;
        go_yield();
    }
    return true;
}

static bool time_left(go_until until)
{
    if (until.ns == GO_NS_NOW || (until.ctx && go_ctx_err(until.ctx)))
        return false;
    return until.ns == GO_NS_FOREVER || go_now_ns() < until.ns;
}

int64_t go_leak_check(struct go_leak_mark mark, int fd, go_until until)
{
    struct since since;
    struct census census;
    int r;

    do
        go_yield();
    while (!settled(&since, mark.id) && since.n > 0 && time_left(until));
    if (since.n == 0)
        return 0;
    r = census_take(&census, NULL);
    if (r == 0)
        r = write_since(&census, &mark, fd);
    free(census.members);
    return r ? r : since.n;
}
