/*
 * What clients ask of feeds. A SET is checked and made, then waits in `setting` until its plugin was looked at; it names its
 * operation by session and number, as an admission does (submit.c), and is dropped without it. What it does not name is as it was.
 * While it waits, who wants another change of that feed is told to come back.
 */
#include <errno.h>
#include <string.h>

#include "feed.h"
#include "name_page.h"
#include "submit.h"

/* ---- finding ---- */

/* Its operation, if that still waits. */
static struct op *setter(const struct core *core, const struct feed *feed)
{
    struct session *session = session_find(core, &feed->session);
    struct op *op = session && !session->ended ? op_find(core, session, feed->op) : NULL;

    return op && op->state == OP_PARKED && op->reason == WAIT_PLUGIN && !op_gone(core, op) ? op : NULL;
}

/* Those that their clients gave up meanwhile are dropped. */
static bool is_being_set(struct core *core, struct bytes name)
{
    struct feed *feed, *after;
    bool found = false;

    list_each_safe (feed, after, &core->kept_topics->feeds->setting, link)
        if (!setter(core, feed))
            feed_delete(core, feed);
        else
            found |= name_order(feed->row.name, name) == 0;
    return found;
}

static bool may_touch(const struct core *core, const struct op *op, const struct feed *feed)
{
    const struct account *who = op->scope->account;

    return who == feed->account || account_owns(core, who);
}

/* The one of that name, to be changed; NULL in *out: there is none. 0; negative: words are said. */
static int pick(struct core *core, struct op *op, struct bytes name, struct feed **out)
{
    struct feed *feed = *out = feed_find(core, name);
    int r = name_check(name);

    if (r < 0) {
        op_fail(core, op, r, "the name of a feed has 1 to %d bytes of A-Z a-z 0-9 _ . : / -", NAME_BYTES_MAX);
    } else if (is_being_set(core, name)) {
        r = -EBUSY;
        op_fail(core, op, r, "another change of feed %.*s is under way: try again", (int)name.size,
                (const char *)name.data);
    } else if (feed && !may_touch(core, op, feed)) {
        r = -EPERM;
        op_fail(core, op, r, "feed %.*s is another user's", (int)name.size, (const char *)name.data);
    }
    return r;
}

/* ---- SET: checks ---- */

static int check_ahead(struct core *core, struct op *op, uint64_t ahead)
{
    if (ahead <= core->limits.feed_ahead_max)
        return 0;
    op_fail(core, op, -EINVAL, "ahead %llu: feed_ahead_max is %llu", (unsigned long long)ahead,
            (unsigned long long)core->limits.feed_ahead_max);
    return -EINVAL;
}

static int check_pattern(struct core *core, struct op *op, struct bytes pattern)
{
    const char *why;
    int r = pattern.size ? pattern_check(pattern, &why) : 0;

    if (r < 0)
        op_fail(core, op, r, "the pattern '%.*s' %s", (int)pattern.size, (const char *)pattern.data, why);
    return r;
}

static int check_room(struct core *core, struct op *op, const struct account *account)
{
    if (account_has_room(core, account, SLOT_FEEDS, 1))
        return 0;
    op_fail(core, op, -ENOBUFS, "user %u has %llu feeds, as many as feeds_max allows", account->uid,
            (unsigned long long)account->used[SLOT_FEEDS]);
    return -ENOBUFS;
}

/* What a new one has to say. */
static int check_new(struct core *core, struct op *op, const struct request_feed_set *set)
{
    if (!set->pattern.size || !set->function.size) {
        int r = set->pattern.size || set->function.size ? -EINVAL : -ENOENT;
        op_fail(core, op, r, "no feed %.*s: a new one needs a pattern and a function", (int)set->name.size,
                (const char *)set->name.data);
        return r;
    }
    return check_room(core, op, op->scope->account);
}

static int check(struct core *core, struct op *op, const struct request_feed_set *set,
                 const struct feed *before)
{
    const struct request_submit submit = {.plugin = set->plugin, .function = set->function};
    int r = before ? 0 : check_new(core, op, set);

    if (r == 0)
        r = check_ahead(core, op, set->ahead);
    if (r == 0)
        r = check_pattern(core, op, set->pattern);
    return r == 0 && set->function.size ? submit_check(core, op, &submit) : r;
}

/* ---- SET: making ---- */

/* The row that there would be: what is named, and the rest of the one before. */
static struct feed_row row_of(const struct core *core, const struct op *op,
                              const struct request_feed_set *set, const struct feed *before)
{
    struct feed_row row = {.ahead = FEED_AHEAD,
                           .uid = op->scope->account->uid,
                           .argument = FEED_BODY,
                           .from_us = INT64_MIN,
                           .name = set->name,
                           .queue = {"default", 7}};

    if (before)
        row = before->row;
    row.pattern = set->pattern.size ? set->pattern : row.pattern;
    row.plugin = set->function.size ? set->plugin : row.plugin;
    row.function = set->function.size ? set->function : row.function;
    row.queue = set->queue.size ? set->queue : row.queue;
    row.ahead = set->ahead ? set->ahead : row.ahead;
    row.argument = set->argument ? set->argument : row.argument;
    row.paused = set->pause ? set->pause == FEED_HOLD : row.paused;
    if (set->from)
        row.from_us = set->from == FEED_FROM_TIME ? set->from_time_us : INT64_MIN;
    return row;
}

static struct lane *lane_of(struct core *core, struct queue *queue, const struct feed_row *row, int *r)
{
    struct plugin *plugin = plugin_get(core, row->plugin, r);
    struct function *function = plugin ? function_get(core, plugin, row->function) : NULL;
    struct lane *lane = function ? lane_get(core, queue, function, (struct bytes){"", 0}, 0) : NULL;

    if (function && !lane)
        function_settle(core, function);
    if (plugin && !lane)
        *r = -ENOMEM;
    return lane;
}

static int make(struct core *core, struct op *op, const struct request_feed_set *set, struct feed *before,
                struct feed **out)
{
    struct feed_row row = row_of(core, op, set, before);
    struct queue *queue = submit_queue(core, op, row.queue);
    int r = -ENOENT;
    struct lane *lane = queue ? lane_of(core, queue, &row, &r) : NULL;

    if (!lane)
        return r;
    *out = feed_new(core, before ? before->account : op->scope->account, &row, lane);
    lane_drop(core, lane); /* the feed has a reference of its own */
    if (!*out)
        return -ENOMEM;
    (*out)->session = op->scope->session->secret;
    (*out)->op = op->id;
    (*out)->from = set->from || before ? set->from : FEED_FROM_NEW;
    (*out)->from_sequence = set->from_sequence;
    return 0;
}

/* ---- SET: its end ---- */

/* Behind which sequence it begins. */
static uint64_t begins_behind(const struct core *core, const struct feed *feed)
{
    static const uint32_t from[] = {
        [FEED_FROM_START] = FROM_START, [FEED_FROM_SEQUENCE] = FROM_SEQUENCE, [FEED_FROM_TIME] = FROM_TIME};
    const struct request_subscribe where = {.pattern = feed->row.pattern,
                                            .from = from[feed->from],
                                            .from_sequence = feed->from_sequence,
                                            .from_time_us = feed->row.from_us};

    return feed->from == FEED_FROM_NEW ? core->kept_topics->stored : replay_begins_behind(core, &where);
}

/* Where it goes on: sent there, or where the one before is. What that has on its way to the store may fail: then its cursor on the
 * disk is not known yet, and stays; the store's word is waited for, as it is of its own jobs. */
static void place(const struct core *core, struct feed *feed, const struct feed *before)
{
    struct feed_progress *progress = &feed->row.progress;

    feed->row.moves = feed->from || !before->pending; /* a new one is sent somewhere */
    if (before) {
        *progress = before->row.progress;
        progress->cursor = before->pending ? progress->cursor : feed_cursor(core, before);
    }
    if (feed->from)
        progress->cursor = begins_behind(core, feed);
}

/* Into the table, in the place of the one before. On failure nothing has happened, but that words may be said. */
static int enter(struct core *core, struct op *op, struct feed *feed)
{
    struct feed *before = feed_find(core, feed->row.name);

    if (!before && check_room(core, op, feed->account) < 0) /* others came while it waited */
        return -ENOBUFS;
    if (!before)
        feed->row.id = core->kept_topics->feeds->last + 1;
    place(core, feed, before);
    feed->stored = feed->row.progress;
    struct record *record = record_new_feed(RECORD_FEED, &feed->row);
    if (!record || feed_enter(core, feed, feed->row.progress.cursor) < 0) {
        record_delete(record);
        return -ENOMEM;
    }
    uint64_t batch = kept_record(core, record);
    if (!batch)
        return -ENOMEM;
    if (before)
        feed_inherit(feed, before);
    feed_delete(core, before);
    op_depends(op, batch);
    op_finish(core, op, 0);
    return 0;
}

static int refuse_set(struct core *core, struct op *op, const struct feed *feed, int error, struct bytes text)
{
    const struct function *function = feed->lane->function;

    if (error < 0)
        op_fail(core, op, error, "%.*s", (int)text.size, (const char *)text.data);
    else
        op_fail(core, op, -ENOENT, "%.*s has no function %.*s", (int)function->plugin->path_size,
                function->plugin->path, (int)function->name_size, function->name);
    return error < 0 ? error : -ENOENT;
}

static bool is_known(const struct feed *feed)
{
    return feed->lane->function->known || !feed->lane->function->plugin->path_size;
}

/* Its plugin was looked at. It is in no list; whatever comes of it, it is not the caller's any more. */
static void conclude(struct core *core, struct op *op, struct feed *feed, int error, struct bytes text)
{
    bool good = error == 0 && is_known(feed);
    int r = good ? enter(core, op, feed) : refuse_set(core, op, feed, error, text);

    if (r < 0 && op_waits(op))
        op_finish(core, op, r);
    if (r < 0)
        feed_delete(core, feed);
}

void feeds_go_on(struct core *core, const struct plugin *plugin, int error, struct bytes text)
{
    struct feed *feed, *after;

    list_each_safe (feed, after, &core->kept_topics->feeds->setting, link) {
        struct op *op = setter(core, feed);

        if (op && feed->lane->function->plugin != plugin)
            continue;
        list_remove(&feed->link);
        if (op)
            conclude(core, op, feed, error, text);
        else
            feed_delete(core, feed);
    }
    feeds_looked(core, plugin, error, text);
}

/* Has the plugin looked at, where its function is named. On failure the feed is gone. */
static int wait_for_look(struct core *core, struct op *op, struct feed *feed)
{
    struct plugin *plugin = feed->lane->function->plugin;
    int r = plugin_ask(core, plugin, feed->account->uid);

    if (r == 0)
        r = op_park(core, op, WAIT_PLUGIN);
    if (r < 0)
        feed_delete(core, feed);
    else
        list_append(&core->kept_topics->feeds->setting, &feed->link);
    return r;
}

int handle_feed_set(struct core *core, struct op *op, const struct request *request)
{
    const struct request_feed_set *set = &request->feed_set;
    struct feed *before = NULL, *feed = NULL;
    int r = pick(core, op, set->name, &before);

    if (r == 0)
        r = check(core, op, set, before);
    if (r == 0)
        r = make(core, op, set, before, &feed);
    if (r < 0)
        return r;
    if (set->function.size && plugin_stale(core, feed->lane->function->plugin, feed->lane->function))
        return wait_for_look(core, op, feed);
    r = enter(core, op, feed);
    if (r < 0)
        feed_delete(core, feed);
    return r;
}

/* ---- REMOVE ---- */

int handle_feed_remove(struct core *core, struct op *op, const struct request *request)
{
    struct bytes name = request->feed_remove.name;
    struct feed *feed;
    int r = pick(core, op, name, &feed);

    if (r < 0)
        return r;
    if (!feed) {
        op_fail(core, op, -ENOENT, "no feed %.*s", (int)name.size, (const char *)name.data);
        return -ENOENT;
    }
    const struct feed_row gone = {.id = feed->row.id};
    uint64_t batch = kept_record(core, record_new_feed(RECORD_FEED_GONE, &gone));
    if (!batch)
        return -ENOMEM;
    feed_delete(core, feed);
    op_depends(op, batch);
    return 0;
}

/* ---- LIST ---- */

static struct feed_info info_of(const struct core *core, const struct feed *feed)
{
    const struct feed_row *row = &feed->row;

    return (struct feed_info){
        .name = row->name,
        .pattern = row->pattern,
        .plugin = row->plugin,
        .function = row->function,
        .queue = row->queue,
        .uid = feed->account->uid,
        .flags = (row->paused ? FEED_PAUSED : 0) | (feed->waits ? FEED_WAITS : 0),
        .argument = row->argument,
        .ahead = row->ahead,
        .cursor = feed_cursor(core, feed),
        .waiting = kept_unread(core, row->pattern, feed->reader.next),
        .jobs = row->progress.jobs,
        .missed = row->progress.missed,
        .last_job = row->progress.last_job,
        .text = {feed->trouble, strlen(feed->trouble)},
    };
}

int handle_feed_list(struct core *core, struct op *op, const struct request *request)
{
    const struct request_feed_list *list = &request->feed_list;
    const struct feed *feed;
    struct feed_info *row;
    struct name_page page;
    int r = name_page_new(core, &page, sizeof(*row), list->prefix, list->after, list->limit);

    if (r < 0)
        return r;
    list_each (feed, &core->kept_topics->feeds->all, link)
        if (may_touch(core, op, feed) &&
            (row = name_page_place_for(&page, feed->row.name, kept_unread_cost(core, feed->row.pattern))))
            row->name = feed->row.name;
    row = page.row;
    for (size_t i = 0; i < page.n; i++)
        row[i] = info_of(core, feed_find(core, row[i].name));
    r = op_answer(core, op,
                  &(struct result){.flags = name_page_flags(&page), .feeds = page.row, .feeds_n = page.n});
    core_free(core, page.row);
    return r;
}
