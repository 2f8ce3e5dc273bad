/*
 * What must hold of schedules. The ledger follows the records that are written of them, in the order in which the core gave them,
 * and only those that the store has done: so it knows what a restart finds. When something is due, moments.c says.
 *
 *     a job and the step of its schedule are one record; each job is for a moment of its schedule, later than all that are settled,
 *     and not before that has come
 *     of the moments that have come those have a job that the policy says, and a moment is passed over only as it says
 *     none of a schedule that is held or removed has a job
 *     a moment has its job, or is passed over, when it comes; or soon after whatever was in the way has gone
 *     while its queue takes no submits no moment is settled
 *     what is settled reaches further ahead of the clock than three hours for a moment at most: then the schedule goes on from now
 *     what is answered is stored
 */
#include <stdlib.h>
#include <string.h>

#include "operator.h"
#include "record.h"
#include "schedules.h"

/* The store takes its time; and the core looks again for what has been in the way after so long, at most. */
#define STORE_TIME  (S / 2)
#define AGAIN_TIME  (75 * S)
#define LATE_TIME_S 60 /* schedule_late_s */
#define AHEAD_TIME  (3 * 3600 * S)

enum { MISSED_MOST = 5 /* schedule_missed_max: see daemon_limits */ };

static struct schedule_book *book_of(struct sim *sim)
{
    return sim->lives->schedules;
}

static struct entry_schedule *entry_of(struct sim *sim, struct bytes name)
{
    const char *text = name.data;
    uint32_t number = name.size == 6 && memcmp(text, "cron.", 5) == 0 ? (uint32_t)(text[5] - '0') : SCHEDULES;

    return number < SCHEDULES ? &book_of(sim)->of[number] : NULL;
}

static const struct plan *plan_of(struct sim *sim, int64_t grace_ns)
{
    struct schedule_book *book = book_of(sim);

    for (size_t i = book->plans_n; i > 0; i--)
        if (book->plans[i - 1].tag == (uint64_t)(grace_ns - GRACE))
            return &book->plans[i - 1];
    return NULL;
}

static int64_t next_of(const struct plan *plan, int64_t after_ns)
{
    int64_t next = moment_next(plan->spec, plan->place, after_ns / S);

    return next < 0 ? 0 : next * S;
}

static int64_t last_of(const struct plan *plan, int64_t after_ns, int64_t until_ns)
{
    int64_t last = moment_last(plan->spec, plan->place, after_ns / S, until_ns / S);

    return last < 0 ? 0 : last * S;
}

static void move(struct entry_schedule *e, int64_t cursor_ns)
{
    e->cursor_ns = cursor_ns;
    e->next_ns = next_of(&e->plan, cursor_ns);
}

#define WRONG(sim, e, format, ...)                                                                           \
    sim_fail(sim, "schedule %u (%.*s, missed %u, overlap %u): " format, (e)->plan.name,                      \
             (int)spec_text((e)->plan.spec).size, (const char *)spec_text((e)->plan.spec).data,              \
             (e)->plan.missed, (e)->plan.overlap, __VA_ARGS__)

/* ---- jobs ---- */

static bool goes_on(const struct entry_schedule *e)
{
    return e->last_job && !e->last_ended;
}

static bool too_late(const struct entry_schedule *e, int64_t last_ns, int64_t now_ns)
{
    return e->plan.missed == MISSED_SKIP && now_ns - last_ns > LATE_TIME_S * S;
}

/* The first one of those due that has a job. */
static int64_t first_of(const struct entry_schedule *e, int64_t now_ns)
{
    uint64_t most = e->plan.most ? e->plan.most : MISSED_MOST;
    int64_t at = last_of(&e->plan, e->cursor_ns, now_ns);

    if (e->plan.missed != MISSED_ALL || e->plan.overlap == OVERLAP_SKIP)
        return at;
    for (uint64_t i = 1; i < most && at > e->next_ns; i++)
        at = last_of(&e->plan, e->cursor_ns, at - S);
    return at;
}

static void judge_moment(struct sim *sim, const struct entry_schedule *e, int64_t at_ns, uint64_t batch,
                         int64_t now_ns)
{
    int64_t wanted = e->batch == batch ? e->next_ns : first_of(e, now_ns);

    if (!e->there || e->paused)
        WRONG(sim, e, "a job for %lld, and it is %s", (long long)(at_ns / S), e->there ? "held" : "gone");
    else if (at_ns <= e->cursor_ns)
        WRONG(sim, e, "a job for %lld, which was settled before", (long long)(at_ns / S));
    else if (at_ns > now_ns || !moment_is(e->plan.spec, e->plan.place, at_ns / S) || at_ns % S)
        WRONG(sim, e, "a job for %lld, which is no moment that has come", (long long)(at_ns / S));
    else if (at_ns != wanted)
        WRONG(sim, e, "a job for %lld, and %lld should have one", (long long)(at_ns / S),
              (long long)(wanted / S));
    else if (too_late(e, at_ns, now_ns))
        WRONG(sim, e, "a job for %lld, which has been missed", (long long)(at_ns / S));
    else if (e->plan.overlap == OVERLAP_SKIP && goes_on(e))
        WRONG(sim, e, "a job for %lld, and job %llx has not ended", (long long)(at_ns / S),
              (unsigned long long)e->last_job);
}

static void judge_run(struct sim *sim, const struct record *record, uint64_t batch, int64_t now_ns)
{
    const struct schedule_row *row = record->schedule;
    const struct plan *plan = plan_of(sim, record->job.grace_ns);
    struct entry_schedule *e = row ? entry_of(sim, row->name) : NULL;

    if (!plan && !row)
        return;
    if (!plan || !e) {
        sim_fail(sim, "job %llx of a schedule is stored without it", (unsigned long long)record->job.id);
        return;
    }
    if (plan->tag != e->plan.tag)
        WRONG(sim, e, "job %llx is as another one says", (unsigned long long)record->job.id);
    judge_moment(sim, e, row->progress.last_ns, batch, now_ns);
    if (row->progress.cursor_ns != row->progress.last_ns || row->progress.runs != e->runs + 1 ||
        row->progress.last_job != record->job.id)
        WRONG(sim, e, "job %llx does not count as its last", (unsigned long long)record->job.id);
    move(e, row->progress.cursor_ns);
    e->runs++;
    e->last_job = record->job.id;
    e->last_ended = false;
    e->batch = batch;
}

static void job_turned(struct sim *sim, const struct record *record)
{
    for (uint32_t i = 0; i < SCHEDULES; i++) {
        struct entry_schedule *e = &book_of(sim)->of[i];
        if (e->last_job == record->job.id)
            e->last_ended = record->job.state >= JOB_DONE;
    }
}

/* ---- other records ---- */

/* The clock was set back. */
static void judge_return(struct sim *sim, struct entry_schedule *e, const struct schedule_row *row,
                         int64_t now_ns)
{
    if (e->cursor_ns <= now_ns + AHEAD_TIME || row->progress.cursor_ns != now_ns ||
        row->progress.runs != e->runs || row->progress.skipped != e->skipped)
        WRONG(sim, e, "goes back to %lld from %lld, and it is %lld", (long long)(row->progress.cursor_ns / S),
              (long long)(e->cursor_ns / S), (long long)(now_ns / S));
    move(e, now_ns);
}

static void judge_pass(struct sim *sim, struct entry_schedule *e, const struct schedule_row *row,
                       int64_t now_ns)
{
    int64_t last = last_of(&e->plan, e->cursor_ns, now_ns);

    if (!e->there || e->paused || !last || row->progress.cursor_ns != last)
        WRONG(sim, e, "goes past %lld, and %lld is the last moment that is due",
              (long long)(row->progress.cursor_ns / S), (long long)(last / S));
    else if (!sim->ruled && !too_late(e, last, now_ns) && !(e->plan.overlap == OVERLAP_SKIP && goes_on(e)))
        WRONG(sim, e, "goes past %lld without a reason", (long long)(last / S));
    e->skipped++;
    move(e, row->progress.cursor_ns);
}

static void judge_set(struct sim *sim, struct entry_schedule *e, const struct schedule_row *row,
                      int64_t now_ns)
{
    const struct plan *plan = plan_of(sim, row->grace_ns);

    if (!plan || entry_of(sim, row->name) != &book_of(sim)->of[plan->name]) {
        sim_fail(sim, "a schedule is stored for which nobody asked");
        return;
    }
    if (!e->there)
        *e = (struct entry_schedule){.version = e->version};
    e->plan = *plan;
    if (row->progress.runs != e->runs || row->progress.skipped != e->skipped ||
        row->progress.last_job != e->last_job || row->progress.cursor_ns != now_ns)
        WRONG(sim, e, "is set with %llu runs, %llu skipped, and had %llu, %llu",
              (unsigned long long)row->progress.runs, (unsigned long long)row->progress.skipped,
              (unsigned long long)e->runs, (unsigned long long)e->skipped);
    e->there = true;
    e->paused = row->paused;
    e->clear_ns = sim_wall_ns(sim);
    move(e, row->progress.cursor_ns);
}

static void judge_pause(struct sim *sim, struct entry_schedule *e, const struct schedule_row *row,
                        int64_t now_ns)
{
    if (!e->there || e->paused == row->paused)
        WRONG(sim, e, "is %s once more", row->paused ? "held" : "let go");
    e->paused = row->paused;
    if (!e->paused)
        move(e, e->cursor_ns > now_ns ? e->cursor_ns : now_ns);
}

static void judge_move(struct sim *sim, struct entry_schedule *e, const struct record *record,
                       const struct taken *taken)
{
    const struct schedule_row *row = record->schedule;
    bool returns = row->progress.cursor_ns < e->cursor_ns;

    if (!returns && taken->closed >> e->plan.queue & 1)
        WRONG(sim, e, "settles %lld, and its queue takes no job", (long long)(row->progress.cursor_ns / S));
    else if (record->kind != RECORD_SCHEDULE_MOVE)
        return;
    else if (returns)
        judge_return(sim, e, row, taken->wall_ns);
    else
        judge_pass(sim, e, row, taken->wall_ns);
}

static void judge_record(struct sim *sim, const struct record *record, uint64_t batch,
                         const struct taken *taken)
{
    struct entry_schedule *e = record->schedule ? entry_of(sim, record->schedule->name) : NULL;

    if (e)
        e->version++;
    switch (record->kind) {
    case RECORD_JOB_NEW:
    case RECORD_JOB_REPLACE:
        if (e)
            judge_move(sim, e, record, taken);
        judge_run(sim, record, batch, taken->wall_ns);
        break;
    case RECORD_JOB_STATE:
    case RECORD_JOB_END:
        job_turned(sim, record);
        break;
    case RECORD_SCHEDULE_SET:
        if (e)
            judge_set(sim, e, record->schedule, taken->wall_ns);
        break;
    case RECORD_SCHEDULE_MOVE:
        if (e)
            judge_move(sim, e, record, taken);
        break;
    case RECORD_SCHEDULE_PAUSE:
        if (e)
            judge_pause(sim, e, record->schedule, taken->wall_ns);
        break;
    case RECORD_SCHEDULE_DELETE:
        if (e)
            e->there = false;
        break;
    default:
        break;
    }
}

static bool is_closed(const struct sim *sim, uint32_t queue)
{
    return !sim->lives->queue[queue].doubt && queue_paused(sim, queue) && queue_settings(sim, queue)->closed;
}

void judge_schedules_taken(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    struct schedule_book *book = book_of(sim);
    struct taken taken = {.wall_ns = sim_wall_ns(sim)};

    for (uint32_t queue = 0; queue < QUEUES; queue++)
        if (is_closed(sim, queue) && book->closed_ns[queue] && book->closed_ns[queue] < sim->now_ns)
            taken.closed |= 1u << queue;
    list_each (batch, batches, link)
        book->taken[batch->number % TAKEN_KEPT] = taken;
}

void judge_schedules_stored(struct sim *sim, const struct list *batches)
{
    const struct batch *batch;
    const struct record *record;

    list_each (batch, batches, link)
        list_each (record, &batch->records, link)
            if (!sim->failed)
                judge_record(sim, record, batch->number, &book_of(sim)->taken[batch->number % TAKEN_KEPT]);
}

/* ---- in time ---- */

/* Something is in the way of all of them. */
void judge_schedules_refused(struct sim *sim)
{
    for (uint32_t i = 0; i < SCHEDULES; i++)
        book_of(sim)->of[i].clear_ns = sim_wall_ns(sim);
}

static bool has_room(const struct sim *sim, uint32_t queue)
{
    return !sim->lives->queue[queue].doubt && !is_closed(sim, queue) &&
           !queue_setting(sim, queue, POLICY_waiting_max) && !queue_setting(sim, queue, POLICY_waiting_bytes);
}

static void look_at(struct sim *sim, struct entry_schedule *e)
{
    int64_t now = sim_wall_ns(sim),
            in_time = e->clear_ns < e->next_ns ? e->next_ns + STORE_TIME : e->clear_ns + AGAIN_TIME;
    bool waits = e->there && !e->paused;

    if (sim->crowded || sim->memory.short_of || sim->drain.begun || !has_room(sim, e->plan.queue) ||
        !book_of(sim)->place_known[e->plan.place])
        e->clear_ns = now;
    else if (waits && e->next_ns && now > in_time)
        WRONG(sim, e, "was due at %lld, and nothing has come of it", (long long)(e->next_ns / S));
    else if (waits && e->cursor_ns > now + AHEAD_TIME && now > e->clear_ns + AGAIN_TIME)
        WRONG(sim, e, "is silent, and its last moment was %lld", (long long)(e->cursor_ns / S));
}

void judge_schedules_look(struct sim *sim)
{
    struct schedule_book *book = book_of(sim);

    for (uint32_t queue = 0; queue < QUEUES; queue++)
        if (!is_closed(sim, queue))
            book->closed_ns[queue] = 0;
        else if (!book->closed_ns[queue])
            book->closed_ns[queue] = sim->now_ns;
    for (uint32_t i = 0; i < SCHEDULES && !sim->failed; i++)
        look_at(sim, &book_of(sim)->of[i]);
}

/* UTC is known to all. */
void judge_schedules_start(struct sim *sim)
{
    if (!sim->lives->schedules)
        sim->lives->schedules = sim_alloc(sizeof(*sim->lives->schedules));
    for (uint32_t i = 0; i < SCHEDULES; i++)
        book_of(sim)->of[i].batch = 0; /* batches count anew */
    memset(book_of(sim)->closed_ns, 0, sizeof(book_of(sim)->closed_ns));
    for (uint32_t place = 0; place < PLACES; place++)
        book_of(sim)->place_known[place] = place == 0;
    judge_schedules_refused(sim);
}

void judge_schedules_free(struct sim *sim)
{
    if (sim->lives->schedules)
        free(sim->lives->schedules->plans);
    free(sim->lives->schedules);
}

/* Without memory for what was read the core asks again after a while. */
void judge_zone(struct sim *sim, struct bytes name, bool read)
{
    int place = place_of(name);

    if (place >= 0 && read && !sim->memory.short_of)
        book_of(sim)->place_known[place] = true;
}

/* ---- answers ---- */

void judge_schedule_came(struct sim *sim, struct task *task, uint64_t session, const struct request *request)
{
    struct entry_schedule *e = NULL;

    if (request->verb >= VERB_SCHEDULE_SET && request->verb <= VERB_SCHEDULE_PAUSE)
        e = entry_of(sim, request->schedule_set.name); /* the first member of each */
    if (e && task)
        task->version = e->version;
    const struct plan *plan =
        request->verb == VERB_SCHEDULE_SET ? plan_of(sim, request->schedule_set.grace_ns) : NULL;
    if (!plan)
        return;
    struct asked *asked = asked_new(sim, session, request->id, &(struct request_submit){0});
    asked->tag = plan->tag; /* its jobs are known by it */
    asked->closed = false;
}

static void judge_row(struct sim *sim, const struct schedule_info *row)
{
    int spec = spec_of(row->spec), place = place_of(row->zone);
    const struct entry_schedule *e = entry_of(sim, row->name);

    if (!e || spec < 0 || place < 0)
        sim_fail(sim, "a schedule %.*s is told that nobody has set", (int)row->name.size,
                 (const char *)row->name.data);
    else if (row->next_us && !moment_is((uint32_t)spec, (uint32_t)place, row->next_us / 1000000))
        WRONG(sim, e, "is said to be due at %lld, which is none of its moments",
              (long long)(row->next_us / 1000000));
}

void judge_schedule_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;
    enum verb verb = request->verb;
    bool changes = verb == VERB_SCHEDULE_SET || verb == VERB_SCHEDULE_REMOVE ||
                   (verb == VERB_SCHEDULE_PAUSE && result->status > 0);
    const struct entry_schedule *e = changes ? entry_of(sim, request->schedule_set.name) : NULL;

    if (e && task->version == e->version)
        WRONG(sim, e, "verb %d is answered before anything is stored", verb);
    if (verb == VERB_SCHEDULE_LIST)
        for (size_t i = 0; i < result->schedules_n && !sim->failed; i++)
            judge_row(sim, &result->schedules[i]);
}
