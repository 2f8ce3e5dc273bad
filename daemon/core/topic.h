/*
 * Topics: who publishes, who is told.
 *
 * Words: an `audience` is all subscriptions of one pattern, a `publish` what is left of an operation PUBLISH, a `batch` those
 * of its messages that take effect at one moment: nothing of them is before it, and all who match then get all of them.
 * Files: topic.c publishes and fans out, subscription.c makes, fills and ends subscriptions, topic_again.c has what waited there go
 * on, topic_last.c remembers last messages, topic_verbs.c is asked.
 */
#pragma once

#include "letter.h"
#include "name_tree.h"
#include "topic_last.h"
#include "trie.h"

/* Lives while it has a subscription, or is matched. */
struct audience {
    struct trie_entry entry;
    struct name_node name; /* of topics->names */
    struct list all;       /* struct subscription, in the order in which they were made */
    struct list blocking;  /* those of them that make a publish wait (TOPIC_BLOCK) */
    uint64_t subscriptions;
    uint64_t published, delivered, dropped;
    bool matched; /* in topics->matched */
    char text[];
};

/* Of a channel that only PUBLISH fills. Goes with it. */
struct subscription {
    struct channel *channel;
    struct audience *audience;  /* NULL: it has ended, nothing is published to it any more */
    struct list link, blocking; /* of audience->all and ->blocking */
    struct list waiting;        /* struct publish: for room, by ticket. TOPIC_BLOCK */
    struct list roomy;          /* of topics->roomy: those may go on */
    struct timer timer;         /* TOPIC_BLOCK: it has made no room for so long; a place is reserved */
    int64_t block_ns;
    uint64_t ticket;          /* when it was made */
    uint64_t value_bytes_max; /* 0: any size */
    uint64_t lost;            /* messages, since the last one that it took */
    uint32_t full;            /* enum full_subscription */
    struct member *member;    /* of a group (group.h); or NULL */
    struct replay *replay;    /* it reads the log (kept_replay.c); or NULL */
    struct publish *greeting; /* until it has had all of it, it gets nothing else (topic_last.h); or NULL */
    uint64_t
        extra; /* of its capacity: for the greeting; goes as its buffer empties. While its SUBSCRIBE waits, the
                               * capacity that it asks for */
    bool greeted; /* what is delivered at this moment is of its greeting */
    bool cut;     /* it had no room, and ended of it */
};

/* Belongs to its operation, or, while a batch of it is under way and that has ended, to topics->now. Also what is left of a
 * TOPIC_CLOSE, in its place in the queue: then its one letter has the pattern as its topic. Or a greeting, without letters. Or what
 * a SUBSCRIBE or TOPIC_SET says that waits for its turn (topic_last.h): pattern and settings are topic and body of its letter. */
struct publish {
    struct list link; /* of topics->queue or ->again, or of the `waiting` of a subscription */
    struct op *op;    /* NULL: it has ended meanwhile, or it closes */
    struct account *account;
    uint64_t charged; /* bytes */
    uint64_t ticket;
    struct published told;
    size_t from, to, n; /* its batch is from..to; all before `to` is published */
    size_t size;        /* letters there is room for */
    struct kept_topic
        *topic; /* of the log (kept.h): it happens when the store has `batch`, and nothing stops it. NULL: it
                               * is live */
    uint64_t batch, bytes;
    struct subscription *greets; /* whose greeting it is, and the owner; NULL: it is none */
    struct subscription *joins;  /* of a SUBSCRIBE that waits: its own, in no audience yet; or NULL */
    uint64_t about;              /* `own`: the job whose state it tells (job_states.h) */
    bool own;       /* live, of the daemon itself: there is no operation, and it waits for nobody */
    bool under_way; /* it is topics->now; of a greeting: it has begun */
    bool due;       /* it waited for its time (kept_later.c), and is counted in topics->due_n */
    bool remembers; /* its topic may have a rule that has the last message remembered */
    bool removes;   /* of a TOPIC_SET that waits: the rule goes */
    bool closes;    /* subscriptions that were there at its ticket; the queue's own */
    int32_t stop;   /* negative errno value: why it goes no further than its batch */
    struct letter *letter[];
};

struct topics {
    struct trie trie;          /* struct audience */
    struct name_tree names;    /* the same, by pattern */
    struct list queue;         /* struct publish: one after the other, behind `now` */
    struct list again;         /* struct publish: they wait no more, and go into the queue by ticket */
    bool mixed;                /* there they are not by ticket: they waited at more than one subscription */
    struct list notices;       /* struct publish: they wait for the store, by batch (job_states.c) */
    struct list roomy;         /* struct subscription: what waits there goes on after the queue */
    struct publish *now;       /* its batch is on its way; or NULL */
    struct audience **matched; /* of that batch */
    size_t audiences_n;
    size_t matched_n, matched_size, place; /* place: the audience where it is */
    struct subscription *next;             /* who is next there, or NULL */
    uint64_t began;                    /* ticket of the batch: whoever subscribed later gets nothing of it */
    size_t left;                       /* deliveries that this turn may still have */
    uint64_t subscriptions, publishes; /* how many there are */
    uint64_t due_n, due_bytes;         /* publishes that waited for their time and are not told yet */
    uint64_t published, delivered, dropped;
    struct lasts lasts;
};

/* 0 or -ENOMEM. */
int topics_init(struct core *core);
/* When the sessions have ended and the channels are gone. */
void topics_free(struct core *core);
/* Each turn delivers so much and no more. */
void topics_turn(struct core *core);
/* Goes on with what is under way and what waits, as far as this turn may. */
void topics_run(struct core *core);
/* Something is left to do that nobody has to wait for. */
bool topics_busy(const struct core *core);
void topics_check(const struct core *core);

/* ---- topic.c ---- */

/* Room for one more audience to be matched. 0 or -ENOMEM. */
int topics_expect(struct core *core);

/* An operation that publishes ends: what has not taken effect does not happen. */
void publish_left(struct core *core, struct op *op);
/* Closes the subscriptions of exactly that pattern, behind what was published before. 0 or -ENOMEM: nothing happened. */
int topic_close(struct core *core, struct account *account, struct bytes pattern);
/* Whether its end has to wait for its batch, after which it ends with this. */
bool publish_stops(struct op *op, int error);
/* It ends: a batch that is under way goes on behind it. */
void topics_pass(struct core *core, const struct subscription *sub);
/* Topic and messages of what is asked. 0; negative: words may be said. */
int publish_check(struct core *core, struct op *op, const struct request_publish *publish);
/* Memory that its messages take. */
uint64_t publish_bytes(const struct request_publish *publish);
/* Its operation ends otherwise. */
void publish_detach(struct publish *publish);
void publish_free(struct core *core, struct publish *publish);
/* Without an operation, and with room for so many letters, of which there is none yet. NULL: out of memory. */
struct publish *publish_empty(struct core *core, struct account *account, size_t n);
/* Of one message, without an operation. NULL: out of memory. */
struct publish *publish_alone(struct core *core, struct account *account, struct bytes topic,
                              const struct outgoing *message);
/* The same of this letter, of which it takes the reference also when it fails. */
struct publish *publish_letter(struct core *core, struct account *account, struct letter *letter);
/* What an operation asks waits for its turn, as a publish that nobody gets. 0, -EAGAIN: it is not to wait, -ENOBUFS, -ENOMEM. */
int publish_turn(struct core *core, struct op *op, struct bytes topic, struct bytes text,
                 struct publish **out);
/* It is its turn: its operation waits for nothing of this any more. NULL: that has ended, and has freed it or will. */
struct op *publish_turns(struct core *core, struct publish *publish);
/* The operation ends with this, unless it has. Frees what has waited. */
void publish_turned(struct core *core, struct publish *publish, struct op *op, int error);
/* All of a list, whose operations have ended. */
void publishes_forget(struct core *core, struct list *publishes);
/* The topic. */
struct bytes publish_topic(const struct publish *publish);

/* ---- topic_again.c ---- */

/* Those that waited at one subscription, by ticket, wait no more: they go to topics->again. O(1). */
void publishes_leave(struct core *core, struct list *waiting);
/* All of topics->again take their places in the queue. What that looks at costs this turn, which may do one thing more at least: what
 * is before their places, and of n that waited at k subscriptions, where k is more than one, n times the logarithm of k. */
void publishes_go_on(struct core *core);

/* ---- subscription.c ---- */

/* The audience of exactly that pattern, or NULL. */
struct audience *audience_find(const struct core *core, struct bytes pattern);
void audience_check(const struct core *core, const struct audience *audience);
/* Frees it if nobody needs it. */
void audience_settle(struct core *core, struct audience *audience);
/* How many of the `n` messages it takes. *lost: how many are lost to it, of these or of what it had before. May free it. */
size_t subscription_deliver(struct core *core, struct subscription *sub, struct letter *const *letter,
                            size_t n, uint64_t *lost);
/* The same of messages it begins with, which have room beside its capacity. */
void subscription_greet(struct core *core, struct subscription *sub, struct letter *const *letter, size_t n);
/* How many of the `n` messages it has room for. */
size_t subscription_fits(const struct core *core, const struct subscription *sub,
                         struct letter *const *letter, size_t n);
/* A publish waits for room there. */
void subscription_await(struct core *core, struct subscription *sub, struct publish *publish);
/* It may have room again. */
void subscription_room(struct core *core, struct subscription *sub);
/* Nothing is published to it any more; what waits for its room goes on. Safe to repeat. */
void subscription_end(struct core *core, struct subscription *sub);
/* The same, and its channel closes behind what is in it. */
void subscription_close(struct core *core, struct subscription *sub);
/* A SUBSCRIBE that has waited is first in the queue. */
void subscribe_go_on(struct core *core, struct publish *publish);
/* Its channel goes. */
void subscription_free(struct core *core, struct subscription *sub);
/* Why a receive finds nothing more in it: op_fail is called. False: it was closed, or not. */
bool subscription_failed(struct core *core, struct op *op, const struct channel *c);
struct bytes subscription_pattern(const struct subscription *sub);
