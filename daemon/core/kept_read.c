#include "kept_read.h"

#include <errno.h>
#include <string.h>

#include "kept.h"

enum { CACHE_FIRST = 64, FETCH_MESSAGES_MOST = 256, FETCH_BYTES_MOST = 1 << 20 };
#define LATER_NS 100000000ll

/* ---- the cache ---- */

static struct cached *cached_at(const struct kept_cache *cache, size_t i)
{
    return &cache->slot[cache->head + i];
}

static bool cache_room(struct core *core, struct kept_cache *cache)
{
    size_t size = cache->size ? 2 * cache->size : CACHE_FIRST;
    struct cached *more;

    if (cache->head + cache->n < cache->size)
        return true;
    if (cache->head > cache->n) {
        memmove(cache->slot, cached_at(cache, 0), cache->n * sizeof(*cache->slot));
        cache->head = 0;
        return true;
    }
    more = core_resize(core, cache->slot, size * sizeof(*more));
    if (!more)
        return false;
    cache->slot = more;
    cache->size = size;
    return true;
}

static void drop_first(struct core *core, struct kept_cache *cache)
{
    struct cached *first = cached_at(cache, 0);

    cache->from = first->letter->sequence;
    cache->bytes -= first->letter->memory;
    letter_drop(core, first->letter);
    cache->head++;
    cache->n--;
}

/* Without memory the run begins anew behind it. */
static void cache_add(struct core *core, struct kept_cache *cache, struct letter *letter,
                      struct kept_topic *topic)
{
    bool room = cache_room(core, cache);

    while (cache->n && (!room || cache->bytes + letter->memory > core->limits.topic_cache_bytes))
        drop_first(core, cache);
    if (!room || letter->memory > core->limits.topic_cache_bytes) {
        cache->from = letter->sequence;
        return;
    }
    *cached_at(cache, cache->n++) = (struct cached){letter_ref(letter), topic};
    cache->bytes += letter->memory;
}

void cache_forget(struct core *core, const struct kept_topic *topic)
{
    struct kept_cache *cache = &core->kept_topics->cache;

    for (size_t i = 0; i < cache->n; i++)
        if (cached_at(cache, i)->topic == topic)
            cached_at(cache, i)->topic = NULL;
}

void cache_free(struct core *core, struct kept_cache *cache)
{
    while (cache->n)
        drop_first(core, cache);
    core_free(core, cache->slot);
}

/* The first one above a sequence. */
static size_t cache_find(const struct kept_cache *cache, uint64_t sequence)
{
    size_t low = 0, high = cache->n;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (cached_at(cache, middle)->letter->sequence <= sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- who reads a pattern ---- */

struct readership {
    struct trie_entry entry;
    struct list all; /* struct reader */
    char text[];
};

static struct readership *readership_new(struct core *core, struct bytes pattern)
{
    struct readership *of = core_alloc(core, sizeof(*of) + pattern.size);

    if (!of)
        return NULL;
    memcpy(of->text, pattern.data, pattern.size);
    of->entry.pattern = (struct bytes){of->text, pattern.size};
    list_init(&of->all);
    if (trie_add(core, &core->kept_topics->readers, &of->entry) == 0)
        return of;
    core_free(core, of);
    return NULL;
}

int reader_begin(struct core *core, struct reader *reader, struct bytes pattern)
{
    struct trie_entry *entry = trie_find(core, &core->kept_topics->readers, pattern);
    struct readership *of;

    if (timers_reserve(core) < 0)
        return -ENOMEM;
    of = entry ? map_entry(entry, struct readership, entry) : readership_new(core, pattern);
    if (!of) {
        timers_unreserve(core);
        return -ENOMEM;
    }
    reader->of = of;
    list_init(&reader->awake);
    list_append(&of->all, &reader->link);
    reader->behind = true;
    reader_wake(core, reader);
    return 0;
}

void reader_end(struct core *core, struct reader *reader)
{
    struct readership *of = reader->of;

    if (!of)
        return;
    reader->of = NULL;
    list_remove(&reader->link);
    list_remove(&reader->awake);
    timer_disarm(core, &reader->timer);
    timers_unreserve(core);
    if (reader->fetching)
        core_fetch_forget(core, reader);
    if (!list_empty(&of->all))
        return;
    trie_remove(core, &core->kept_topics->readers, &of->entry);
    core_free(core, of);
}

struct bytes reader_pattern(const struct reader *reader)
{
    return reader->of ? reader->of->entry.pattern : (struct bytes){"", 0};
}

void reader_wake(struct core *core, struct reader *reader)
{
    if (reader->of && !list_linked(&reader->awake))
        list_append(&core->kept_topics->awake, &reader->awake);
}

static void later(struct core *core, struct timer *timer)
{
    reader_wake(core, container_of(timer, struct reader, timer));
}

void reader_later(struct core *core, struct reader *reader)
{
    timer_arm(core, &reader->timer, time_after(core->now.mono_ns, LATER_NS), later);
}

void reader_seek(struct core *core, struct reader *reader, uint64_t next)
{
    core_fetch_forget(core, reader);
    reader->fetching = false;
    reader->next = next;
    reader->behind = true;
    reader_wake(core, reader);
}

/* ---- what there is to read ---- */

struct arrival {
    struct core *core;
    uint64_t before; /* what was there before it ends with this sequence */
};

static int wake_all(void *arg, struct trie_entry *entry)
{
    const struct arrival *arrival = arg;
    struct reader *reader;

    list_each (reader, &map_entry(entry, struct readership, entry)->all, link) {
        if (!reader->behind && reader->next < arrival->before)
            reader->next = arrival->before;
        reader->behind = true;
        reader_wake(arrival->core, reader);
    }
    return 0;
}

void readers_arrived(struct core *core, const struct publish *p)
{
    struct kept_topics *kept = core->kept_topics;
    struct arrival arrival = {core, p->letter[0]->sequence - 1};

    for (size_t i = 0; i < p->n; i++)
        cache_add(core, &kept->cache, p->letter[i], p->topic);
    kept->stored = p->letter[p->n - 1]->sequence;
    trie_match(core, &kept->readers, publish_topic(p), wake_all, &arrival);
}

struct loss {
    struct core *core;
    const struct kept_topic *topic;
    uint64_t sequence;
    uint64_t left; /* messages behind that */
};

static int lose_all(void *arg, struct trie_entry *entry)
{
    const struct loss *loss = arg;
    struct reader *reader;

    list_each (reader, &map_entry(entry, struct readership, entry)->all, link) {
        if (!reader->user->lost || !reader->behind || reader->next >= loss->sequence)
            continue;
        uint64_t unread = topic_log_behind(&loss->topic->log, reader->next);
        if (unread > loss->left)
            reader->user->lost(loss->core, reader, unread - loss->left);
    }
    return 0;
}

void readers_lose(struct core *core, const struct kept_topic *topic, uint64_t sequence)
{
    struct loss loss = {core, topic, sequence, topic_log_behind(&topic->log, sequence)};

    trie_match(core, &core->kept_topics->readers, kept_name(topic), lose_all, &loss);
}

/* Whether this message is one for the reader. */
static bool is_for(const struct reader *reader, const struct kept_topic *topic, const struct letter *letter)
{
    return topic && letter->sequence > topic->gone && letter->time_us >= reader->from_us &&
           pattern_match(reader_pattern(reader), letter->topic);
}

/* 0; -EAGAIN: no room; -ENOMEM. What is not for it needs no room. */
static int read_one(struct core *core, struct reader *reader, const struct kept_topic *topic,
                    struct letter *letter)
{
    int r = 0;

    if (is_for(reader, topic, letter))
        r = reader->user->room(core, reader) ? reader->user->take(core, reader, topic, letter) : -EAGAIN;
    if (r == 0)
        reader->next = letter->sequence;
    return r;
}

/* ---- from the cache ---- */

/* As read_one, of as many as this turn may: then -EAGAIN, and it goes on with the next one. */
static int read_cached(struct core *core, struct reader *reader)
{
    struct kept_topics *kept = core->kept_topics;
    struct kept_cache *cache = &kept->cache;
    int r = 0;

    for (size_t i = cache_find(cache, reader->next); r == 0 && i < cache->n; i++) {
        core->topics->left -= core->topics->left > 0;
        r = read_one(core, reader, cached_at(cache, i)->topic, cached_at(cache, i)->letter);
        if (r == 0 && !core->topics->left && i + 1 < cache->n) {
            reader_wake(core, reader);
            r = -EAGAIN;
        }
    }
    if (r == 0) {
        reader->behind = false;
        reader->next = kept->stored > reader->next ? kept->stored : reader->next;
    }
    return r;
}

/* ---- from the store ---- */

struct letter *kept_letter(struct core *core, const struct kept_topic *topic,
                           const struct kept_message *message)
{
    const struct message_row *row = &message->row;
    int n = headers_count(row->headers);
    struct header *headers = n > 0 ? core_alloc(core, (size_t)n * sizeof(*headers)) : NULL;
    struct outgoing from = {.value.body = message->body, .key = row->key, .headers = headers};
    struct letter *letter = NULL;

    if (n <= 0 || headers) {
        from.headers_n = headers ? (size_t)n - PLANTED(LOST_HEADER) : 0;
        if (headers)
            headers_read(row->headers, headers);
        letter = letter_new(core, kept_name(topic), &from);
    }
    core_free(core, headers);
    if (!letter)
        return NULL;
    letter->sequence = row->sequence;
    letter->time_us = row->time_us;
    letter->of = row->of;
    return letter;
}

static int read_row(struct core *core, struct reader *reader, const struct kept_message *message)
{
    const struct kept_topic *topic = kept_topic_by_id(core, message->row.topic);
    struct letter *letter;
    int r;

    if (!topic || message->row.sequence <= reader->next)
        return 0;
    letter = kept_letter(core, topic, message);
    if (!letter)
        return -ENOMEM;
    r = read_one(core, reader, topic, letter);
    letter_drop(core, letter);
    return r;
}

static void fetched(struct core *core, struct op *op, void *context, const struct input *in)
{
    struct reader *reader = context;
    int r = in->fetched.error;

    reader->fetching = false;
    for (size_t i = 0; r == 0 && i < in->fetched.messages_n; i++)
        r = read_row(core, reader, &in->fetched.messages[i]);
    if (r == 0 && in->fetched.offset > reader->next)
        reader->next = in->fetched.offset;
    if (r == 0 || r == -EAGAIN)
        reader_wake(core, reader);
    else
        reader_later(core, reader); /* neither a broken disk nor a full memory is asked without a pause */
    reader->user->done(core, reader);
}

/* The ids of the topics that match, rising. How many; -ENOMEM. */
static int topics_of(struct core *core, const struct reader *reader, uint64_t **out)
{
    const struct kept_topic *topic;
    size_t n = 0;

    list_each (topic, &core->kept_topics->topics, link)
        n += pattern_match(reader_pattern(reader), kept_name(topic));
    *out = core_alloc(core, (n + 1) * sizeof(**out));
    if (!*out)
        return -ENOMEM;
    n = 0;
    list_each (topic, &core->kept_topics->topics, link)
        if (pattern_match(reader_pattern(reader), kept_name(topic)))
            (*out)[n++] = topic->id;
    return (int)n;
}

static int ask(struct core *core, struct reader *reader)
{
    struct fetch what = {.kind = FETCH_MESSAGES,
                         .offset = reader->next,
                         .last = core->kept_topics->cache.from,
                         .bytes = FETCH_BYTES_MOST};
    size_t room = reader->user->room(core, reader);
    uint64_t *topics;
    int n = topics_of(core, reader, &topics), r = n;

    if (n == 0)
        reader->next = core->kept_topics->cache.from; /* nothing there is for it */
    if (n > 0) {
        what.limit = (uint32_t)(room < FETCH_MESSAGES_MOST ? room : FETCH_MESSAGES_MOST);
        what.topics = topics;
        what.topics_n = (size_t)n;
        r = core_fetch(core, &what, fetched, NULL, reader);
        reader->fetching = r == 0;
    }
    if (n >= 0)
        core_free(core, topics);
    return r < 0 ? r : 0;
}

/* ---- going on ---- */

/* 0: it waits for a message, for room or for the store; -ENOMEM. */
static int run(struct core *core, struct reader *reader)
{
    const struct kept_cache *cache = &core->kept_topics->cache;
    int r = 0;

    while (r == 0 && reader->behind && !reader->fetching) {
        if (!reader->user->room(core, reader))
            return 0;
        r = reader->next < cache->from ? ask(core, reader) : read_cached(core, reader);
    }
    return r == -ENOMEM ? r : 0;
}

void readers_run(struct core *core)
{
    struct kept_topics *kept = core->kept_topics;
    struct reader *reader;

    kept->stalled = false;
    while (!kept->stalled && core->topics->left &&
           (reader = list_first(&kept->awake, struct reader, awake))) {
        list_remove(&reader->awake);
        core->topics->left--;
        if (run(core, reader) < 0) {
            kept->stalled = true;
            reader_wake(core, reader);
        }
        reader->user->done(core, reader);
    }
}

enum sweep_left readers_left(const struct core *core)
{
    const struct kept_topics *kept = core->kept_topics;

    if (list_empty(&kept->awake))
        return kept->forgets_late ? SWEEP_LATER : SWEEP_NOTHING;
    return kept->stalled ? SWEEP_LATER : SWEEP_NOW;
}
