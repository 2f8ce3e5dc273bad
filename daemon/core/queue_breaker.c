/*
 * The circuit breaker of a function in a queue, for a function that fails because of something all its jobs need.
 *
 *     CLOSED ─► OPEN ─► HALF_OPEN ─► TRYING ─► CLOSED     so many failures in a row open it, or a share of what ended in a
 *                ▲          ▲───────────┤                 window; after breaker_open_ms one job tries: it closes it
 *                └──────────────────────┘                 or opens it anew
 *
 * Jobs that it keeps stay ready, and hold up no other function. A failure is an error, a panic, a crash or the end of a time
 * limit; a cancelled or returned run says nothing, nor does a failure that its function calls permanent: that is the
 * job's. If the job that tries ends so, another one does. Runs that began before it opened decide nothing.
 *
 * It is a matter of memory: what it knows goes with the daemon, and when nothing has come for a window that it counts.
 *
 * Invariants: closed, it has fewer failures than open it; `broken` of the queue counts those that let no job start; the timer
 * runs while it is open, and while it has something to forget.
 */
#include "queue_breaker.h"

#include <assert.h>
#include <string.h>

#include "jobs_internal.h"

#define TO(STATE) (1u << BREAKER_##STATE)
#define MS_NS     INT64_C(1000000)

static const uint8_t moves[BREAKER_STATES] = {
    [BREAKER_CLOSED] = TO(OPEN),
    [BREAKER_OPEN] = TO(HALF_OPEN) | TO(CLOSED),
    [BREAKER_HALF_OPEN] = TO(TRYING) | TO(CLOSED),
    [BREAKER_TRYING] = TO(CLOSED) | TO(OPEN) | TO(HALF_OPEN),
};

const char *breaker_word(enum breaker_state state)
{
    static const char *const words[BREAKER_STATES] = {"closed", "open", "half-open", "trying"};

    return words[state];
}

bool breaker_may(enum breaker_state from, enum breaker_state to)
{
    return moves[from] >> to & 1;
}

bool breaker_lets(const struct track *track)
{
    return track->breaker.state == BREAKER_CLOSED || track->breaker.state == BREAKER_HALF_OPEN ||
           (PLANTED(TWO_TRY) && track->breaker.state == BREAKER_TRYING);
}

static struct track *track_of(struct track_breaker *breaker)
{
    return container_of(breaker, struct track, breaker);
}

/* The one place that writes the state. */
static void breaker_move(struct core *core, struct track_breaker *b, enum breaker_state to)
{
    struct track *track = track_of(b);

    assert(breaker_may(b->state, to) && "a breaker moves as its table allows");
    track->queue->broken -= !breaker_lets(track);
    b->state = (uint8_t)to;
    track->queue->broken += !breaker_lets(track);
    dispatch_soon(core);
}

static bool is_set(const struct queue *queue)
{
    return queue->policy.breaker_failures || queue->policy.breaker_share;
}

static int64_t window_ns(const struct track_breaker *b)
{
    return (int64_t)container_of(b, struct track, breaker)->queue->policy.breaker_window_ms * MS_NS;
}

/* ---- counting ---- */

static void forget(struct core *core, struct track_breaker *b)
{
    track_of(b)->queue->breakers -= b->counted;
    b->counted = false;
    b->failures = 0;
    memset(b->slices, 0, sizeof(b->slices));
    timer_disarm(core, &b->timer);
}

/* The slice of now; those that are older than the window are emptied. */
static struct breaker_slice *slice_now(const struct core *core, struct track_breaker *b)
{
    int64_t now = core->now.mono_ns / (window_ns(b) / BREAKER_SLICES);

    if (now - b->slice >= BREAKER_SLICES || now < b->slice)
        memset(b->slices, 0, sizeof(b->slices));
    else
        for (int64_t i = b->slice + 1; i <= now; i++)
            b->slices[i % BREAKER_SLICES] = (struct breaker_slice){0};
    b->slice = now;
    return &b->slices[now % BREAKER_SLICES];
}

static struct breaker_slice sum_of(const struct track_breaker *b)
{
    struct breaker_slice sum = {0};

    for (int i = 0; i < BREAKER_SLICES; i++) {
        sum.ends += b->slices[i].ends;
        sum.failures += b->slices[i].failures;
    }
    return sum;
}

static bool is_over(const struct track_breaker *b)
{
    const struct queue_policy *policy = &container_of(b, struct track, breaker)->queue->policy;
    struct breaker_slice sum = sum_of(b);

    if (policy->breaker_failures && b->failures >= policy->breaker_failures)
        return true;
    return policy->breaker_share && sum.ends >= policy->breaker_least &&
           (uint64_t)sum.failures * 100 >= policy->breaker_share * sum.ends;
}

static void fired(struct core *core, struct timer *timer)
{
    struct track_breaker *b = container_of(timer, struct track_breaker, timer);
    struct track *track = track_of(b);

    if (b->state == BREAKER_OPEN)
        breaker_move(core, b, BREAKER_HALF_OPEN);
    else if (b->state == BREAKER_CLOSED)
        return forget(core, b), track_settle(core, track);
    else if (!track->lanes_n) /* nobody has come to try */
        return breaker_fini(core, track), track_settle(core, track);
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, window_ns(b)), fired);
}

static void open_it(struct core *core, struct track_breaker *b)
{
    const struct track *track = track_of(b);
    int64_t open_ns = (int64_t)track->queue->policy.breaker_open_ms * MS_NS / (PLANTED(OPEN_DOOR) ? 2 : 1);

    breaker_move(core, b, BREAKER_OPEN);
    b->opened = core->incarnation << RUN_INCARNATION_SHIFT | core->jobs->run_last;
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, open_ns), fired);
    core_log(core, LOG_LEVEL_WARN, "event=breaker_open queue=%.*s function=%.*s failures=%llu",
             (int)track->queue->name_size, track->queue->name, (int)track->function->name_size,
             track->function->name, (unsigned long long)b->failures);
}

/* Until nothing has come for a window. */
static void remember(struct core *core, struct track_breaker *b)
{
    track_of(b)->queue->breakers += !b->counted;
    b->counted = true;
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, window_ns(b)), fired);
}

/* Names of functions are what submitters make them: beyond the limit a further one counts for nothing. */
static void count(struct core *core, struct track_breaker *b, bool failed)
{
    const struct queue *queue = track_of(b)->queue;

    if (!b->counted && queue->breakers >= core->limits.breakers_max)
        return;
    struct breaker_slice *slice = slice_now(core, b);
    slice->ends++;
    slice->failures += failed;
    b->failures = failed ? b->failures + 1 : 0;
    if (failed || queue->policy.breaker_share)
        remember(core, b);
    if (failed && is_over(b))
        open_it(core, b);
}

/* ---- runs ---- */

static struct track_breaker *breaker_of(const struct run *run)
{
    return &run->job->lane->track->breaker;
}

void breaker_started(struct core *core, const struct run *run)
{
    struct track_breaker *b = breaker_of(run);

    if (b->state != BREAKER_HALF_OPEN)
        return;
    b->trial = run->number;
    timer_disarm(core, &b->timer);
    breaker_move(core, b, BREAKER_TRYING);
}

void breaker_judge(struct core *core, const struct run *run, bool failed)
{
    struct track_breaker *b = breaker_of(run);

    if (!is_set(run->job->lane->queue))
        return;
    if (b->state == BREAKER_TRYING && b->trial == run->number) {
        b->failures += failed;
        if (failed && !PLANTED(BROKEN_FUSE))
            return open_it(core, b);
        breaker_move(core, b, BREAKER_CLOSED);
        forget(core, b);
    } else if (b->state == BREAKER_CLOSED && run->number > b->opened) {
        count(core, b, failed);
    }
}

void breaker_left(struct core *core, const struct run *run)
{
    struct track_breaker *b = breaker_of(run);

    if (b->state != BREAKER_TRYING || b->trial != run->number)
        return;
    breaker_move(core, b, BREAKER_HALF_OPEN);
    timer_arm(core, &b->timer, time_after(core->now.mono_ns, window_ns(b)), fired);
}

/* ---- the queue ---- */

void breaker_fini(struct core *core, struct track *track)
{
    forget(core, &track->breaker);
    if (track->breaker.state != BREAKER_CLOSED)
        breaker_move(core, &track->breaker, BREAKER_CLOSED);
}

void breaker_set(struct core *core, struct queue *queue)
{
    struct track *track, *after;

    list_each_safe (track, after, &queue->tracks, queue_link) {
        if (!is_set(queue))
            breaker_fini(core, track);
        else if (track->breaker.state == BREAKER_CLOSED)
            forget(core, &track->breaker); /* it was counted by other rules */
        track_settle(core, track);
    }
}

static bool has_open(const struct track *track)
{
    for (int i = 0; i < PRIORITIES; i++)
        if (track->open[i].count)
            return true;
    return false;
}

bool breaker_keeps(const struct queue *queue)
{
    const struct track *track;

    if (!queue->broken)
        return false;
    list_each (track, &queue->tracks, queue_link)
        if (has_open(track) && breaker_lets(track))
            return false;
    return true;
}

bool breaker_remembers(const struct track *track)
{
    return track->breaker.state != BREAKER_CLOSED || timer_armed(&track->breaker.timer);
}

/* ---- telling ---- */

uint64_t breaker_left_ms(const struct core *core, const struct track *track)
{
    int64_t left_ns = track->breaker.timer.at_ns - core->now.mono_ns;

    return track->breaker.state == BREAKER_OPEN && left_ns > 0 ? (uint64_t)((left_ns + MS_NS - 1) / MS_NS)
                                                               : 0;
}

size_t breaker_reason(const struct core *core, const struct track *track, char *to, size_t size)
{
    unsigned long long failures = track->breaker.failures;

    if (breaker_lets(track))
        return 0;
    if (track->breaker.state == BREAKER_TRYING)
        return text_write(
            to, size,
            "the circuit breaker of its function is open, whose last %llu runs failed: one tries now",
            failures);
    return text_write(
        to, size,
        "the circuit breaker of its function is open, whose last %llu runs failed: one tries in %llu ms",
        failures, (unsigned long long)breaker_left_ms(core, track));
}

void breaker_check(const struct track *track)
{
    const struct track_breaker *b = &track->breaker;
    uint64_t limit = track->queue->policy.breaker_failures;

    assert((b->state != BREAKER_CLOSED || !limit || b->failures < limit) &&
           "so many failures open the breaker of a function");
    assert((b->state != BREAKER_OPEN || timer_armed(&b->timer)) && "a breaker is not open for ever");
    assert((b->state != BREAKER_TRYING || track->lanes_n) && "a job tries while a breaker waits for it");
}
