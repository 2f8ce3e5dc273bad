/*
 * A message of a feed is read: it becomes a job, or the feed says why not yet, and reads it again later.
 *
 * A feed never takes the place of other jobs, and lets submits that wait for room go first: it can wait, its messages are kept.
 */
#include <errno.h>

#include "feed.h"
#include "job_admit.h"
#include "job_defaults.h"
#include "job_states.h"
#include "letter.h"

static struct feed *feed_of(struct reader *reader)
{
    return container_of(reader, struct feed, reader);
}

/* ---- what may be in its way ---- */

/* Its queue tells when that may be over. */
static void wait_for_queue(struct core *core, struct feed *feed, uint64_t need, int64_t for_ns,
                           const char *why)
{
    struct queue *queue = feed->lane->queue;

    feed->need = need;
    feed_wait(core, feed, for_ns, "%s", why);
    list_append(&queue->feeds, &feed->room);
}

/* Rights may have changed since it was set. */
static bool may(const struct core *core, const struct feed *feed)
{
    const struct feed_row *row = &feed->row;
    struct right_want wants[RIGHT_WANTS_MAX] = {
        {.groups = GROUP_SUBSCRIBE, .name = pattern_prefix(row->pattern)}};
    size_t n = 1 + rights_of_submit(row->queue, row->plugin, row->function, wants + 1);

    for (size_t i = 0; i < n; i++)
        if (!account_may(core, feed->account, &wants[i]))
            return false;
    return true;
}

/* A file that is known and may have changed is looked at meanwhile. */
static bool plugin_is_known(struct core *core, struct feed *feed)
{
    const struct function *function = feed->lane->function;
    struct plugin *plugin = function->plugin;

    if (!plugin_stale(core, plugin, function))
        return true;
    if (plugin_ask(core, plugin, feed->account->uid) < 0)
        feed_wait(core, feed, RETRY_NS, "out of memory");
    else if (!plugin->newest || plugin->broken || !function->known)
        feed_wait(core, feed, FEED_LOOK_NS, "its plugin is being looked at");
    return !feed->waits;
}

static int64_t pause_left(const struct core *core, const struct queue *queue)
{
    int64_t left = queue->paused_ns - core->now.mono_ns;

    return left < FEED_LOOK_NS ? left : FEED_LOOK_NS;
}

/* Before the first job of a batch. False: it waits. */
static bool may_begin(struct core *core, struct feed *feed)
{
    const struct queue *queue = feed->lane->queue;

    if (jobs_closed(core))
        wait_for_queue(core, feed, 0, FEED_LOOK_NS, "the daemon takes no job");
    else if (!gate_takes(core, queue))
        wait_for_queue(core, feed, 0, pause_left(core, queue), "its queue is paused and takes no job");
    else if (!may(core, feed))
        feed_wait(core, feed, FEED_LOOK_NS, "whoever made it may not read this, or not submit it, any more");
    return !feed->waits && plugin_is_known(core, feed);
}

/* Jobs on their way are all in one batch. */
static uint64_t batch_left(const struct core *core, const struct feed *feed)
{
    if (!feed->pending)
        return FEED_JOBS;
    return batch_is_open(core, feed->pending) ? FEED_JOBS - feed->pending_n : 0;
}

static bool has_room(struct core *core, struct feed *feed, size_t size)
{
    const struct queue *queue = feed->lane->queue;

    if (list_empty(&queue->submits) && room_fits(queue, 1, size))
        return true;
    wait_for_queue(core, feed, size, FEED_LOOK_NS,
                   list_empty(&queue->submits) ? "its queue is full" : "submits wait for room in its queue");
    return false;
}

/* How many jobs more the queue may have of it. 0: it waits. */
static uint64_t places(struct core *core, struct feed *feed)
{
    const struct queue *queue = feed->lane->queue;
    uint64_t most = feed->row.ahead + PLANTED(FAR_AHEAD), queue_most = queue->policy.waiting_max;

    if (queue->waiting_n >= most) {
        wait_for_queue(core, feed, 0, FEED_LOOK_NS, "as many jobs wait in its queue as `ahead` lets it make");
        return 0;
    }
    if (!has_room(core, feed, 0))
        return 0;
    most = queue_most && queue_most < most ? queue_most : most;
    return most - queue->waiting_n;
}

/* What there is no place for is not read, least of all from the store. */
static size_t room(struct core *core, struct reader *reader)
{
    struct feed *feed = feed_of(reader);
    uint64_t most = (feed->row.paused && !PLANTED(RESTLESS_FEED)) || feed->waits ? 0 : batch_left(core, feed);

    if (!most || (!feed->pending && !may_begin(core, feed)))
        return 0;
    uint64_t left = places(core, feed);
    return (size_t)(most < left ? most : left);
}

/* What is no matter of time alone: somebody has to change a limit, or send the feed on. */
static bool is_too_big(struct core *core, struct feed *feed, const struct letter *letter, size_t size)
{
    const struct queue *queue = feed->lane->queue;
    uint64_t queue_most = queue->policy.waiting_bytes ? queue->policy.waiting_bytes : UINT64_MAX;
    bool by_queue = queue_most < core->limits.argument_bytes_max;
    uint64_t most = by_queue ? queue_most : core->limits.argument_bytes_max;

    if (size <= most)
        return false;
    feed_wait(core, feed, FEED_LOOK_NS, "message %llu is an argument of %zu bytes: %s is %llu",
              (unsigned long long)letter->sequence, size,
              by_queue ? "waiting_bytes of its queue" : "argument_bytes_max", (unsigned long long)most);
    return true;
}

static bool has_account(struct core *core, struct feed *feed)
{
    if (account_has_room(core, feed->account, SLOT_JOBS, 1))
        return true;
    feed_wait(core, feed, FEED_AGAIN_NS, "its user has %llu jobs, as many as jobs_waiting_max allows",
              (unsigned long long)feed->account->used[SLOT_JOBS]);
    return false;
}

/* ---- the job ---- */

static struct job *new_job(struct core *core, const struct feed *feed, const struct letter *letter)
{
    /* What feeds itself ends. */
    bool untold = states_has_topic(core, letter->topic) && !PLANTED(ECHOED_STATE);
    const struct terms like = {
        .account = feed->account,
        .grace_ns = (int64_t)core->limits.grace_ms * 1000000,
        .flags = untold ? JOB_UNTOLD : 0,
    };
    struct lane *lane = lane_get(core, feed->lane->queue, feed->lane->function, letter->key, 0);
    const struct terms *terms = lane ? terms_get(core, &like) : NULL;
    struct job *job = terms ? job_new(core, terms, lane) : NULL;

    terms_drop(core, terms); /* the job has references of its own */
    if (lane)
        lane_drop(core, lane);
    return job;
}

static struct job *make_job(struct core *core, const struct feed *feed, const struct letter *letter,
                            size_t size)
{
    struct job *job = new_job(core, feed, letter);
    int r = job ? job_set_defaults(core, job) : -ENOMEM;

    if (r == 0 && size) {
        job->body = core_alloc(core, size);
        r = job->body ? 0 : -ENOMEM;
    }
    if (r < 0)
        return job_delete(core, job);
    feed_text_write(letter, feed->row.argument, job->body);
    job->body_size = (uint32_t)size;
    return job;
}

/* The job and the step over its message, in one record. 0, -ENOMEM, -EAGAIN: when the store has reported on those before. */
static int submit(struct core *core, struct feed *feed, const struct letter *letter, size_t size)
{
    struct feed_step step = {feed->row.id, feed->row.progress};
    struct job *job = make_job(core, feed, letter, size);
    int r;

    if (!job)
        return -ENOMEM;
    account_charge(core, feed->account, SLOT_JOBS, 1);
    job->charged = true;
    step.to.cursor = letter->sequence;
    step.to.jobs++;
    r = job_admit_from(core, job, &step, feed->pending);
    if (r < 0) {
        job_delete(core, job);
        return r;
    }
    feed->row.progress = step.to;
    core->kept_topics->feeds->jobs++;
    feed_pend(core, feed, job->work->born);
    return 0;
}

static int take(struct core *core, struct reader *reader, const struct kept_topic *topic,
                struct letter *letter)
{
    struct feed *feed = feed_of(reader);
    size_t size = feed_text_bytes(letter, feed->row.argument), *left = &core->topics->left;

    if (PLANTED(SKIPPED_JOB) && letter->sequence % 16 == 0)
        return 0;
    if (is_too_big(core, feed, letter, size) || !has_room(core, feed, size) || !has_account(core, feed))
        return -EAGAIN;
    *left -= *left < FEED_COST ? *left : FEED_COST;
    return submit(core, feed, letter, size);
}

static void done(struct core *core, struct reader *reader)
{
}

/* What it missed is on the disk with its next step, or now where it has none under way; without memory, with a later one. */
static void lost(struct core *core, struct reader *reader, uint64_t messages)
{
    struct feed *feed = feed_of(reader);

    feed->row.progress.missed += messages;
    feed->stored.missed += messages;
    core->kept_topics->feeds->missed += messages;
    if (!feed->pending)
        feed_save(core, feed);
}

const struct reader_user feed_user = {room, take, done, lost};

void feeds_looked(struct core *core, const struct plugin *plugin, int error, struct bytes text)
{
    struct feed *feed;

    list_each (feed, &core->kept_topics->feeds->all, link) {
        const struct function *function = feed->lane->function;

        if (!feed->waits || function->plugin != plugin || list_linked(&feed->room))
            continue;
        if (error < 0)
            feed_wait(core, feed, FEED_LOOK_NS, "its plugin cannot be used: %.*s", (int)text.size,
                      (const char *)text.data);
        else if (!function->known)
            feed_wait(core, feed, FEED_LOOK_NS, "its plugin has no function %.*s", (int)function->name_size,
                      function->name);
        else
            feed_go_on(core, feed);
    }
}
