/*
 * What may be set of a group: one row, one home, as a text of NAME=VALUE with a blank between two.
 *
 * GROUP_POLICY(name, unit, default, least, most, help) as in queue_policy.h. Beside the rows `dead` names a topic, and `from`,
 * which is no setting but an order, says where the group goes on.
 */
#pragma once

#include "message.h"
#include "queue_policy.h"

#define GROUP_POLICIES(POLICY)                                                                               \
    POLICY(ack_wait, "milliseconds", 30000, 1, 1000000000, "for a member to acknowledge a message")          \
    POLICY(tries, "deliveries", 0, 0, 1000000, "of a message, then it is dead; 0: no bound")                 \
    POLICY(window, "messages", 1024, 1, 65536, "that are not acknowledged, of all members")                  \
    POLICY(ordered, "no|yes", 0, 0, 1, "messages of one key are given one after the other")                  \
    POLICY(paused, "no|yes", 0, 0, 1, "nothing is given")

struct group_policy {
#define GROUP_MEMBER(name, unit, value, least, most, help) uint64_t name;
    GROUP_POLICIES(GROUP_MEMBER)
#undef GROUP_MEMBER
    uint8_t dead_size; /* 0: dead messages are counted, and gone */
    char dead[NAME_BYTES_MAX];
};

enum group_field {
#define GROUP_FIELD(name, unit, value, least, most, help) GROUP_##name,
    GROUP_POLICIES(GROUP_FIELD)
#undef GROUP_FIELD
        GROUP_FIELDS
};

enum { GROUP_TEXT_MAX = 1024 };

extern const struct policy_row group_rows[GROUP_FIELDS];

/* Where it goes on: an enum topic_from, and what belongs to that. */
struct group_from {
    bool said;
    uint32_t from;
    uint64_t sequence;
    int64_t time_us;
};

/* Values that are not set are the defaults. */
struct group_part {
    struct group_policy policy;
    uint32_t set; /* bit per enum group_field */
};

void group_part_init(struct group_part *part);
/* Puts each NAME=VALUE of a text into the part, NAME= takes one back; `from` is start, new, a sequence, or @ and microseconds since
 * 1970. 0; -EINVAL: *wrong is the first that makes no sense. */
int group_part_read(struct group_part *part, struct group_from *from, struct bytes text, struct bytes *wrong);
/* Why a setting was refused, in words. Returns the bytes written. */
size_t group_part_why(struct bytes wrong, char *to, size_t size);
/* The text that gives the same part. Empty: nothing is set, or it has no room. */
struct bytes group_part_write(const struct group_part *part, char *to, size_t size);
/* The value as group_part_read takes it, where that is a word; else nothing. */
struct bytes group_word(const struct group_policy *policy, enum group_field field);
static inline uint64_t group_value(const struct group_policy *policy, enum group_field field)
{
    return *((const uint64_t *)policy + field);
}
