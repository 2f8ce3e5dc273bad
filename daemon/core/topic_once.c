#include "topic_once.h"

#include <string.h>

void once_window_init(struct once_window *window)
{
    *window = (struct once_window){.ids = {0}};
    list_init(&window->order);
}

struct topic_once *once_window_find(const struct core *core, const struct once_window *window,
                                    struct bytes text)
{
    struct map_node *n = map_first(&window->ids, core_hash(core, text.data, text.size));

    for (; n; n = map_next(n)) {
        struct topic_once *once = map_entry(n, struct topic_once, node);
        if (bytes_are(text, once->text, once->size))
            return once;
    }
    return NULL;
}

struct topic_once *topic_once_new(struct core *core, struct once_window *window, struct bytes text)
{
    struct topic_once *once = core_take(core, sizeof(*once) + text.size);

    if (!once)
        return NULL;
    list_init(&once->link);
    once->size = (uint8_t)text.size;
    memcpy(once->text, text.data, text.size);
    if (map_reserve(core, &window->ids, 1) == 0)
        return once;
    topic_once_delete(core, once);
    return NULL;
}

void topic_once_delete(struct core *core, struct topic_once *once)
{
    if (once)
        core_give(core, once, sizeof(*once) + once->size);
}

void once_window_hold(struct core *core, struct once_window *window, struct topic_once *once)
{
    map_add(&window->ids, &once->node, core_hash(core, once->text, once->size));
}

void once_window_settle(struct once_window *window, struct topic_once *once)
{
    list_append(&window->order, &once->link);
}

void once_window_add(struct core *core, struct once_window *window, struct topic_once *once)
{
    once_window_hold(core, window, once);
    once_window_settle(window, once);
}

void once_window_remove(struct core *core, struct once_window *window, struct topic_once *once)
{
    map_remove(&window->ids, &once->node);
    list_remove(&once->link);
    topic_once_delete(core, once);
}

size_t once_window_expire(struct core *core, struct once_window *window, int64_t before_us)
{
    struct topic_once *once, *after;
    size_t n = 0;

    list_each_safe (once, after, &window->order, link) {
        if (once->time_us >= before_us)
            break;
        once_window_remove(core, window, once);
        n++;
    }
    return n;
}

void once_window_free(struct core *core, struct once_window *window)
{
    once_window_expire(core, window, INT64_MAX);
    map_free(core, &window->ids);
}
