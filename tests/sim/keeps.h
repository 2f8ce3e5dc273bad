/*
 * Kept topics, in some seeds: with bounds, ids, purges, transactions, and subscriptions that begin in the past. keeps.c says what
 * clients do with them, keeps_end.c what is asked when the work is over, judge_keeps.c what must hold (IP15). These seeds have no
 * other topics (topics.h, groups.h).
 *
 * All that is told is judged by what the store has: its records are the truth, and have rules of their own.
 */
#pragma once

#include "sim.h"

enum {
    KEEP_ALL,   /* no bounds; ids are remembered for a second */
    KEEP_FEW,   /* so many messages, which changes while the daemon runs */
    KEEP_FULL,  /* so many, and then it refuses */
    KEEP_BRIEF, /* so many bytes, for a second */
    KEEP_TOPICS,
    KEEP_PATTERNS = 4,
    KEEP_PLACES = 2, /* subscriptions of one client */
    KEEP_VECTOR = 3, /* messages at once */
    KEEP_IDS = 5,    /* once-ids of a topic */
    KEEP_HEADERS = 2,
    KEEP_BODY = 16,
    KEEP_BODY_LARGE = 40,
    KEEP_BLOCK_SHARE = 16, /* of a bound goes at once */
};
#define KEEP_US_PER_S 1000000ll

/* A message. Its body begins with its number, from which its key, headers and size come. */
struct keep_message {
    uint32_t topic;
    uint32_t once;     /* its id in the topic; 0: none */
    uint32_t index, n; /* of those that were published with it */
    bool expects;      /* that the last one of its topic is this: */
    uint64_t expected;
    uint64_t life; /* number of the topic that has it, as of the store; 0: it is not stored */
    uint64_t sequence, batch;
    int64_t time_us;
    bool gone;
    int64_t gone_ns; /* clock of the simulator */
};

struct keep_topic {
    uint64_t life;          /* its number; 0: it is not there */
    uint64_t may_go;        /* purges up to this sequence were asked for */
    uint64_t removals, end; /* asked for; done */
};

struct keep_purge {
    uint32_t topic;
    bool came;
    uint64_t life, up_to; /* what is to be gone, as the core took it */
};

/* A subscription that begins in the past. */
struct keep_sub {
    uint32_t who, pattern, from; /* from: enum topic_from */
    uint64_t from_sequence;
    int64_t from_time_us;
    uint64_t value_bytes_max;
    uint64_t session, handle;
    uint64_t then;      /* the last sequence that was stored when the core took it */
    uint64_t last;      /* of a message without a flag */
    int64_t started_ns; /* clock of the simulator */
    bool known;         /* its handle is */
    bool closed;        /* its client dropped it */
};

struct keep_ledger {
    uint64_t dice;                 /* chance of its own */
    struct keep_message *messages; /* by number, from 1 */
    size_t messages_n;
    struct keep_sub *subs; /* the same */
    size_t subs_n;
    struct keep_purge *purges; /* the same */
    size_t purges_n;
    struct keep_topic topic[KEEP_TOPICS];
    uint64_t sequence, life, batch; /* the last ones that the store was told of */
    int64_t time_us;
    uint64_t few;                         /* what KEEP_FEW keeps now, */
    uint64_t least;                       /* and at least at any time */
    uint64_t place[CLIENTS][KEEP_PLACES]; /* numbers of subscriptions */
};

/* What a topic may keep; 0: no bound. */
struct keep_bounds {
    uint64_t messages, bytes, age_s, dedup_s;
    bool reject;
};

/* In this seed there are such topics; what is noted lives until judge_keeps_free. */
void keeps_open(struct sim *sim);
void judge_keeps_free(struct sim *sim);

/* ---- keeps.c ---- */

struct bytes keep_name(uint32_t topic);
struct bytes keep_pattern(uint32_t pattern);
bool keep_matches(uint32_t pattern, uint32_t topic);
struct keep_bounds keep_bounds(const struct sim *sim, uint32_t topic);
/* Of this message; `room` is for its headers, whose values are its number, and for that. */
struct keep_room {
    uint64_t id;
    struct header headers[KEEP_HEADERS];
};
struct bytes keep_key(uint64_t id);
size_t keep_headers(uint64_t id, struct keep_room *room);
size_t keep_size(uint64_t id);
/* What the configuration says of them. */
void keeps_configure(struct sim *sim, struct core *core);
/* Now and then a client publishes, purges, subscribes, receives. False: not now. */
bool work_keep(struct client *client);
/* A task of these has its result. */
void keep_told(struct task *task, const struct result *result);
/* Tasks that are not started, for the end, too. */
struct task *keep_task(struct client *client, enum verb verb);
struct task *keep_publish(struct client *client, uint32_t topic, uint32_t n, uint32_t once);
struct task *keep_subscribe(struct client *client, uint32_t pattern, uint32_t from);
struct task *keep_receive(struct client *client, uint64_t number, uint32_t max);
struct task *keep_drop(struct client *client, uint64_t number);
struct task *keep_purge(struct client *client, uint32_t topic, uint64_t up_to, uint64_t keep);
struct task *keep_remove(struct client *client, uint32_t topic);

/* ---- keeps_end.c ---- */

/* The work is over: in some seeds the daemon begins anew, so that what it tells in the end is what it finds in the store. */
void keeps_restart(struct sim *sim);
void keeps_end(struct sim *sim);

/* ---- judge_keeps.c ---- */

uint64_t keep_message_new(struct sim *sim, const struct keep_message *message);
uint64_t keep_sub_new(struct sim *sim, const struct keep_sub *sub);
uint64_t keep_purge_new(struct sim *sim, uint32_t topic);
/* The last sequence that the topic ever had; 0: none. */
uint64_t keep_last(const struct sim *sim, uint32_t topic);
/* How many messages it has. */
uint64_t keep_count(const struct sim *sim, uint32_t topic);
/* The number in a body; 0: there is no such message. */
uint64_t keep_id_of(const struct sim *sim, struct bytes body);
/* It is in this topic, as it is or was; and is there now. */
bool keep_is_of(const struct keep_message *message, uint32_t topic, uint64_t life);
bool keep_is_there(const struct sim *sim, const struct keep_message *message, uint32_t topic);
/* What the topic has behind a sequence. */
struct keep_sum {
    uint64_t messages, bytes, first, last;
};
struct keep_sum keep_sum(const struct sim *sim, uint32_t topic, uint64_t sequence);
void keep_wrong(struct sim *sim, uint64_t id, const char *why);
void keep_wrong_topic(struct sim *sim, uint32_t topic, const char *why, uint64_t number);
/* The store is about to have these. */
void judge_keeps_stored(struct sim *sim, const struct list *batches);
/* The core has taken this operation; a result of it leaves; its client has it. */
void judge_keep_came(struct sim *sim, const struct request *request, struct task *task);
void judge_keep_reply(struct sim *sim, const struct task *task, const struct result *result);
void judge_keep_refused(struct task *task, const struct result *result);

/* ---- judge_keeps_read.c ---- */

/* A client has messages. */
void judge_keep_given(struct task *task, const struct result *result);
/* Nothing happens any more: each topic has what it may; what is told of one is so; a subscription has had all that there is. */
void judge_keep_bounds(struct sim *sim);
void judge_keep_info(struct task *task, const struct result *result);
void judge_keep_replayed(struct sim *sim, uint64_t number);
