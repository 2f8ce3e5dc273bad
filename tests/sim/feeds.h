/*
 * Feeds, in half of the seeds that have kept topics, and where there are rights: feeds.c says what clients do with them,
 * judge_feeds.c what must hold (IP17). What is fed are the messages of keeps.h, of groups.h, or the states of jobs.
 *
 * All is judged by what the store has of messages, feeds and the jobs of these.
 */
#pragma once

#include "sim.h"

struct life;

enum {
    FEEDS = 4,
    FEEDS_MOST = 3, /* of one user */
    FEED_PATTERNS = 4,
    FEED_AHEAD_MOST = 64,
    FEED_KEY_BYTES = 40,
    FEED_WORD_BYTES = 16, /* of a name or pattern */
};

/* A message, as the store has it. */
struct fed_message {
    uint64_t topic, sequence;
    int64_t time_us;
    char name[FEED_WORD_BYTES + 8]; /* of its topic */
    char key[FEED_KEY_BYTES];
    uint8_t *body;
    size_t size;
    bool gone;
    uint32_t passed; /* bit: this feed has gone on without a job for it, so it is about to go */
};

/* A feed, as the store has it. */
struct fed_book {
    bool there;
    uint64_t id, cursor, jobs, version; /* version: of what was stored of it */
    uint64_t ahead;                     /* as the core has it */
    uint32_t uid;
    uint32_t argument;
    bool paused;
    int64_t from_us;
    char pattern[FEED_WORD_BYTES], plugin[FEED_WORD_BYTES], function[FEED_WORD_BYTES], queue[FEED_WORD_BYTES];
};

/* That somebody sends a feed elsewhere in the log: one that is there perhaps nowhere (FEED_FROM_STAYS). */
struct fed_move {
    uint64_t session, op;
    uint32_t feed, from;
    uint64_t sequence;
    bool open; /* it may still come */
};

struct feed_ledger {
    uint64_t dice;                /* chance of its own */
    struct fed_message *messages; /* in the order of their sequences */
    size_t messages_n;
    struct fed_move *moves;
    size_t moves_n;
    struct fed_book of[FEEDS];
    char (*topics)[FEED_WORD_BYTES + 8]; /* names, by number */
    size_t topics_n;
    uint64_t last;  /* id of a feed */
    uint64_t asked; /* their jobs are known by this index (lives.h); 0: nobody has set one */
};

/* In this seed there are feeds; what is noted lives until judge_feeds_free. */
void feeds_open(struct sim *sim);
void judge_feeds_free(struct sim *sim);

/* ---- feeds.c ---- */

struct bytes feed_name(uint32_t feed);
/* Now and then a client sets, changes, holds, lists and removes feeds. False: not now. */
bool work_feed(struct client *client);
/* What a job of a feed does, by its argument. */
enum deed feed_deed(struct bytes argument);
/* After the work: a feed that goes on makes jobs of all that there is, and all of them are removed. */
void feeds_end(struct sim *sim);

/* ---- judge_feeds.c ---- */

/* Its number; FEEDS: it is none of these. */
uint32_t feed_number(struct bytes name);
/* The messages behind its cursor that it is to make jobs of. */
uint64_t feed_rest(const struct sim *sim, uint32_t feed);
/* Whether a feed has made this job. */
bool feed_has_job(const struct sim *sim, const struct life *life);
/* The core has given these to the store; the store is about to have them; a daemon starts. */
void judge_feeds_taken(struct sim *sim, const struct list *batches);
void judge_feeds_stored(struct sim *sim, const struct list *batches);
void judge_feeds_start(struct sim *sim);
void judge_feed_loaded(struct sim *sim, const struct feed_row *row);
/* What feeds have gone past without a job has gone. */
void judge_feeds_passed(struct sim *sim, bool crashed);
/* One of their jobs is in the core that was not. */
void judge_feed_birth(struct sim *sim, struct life *life);
/* The core has taken this operation; a result of it leaves. */
void judge_feed_came(struct sim *sim, uint64_t session, const struct request *request, struct task *task);
void judge_feed_reply(struct sim *sim, const struct task *task, const struct result *result);
