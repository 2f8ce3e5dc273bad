/*
 * Who reads the log: replays, groups and feeds. A reader goes through the messages that match its pattern in order of sequence,
 * as fast as its user has room.
 *
 * The last messages are in memory (the cache: a run without gaps that ends with the last one); what came before them is
 * fetched, for each reader what it has room for. A reader that has read everything costs nothing until a message matches.
 * Invariants: of a reader that is not behind everything that matches was read; one that is awake is in kept->awake.
 */
#pragma once

#include "engine.h"
#include "trie.h"

struct kept_topic;
struct letter;
struct publish;

struct cached {
    struct letter *letter;
    struct kept_topic *topic; /* NULL: it is gone, and so is the letter */
};

struct kept_cache {
    struct cached *slot; /* by sequence, from `head` on */
    size_t head, n, size;
    uint64_t bytes;
    uint64_t from; /* whatever is stored above this sequence is here */
};

struct reader;

struct reader_user {
    /* How many messages more it takes at this moment. */
    size_t (*room)(struct core *core, struct reader *reader);
    /* Takes one, with a reference of its own. 0; -EAGAIN: no room after all; -ENOMEM. */
    int (*take)(struct core *core, struct reader *reader, const struct kept_topic *topic,
                struct letter *letter);
    /* There is no more for it at this moment, or no room. It may end the reader. */
    void (*done)(struct core *core, struct reader *reader);
    /* So many messages that it has not read, about, are about to go. NULL: that is nothing to it. */
    void (*lost)(struct core *core, struct reader *reader, uint64_t messages);
};

struct readership;

struct reader {
    struct list link;      /* of its readership */
    struct list awake;     /* of kept->awake */
    struct readership *of; /* NULL: it has ended */
    struct timer timer;    /* armed: reader_later. A place is reserved as long as it has not ended */
    const struct reader_user *user;
    uint64_t next;   /* everything up to here was read */
    int64_t from_us; /* what is older is passed over */
    bool behind;     /* there may be more */
    bool fetching;
};

/* Reads what matches the pattern, behind `next`. It is in nobody's list yet. 0 or -ENOMEM: nothing happened. */
int reader_begin(struct core *core, struct reader *reader, struct bytes pattern);
/* Safe to repeat. */
void reader_end(struct core *core, struct reader *reader);
struct bytes reader_pattern(const struct reader *reader);
/* Its user has room again, or something else to do. */
void reader_wake(struct core *core, struct reader *reader);
/* The same in a while: there may be room then of which nobody tells it. */
void reader_later(struct core *core, struct reader *reader);
/* It goes on behind another sequence. */
void reader_seek(struct core *core, struct reader *reader, uint64_t next);

/* What was fetched of this topic. NULL: out of memory. */
struct letter *kept_letter(struct core *core, const struct kept_topic *topic,
                           const struct kept_message *message);
/* A publish is stored: its messages are there to be read. */
void readers_arrived(struct core *core, const struct publish *publish);
/* The messages of this topic up to this sequence are about to go. */
void readers_lose(struct core *core, const struct kept_topic *topic, uint64_t sequence);
/* Nothing of this topic is to be read any more. */
void cache_forget(struct core *core, const struct kept_topic *topic);
void cache_free(struct core *core, struct kept_cache *cache);
/* Goes on with what can be read, as far as this turn may. */
void readers_run(struct core *core);
/* LATER: memory is out. */
enum sweep_left readers_left(const struct core *core);
