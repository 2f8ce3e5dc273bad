/*
 * Groups: durable subscriptions. A group reads the log once, and gives each message to one of its members, until one has
 * acknowledged it. It has a name, and outlives its members and the daemon.
 *
 * What the store knows: the floor, acknowledgements above it, how often a message was given when that is more than once, and a mark:
 * messages up to there may have been received. A result with messages leaves when the mark covers them, so that after a restart
 * what may have been seen is flagged.
 * Files: group_work.c who has what; group.c members, acknowledgements and the store; group_rest.c when nobody is in it;
 * group_verbs.c what is asked.
 */
#pragma once

#include "group_policy.h"
#include "group_work.h"
#include "kept.h"

struct loaded_try {
    uint64_t sequence;
    int64_t due_us;
    uint32_t tries, flags; /* enum value_flags */
};

struct group {
    struct map_node node; /* of kept->groups_by_name */
    struct list link;     /* of kept->groups, by id */
    struct account *account;
    uint64_t id;
    struct reader reader;
    struct group_work work;
    struct group_part part;
    struct list members; /* struct member, also those that have left and have values */
    uint64_t mark;       /* messages up to here may have been received, as the store knows */
    uint64_t batch;      /* the last one that changed its row, or the mark */
    uint64_t old_mark;   /* of an earlier daemon */
    struct loaded_try
        *tries; /* the same, or of before it rested: by sequence, what is not read yet from `tries_at` on */
    size_t tries_n, tries_at, tries_size;
    uint64_t redelivered, dead;
    uint8_t name_size, pattern_size;
    char text[]; /* name and pattern */
};

/* A subscription that is one of a group. Lives as long as its channel. */
struct member {
    struct group_member place;
    struct list link;    /* of group->members */
    struct group *group; /* NULL: it was removed */
    struct subscription *sub;
    uint64_t sought; /* values up to this one, by the sequence of its channel, were of before a seek */
    bool joined;     /* it is given messages */
    bool touched;    /* it was given some that its receivers have not been told of */
};

static inline struct bytes group_name(const struct group *group)
{
    return (struct bytes){group->text, group->name_size};
}
static inline struct bytes group_pattern(const struct group *group)
{
    return (struct bytes){group->text + group->name_size, group->pattern_size};
}

struct group *group_of_name(const struct core *core, struct bytes name);
/* One that the store is not told of. NULL: out of memory. */
struct group *group_new(struct core *core, struct account *account, const struct group_row *row,
                        const struct group_part *part);
/* Its members get nothing more; their channels close behind what they have. Nothing is said to the store. */
void group_delete(struct core *core, struct group *group);
/* Tells the store its row, with these settings and this floor. 0 or -ENOMEM: nothing happened. */
int group_record(struct core *core, struct group *group, const struct group_part *part, uint64_t floor,
                 bool anew);
/* Its row, to be told by note_write. NULL: out of memory. */
struct note *group_note(struct core *core, const struct group *group);
/* The settings count from now on. */
void group_set(struct core *core, struct group *group, const struct group_part *part);
/* It goes on behind this sequence: nobody has a message of it any more. */
void group_go_to(struct core *core, struct group *group, uint64_t floor);
/* Nobody has a message of it any more, and nothing is open. */
void group_drop_all(struct core *core, struct group *group);
/* Nobody is in it, and nobody has received what he has not acknowledged. */
void group_rest(struct core *core, struct group *group);
/* It may have something to give. */
void group_wake(struct core *core, struct group *group);
/* What a member does with one that it has. */
void group_retry(struct core *core, struct group *group, struct group_message *message, int64_t delay_ns);
/* 0 or -ENOMEM: nothing happened. */
int group_bury(struct core *core, struct group *group, struct group_message *message);
uint64_t groups_charged(const struct core *core, const struct account *account);
void groups_free(struct core *core);
void groups_check(const struct core *core);

/* SUBSCRIBE with a group: makes it or joins. 0; negative: not, words may be said. */
int group_subscribe(struct core *core, struct op *op, const struct request_subscribe *what, uint64_t capacity,
                    struct subscription *sub);
/* A new subscription is a member from now on, and has its channel in the same step. 0 or -ENOMEM. */
int member_new(struct core *core, struct group *group, struct subscription *sub, uint64_t capacity);
