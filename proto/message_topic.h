/* Topics: messages, what is asked about them, what is told of them. Part of message.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

struct counter;

struct header {
    struct bytes name, value;
};

/* What is told of a message beside its body, which is that of its value. */
struct message {
    struct bytes topic;
    uint64_t sequence; /* in the log; 0: a live message */
    int64_t time_us;   /* wall clock, UTC */
    uint32_t tries;    /* deliveries of it, with this one; 0: they are not counted */
    uint64_t lost;     /* messages that this subscription lost before this one, since the one before it */
    struct bytes key;
    const struct header *headers;
    size_t headers_n;
    uint64_t of; /* a dead letter: the sequence that it had */
};

/* A message that is to be published. */
struct outgoing {
    struct value value;
    struct bytes key; /* order and fairness of groups */
    const struct header *headers;
    size_t headers_n;
    struct bytes once; /* its topic takes it once, as long as it remembers that */
};

struct request_publish {
    struct bytes topic;
    const struct outgoing *messages; /* 1..VALUES_MAX */
    size_t messages_n;
    uint64_t expect_sequence; /* with `expects`: the last one of the topic; 0: it has none */
    bool expects;
    int64_t delay_ns; /* of a topic that is kept: not before now + delay */
    int64_t at_us;    /* the same: not before this time, wall clock, UTC; 0: it is not said */
};

/* What a subscription does that has no room for a message. */
enum full_subscription {
    TOPIC_DROP_NEWEST,
    TOPIC_DROP_OLDEST,
    TOPIC_DISCONNECT, /* it ends, behind what it has */
    TOPIC_BLOCK,      /* the publish waits */
};

/* Where a subscription begins. */
enum topic_from { FROM_NEW, FROM_START, FROM_SEQUENCE, FROM_TIME, FROM_LAST };

struct request_subscribe {
    struct bytes pattern;
    uint64_t capacity; /* messages; 0: 1024 */
    uint32_t full;     /* enum full_subscription */
    int64_t block_ns;  /* TOPIC_BLOCK: a publish waits so long at most; 0: a second */
    uint32_t from;     /* enum topic_from */
    uint64_t from_sequence;
    int64_t from_time_us;
    struct bytes group;       /* empty: none */
    struct bytes settings;    /* of a group that it makes: NAME=VALUE, a blank between two */
    uint64_t value_bytes_max; /* larger ones are lost to it; 0: any size */
};

struct request_topic_close {
    struct bytes topic; /* or pattern */
};

struct request_topic_list {
    struct bytes pattern; /* empty: all */
    struct bytes after;   /* the last name of the page before */
    uint32_t limit;
};

struct request_topic_info {
    struct bytes topic; /* or pattern */
};

struct request_topic_set {
    struct bytes pattern;
    struct bytes settings; /* NAME=VALUE, a blank between two; NAME= takes one back */
    bool remove;           /* all are taken back */
};

struct request_topic_purge {
    struct bytes topic;
    uint64_t up_to; /* a sequence; 0: all */
    uint64_t keep;  /* so many of the last messages stay; without up_to */
};

struct request_topic_remove {
    struct bytes topic;
};

/* What a member of a group says of messages that it has. */
enum settle_what { SETTLE_RETRY = 1, SETTLE_DEAD, SETTLE_EXTEND };

struct request_settle {
    uint64_t handle;
    const uint64_t *sequences;
    size_t sequences_n;
    uint32_t what;    /* enum settle_what */
    int64_t delay_ns; /* SETTLE_RETRY: not before; SETTLE_EXTEND: so long; 0: ack_wait */
};

struct request_group_set {
    struct bytes group;
    struct bytes
        settings; /* NAME=VALUE, a blank between two; NAME= takes one back; from= says where it goes on */
};

struct request_group_list {
    struct bytes prefix; /* of the names; the whole name of one tells its settings too */
    struct bytes after;
    uint32_t limit;
};

struct request_group_remove {
    struct bytes group;
};

/* What became of a PUBLISH. */
struct published {
    uint64_t sequence;  /* of its last message in the log; 0: it is not kept */
    uint64_t receivers; /* times that a subscription took one of its messages */
    uint64_t dropped;   /* times that a subscription had no room for one */
    uint32_t repeated;  /* messages that were there before, by their dedup id */
};

struct topic_info {
    struct bytes name;
    uint64_t subscriptions;
    uint64_t published, delivered, dropped;
    bool durable;
    uint64_t first_sequence, last_sequence, messages, bytes;
    uint64_t delayed; /* messages that are to be published later */
    int64_t last_us;
    const struct counter *settings; /* named ORIGIN.NAME=VALUE */
    size_t settings_n;
};

struct group_info {
    struct bytes name, pattern;
    uint64_t floor, next, outstanding, members, waiting, redelivered, dead;
    bool paused;
    const struct counter *settings; /* as of a topic */
    size_t settings_n;
};
