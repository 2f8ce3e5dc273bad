/*
 * The work of a group: which messages of its topics were read, who has them, which are acknowledged. It knows sequences,
 * keys and members; letters, channels and records are its user's (group.c).
 *
 *     read ──► READY ──► OUT ──► acknowledged          OUT ──► AGAIN: returned, its member gone, or its time over
 *        └► BEHIND (order per key)                     OUT ──► LATER ──► AGAIN: to be tried again after a delay
 *
 * Everything up to the floor is acknowledged; everything up to `next` was read. A slot for each message between the two:
 * an open one is not acknowledged. What comes again goes before what is new.
 * Invariants: the first slot is open; sequences rise; with order per key no more than one of a key is neither acknowledged
 * nor BEHIND, and it is the first of them; members with room are in order of how many they have, then of who waits longest.
 */
#pragma once

#include "core_internal.h"

enum group_state { GROUP_READY, GROUP_BEHIND, GROUP_OUT, GROUP_LATER, GROUP_AGAIN };

/* A message that was read and is not acknowledged. */
struct group_message {
    struct list
        link; /* READY, AGAIN: of the group; BEHIND: of `behind` of the one before it; OUT: of its member */
    struct timer
        timer; /* OUT: ack_wait; LATER: the delay. Its place is reserved as long as the message is here */
    struct map_node node; /* of work->keys, while it is the first of its key */
    struct list behind;   /* struct group_message: of the same key, in order */
    struct group_work *work;
    struct group_member *member; /* OUT */
    uint64_t sequence;
    uint64_t key; /* hash; 0: it has none, or the group keeps no order */
    size_t bytes;
    uint32_t tries;        /* how often it was given */
    uint32_t flags;        /* enum value_flags, for when it is given again */
    uint8_t state;         /* enum group_state */
    bool received;         /* OUT: its member has had it in a result */
    struct letter *letter; /* from here on of the group's */
    struct item *item;
    struct note *ack;
};

struct group_member {
    struct list link; /* of work->idle or work->busy */
    struct list out;  /* struct group_message, in the order in which they were given */
    uint64_t capacity, out_n;
    uint64_t given; /* ticket of the last one that it was given, or that was taken from it */
};

struct group_slot {
    uint64_t sequence;
    struct group_message *open; /* NULL: acknowledged */
};

/* What is set of it (group_policy.h). */
struct group_terms {
    uint64_t window;      /* messages that are open at once */
    uint64_t bytes, span; /* their size together; slots */
    int64_t ack_wait_ns;
    uint32_t tries; /* 0: no bound */
    bool ordered, paused;
};

struct group_work {
    struct group_terms terms;
    struct group_slot *slot; /* from `head` on */
    size_t head, slots, size;
    uint64_t next;   /* everything up to here was read */
    uint64_t *acked; /* of an earlier daemon, or of before it rested: rising, above the floor, not read yet */
    size_t acked_n, acked_at, acked_size;
    struct list ready, again;
    struct list idle, busy; /* members with room, and without */
    struct map keys;
    size_t open_n, bytes, members_n;
    uint64_t given;
    void (*over)(struct core *core, struct group_message *message); /* the time of one that is OUT is over */
    void (*due)(struct core *core, struct group_work *work);        /* one is AGAIN */
};

void group_work_init(struct group_work *work, const struct group_terms *terms, uint64_t floor);
/* Nothing may be open any more. */
void group_work_free(struct core *core, struct group_work *work);
/* Everything up to here is acknowledged. */
uint64_t group_floor(const struct group_work *work);
/* Acknowledged in an earlier daemon, above all others of which that was said. 0, -ENOMEM. */
int group_load_ack(struct core *core, struct group_work *work, uint64_t sequence);

/* ---- reading ---- */

/* One more may be read. */
bool group_has_room(const struct group_work *work);
/* The next message, above all others. 1: it is `*out`; 0: it was acknowledged by an earlier daemon; -ENOMEM: nothing happened. */
int group_read(struct core *core, struct group_work *work, uint64_t sequence, uint64_t key, size_t bytes,
               struct group_message **out);
/* There is nothing more to be read up to here. */
void group_pass(struct group_work *work, uint64_t sequence);

/* ---- giving ---- */

/* What is to be given now, and to whom. NULL: nothing is, or nobody has room. */
struct group_message *group_next(const struct group_work *work, struct group_member **member);
/* Somebody has room for more than is there to be given. */
bool group_wants(const struct group_work *work);
/* It is OUT, and whoever has room has less than its member. */
bool group_others_first(const struct group_message *message);
void group_give(struct core *core, struct group_message *message, struct group_member *member);
/* It was given as often as it may be. */
bool group_is_spent(const struct group_message *message);

/* ---- what becomes of it ---- */

/* The one with that sequence; NULL: it is acknowledged, or was not read. */
struct group_message *group_find(const struct group_work *work, uint64_t sequence);
/* Acknowledged. The next one of its key is ready. The message is the caller's, to be deleted. */
void group_ack(struct core *core, struct group_message *message);
/* OUT or LATER: it is to be given again at once, with that flag. */
void group_again(struct core *core, struct group_message *message, enum value_flags flag);
/* OUT: the same after a delay. */
void group_later(struct core *core, struct group_message *message, int64_t delay_ns);
/* OUT: its time begins anew, and is that long. */
void group_extend(struct core *core, struct group_message *message, int64_t ns);
void group_message_delete(struct core *core, struct group_message *message);
/* An open message, whichever; NULL: there is none. For the end, and a seek. */
struct group_message *group_any(const struct group_work *work);
/* Nothing is open: it goes on behind this sequence. */
void group_seek(struct group_work *work, uint64_t floor);
/* The same, and of what is above it these were acknowledged: the array is the group's from here on. */
void group_work_rest(struct core *core, struct group_work *work, uint64_t floor, uint64_t *acked, size_t n);

/* ---- members ---- */

void group_join(struct group_work *work, struct group_member *member, uint64_t capacity);
/* What it has is to be given to others, flagged. */
void group_leave(struct core *core, struct group_work *work, struct group_member *member);

void group_work_check(const struct group_work *work);
