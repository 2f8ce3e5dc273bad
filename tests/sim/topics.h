/*
 * Topics, in some seeds: topics.c says what clients do with them, judge_topics.c what must hold. In half of these seeds some
 * subscriptions make publishes wait; then messages have no order that can be told from outside but that of each publisher.
 */
#pragma once

#include "inspect.h"
#include "sim.h"

enum {
    TOPICS = 4,
    TOPIC_PATTERNS = 8, /* the first ones are the topics themselves */
    TOPIC_PLACES = 3,   /* subscriptions of one client */
    TOPIC_VECTOR = 4,   /* messages at once */
};

/* Some topics have a rule for last messages by this pattern. */
#define LAST_PATTERN "top.*.c"

/* A message. Its body begins with its id. */
struct topic_message {
    uint32_t topic;
    uint64_t session, incarnation; /* that took it */
    uint64_t came;  /* its publish was taken by the core: number of that in all that is noted; 0: not yet */
    uint64_t left;  /* its result left the daemon; 0: not yet */
    uint32_t index; /* in its publish */
    enum fate fate;
    bool empty;
};

/* What a subscription got of one message. */
struct topic_copy {
    uint64_t message, lost;
};

struct topic_sub {
    uint32_t who, pattern, full;
    uint64_t session, handle, came;
    bool known;              /* its handle is */
    bool closed;             /* its client saw that, or dropped it */
    bool lasts;              /* it begins with last messages, */
    uint64_t left;           /* and this was the order when that was answered */
    uint64_t forgot[TOPICS]; /* of each topic what came before that was cleared */
    uint64_t greeted;        /* position of the last one of these */
    uint64_t last;           /* position of the last message without a flag */
    struct {
        uint64_t session, message;
    } of[TOPICS][CLIENTS]; /* the last one of each publisher */
    struct topic_copy *copies;
    size_t copies_n, copies_size;
};

struct topic_ledger {
    uint64_t dice; /* chance of its own */
    uint64_t order;
    bool lasts;              /* rules say that last messages are remembered */
    uint64_t forgot[TOPICS]; /* what came before is not; UINT64_MAX: none is */
    uint64_t
        clears[TOPICS + 1]; /* the last purge or removal that came; at the end of those of other topics */
    uint64_t on, off;       /* when a rule that changes said so last, and said no */
    bool waits;             /* some subscriptions make publishes wait */
    struct topic_message *messages; /* by id, from 1 */
    size_t messages_n;
    struct topic_sub *subs; /* by number, from 1 */
    size_t subs_n;
    uint64_t place[CLIENTS][TOPIC_PLACES]; /* numbers of subscriptions */
    uint64_t closed[TOPIC_PATTERNS];       /* order of the last TOPIC_CLOSE */
};

extern const char *const topic_patterns[TOPIC_PATTERNS];

/* In this seed there are topics; what is noted lives until judge_topics_free. */
void topics_open(struct sim *sim);
void judge_topics_free(struct sim *sim);

/* ---- topics.c ---- */

/* Now and then a client publishes, subscribes, receives. False: not now. */
bool work_topic(struct client *client);
/* A task of these has its result. */
void topic_told(struct task *task, const struct result *result);

/* ---- judge_topics.c ---- */

uint64_t topic_message_new(struct sim *sim, uint32_t topic, uint32_t index);
/* Its number, which stands in the body or, of one that is empty, in the key; 0: it has none. */
uint64_t topic_message_id(struct bytes body, struct bytes key);
uint64_t topic_sub_new(struct client *client, uint32_t pattern, uint32_t full);
/* The core has taken this operation; a result of it leaves. */
void judge_topic_came(struct sim *sim, uint64_t session, const struct request *request, struct task *task);
void judge_topic_reply(struct sim *sim, const struct task *task, const struct result *result);
/* A client is told what became of messages; it has received some. */
void judge_published(struct task *task, const struct result *result);
void judge_messages(struct task *task, const struct result *result);
/* Where it is in the order of all. */
uint64_t topic_position(const struct topic_message *message);
/* After the work: each subscription has what it should. */
void judge_topics_end(struct sim *sim);

/* ---- judge_lasts.c ---- */

/* What the configuration says of topics. */
void lasts_configure(struct sim *sim, struct core *core);
/* As judge_topic_came and judge_topic_reply. */
void judge_last_came(struct sim *sim, const struct request *request, struct task *task);
void judge_last_reply(struct sim *sim, const struct task *task, const struct result *result);
/* Why a subscription cannot begin with this message; NULL: it can. */
const char *judge_last(const struct sim *sim, const struct topic_sub *sub,
                       const struct topic_message *message, uint32_t flags);
/* After the work, of one that lives. */
void judge_lasts_end(struct sim *sim, const struct topic_sub *sub);
