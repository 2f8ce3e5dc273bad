#include "guide_run.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES = 1024, LINES_SHOWN = 60, LOOKS = 3, FAKE_CLOCK_STARTS_S = 946684800 };

static struct guide_run *runs;
static pthread_mutex_t runs_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- runs ---- */

static struct guide_run *run_here(void)
{
    go_group *group = go_group_current();
    struct guide_run *run;

    pthread_mutex_lock(&runs_lock);
    for (run = runs; run && run->group != group; run = run->next)
        ;
    pthread_mutex_unlock(&runs_lock);
    if (!run)
        go_panic("a goroutine that belongs to no row");
    return run;
}

static void run_delete(struct guide_run *run)
{
    go_group_unref(run->group);
    lines_drop(&run->lines);
    pthread_mutex_destroy(&run->lock);
    free(run);
}

/* A job's run stays until nobody of the job is left to ask for it, so until the next one begins. */
static void drop_old_runs(void)
{
    struct guide_run **at = &runs;

    while (*at) {
        struct guide_run *run = *at;

        if (!atomic_load(&run->over) || (run->group && go_group_live(run->group) > 0)) {
            at = &run->next;
            continue;
        }
        *at = run->next;
        run_delete(run);
    }
}

static void run_begin(struct guide_run *run)
{
    pthread_mutex_init(&run->lock, NULL);
    if (go_group_current())
        run->group = go_group_ref(go_group_current());
    pthread_mutex_lock(&runs_lock);
    drop_old_runs();
    run->next = runs;
    runs = run;
    pthread_mutex_unlock(&runs_lock);
}

static void run_end(void *arg)
{
    struct guide_run *run = arg;

    if (run->procs_before)
        go_set_procs(run->procs_before);
    atomic_store(&run->over, true);
}

bool guide_is_job(void)
{
    return run_here()->print != NULL;
}

uint64_t guide_job_id(void)
{
    return run_here()->job_id;
}

/* ---- a clean end ---- */

struct others {
    uint64_t me;
    int all, parked; /* parked: without those that wait for an answer of the daemon, which comes */
};

static int count_other(const struct go_info *info, void *arg)
{
    struct others *others = arg;

    if (info->id == others->me)
        return 0;
    others->all++;
    others->parked += info->state == GO_STATE_PARKED && strcmp(info->reason, "goroutined") != 0;
    return 0;
}

static struct others others_of(const struct guide_run *run)
{
    struct others others = {.me = go_id()};

    go_each(run->group, count_other, &others);
    return others;
}

/* Whether some are left, all of them wait, and nothing ran while we looked: so nobody is on the way to wake them. */
static bool all_left_behind(const struct guide_run *run)
{
    for (int i = 0; i < LOOKS; i++) {
        struct go_stats before, after;
        struct others others;

        go_yield();
        go_stats_read(&before);
        others = others_of(run);
        go_stats_read(&after);
        if (others.all == 0 || others.parked < others.all || before.switches != after.switches ||
            before.ended != after.ended)
            return false;
    }
    return true;
}

static void check_clean_end(struct guide_run *run)
{
    while (others_of(run).all > 0) {
        if (all_left_behind(run)) {
            atomic_store(&run->failed, true);
            go_group_dump(run->group, 2);
            go_panic("%s %s: a goroutine is left waiting", run->row->id, run->row->name);
        }
        go_yield();
    }
    if (atomic_load(&run->failed))
        go_panic("%s %s: a check did not hold", run->row->id, run->row->name);
}

void must_end_clean(void)
{
    check_clean_end(run_here());
}

static void run_row(void *arg)
{
    struct guide_run *run = arg;

    go_defer(run_end, run);
    run->row->body();
    if (run->row->ends == ENDS_WELL && !run->row->judge)
        check_clean_end(run);
}

void guide_run(const struct guide_row *row, void (*print)(struct guide_run *run, const char *line), void *job,
               uint64_t job_id)
{
    struct guide_run *run = calloc(1, sizeof *run);

    if (!run)
        go_panic("no memory");
    run->row = row;
    run->print = print;
    run->job = job;
    run->job_id = job_id;
    run_begin(run);
    if (print && row->procs[0] && !row->procs[1])
        run->procs_before = go_set_procs(row->procs[0]);
    go_call(run_row, run);
}

/* ---- lines ---- */

void say(const char *format, ...)
{
    struct guide_run *run = run_here();
    char line[LINE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    pthread_mutex_lock(&run->lock);
    lines_add(&run->lines, line);
    if (!run->print)
        printf("%s\n", line);
    pthread_mutex_unlock(&run->lock);
    if (run->print)
        run->print(run, line); /* may wait */
}

const char *ctx_error(const go_ctx *ctx)
{
    int error = go_ctx_err(ctx);

    if (error == 0)
        return "";
    return error == -ETIMEDOUT ? "context deadline exceeded" : "context canceled";
}

void say_unkept(const char *line)
{
    struct guide_run *run = run_here();

    if (run->print)
        run->print(run, line);
    else
        printf("%s\n", line);
}

void say_nothing_yet(void)
{
    struct guide_run *run = run_here();

    pthread_mutex_lock(&run->lock);
    lines_drop(&run->lines);
    pthread_mutex_unlock(&run->lock);
}

bool said_by(const char *prefix, const char *const *lines)
{
    struct guide_run *run = run_here();
    bool equal;

    pthread_mutex_lock(&run->lock);
    equal = lines_are(&run->lines, prefix, lines);
    pthread_mutex_unlock(&run->lock);
    return equal;
}

bool said(const char *const *lines)
{
    return said_by("", lines);
}

bool said_in_any_order(const char *const *lines)
{
    struct guide_run *run = run_here();
    bool equal;

    pthread_mutex_lock(&run->lock);
    equal = lines_are_set(&run->lines, lines);
    pthread_mutex_unlock(&run->lock);
    return equal;
}

size_t said_times(const char *format, ...)
{
    struct guide_run *run = run_here();
    char line[LINE_BYTES];
    size_t times;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    pthread_mutex_lock(&run->lock);
    times = lines_count(&run->lines, line);
    pthread_mutex_unlock(&run->lock);
    return times;
}

size_t said_lines(void)
{
    struct guide_run *run = run_here();
    size_t n;

    pthread_mutex_lock(&run->lock);
    n = run->lines.n;
    pthread_mutex_unlock(&run->lock);
    return n;
}

static bool said_at(bool (*at)(const struct lines *lines, const char *line), const char *line)
{
    struct guide_run *run = run_here();
    bool is;

    pthread_mutex_lock(&run->lock);
    is = at(&run->lines, line);
    pthread_mutex_unlock(&run->lock);
    return is;
}

bool said_first(const char *line)
{
    return said_at(lines_begin, line);
}

bool said_last(const char *line)
{
    return said_at(lines_end, line);
}

bool said_before(const char *first, const char *second)
{
    struct guide_run *run = run_here();
    bool ordered;

    pthread_mutex_lock(&run->lock);
    ordered = lines_ordered(&run->lines, first, second);
    pthread_mutex_unlock(&run->lock);
    return ordered;
}

/* ---- checks ---- */

static void show_lines(struct guide_run *run)
{
    pthread_mutex_lock(&run->lock);
    for (size_t i = 0; i < run->lines.n && i < LINES_SHOWN; i++)
        fprintf(stderr, "  said: %s\n", run->lines.line[i]);
    pthread_mutex_unlock(&run->lock);
}

void guide_must(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    if (!go_inside())
        exit(1);
    show_lines(run_here());
    atomic_store(&run_here()->failed, true);
    go_panic("%s:%d: %s does not hold", file, line, what);
}

/* ---- waiting for a state ---- */

struct waiting {
    const char *reason;
    int n;
};

static int count_waiting(const struct go_info *info, void *arg)
{
    struct waiting *waiting = arg;

    waiting->n += info->state == GO_STATE_PARKED && strcmp(info->reason, waiting->reason) == 0;
    return 0;
}

int parked(const char *reason)
{
    struct waiting waiting = {reason, 0};

    go_each(go_group_current(), count_waiting, &waiting);
    return waiting.n;
}

void until_parked(int n, const char *reason)
{
    while (parked(reason) != n)
        go_yield();
}

void until_waiting(int n)
{
    const struct guide_run *run = run_here();

    while (others_of(run).parked != n)
        go_yield();
}

void until_live(int n)
{
    const struct guide_run *run = run_here();

    while (others_of(run).all + 1 != n)
        go_yield();
}

void gate_pass(struct gate *gate)
{
    go_mutex_lock(&gate->lock);
    gate->waiting++;
    while (!gate->open)
        go_cond_wait(&gate->opened, &gate->lock);
    gate->waiting--;
    go_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
    go_mutex_lock(&gate->lock);
    gate->open = true;
    go_cond_broadcast(&gate->opened);
    go_mutex_unlock(&gate->lock);
}

void gate_until(struct gate *gate, int n)
{
    int waiting;

    do {
        go_yield();
        go_mutex_lock(&gate->lock);
        waiting = gate->waiting;
        go_mutex_unlock(&gate->lock);
    } while (waiting != n);
}

void peak_enter(struct peak *peak)
{
    int now = atomic_fetch_add(&peak->now, 1) + 1, most = atomic_load(&peak->most);

    while (most < now && !atomic_compare_exchange_weak(&peak->most, &most, now))
        ;
}

void peak_leave(struct peak *peak)
{
    atomic_fetch_sub(&peak->now, 1);
}

/* ---- time ---- */

void on_fake_clock(void (*fn)(void *arg), void *arg)
{
    must(go_bubble(fn, arg) == 0);
}

int64_t fake_ms(void)
{
    return (go_now_ns() - FAKE_CLOCK_STARTS_S * INT64_C(1000000000)) / 1000000;
}
