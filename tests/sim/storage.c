/*
 * The store's thread: group commits that take time, fail when full, or never come to report because the
 * daemon died. The store itself is the product's own, in memory; it outlives the daemon.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "feeds.h"
#include "groups.h"
#include "keeps.h"
#include "laters.h"
#include "pools.h"
#include "schedules.h"
#include "workers.h"

/* The store's thread takes as many batches at once as it likes (writer.c): nothing holds those of one step together. */
static void take_some(struct sim *sim)
{
    uint64_t n = chance(sim, 1, 2) ? UINT64_MAX : 1 + below(sim, 3);
    struct batch *batch, *after;

    list_each_safe (batch, after, &sim->daemon.pending, link) {
        if (n-- == 0)
            return;
        list_remove(&batch->link);
        list_append(&sim->daemon.group, &batch->link);
    }
}

static void begin_commit(struct sim *sim)
{
    if (sim->daemon.committing || list_empty(&sim->daemon.pending))
        return;
    sim->daemon.committing = true;
    take_some(sim);
    schedule(sim, between(sim, 100 * US, 4 * MS),
             (struct event){.kind = EVENT_COMMIT, .a = sim->daemon.incarnation});
}

void storage_take(struct sim *sim, struct list *batches)
{
    judge_schedules_taken(sim, batches);
    judge_laters_taken(sim, batches);
    judge_feeds_taken(sim, batches);
    list_splice(&sim->daemon.pending, batches);
    if (sim->daemon.up)
        begin_commit(sim);
}

static void drop(struct list *batches)
{
    struct batch *batch, *after;

    list_each_safe (batch, after, batches, link)
        batch_delete(batch);
}

static void apply(struct sim *sim, struct list *batches)
{
    judge_schedules_stored(sim, batches);
    judge_lives_stored(sim, batches);
    judge_groups_stored(sim, batches);
    judge_laters_stored(sim, batches);
    judge_keeps_stored(sim, batches);
    judge_states_stored(sim, batches);
    judge_feeds_stored(sim, batches);
    if (!list_empty(batches) && store_memory.apply(sim->daemon.store, batches) != 0)
        abort();
}

/* What is in memory alone goes with the daemon. */
static void lose(struct sim *sim)
{
    struct fetch what = {.kind = FETCH_JOBS, .limit = 1 << 14};
    struct list batches = LIST_INIT(batches);
    struct batch *batch = batch_new(1);
    struct fetched fetched;

    list_append(&batches, &batch->link);
    if (store_memory.fetch(sim->daemon.store, &what, &fetched) == 0)
        for (size_t i = 0; i < fetched.rows_n; i++)
            if (flags_durability(fetched.rows[i].flags) == DURABLE_NONE)
                batch_append(batch, record_new(RECORD_JOB_DELETE, &fetched.rows[i], (struct bytes){0}));
    fetched_clear(&fetched);
    if (store_memory.apply(sim->daemon.store, &batches) != 0)
        abort();
    drop(&batches);
}

/* The daemon dies: the commit under way happened or not, what is behind it did not. */
void storage_crash(struct sim *sim)
{
    if (sim->daemon.committing && chance(sim, 1, 2)) {
        sim->faults[FAULT_RESTART_UNREPORTED]++;
        apply(sim, &sim->daemon.group);
    }
    sim->daemon.committing = false;
    drop(&sim->daemon.group);
    drop(&sim->daemon.pending);
    lose(sim);
}

/* A full store: admissions fail; the rest is stored with the ballast's room (writer.h). */
static void commit_full(struct sim *sim)
{
    struct list kept = LIST_INIT(kept), group = LIST_INIT(group);
    struct batch *batch, *after;

    sim->faults[FAULT_STORE_FULL]++;
    judge_schedules_refused(sim);
    list_each_safe (batch, after, &sim->daemon.group, link) {
        batch->error = batch_admits(batch) ? -ENOSPC : 0;
        if (batch->error)
            continue;
        list_remove(&batch->link);
        list_append(&kept, &batch->link);
    }
    apply(sim, &kept);
    list_splice(&group, &sim->daemon.group);
    while (!list_empty(&group) || !list_empty(&kept)) {
        struct batch *a = list_first(&group, struct batch, link), *b = list_first(&kept, struct batch, link);
        batch = !b || (a && a->number < b->number) ? a : b;
        list_remove(&batch->link);
        list_append(&sim->daemon.group, &batch->link);
    }
}

/* Reports the fates in order, neighbours of one fate together. */
static void report(struct sim *sim, struct list *group)
{
    struct batch *batch;

    while ((batch = list_first(group, struct batch, link))) {
        struct input in = {.kind = IN_STORED, .stored = {.error = batch->error}};
        while ((batch = list_first(group, struct batch, link)) && batch->error == in.stored.error) {
            in.stored.batch = batch->number;
            batch_delete(batch);
        }
        daemon_input(sim, &in);
    }
}

void event_commit(struct sim *sim, struct event *event)
{
    struct list group = LIST_INIT(group);

    if (!sim->daemon.up || event->a != sim->daemon.incarnation)
        return;
    if (sim->faults_on && chance(sim, 1, 12))
        commit_full(sim);
    else
        apply(sim, &sim->daemon.group);
    sim->daemon.committing = false;
    list_splice(&group, &sim->daemon.group);
    begin_commit(sim);
    report(sim, &group);
}

/* ---- reading ---- */

struct fetch_job {
    uint64_t number;
    struct fetch what;
    uint64_t topics[]; /* of `what` */
};

void storage_fetch(struct sim *sim, uint64_t number, const struct fetch *what)
{
    struct fetch_job *job = sim_alloc(sizeof(*job) + what->topics_n * sizeof(*what->topics));

    *job = (struct fetch_job){.number = number, .what = *what};
    if (what->topics) {
        job->what.topics = job->topics;
        memcpy(job->topics, what->topics, what->topics_n * sizeof(*what->topics));
    }
    schedule(sim, between(sim, 10 * US, 2 * MS),
             (struct event){.kind = EVENT_FETCHED, .a = sim->daemon.incarnation, .data = job});
}

void event_fetched(struct sim *sim, struct event *event)
{
    const struct fetch_job *job = event->data;
    struct fetched fetched;

    if (!sim->daemon.up || event->a != sim->daemon.incarnation)
        return;
    fetched = (struct fetched){.memory = LIST_INIT(fetched.memory)};
    bool broken = sim->faults_on && chance(sim, 1, 30);

    sim->faults[FAULT_NO_FETCH] += broken;
    int r = broken ? -EIO : store_memory.fetch(sim->daemon.store, &job->what, &fetched);
    struct input in = {.kind = IN_FETCHED, .fetched = {.fetch = job->number, .error = r}};
    if (job->what.kind == FETCH_BACKUP)
        in.fetched.error = copy_write(sim, job->number, &in.fetched.body);
    else if (r == 0) {
        in.fetched.rows = fetched.rows;
        in.fetched.rows_n = fetched.rows_n;
        in.fetched.body = fetched.body;
        in.fetched.messages = fetched.messages;
        in.fetched.messages_n = fetched.messages_n;
        in.fetched.offset = fetched.offset;
        in.fetched.more = fetched.more;
    }
    daemon_input(sim, &in);
    fetched_clear(&fetched);
}

static int load_row(void *context, const struct job_row *row)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load(sim->daemon.core, row, &why);

    if (r < 0)
        sim_fail(sim, "core_load refuses job %llx: %d %s", (unsigned long long)row->id, r, why);
    return r;
}

static int load_job_ids(void *context, uint64_t last)
{
    struct sim *sim = context;

    core_load_job_ids(sim->daemon.core, last);
    return 0;
}

static int load_queue(void *context, struct bytes name, struct bytes kept)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load_queue(sim->daemon.core, name, kept, &why);

    judge_queue_loaded(sim, name, kept);
    if (r < 0)
        sim_fail(sim, "core_load_queue refuses %.*s: %d %s", (int)name.size, (const char *)name.data, r, why);
    return r;
}

static int load_pool(void *context, struct bytes name, struct bytes kept)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load_pool(sim->daemon.core, name, kept, &why);

    judge_pool_loaded(sim, name, kept);
    if (r < 0)
        sim_fail(sim, "core_load_pool refuses %.*s: %d %s", (int)name.size, (const char *)name.data, r, why);
    return r;
}

static int load_channel(void *context, const struct channel_row *row)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load_channel(sim->daemon.core, row, &why);

    if (r < 0)
        sim_fail(sim, "core_load_channel refuses %.*s: %d %s", (int)row->name.size,
                 (const char *)row->name.data, r, why);
    return r;
}

static int load_schedule(void *context, const struct schedule_row *row, struct bytes argument)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load_schedule(sim->daemon.core, row, argument, &why);

    if (r < 0)
        sim_fail(sim, "core_load_schedule refuses %.*s: %d %s", (int)row->name.size,
                 (const char *)row->name.data, r, why);
    return r;
}

static int load_value(void *context, const struct value_row *row, struct bytes body)
{
    struct sim *sim = context;
    const char *why = "";
    int r = core_load_value(sim->daemon.core, row, body, &why);

    judge_value_loaded(sim, body);
    if (r < 0)
        sim_fail(sim, "core_load_value refuses %llu of %llu: %d %s", (unsigned long long)row->sequence,
                 (unsigned long long)row->channel, r, why);
    return r;
}

void storage_load(struct sim *sim)
{
    struct store_load load = {.job = load_row,
                              .context = sim,
                              .queue = load_queue,
                              .channel = load_channel,
                              .value = load_value,
                              .schedule = load_schedule,
                              .pool = load_pool,
                              .job_ids = load_job_ids};
    char *why = NULL;

    storage_load_topics(&load);
    if (store_memory.load(sim->daemon.store, &load, &why) != 0 && !sim->failed)
        sim_fail(sim, "the store cannot be loaded: %s", why ? why : "");
    free(why);
}

bool storage_job(struct sim *sim, uint64_t job, struct job_row *row)
{
    struct fetch what = {.kind = FETCH_JOB, .job = job};
    struct fetched fetched;
    int r = store_memory.fetch(sim->daemon.store, &what, &fetched);

    if (r == 0)
        *row = fetched.rows[0]; /* its strings are gone with `fetched` */
    fetched_clear(&fetched);
    return r == 0;
}

int storage_ended_with(struct sim *sim, uint64_t job, struct bytes result)
{
    struct fetch what = {.kind = FETCH_JOB, .job = job};
    struct fetched fetched;
    int r = -1;

    if (store_memory.fetch(sim->daemon.store, &what, &fetched) == 0)
        r = fetched.rows[0].state == JOB_DONE && fetched.body.size == result.size &&
            memcmp(fetched.body.data, result.data, result.size) == 0;
    fetched_clear(&fetched);
    return r;
}

size_t storage_count(struct sim *sim, struct bytes key)
{
    struct fetch what = {.kind = FETCH_JOBS, .limit = 1 << 14};
    struct fetched fetched;
    size_t n = 0;

    if (store_memory.fetch(sim->daemon.store, &what, &fetched) == 0)
        for (size_t i = 0; i < fetched.rows_n; i++)
            n += fetched.rows[i].key.size == key.size &&
                 memcmp(fetched.rows[i].key.data, key.data, key.size) == 0;
    fetched_clear(&fetched);
    return n;
}

bool storage_has_key(struct sim *sim, uint64_t job)
{
    struct job_row row;

    return storage_job(sim, job, &row) && row.once.size > 0;
}

uint64_t storage_next(struct sim *sim, uint64_t job)
{
    struct fetch what = {.kind = FETCH_JOBS, .job = job, .limit = 1};
    struct fetched fetched;
    uint64_t next = 0;

    if (store_memory.fetch(sim->daemon.store, &what, &fetched) == 0 && fetched.rows_n)
        next = fetched.rows[0].id;
    fetched_clear(&fetched);
    return next;
}

uint64_t storage_op(struct sim *sim, const struct secret *session, uint64_t op)
{
    struct fetch what = {.kind = FETCH_OP, .session = *session, .op = op};
    struct fetched fetched;
    uint64_t job = 0;

    if (store_memory.fetch(sim->daemon.store, &what, &fetched) == 0)
        job = fetched.rows[0].id;
    fetched_clear(&fetched);
    return job;
}
