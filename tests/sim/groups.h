/*
 * Groups, in some seeds: groups.c says what clients do with them, judge_groups.c what must hold (IP16). These seeds have no other
 * topics (topics.h): all messages are those of kept ones.
 */
#pragma once

#include "sim.h"

enum {
    GROUPS = 4,
    GROUP_ORDERED = 1, /* keeps the order of a key */
    GROUP_FEW = 2,     /* tries twice, and has dead letters */
    GROUP_FAR = 3,     /* is set, sent elsewhere in the log, and removed: judged in the end alone */
    GROUP_TRIES = 2,   /* of GROUP_FEW */
    REPLAY = GROUPS,   /* in place of a group: a subscription of its own, from the start */
    GROUP_TOPICS = 3,
    GROUP_PLACES = 2, /* memberships of one client */
    GROUP_VECTOR = 3, /* messages at once */
};

/* What became of a message in a group. */
struct group_fate {
    bool seen; /* a call has returned with it, */
    bool
        fresh; /* and it had no flag: the result of another one may have been told before, and return later */
    bool acked;           /* somebody has acknowledged it, or may have */
    uint64_t session, op; /* of the receive by which that was done; 0: it may count for nothing */
    bool
        settled; /* a SETTLE of it was asked for: an acknowledgement of whatever receive may count for nothing */
    uint64_t known_in; /* incarnation of the daemon that knows of it, */
    int64_t known_ns;  /* and since when */
    int64_t stored_ns; /* the store does; 0: not */
};

/* A message. Its body begins with its id. */
struct posted {
    uint32_t topic, key; /* key 0: none */
    uint64_t sequence;   /* as the store has it; 0: it does not */
    uint64_t dead;       /* number of the batch with its dead letter; 0: there is none */
    enum fate fate;
    struct group_fate of[GROUPS];
};

struct membership {
    uint32_t who, group;
    uint64_t session, handle;
    uint64_t last; /* REPLAY: sequence of the last message without a flag */
    bool known;    /* its handle is */
    bool closed;   /* its client dropped it, or saw its end */
};

struct group_ledger {
    uint64_t dice;           /* chance of its own */
    struct posted *messages; /* by id, from 1 */
    size_t messages_n;
    struct membership *members; /* by number, from 1 */
    size_t members_n;
    uint64_t place[CLIENTS][GROUP_PLACES]; /* numbers of memberships */
    struct {
        uint64_t id, floor; /* as the store has them */
    } of[GROUPS];
    uint64_t letters,
        batch;   /* number of the topic for dead letters; how many batches the store was told of */
    bool far;    /* GROUP_FAR stays where it is */
    bool paused; /* and gives nothing */
};

/* In this seed there are groups; what is noted lives until judge_groups_free. */
void groups_open(struct sim *sim);
void judge_groups_free(struct sim *sim);

/* ---- groups.c ---- */

struct bytes group_name_of(uint32_t group);
struct bytes group_topic(uint32_t topic);
bool group_reads(uint32_t group, uint32_t topic);
/* What the configuration says of their topics. */
void groups_configure(struct sim *sim, struct core *core);
/* Now and then a client publishes, joins, receives, settles. False: not now. */
bool work_group(struct client *client);
/* A task of these has its result. */
void group_told(struct task *task, const struct result *result);
/* After the work: one member is given all that is left. */
void groups_end(struct sim *sim);

/* ---- judge_groups.c ---- */

uint64_t posted_new(struct sim *sim, uint32_t topic, uint32_t key);
uint64_t membership_new(struct client *client, uint32_t group);
/* The store is about to have these. */
void judge_groups_stored(struct sim *sim, const struct list *batches);
/* A client is told what became of messages; it has some; it is told of a group. */
void judge_posted(struct task *task, const struct result *result);
void judge_given(struct task *task, const struct result *result);
void judge_group_row(struct task *task, const struct result *result);
/* The call has returned, the first `n` of what it holds are acknowledged, and the daemon is known to have seen that. */
void judge_group_surfaced(struct task *task, bool hold);
void judge_group_settled(struct task *task, uint64_t n);
void judge_group_confirmed(struct task *task);
/* GROUP_FAR begins anew, with all that there is. */
void judge_far_begins(struct sim *sim);
/* Everything that was stored has been acknowledged. */
void judge_groups_end(struct sim *sim);
/* A replay from the start has had everything that is stored. */
void judge_replay_end(struct sim *sim, uint64_t number);
