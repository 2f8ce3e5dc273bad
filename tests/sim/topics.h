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

/* A message. Its body begins with its id. */
struct topic_message {
    uint32_t topic;
    uint64_t session, incarnation; /* that took it */
    uint64_t came;  /* its publish was taken by the core: number of that in all that is noted; 0: not yet */
    uint64_t left;  /* its result left the daemon; 0: not yet */
    uint32_t index; /* in its publish */
    enum fate fate;
};

/* What a subscription got of one message. */
struct topic_copy {
    uint64_t message, lost;
};

struct topic_sub {
    uint32_t who, pattern, full;
    uint64_t session, handle, came;
    bool known;    /* its handle is */
    bool closed;   /* its client saw that, or dropped it */
    uint64_t last; /* position of the last message without a flag */
    struct {
        uint64_t session, message;
    } of[TOPICS][CLIENTS]; /* the last one of each publisher */
    struct topic_copy *copies;
    size_t copies_n, copies_size;
};

struct topic_ledger {
    uint64_t dice; /* chance of its own */
    uint64_t order;
    bool waits;                     /* some subscriptions make publishes wait */
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
uint64_t topic_sub_new(struct client *client, uint32_t pattern, uint32_t full);
/* The core has taken this operation; a result of it leaves. */
void judge_topic_came(struct sim *sim, uint64_t session, const struct request *request,
                      const struct task *task);
void judge_topic_reply(struct sim *sim, const struct task *task);
/* A client is told what became of messages; it has received some. */
void judge_published(struct task *task, const struct result *result);
void judge_messages(struct task *task, const struct result *result);
/* After the work: each subscription has what it should. */
void judge_topics_end(struct sim *sim);
