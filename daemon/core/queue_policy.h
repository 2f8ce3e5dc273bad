/*
 * What may be set of a queue: one row, one home.
 *
 * POLICY(name, unit, default, least, most, help): a member of struct queue_policy, a key of the section `queue NAME` in
 * the configuration, a NAME=VALUE of `goctl queue set`, a line of the manual. A unit with `|` in it lists words, and the
 * value is the place of the word. One that begins with "list of" takes numbers with commas between them, or `none`; the
 * value is how many there are. A "topic" is the beginning of the names of topics, or `none`; the value is its length. Each
 * value has an origin: it was set at run time, else in the configuration, else it is the default.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

#define POLICIES(POLICY)                                                                                     \
    POLICY(concurrency, "jobs", 64, 1, 1000000, "jobs of the queue that run at once")                        \
    POLICY(key_concurrency, "jobs", 0, 0, 1000000, "those of them with the same key; 0: no bound")           \
    POLICY(serial, "no|yes", 0, 0, 1, "jobs with the same key run one by one, as they were submitted")       \
    POLICY(fair, "no|yes", 1, 0, 1, "keys take turns, each job without a key being of the same key")         \
    POLICY(quantum, "jobs", 1, 1, 10000, "jobs of one key that start in its turn")                           \
    POLICY(ageing_ms, "milliseconds", 60000, 0, 1000000000,                                                  \
           "waiting so long makes up for one priority less; 0: nothing does")                                \
    POLICY(weight, "shares", 1, 1, 1000, "of the hosts, when several queues wait for them")                  \
    POLICY(rate, "jobs", 0, 0, 1000000, "jobs that start in each rate_ms; 0: no bound")                      \
    POLICY(rate_ms, "milliseconds", 1000, 1, 86400000, "what rate counts in")                                \
    POLICY(burst, "jobs", 0, 0, 10000, "jobs that may start at once after a pause; 0: as many as rate")      \
    POLICY(waiting_max, "jobs", 0, 0, 100000000, "jobs that wait; 0: no bound")                              \
    POLICY(waiting_bytes, "bytes", 0, 0, 1000000000000, "arguments of the jobs that wait; 0: no bound")      \
    POLICY(full, "block|reject|drop-oldest", 0, 0, 2, "what becomes of a submit above these bounds")         \
    POLICY(attempts, "attempts", 0, 0, 1000000,                                                              \
           "of a job whose submit and function do not say; 0: one, or one more than delays_ms has")          \
    POLICY(backoff_ms, "milliseconds", 1000, 1, 1000000000,                                                  \
           "before the second attempt of such a job, then doubled")                                          \
    POLICY(backoff_max_ms, "milliseconds", 3600000, 1, 1000000000, "what they double to")                    \
    POLICY(delays_ms, "list of milliseconds", 0, 0, POLICY_LIST_MAX,                                         \
           "before each further attempt, instead; the last one repeats")                                     \
    POLICY(jitter, "percent", 0, 0, 100, "by which these become longer, at random")                          \
    POLICY(time_limit_ms, "milliseconds", 0, 0, 1000000000,                                                  \
           "of a run whose submit and function do not say; 0: none")                                         \
    POLICY(durability, "full|process|none", 0, 0, 2,                                                         \
           "what its jobs outlive: the machine, the daemon, neither")                                        \
    POLICY(retained_s, "seconds", 86400, 0, 1000000000, "for which ended jobs are kept with their results")  \
    POLICY(retained_jobs, "jobs", 0, 0, 100000000, "of them that are kept; 0: no bound of its own")          \
    POLICY(dead_s, "seconds", 2592000, 0, 1000000000, "for which dead jobs are kept")                        \
    POLICY(dead_jobs, "jobs", 0, 0, 100000000, "of them that are kept; 0: no bound of its own")              \
    POLICY(breaker_failures, "failures", 0, 0, 1000000,                                                      \
           "of a function in a row that open its circuit breaker; 0: none do")                               \
    POLICY(breaker_share, "percent", 0, 0, 100,                                                              \
           "of its runs that failed in breaker_window_ms, and it opens; 0: none do")                         \
    POLICY(breaker_least, "runs", 10, 1, 1000000, "that have to have ended in that time for it")             \
    POLICY(breaker_window_ms, "milliseconds", 60000, 8, 86400000, "after which a failure is forgotten")      \
    POLICY(breaker_open_ms, "milliseconds", 30000, 1, 86400000, "before one job tries whether it may close") \
    POLICY(states, "topic", 0, 0, POLICY_TOPIC_MAX,                                                          \
           "on which, with .STATE behind it, each state of a job is published; none: it is not")

enum {
    POLICY_LIST_MAX = 16,
    POLICY_TOPIC_MAX = 240, /* with the longest word behind it, it is the name of a topic */
    POLICY_TEXT_BYTES = 248
};

/* The values, and behind them what the list among them has, and the topic. */
struct queue_policy {
#define POLICY_MEMBER(name, unit, value, least, most, help) uint64_t name;
    POLICIES(POLICY_MEMBER)
#undef POLICY_MEMBER
    uint32_t list[POLICY_LIST_MAX]; /* of delays_ms; 0 behind its end */
    char topic[POLICY_TOPIC_MAX];   /* of states */
};

enum policy_field {
#define POLICY_FIELD(name, unit, value, least, most, help) POLICY_##name,
    POLICIES(POLICY_FIELD)
#undef POLICY_FIELD
        POLICY_FIELDS
};

enum full_queue { QUEUE_BLOCK, QUEUE_REJECT, QUEUE_DROP_OLDEST }; /* words of `full` */

enum policy_origin { ORIGIN_DEFAULT, ORIGIN_CONFIG, ORIGIN_SET, ORIGINS };

struct policy_row {
    const char *name, *unit, *help;
    uint64_t value, least, most;
};

extern const struct policy_row policy_rows[POLICY_FIELDS];

/* Some of the values, from one origin. */
struct policy_part {
    struct queue_policy policy;
    uint64_t set; /* bit per enum policy_field; what is not set counts for nothing */
};

static inline uint64_t *policy_value(struct queue_policy *policy, enum policy_field field)
{
    return (uint64_t *)policy + field;
}

/* The row of that name, or -ENOENT. */
int policy_field(struct bytes name);
/* Puts what the text says of that row into it: a number, word, list or topic. 0 or -EINVAL: none of them, or out of range. */
int policy_set(struct policy_part *part, enum policy_field field, struct bytes text);
/* Reads a number or word of a row of any table. 0 or -EINVAL. */
int policy_row_read(const struct policy_row *row, struct bytes text, uint64_t *value);
/* The word of that value, where the row has words; else nothing. */
struct bytes policy_row_word(const struct policy_row *row, uint64_t value);
/* As policy_demand, of a row of any table. */
size_t policy_row_demand(const struct policy_row *row, char *to, size_t size);
/* The value as policy_set takes it, where that is no number; else nothing. `room` may hold it. */
struct bytes policy_word(const struct queue_policy *policy, enum policy_field field,
                         char room[POLICY_TEXT_BYTES]);
/* What is wrong with that text, as a part of a sentence: "a number of jobs from 1 to 9". */
size_t policy_demand(enum policy_field field, char *to, size_t size);
/* Takes the next NAME=VALUE off a text in which blanks and ends of lines separate them. False: there is none. */
bool policy_token(struct bytes *text, struct bytes *name, struct bytes *value);
/* The sum of three origins, of which later ones win; of each value *origin (POLICY_FIELDS of them) says which it was. */
void policy_sum(const struct policy_part parts[ORIGINS], struct queue_policy *sum, uint8_t *origin);
