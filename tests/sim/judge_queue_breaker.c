/*
 * The circuit breakers of functions in queues, beside a model of each that knows how runs ended:
 *
 *     so many failures in a row open it, and then no job of the function starts in that queue for breaker_open_ms
 *     after that one starts, to try, and nobody beside it; its success closes the breaker, its failure opens it anew
 *     runs that began before it opened decide nothing
 *
 * Where it is not known how a run ended, or in which order several did, the model counts from how many to how many have failed
 * in a row; and where that might have opened it, it judges nothing until the breaker is set anew or the daemon starts. So it is
 * with a breaker that a share of failures opens.
 */
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "workers.h"

enum { PATH_BYTES = 16, NAME_BYTES = 8, RULES = 4 };

enum condition { CLOSED, OPEN, TRYING };

struct fuse {
    uint32_t queue;
    char path[PATH_BYTES], name[NAME_BYTES];
    bool lost; /* it is not known how it stands */
    enum condition is;
    uint64_t least, most; /* failed in a row */
    uint64_t opened;      /* runs up to this one decide nothing */
    uint64_t trial;
    uint64_t rules[RULES]; /* as they were in the last look */
    int64_t until_ns;      /* OPEN */
    int64_t failed_ns;     /* the last one */
    /* of this look */
    uint64_t done, failed, perhaps, starts, run;
    bool trial_done, trial_failed, trial_over;
};

struct fuses {
    struct fuse *all;
    size_t n;
    uint64_t run_last; /* of all that were seen */
};

static struct fuses *fuses(struct sim *sim)
{
    if (!sim->lives->fuses)
        sim->lives->fuses = sim_alloc(sizeof(*sim->lives->fuses));
    return sim->lives->fuses;
}

void judge_fuses_free(struct sim *sim)
{
    if (sim->lives->fuses)
        free(sim->lives->fuses->all);
    free(sim->lives->fuses);
}

static void keep(char *to, size_t size, struct bytes from)
{
    memcpy(to, from.data, from.size < size ? from.size : size - 1);
}

size_t fuse_of(struct sim *sim, uint32_t queue, struct bytes path, struct bytes name)
{
    struct fuses *own = fuses(sim);
    struct fuse fuse = {.queue = queue};

    if (path.size)
        keep(fuse.path, PATH_BYTES, path);
    keep(fuse.name, NAME_BYTES, name);
    for (size_t i = 0; i < own->n; i++)
        if (own->all[i].queue == queue && strcmp(own->all[i].path, fuse.path) == 0 &&
            strcmp(own->all[i].name, fuse.name) == 0)
            return i;
    own->all = realloc(own->all, sizeof(*own->all) * (own->n + 1));
    if (!own->all)
        abort();
    own->all[own->n] = fuse;
    return own->n++;
}

void judge_fuses_start(struct sim *sim)
{
    struct fuses *own = fuses(sim);

    for (size_t i = 0; i < own->n; i++) {
        struct fuse *fuse = &own->all[i];
        fuse->lost = false;
        fuse->is = CLOSED;
        fuse->least = fuse->most = fuse->opened = 0;
        fuse->done = fuse->failed = fuse->perhaps = fuse->starts = 0;
        fuse->trial_done = fuse->trial_failed = fuse->trial_over = false;
    }
}

/* ---- what happens in one look ---- */

static void ends_trial(struct fuse *fuse, bool done, bool failed)
{
    fuse->trial_over = true;
    fuse->trial_done = done;
    fuse->trial_failed = failed;
}

/* One that is handed back when the time of its job is over says nothing: that job has failed, and no attempt or crash counts. */
static void run_over(struct sim *sim, struct fuse *fuse, const struct life *before, const struct life *life)
{
    bool done = life->state == JOB_DONE,
         fails = (life->state == JOB_SCHEDULED || life->state == JOB_FAILED || life->state == JOB_DEAD) &&
                 life->tries != before->tries,
         perhaps = (life->state == JOB_READY || life->state == JOB_RUNNING) && !before->host;

    if (fails && !judge_was_told(sim, life->id, before->run)) { /* perhaps its argument could not be read */
        perhaps = true;
        fails = false;
    }
    if (fuse->is == TRYING && fuse->trial == before->run) {
        ends_trial(fuse, done, fails);
    } else if (before->run > fuse->opened) {
        fuse->done += done;
        fuse->failed += fails;
        fuse->perhaps += perhaps;
    }
}

void judge_fuse_turn(struct sim *sim, const struct life *before, const struct life *life)
{
    struct fuses *own = fuses(sim);
    struct fuse *fuse = &own->all[life->fuse];
    bool ran = before->state == JOB_RUNNING && before->run, goes_on = life->state == JOB_RUNNING;

    if (ran && !(goes_on && life->run == before->run))
        run_over(sim, fuse, before, life);
    if (goes_on && life->run != before->run) {
        fuse->starts++;
        fuse->run = life->run;
    }
    own->run_last = life->run > own->run_last ? life->run : own->run_last;
}

void judge_fuse_gone(struct sim *sim, const struct life *life)
{
    if (life->state == JOB_RUNNING)
        fuses(sim)->all[life->fuse].lost = true;
}

/* ---- how it stands after that ---- */

static void opens(struct sim *sim, struct fuse *fuse)
{
    fuse->is = OPEN;
    fuse->opened = fuses(sim)->run_last;
    fuse->until_ns = sim->now_ns + (int64_t)queue_setting(sim, fuse->queue, POLICY_breaker_open_ms) * MS;
}

static void closes(struct fuse *fuse)
{
    fuse->is = CLOSED;
    fuse->least = fuse->most = 0;
}

static void count(struct sim *sim, struct fuse *fuse, uint64_t bound)
{
    int64_t window_ns = (int64_t)queue_setting(sim, fuse->queue, POLICY_breaker_window_ms) * MS;
    uint64_t more = fuse->failed + fuse->perhaps;

    if (!more && !fuse->done)
        return;
    if (!more)
        closes(fuse);
    if (fuse->done || sim->now_ns - fuse->failed_ns >= window_ns)
        fuse->least = 0;
    fuse->least += fuse->done ? 0 : fuse->failed;
    fuse->most += more;
    fuse->failed_ns = more ? sim->now_ns : fuse->failed_ns;
    if (fuse->least >= bound)
        opens(sim, fuse);
    else if (fuse->most >= bound)
        fuse->lost = true;
}

/* It ended, and it may be that it failed: then it is open, else somebody may try. */
static void trial_ends(struct sim *sim, struct fuse *fuse)
{
    if (fuse->trial_done) {
        closes(fuse);
        return;
    }
    opens(sim, fuse);
    if (!fuse->trial_failed)
        fuse->until_ns = sim->now_ns;
}

static void judge_starts_of(struct sim *sim, struct fuse *fuse)
{
    int64_t window_ns = (int64_t)queue_setting(sim, fuse->queue, POLICY_breaker_window_ms) * MS;

    if (!fuse->starts || fuse->is == CLOSED)
        return;
    if (fuse->is == OPEN && sim->now_ns >= fuse->until_ns + window_ns) {
        fuse->lost = true; /* perhaps nobody came to try, and it is closed */
    } else if (fuse->is == OPEN && sim->now_ns >= fuse->until_ns && fuse->starts == 1) {
        fuse->is = TRYING;
        fuse->trial = fuse->run;
    } else {
        sim_fail(
            sim, "run %llx starts %s the circuit breaker of %s:%s in queue %u", (unsigned long long)fuse->run,
            fuse->is == TRYING || sim->now_ns >= fuse->until_ns ? "beside another one that tries" : "past",
            fuse->path, fuse->name, fuse->queue);
    }
}

/* Closed, it forgets what it has counted; and everything where none is set any more. */
static void set_anew(struct fuse *fuse, bool off, bool ended)
{
    fuse->lost = !off && (fuse->lost || ended);
    if (off || fuse->is == CLOSED)
        closes(fuse);
}

static bool has_other_rules(const struct sim *sim, struct fuse *fuse)
{
    static const enum policy_field fields[RULES] = {POLICY_breaker_failures, POLICY_breaker_share,
                                                    POLICY_breaker_least, POLICY_breaker_window_ms};
    bool other = false;

    for (int i = 0; i < RULES; i++) {
        uint64_t value = queue_setting(sim, fuse->queue, fields[i]);
        other |= fuse->rules[i] != value;
        fuse->rules[i] = value;
    }
    return other;
}

static void look_at(struct sim *sim, struct fuse *fuse)
{
    uint64_t bound = queue_setting(sim, fuse->queue, POLICY_breaker_failures),
             share = queue_setting(sim, fuse->queue, POLICY_breaker_share);
    bool off = !bound && !share, ended = fuse->done || fuse->failed || fuse->perhaps || fuse->trial_over;

    if (has_other_rules(sim, fuse) || off)
        set_anew(fuse, off, ended);
    fuse->lost |= share || sim->lives->queue[fuse->queue].doubt;
    if (!fuse->lost && !off && fuse->is == TRYING && fuse->trial_over)
        trial_ends(sim, fuse);
    else if (!fuse->lost && !off && fuse->is == CLOSED)
        count(sim, fuse, bound ? bound : UINT64_MAX);
    if (!fuse->lost && !off)
        judge_starts_of(sim, fuse);
    fuse->done = fuse->failed = fuse->perhaps = fuse->starts = 0;
    fuse->trial_done = fuse->trial_failed = fuse->trial_over = false;
}

void judge_fuses(struct sim *sim)
{
    for (size_t i = 0; i < fuses(sim)->n && !sim->failed; i++)
        look_at(sim, &fuses(sim)->all[i]);
}
