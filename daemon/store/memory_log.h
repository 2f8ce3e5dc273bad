/* Private to memory_topic.c and memory_topic_read.c: what the log is made of. */
#pragma once

#include <uthash.h>

#include "memory_topic.h"

struct message_kept {
    struct list in_log, in_topic, in_once;
    struct record *record;
    uint64_t sequence;
    UT_hash_handle by_sequence;
};

/* A topic, a group, a feed, or what is to come later. */
struct entry {
    struct list link;
    uint64_t id;
    struct record *row;
    struct list messages, onces; /* of a topic: struct message_kept */
    struct list blocks;          /* of a topic: struct record */
    struct list acks, tries;     /* of a group: struct record */
    UT_hash_handle by_id;
};

struct table {
    struct list list;
    struct entry *by_id;
};

struct memory_log {
    struct table topics, groups, laters, feeds;
    struct list rules; /* struct record */
    struct list messages;
    struct message_kept *by_sequence; /* those that are in the log */
    uint64_t sequence;                /* the highest ever given */
};

/* NULL: it is not there. */
struct entry *entry_find(const struct table *table, uint64_t id);
