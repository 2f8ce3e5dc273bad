/* 4-ary, as the heap of timers. */
#include "later.h"

#include <assert.h>
#include <errno.h>

#include "kept.h"

enum { CHILDREN = 4, LATERS_FIRST = 16 };

static bool is_before(const struct later *a, const struct later *b)
{
    return a->due_us != b->due_us && !PLANTED(OVERTAKEN_MESSAGE) ? a->due_us < b->due_us : a->id < b->id;
}

/* ---- the heap ---- */

static void put(struct laters *l, size_t i, struct later *later)
{
    l->heap[i] = later;
    later->place = i + 1;
}

static size_t rise(struct laters *l, size_t i, struct later *later)
{
    for (; i && is_before(later, l->heap[(i - 1) / CHILDREN]); i = (i - 1) / CHILDREN)
        put(l, i, l->heap[(i - 1) / CHILDREN]);
    put(l, i, later);
    return i;
}

static size_t first_child(const struct laters *l, size_t i)
{
    size_t best = CHILDREN * i + 1, end = best + CHILDREN;

    for (size_t c = best + 1; c < end && c < l->n; c++)
        if (is_before(l->heap[c], l->heap[best]))
            best = c;
    return best;
}

static void sink(struct laters *l, size_t i, struct later *later)
{
    while (CHILDREN * i + 1 < l->n) {
        size_t child = first_child(l, i);

        if (is_before(later, l->heap[child]))
            break;
        put(l, i, l->heap[child]);
        i = child;
    }
    put(l, i, later);
}

void later_wait(struct core *core, struct later *later)
{
    struct laters *l = &core->kept_topics->laters;

    rise(l, l->n++, later);
}

void later_take(struct core *core, struct later *later)
{
    struct laters *l = &core->kept_topics->laters;
    size_t i = later->place - 1;

    if (!later->place)
        return;
    struct later *last = l->heap[--l->n];
    later->place = 0;
    if (last != later && rise(l, i, last) == i)
        sink(l, i, last);
}

struct later *laters_first(const struct core *core)
{
    const struct laters *l = &core->kept_topics->laters;

    return l->n ? l->heap[0] : NULL;
}

/* ---- one of them ---- */

static int reserve(struct core *core, struct laters *l)
{
    size_t size = l->size ? 2 * l->size : LATERS_FIRST;
    struct later **heap;

    if (l->reserved < l->size)
        return 0;
    heap = core_resize(core, l->heap, size * sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    l->heap = heap;
    l->size = size;
    return 0;
}

struct later *later_new(struct core *core)
{
    struct laters *l = &core->kept_topics->laters;
    struct later *later = reserve(core, l) < 0 ? NULL : core_alloc(core, sizeof(*later));

    if (!later)
        return NULL;
    l->reserved++;
    list_init(&later->link);
    list_init(&later->in_topic);
    return later;
}

void later_enter(struct core *core, struct later *later, struct kept_topic *topic, struct account *account,
                 const struct later_row *row)
{
    later->topic = topic;
    later->account = account_ref(account);
    later->id = row->id;
    later->due_us = row->due_us;
    later->bytes = kept_bytes(row->message.key.size, row->message.headers.size, row->message.body_bytes);
    list_append(&topic->laters, &later->in_topic);
    topic->delayed++;
    topic->delayed_bytes += later->bytes;
    account->used[SLOT_DELAYED]++;
    account->used[SLOT_DELAYED_BYTES] += later->bytes;
    core->kept_topics->laters.count++;
}

/* An id that nobody finds any more. */
static void release(struct core *core, struct later *later)
{
    if (!later->once)
        return;
    once_window_remove(core, &later->topic->once, later->once);
    core->kept_topics->ids--;
}

static void leave(struct core *core, struct later *later)
{
    later_take(core, later);
    release(core, later);
    list_remove(&later->link);
    list_remove(&later->in_topic);
    later->topic->delayed--;
    later->topic->delayed_bytes -= later->bytes;
    account_release(later->account, SLOT_DELAYED, 1);
    account_release(later->account, SLOT_DELAYED_BYTES, later->bytes);
    account_drop(core, later->account);
    core->kept_topics->laters.count--;
}

struct later *later_delete(struct core *core, struct later *later)
{
    if (!later)
        return NULL;
    if (later->topic)
        leave(core, later);
    core->kept_topics->laters.reserved--;
    core_free(core, later);
    return NULL;
}

int later_hold(struct core *core, struct later *later, struct bytes once)
{
    struct kept_topics *kept = core->kept_topics;

    if (!once.size)
        return 0;
    later->once = topic_once_new(core, &later->topic->once, once);
    if (!later->once)
        return -ENOMEM;
    later->once->sequence = 0;
    later->once->batch = UINT64_MAX;
    once_window_hold(core, &later->topic->once, later->once);
    kept->ids++;
    return 0;
}

/* ---- the whole ---- */

int laters_init(struct core *core, struct laters *laters)
{
    list_init(&laters->storing);
    list_init(&laters->fetching);
    return timers_reserve(core);
}

void laters_free(struct core *core, struct laters *laters)
{
    core_fetch_forget(core, laters);
    timer_disarm(core, &laters->timer);
    timers_unreserve(core);
    core_free(core, laters->heap);
}

void laters_charged(const struct core *core, const struct account *account, uint64_t *used)
{
    const struct kept_topic *topic;
    const struct later *later;

    list_each (topic, &core->kept_topics->topics, link) {
        list_each (later, &topic->laters, in_topic) {
            used[SLOT_DELAYED] += later->account == account;
            used[SLOT_DELAYED_BYTES] += later->account == account ? later->bytes : 0;
        }
    }
}

static uint64_t count_of(const struct kept_topic *topic)
{
    const struct later *later;
    uint64_t id = 0, n = 0, bytes = 0;

    list_each (later, &topic->laters, in_topic) {
        assert(later->topic == topic && later->id > id && "what a topic gets later is in the order of ids");
        int places = (later->place != 0) + list_linked(&later->link);
        assert((places == 1 || (places == 0 && later->id <= topic->doomed)) &&
               "what is to come waits, is on its way, or goes with its topic");
        id = later->id;
        bytes += later->bytes;
        n++;
    }
    assert(n == topic->delayed && bytes == topic->delayed_bytes && "a topic knows what it gets later");
    return n;
}

void laters_check(const struct core *core)
{
    const struct laters *l = &core->kept_topics->laters;
    const struct kept_topic *topic;
    uint64_t n = 0;

    list_each (topic, &core->kept_topics->topics, link)
        n += count_of(topic);
    assert(n == l->count && l->n <= n && n <= l->reserved && l->reserved <= l->size &&
           "there is a place for what is to come");
    for (size_t i = 0; i < l->n; i++) {
        assert(l->heap[i]->place == i + 1 && "what is to come knows its place");
        assert((!i || is_before(l->heap[(i - 1) / CHILDREN], l->heap[i])) && "nothing comes out of its turn");
    }
    assert((!l->n || timer_armed(&l->timer) || l->asked || l->held || !core_stored(core, l->moved)) &&
           "what is to come is waited for");
}
