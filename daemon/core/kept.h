/*
 * Topics that are kept (durable topics): the log of their messages, and who reads it.
 *
 * There is one log. Its sequences rise by one with each message, whatever its topic, and are never given twice. A publish goes
 * to the store first, in kept->arriving; it takes effect when the store has it: then the index of its topic has its messages,
 * and whoever matches gets them. So nobody sees what might not have happened, and a store that is full fails that publish
 * alone. Nothing stops it meanwhile: the store is past being cancelled.
 * Files: topic_rule.c which settings count; kept_topic.c topics and what they may keep; kept_publish.c publishing;
 * kept_later.c what is published later; kept_load.c the start; kept_forget.c what the store forgets, in pieces.
 */
#pragma once

#include "kept_read.h"
#include "later.h"
#include "topic.h"
#include "topic_log.h"
#include "topic_once.h"
#include "topic_rule.h"

/* Made by its first publish; goes by TOPIC_REMOVE alone. */
struct kept_topic {
    struct map_node by_name, by_id;
    struct name_node in_order; /* of kept->names, by `whole` */
    struct bytes whole;
    struct list link; /* of kept->topics, by id */
    struct account *account;
    uint64_t id;
    uint32_t flags; /* of its rows: how safely it is kept */
    struct topic_log log;
    struct once_window once;
    uint64_t last_sent; /* sequence of its last message, with those on their way to the store; 0: none */
    uint64_t on_way, on_way_bytes; /* those on their way */
    uint64_t gone;                 /* messages up to this sequence are not there any more */
    uint64_t
        gone_batch; /* in which the store was told that some of them go; at first, that it is there: behind the
                            removal of the one before it with its name */
    uint64_t published;
    int64_t last_us;
    uint64_t once_gone,
        once_told;      /* ids up to this sequence are forgotten; the store was told so up to that one */
    struct timer timer; /* its oldest block is too old, or ids are; a place is reserved */
    struct list
        trimming; /* of kept->trimming: it has more than it may keep, and goes on with the store's word */
    uint64_t forgettings;            /* that have not told the store all: what comes behind them waits */
    struct list laters;              /* struct later, by id */
    uint64_t delayed, delayed_bytes; /* of these */
    uint64_t doomed; /* those up to this id go with the topic that they were of: none of them is published */
    uint8_t name_size;
    char name[];
};

struct kept_topics {
    struct topic_rules rules;
    struct topic_policy standard; /* of a topic without rule */
    struct map by_name, by_id;
    struct name_tree names; /* struct kept_topic */
    struct list topics;
    struct list arriving; /* struct publish, by batch */
    uint64_t last_id;     /* of a topic */
    uint64_t sequence;    /* the last one that was given */
    int64_t time_us;      /* of the message that has it */
    uint64_t stored;      /* the last one that is stored */
    struct kept_cache cache;
    struct trie readers;     /* struct readership */
    struct list awake;       /* struct reader: those may go on */
    struct list forgettings; /* struct forgetting, in their order */
    struct list trimming;    /* struct kept_topic */
    uint64_t forgot;         /* the piece that the store was told last is in this batch, or one before */
    int64_t may_forget;      /* so many messages may bounds let go until it has that */
    bool forgets_late;       /* memory is out: it goes on later */
    bool stalled;            /* memory is out: they go on later */
    struct map groups_by_name;
    struct list groups;    /* struct group (group.h), by id */
    uint64_t group_last;   /* id of one */
    struct group *loading; /* to which what was loaded last belongs; before the first step */
    uint64_t ids;          /* once-ids that are remembered */
    struct laters laters;
    struct feeds *feeds; /* feed.h: jobs are made of messages */
};

/* 0 or -ENOMEM. */
int kept_init(struct core *core);
/* When the sessions have ended. Accepts that kept_init failed. */
void kept_free(struct core *core);
/* Batches up to `last` have this fate, as IN_STORED. */
void kept_stored(struct core *core, uint64_t last, int error);
/* Rules have changed: topics keep what they now may. Looks at all of them, and the turn pays for that (lasts->left); for fewer where
 * it may not do so much more. */
void kept_rules_changed(struct core *core);
void kept_check(const struct core *core);
/* How many topics this account pays for. */
uint64_t kept_charged(const struct core *core, const struct account *account);

/* ---- kept_topic.c ---- */

struct kept_topic *kept_topic_find(const struct core *core, struct bytes name);
struct kept_topic *kept_topic_by_id(const struct core *core, uint64_t id);
static inline struct bytes kept_name(const struct kept_topic *topic)
{
    return (struct bytes){topic->name, topic->name_size};
}
/* One that is not there yet; the store is not told. NULL: out of memory. */
struct kept_topic *kept_topic_new(struct core *core, struct account *account, const struct topic_row *row);
void kept_topic_delete(struct core *core, struct kept_topic *topic);
/* What it may keep at this moment. */
struct topic_bounds kept_bounds(const struct core *core, const struct kept_topic *topic);
/* Lets go of what is beyond that, and tells the store what it may: where memory is out, later. */
void kept_trim(struct core *core, struct kept_topic *topic);
/* The same in the next step: while it is loaded there is no time yet. */
void kept_trim_soon(struct core *core, struct kept_topic *topic);
/* Lets the store keep a record. Takes it; NULL is -ENOMEM. The number of its batch; 0: out of memory. */
uint64_t kept_record(struct core *core, struct record *record);
/* Of a block of it. NULL: out of memory. */
struct record *kept_block_record(const struct kept_topic *topic, const struct topic_block *block);
/* What TOPIC_INFO and TOPIC_LIST tell of it. */
void kept_tell(const struct kept_topic *topic, struct topic_info *info);
/* How many messages behind that sequence match, about. */
uint64_t kept_unread(const struct core *core, struct bytes pattern, uint64_t sequence);
/* At how much that looks: at every topic, unless the pattern is the name of one. */
uint64_t kept_unread_cost(const struct core *core, struct bytes pattern);

/* ---- kept_forget.c ---- */

/* So many messages, and what is left of a block, does the store forget at once: others commit between two pieces. */
enum { FORGET_MESSAGES = 4096 };

/* All up to this sequence goes; `rest` is of the block where it ends. `removes`: the topic too, then `up_to` is its last. Answers
 * with the number of messages, when the store was told of all. 0: op waits for that, or may be finished. Negative: nothing happened,
 * words may be said. */
int kept_forget(struct core *core, struct op *op, struct kept_topic *topic, uint64_t up_to,
                const struct topic_rest *rest, bool removes);
/* What is to be forgotten goes on, when the store has the piece before. */
void forgets_run(struct core *core);
void forgets_free(struct core *core);
/* Messages that are there up to this sequence are gone. The number of the batch; 0: out of memory. */
uint64_t kept_tell_gone(struct core *core, const struct kept_topic *topic, uint64_t sequence);

/* ---- kept_publish.c ---- */

/* What is asked of a kept topic. 0; negative: op_fail was called. */
int kept_check_publish(struct core *core, struct op *op, const struct request_publish *asked,
                       const struct topic_policy *policy);
/* op->publish is made: it goes to the store. 0; negative: not, words may be said. */
int kept_publish(struct core *core, struct op *op, const struct request_publish *asked,
                 const struct topic_policy *policy);
/* What a publish says of messages that were there before. One answer has one fate. */
struct kept_repeats {
    uint64_t batch; /* on its way to the store, with messages that it repeats; 0: none */
    bool apart;     /* there is more than one */
};
/* This one is told with the sequence it has. */
void kept_repeat(const struct core *core, struct kept_repeats *repeats, struct published *told,
                 const struct topic_once *once);
/* Beside `more` that are new. 0: the answer has the fate of what it repeats; -EAGAIN: words are said. */
int kept_check_repeats(struct core *core, struct op *op, const struct kept_repeats *repeats, size_t more);
/* A dead letter, as news: it shares the batch of the news behind it. 0, -ENOBUFS, -ENOMEM. */
int kept_post(struct core *core, struct account *account, struct bytes topic, const struct letter *from);
/* The time of the next message: none has an earlier one than that before it. */
int64_t kept_time(struct core *core);
/* Records that the store was not told. */
void kept_drop_records(struct list *records);
/* When it is to happen makes sense. 0, or -EINVAL: words are said. */
int kept_check_delay(struct core *core, struct op *op, const struct request_publish *asked);
/* Bytes of a message as bounds count them. */
uint64_t kept_bytes(size_t key, size_t headers, size_t body);
uint64_t kept_letter_bytes(const struct letter *letter);
/* What its topic takes. 0, or -E2BIG: words are said. */
int kept_check_size(struct core *core, struct op *op, size_t size, const struct topic_policy *policy);

/* The topic of that name, made if need be. 0; -ENOBUFS: over topics_max; -ENOMEM. */
int kept_topic_get(struct core *core, struct account *account, struct bytes name,
                   const struct topic_policy *policy, struct kept_topic **out);
/* The same for an operation. 0; -ENOBUFS: words are said; -ENOMEM. */
int kept_topic_for(struct core *core, struct op *op, struct bytes name, const struct topic_policy *policy,
                   struct kept_topic **out);
/* `full = reject`, for so many messages and bytes more. 0, or -ENOBUFS: words are said. */
int kept_check_room(struct core *core, struct op *op, const struct kept_topic *topic,
                    const struct topic_policy *policy, uint64_t messages, uint64_t bytes);
/* The same of one message, for nobody. */
bool kept_has_room(const struct core *core, const struct kept_topic *topic, const struct letter *letter);
/* NULL: out of memory. */
struct record *kept_record_of(struct core *core, enum record_kind kind, const struct kept_topic *topic,
                              const struct letter *letter, uint32_t uid, struct bytes once);
/* The store was told of a publish of one message, which has its sequence and time, in this batch. Never fails. */
void kept_sent(struct core *core, struct publish *p, struct kept_topic *topic, uint64_t batch);
/* A publish of one message goes to the store, with this note. Never fails. */
void kept_send(struct core *core, struct publish *p, struct kept_topic *topic, struct note *note);

/* There is no room: op fails with words that name the limit, and has no answer. -ENOBUFS. */
int kept_refuse(struct core *core, struct op *op, const char *what, const char *bound, uint64_t value);

/* ---- kept_later.c: what is published later ---- */

/* Whether its time is still to come. */
bool publish_waits(const struct core *core, const struct request_publish *asked);
/* PUBLISH of what waits, which was checked. How many messages; negative: nothing happened, words may be said. */
int laters_publish(struct core *core, struct op *op, const struct request_publish *asked,
                   const struct topic_policy *policy);
/* Room for so many more of op's user. 0, or -ENOBUFS: words are said. */
int laters_check_room(struct core *core, struct op *op, uint64_t messages, uint64_t bytes);
/* What the store is told of a publish of one message when it is taken for later: without id and time. NULL: out of memory. */
struct record *laters_record(struct core *core, const struct kept_topic *topic, const struct publish *p);
/* Now it is, with this note of that. Never fails. */
void laters_send(struct core *core, struct later *later, struct kept_topic *topic, struct account *account,
                 struct note *note, int64_t delay_ns, int64_t at_us);
/* The store's word, as kept_stored; then what is due goes on. */
void laters_stored(struct core *core, int error);
/* What is due goes on, when enough of what went to the log is told. */
void laters_run(struct core *core);
/* The first ones of a topic that is to go, at most so many, and no more than are doomed: the store is told to forget them. False:
 * memory is out, some are left. */
bool laters_forget(struct core *core, struct kept_topic *topic, size_t most);
/* Whether any of these is left. */
bool laters_doomed(const struct kept_topic *topic);

/* The id of one that was loaded, whoever had it before. 0 or -ENOMEM. */
int kept_load_hold(struct core *core, struct later *later, struct bytes once);

/* ---- kept_deal.c: what a transaction publishes ---- */

/* Adds the messages to a list of struct deal. 0; negative: words may be said, and some are there. */
int deals_new(struct core *core, struct op *op, const struct request_publish *asked, struct list *deals);
/* All that can fail, anew. 0; negative: words may be said. */
int deals_ready(struct core *core, struct op *op, struct list *deals);
/* They go to the store, in the batch of what goes there before and behind them; `news`: no full store may refuse them. The list is
 * empty then. */
void deals_apply(struct core *core, struct list *deals, bool news);
void deals_free(struct core *core, struct list *deals);

/* ---- kept_replay.c: subscriptions that read the log from a place in it ---- */

/* 0, -ENOMEM; -ENOBUFS, in words. The subscription gets its channel in the same step. */
int replay_begin(struct core *core, struct op *op, struct subscription *sub,
                 const struct request_subscribe *what);
/* It may have room again. */
void replay_room(struct core *core, struct subscription *sub);
/* It reads no more. Safe to repeat. */
void replay_end(struct core *core, struct subscription *sub);
/* What it reads; empty: nothing. Accepts one that has none, as replay_delete does. */
struct bytes replay_pattern(const struct subscription *sub);
void replay_delete(struct core *core, struct subscription *sub);

/* What a subscription that begins so does not have. */
uint64_t replay_begins_behind(const struct core *core, const struct request_subscribe *what);

/* ---- group.c, of which group.h has the rest: subscriptions that are members of a group ---- */

/* What the receivers of this channel have is to be flagged after a restart. */
static inline bool member_marks(const struct channel *c)
{
    return c->subscription && c->subscription->member;
}
/* It has received, and the store is told with op->note; the result waits for that. */
void member_received(struct core *core, struct subscription *sub, struct op *op);
void member_acked(struct core *core, struct subscription *sub, struct item *item);
void member_returned(struct core *core, struct subscription *sub, struct item *item, enum value_flags flag);
/* What it has goes to others. Safe to repeat. */
void member_leave(struct core *core, struct subscription *sub);
/* Accepts one that is none, as member_pattern does. */
void member_delete(struct core *core, struct subscription *sub);
struct bytes member_pattern(const struct subscription *sub);
void groups_free(struct core *core);
void groups_check(const struct core *core);
uint64_t groups_charged(const struct core *core, const struct account *account);

/* ---- headers, as the store has them (kept_headers.c) ---- */

size_t headers_size(const struct header *headers, size_t n);
/* To `to`, which has room. */
void headers_write(const struct header *headers, size_t n, char *to);
/* How many; -EINVAL: these are none. */
int headers_count(struct bytes text);
/* Of a text that headers_count has counted. */
void headers_read(struct bytes text, struct header *headers);
