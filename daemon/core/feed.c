/* The objects of feeds: see feed.h. */
#include "feed.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { STRINGS = 5 };

/* ---- birth and death ---- */

static void strings_of(struct feed_row *row, struct bytes *string[STRINGS])
{
    string[0] = &row->name;
    string[1] = &row->pattern;
    string[2] = &row->plugin;
    string[3] = &row->function;
    string[4] = &row->queue;
}

static size_t row_bytes(struct feed_row row)
{
    struct bytes *string[STRINGS];
    size_t size = 0;

    strings_of(&row, string);
    for (int i = 0; i < STRINGS; i++)
        size += string[i]->size;
    return size;
}

static void row_keep(struct feed_row *row, char *tail)
{
    struct bytes *string[STRINGS];

    strings_of(row, string);
    for (int i = 0; i < STRINGS; i++) {
        if (string[i]->size)
            memcpy(tail, string[i]->data, string[i]->size);
        string[i]->data = tail;
        tail += string[i]->size;
    }
}

struct feed *feed_new(struct core *core, struct account *account, const struct feed_row *row,
                      struct lane *lane)
{
    struct feed *feed = core_alloc(core, sizeof(*feed) + row_bytes(*row));

    if (!feed || timers_reserve(core) < 0) {
        core_free(core, feed);
        return NULL;
    }
    list_init(&feed->link);
    list_init(&feed->pending_link);
    list_init(&feed->room);
    feed->account = account_ref(account);
    feed->lane = lane_ref(lane);
    feed->row = *row;
    feed->stored = row->progress;
    feed->reader.user = &feed_user;
    row_keep(&feed->row, (char *)(feed + 1));
    return feed;
}

static bool is_in_table(const struct feed *feed)
{
    return feed->reader.of;
}

struct feed *feed_delete(struct core *core, struct feed *feed)
{
    if (!feed)
        return NULL;
    if (is_in_table(feed)) {
        map_remove(&core->kept_topics->feeds->by_name, &feed->node);
        account_release(feed->account, SLOT_FEEDS, 1);
    }
    list_remove(&feed->link);
    list_remove(&feed->pending_link);
    list_remove(&feed->room);
    reader_end(core, &feed->reader);
    timer_disarm(core, &feed->timer);
    timers_unreserve(core);
    lane_drop(core, feed->lane);
    account_drop(core, feed->account);
    core_free(core, feed);
    return NULL;
}

/* ---- the table ---- */

static uint64_t hash_of(const struct core *core, struct bytes name)
{
    return core_hash(core, name.data, name.size);
}

struct feed *feed_find(const struct core *core, struct bytes name)
{
    struct map_node *n = map_first(&core->kept_topics->feeds->by_name, hash_of(core, name));

    while (n && name_order(map_entry(n, struct feed, node)->row.name, name) != 0)
        n = map_next(n);
    return n ? map_entry(n, struct feed, node) : NULL;
}

bool feeds_have(const struct core *core, struct bytes name)
{
    return feed_find(core, name);
}

int feed_enter(struct core *core, struct feed *feed, uint64_t next)
{
    struct feeds *feeds = core->kept_topics->feeds;

    feed->reader.next = next;
    feed->reader.from_us = feed->row.from_us;
    if (map_reserve(core, &feeds->by_name, 1) < 0 || reader_begin(core, &feed->reader, feed->row.pattern) < 0)
        return -ENOMEM;
    map_add(&feeds->by_name, &feed->node, hash_of(core, feed->row.name));
    list_append(&feeds->all, &feed->link);
    feeds->last = feed->row.id > feeds->last ? feed->row.id : feeds->last;
    feed->account->used[SLOT_FEEDS]++;
    return 0;
}

/* One that has read all there is has not looked at what does not match since. */
uint64_t feed_cursor(const struct core *core, const struct feed *feed)
{
    uint64_t next = feed->reader.next, stored = core->kept_topics->stored;

    return feed->reader.behind || next > stored ? next : stored;
}

/* ---- waiting ---- */

static void over(struct core *core, struct timer *timer)
{
    feed_go_on(core, container_of(timer, struct feed, timer));
}

void feed_wait(struct core *core, struct feed *feed, int64_t for_ns, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(feed->trouble, sizeof(feed->trouble) - 1, format, arguments);
    va_end(arguments);
    feed->trouble[n] = 0;
    feed->waits = true;
    list_remove(&feed->room); /* whatever it waited for before */
    timer_arm(core, &feed->timer, time_after(core->now.mono_ns, for_ns), over);
}

void feed_go_on(struct core *core, struct feed *feed)
{
    timer_disarm(core, &feed->timer);
    list_remove(&feed->room);
    feed->waits = false;
    feed->trouble[0] = 0;
    reader_wake(core, &feed->reader);
}

void feeds_room(struct core *core, struct queue *queue)
{
    struct feed *feed, *after;

    if (!list_empty(&queue->submits))
        return; /* those go first */
    list_each_safe (feed, after, &queue->feeds, room)
        if (room_fits(queue, 1, feed->need) &&
            queue->waiting_n + feed->row.ahead / FEED_AGAIN_SHARE <= feed->row.ahead)
            feed_go_on(core, feed);
}

/* ---- the store ---- */

void feed_pend(struct core *core, struct feed *feed, uint64_t batch)
{
    assert((!feed->pending || feed->pending == batch) &&
           "what a feed has on its way to the store is one batch");
    feed->pending = batch;
    feed->pending_n++;
    list_remove(&feed->pending_link);
    list_append(&core->kept_topics->feeds->pending, &feed->pending_link);
}

void feed_inherit(struct feed *feed, struct feed *from)
{
    uint64_t sent_to = feed->stored.cursor;

    if (!from->pending)
        return;
    feed->stored = from->stored;
    feed->stored.cursor = feed->from ? sent_to : from->stored.cursor;
    feed->counts_more = feed->from || from->counts_more;
    feed->pending = from->pending;
    feed->pending_n = from->pending_n;
    list_insert_before(&from->pending_link, &feed->pending_link);
    list_remove(&from->pending_link);
    from->pending = 0;
}

void feed_save(struct core *core, const struct feed *feed)
{
    const struct feed_row moved = {.id = feed->row.id, .progress = feed->row.progress};

    kept_record(core, record_new_feed(RECORD_FEED_MOVE, &moved));
}

/* Its jobs never were: their messages are still to come. */
static void read_again(struct core *core, struct feed *feed, int error)
{
    feed->row.progress = feed->stored;
    if (feed->counts_more)
        feed_save(core, feed);
    reader_seek(core, &feed->reader, PLANTED(LOST_CURSOR) ? feed->reader.next : feed->stored.cursor);
    feed_wait(core, feed, FEED_AGAIN_NS, "the store refused its last jobs: %s", strerror(-error));
}

void feeds_stored(struct core *core, uint64_t first, uint64_t last, int error)
{
    struct feed *feed, *after;

    list_each_safe (feed, after, &core->kept_topics->feeds->pending, pending_link) {
        bool failed = error && feed->pending >= first;

        if (feed->pending > last)
            break;
        list_remove(&feed->pending_link);
        feed->pending = feed->pending_n = 0;
        if (failed)
            read_again(core, feed, error);
        else
            feed->stored = feed->row.progress;
        feed->counts_more = false;
        reader_wake(core, &feed->reader);
    }
}

/* ---- life of all ---- */

int feeds_init(struct core *core)
{
    struct feeds *feeds = core_alloc(core, sizeof(*feeds));

    if (!feeds)
        return -ENOMEM;
    list_init(&feeds->all);
    list_init(&feeds->pending);
    list_init(&feeds->setting);
    core->kept_topics->feeds = feeds;
    return 0;
}

void jobs_feeds_free(struct core *core)
{
    struct feeds *feeds = core->kept_topics ? core->kept_topics->feeds : NULL;
    struct feed *feed, *after;

    if (!feeds)
        return;
    list_each_safe (feed, after, &feeds->setting, link)
        feed_delete(core, feed);
    list_each_safe (feed, after, &feeds->all, link)
        feed_delete(core, feed);
    map_free(core, &feeds->by_name);
    core_free(core, feeds);
    core->kept_topics->feeds = NULL;
}

/* ---- load ---- */

static const char *load_fault(const struct core *core, const struct feed_row *row)
{
    const char *why = NULL;

    if (pattern_check(row->pattern, &why) < 0)
        return why;
    if (name_check(row->name) < 0 || name_check(row->function) < 0 || name_check(row->queue) < 0)
        return "its name, function or queue is no name";
    if (row->id <= core->kept_topics->feeds->last || feed_find(core, row->name))
        return "another one has its number or name";
    return !row->ahead || row->argument < FEED_BODY || row->argument > FEED_MESSAGE
               ? "its settings are out of range"
               : NULL;
}

int jobs_load_feed(struct core *core, const struct feed_row *row, const char **why)
{
    *why = load_fault(core, row);
    if (*why)
        return -EINVAL;
    *why = "out of memory";
    struct feed_row from = *row;
    from.progress.cursor -= PLANTED(SECOND_JOB) && row->progress.jobs;
    struct lane *lane = lane_load(core, row->queue, row->plugin, row->function, (struct bytes){"", 0}, 0);
    struct account *account = lane ? account_get(core, row->uid) : NULL;
    struct feed *feed = account ? feed_new(core, account, &from, lane) : NULL;
    int r = feed ? feed_enter(core, feed, from.progress.cursor) : -ENOMEM;

    account_drop(core, account);
    if (lane)
        lane_drop(core, lane);
    if (r < 0)
        feed_delete(core, feed);
    return r;
}

/* ---- looking ---- */

uint64_t feeds_charged(const struct core *core, const struct account *account)
{
    const struct feed *feed;
    uint64_t n = 0;

    list_each (feed, &core->kept_topics->feeds->all, link)
        n += feed->account == account;
    return n;
}

void feeds_stats(const struct core *core, void (*say)(void *context, const char *name, uint64_t value),
                 void *context)
{
    const struct feeds *feeds = core->kept_topics->feeds;

    say(context, "feeds", feeds->by_name.count);
    say(context, "feeds.jobs", feeds->jobs);
    say(context, "feeds.missed", feeds->missed);
}

void feeds_check(const struct core *core)
{
    const struct feeds *feeds = core->kept_topics->feeds;
    const struct feed *feed;

    list_each (feed, &feeds->all, link) {
        assert((feed->pending != 0) == list_linked(&feed->pending_link) &&
               "a feed waits for the store exactly while it has jobs there");
        assert((!list_linked(&feed->room) || feed->waits) && "who waits for room waits");
        assert(feed->waits == timer_armed(&feed->timer) && "whoever waits looks again");
        assert(feed->row.progress.cursor >= feed->stored.cursor && feed->reader.next >= feed->stored.cursor &&
               "a feed is never behind what the store has of it");
    }
}
