/*
 * The ids under which messages of one topic were published once: a repeat within the time is told the sequence of the first.
 *
 * Ids are in the order of their messages' times, and go from the oldest on. What is made is not there until it is added, so
 * that adding cannot fail. The id of a message that is published later is found from the beginning on, and has its place in the
 * order when the message has its time.
 */
#pragma once

#include "core_internal.h"

enum { TOPIC_ONCE_BYTES_MAX = 255 };

struct topic_once {
    struct map_node node; /* of the window */
    struct list link;
    uint64_t sequence, batch; /* batch: in which its message is on its way to the store, or was */
    int64_t time_us;
    uint8_t size;
    char text[];
};

struct once_window {
    struct map ids;
    struct list order; /* struct topic_once */
};

void once_window_init(struct once_window *window);
/* NULL: nothing was published under it in that time. */
struct topic_once *once_window_find(const struct core *core, const struct once_window *window,
                                    struct bytes text);
/* One to be added, and room for it. NULL: out of memory. */
struct topic_once *topic_once_new(struct core *core, struct once_window *window, struct bytes text);
/* Of one that was not added. Accepts NULL. */
void topic_once_delete(struct core *core, struct topic_once *once);
/* Takes it: behind all others. Its sequence and time are set. */
void once_window_add(struct core *core, struct once_window *window, struct topic_once *once);
/* Takes it, but not into the order: it stays until it is removed, or settled. */
void once_window_hold(struct core *core, struct once_window *window, struct topic_once *once);
/* Of one that is held: behind all others. Its sequence and time are set. */
void once_window_settle(struct once_window *window, struct topic_once *once);
void once_window_remove(struct core *core, struct once_window *window, struct topic_once *once);
/* Forgets what is older than that time, but for what is held. How many. */
size_t once_window_expire(struct core *core, struct once_window *window, int64_t before_us);
/* When nothing is held any more. */
void once_window_free(struct core *core, struct once_window *window);
