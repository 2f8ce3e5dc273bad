/*
 * What may be set of topics: one row, one home, as a text of NAME=VALUE with a blank between two.
 *
 * TOPIC_POLICY(name, unit, default, least, most, help): a member of struct topic_policy, a key of the section `topic PATTERN`
 * in the configuration, a NAME=VALUE of `goctl topic set`, a line of the manual; units as those of queue_policy.h. A rule is
 * a pattern with some of them; a topic has those of the one rule that fits it best.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "queue_policy.h"

#define TOPIC_POLICIES(POLICY)                                                                               \
    POLICY(durable, "no|yes", 0, 0, 1, "messages are kept in the log, and can be read again")                \
    POLICY(keep_messages, "messages", 0, 0, 1000000000000, "of a topic that are kept; 0: no bound")          \
    POLICY(keep_bytes, "bytes", 0, 0, 1000000000000000, "of a topic that are kept; 0: no bound")             \
    POLICY(keep_for, "seconds", 0, 0, 1000000000, "for which a message is kept; 0: no bound")                \
    POLICY(full, "drop-oldest|reject", 0, 0, 1, "what becomes of a publish above these numbers")             \
    POLICY(dedup, "seconds", 120, 0, 1000000,                                                                \
           "for which the once of a publish is remembered; 0: it is refused")                                \
    POLICY(durability, "full|process", 0, 0, 1, "what its messages outlive: the machine, the daemon alone")  \
    POLICY(last, "no|yes|until-empty", 0, 0, 2, "the last message of a live topic is remembered")            \
    POLICY(message_bytes_max, "bytes", 1048576, 1, 67108864, "size of a message")

struct topic_policy {
#define TOPIC_MEMBER(name, unit, value, least, most, help) uint64_t name;
    TOPIC_POLICIES(TOPIC_MEMBER)
#undef TOPIC_MEMBER
};

enum topic_field {
#define TOPIC_FIELD(name, unit, value, least, most, help) TOPIC_##name,
    TOPIC_POLICIES(TOPIC_FIELD)
#undef TOPIC_FIELD
        TOPIC_FIELDS
};

enum topic_full { LOG_DROP_OLDEST, LOG_REJECT };         /* words of `full` */
enum topic_last { LAST_NO, LAST_YES, LAST_UNTIL_EMPTY }; /* of `last` */

enum { TOPIC_TEXT_MAX = 1024 };

extern const struct policy_row topic_rows[TOPIC_FIELDS];

/* Some of the values, from one origin. */
struct topic_part {
    struct topic_policy policy;
    uint32_t set; /* bit per enum topic_field; what is not set counts for nothing */
};

static inline uint64_t *topic_value(struct topic_policy *policy, enum topic_field field)
{
    return (uint64_t *)policy + field;
}

/* The row of that name, or -ENOENT. */
int topic_field(struct bytes name);
/* Puts each NAME=VALUE of a text into the part; NAME= takes one back. 0; -EINVAL: *wrong is the first that makes no sense,
 * and all others are in the part. */
int topic_part_read(struct topic_part *part, struct bytes text, struct bytes *wrong);
/* Why a setting was refused, in words. Returns the bytes written. */
size_t topic_part_why(struct bytes wrong, char *to, size_t size);
/* The text that gives the same part. Empty: nothing is set, or it has no room. */
struct bytes topic_part_write(const struct topic_part *part, char *to, size_t size);
/* The value as topic_part_read takes it, where that is a word; else nothing. */
struct bytes topic_word(const struct topic_policy *policy, enum topic_field field);
/* The sum of three origins, of which later ones win; of each value *origin (TOPIC_FIELDS of them) says which it was. */
void topic_part_sum(const struct topic_part parts[ORIGINS], struct topic_policy *sum, uint8_t *origin);

/*
 * Negative: of two patterns that fit a topic `a` fits it better; positive: `b` does; 0: they are alike in their wildcards.
 * Token by token from the left, a word is better than `*`, and that than `>`. A total order of the forms of patterns, so a
 * list of rules in this order has the best one of a topic first.
 */
int pattern_rank(struct bytes a, struct bytes b);
