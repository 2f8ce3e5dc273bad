/* The rows of messages about topics. Part of fields.h. */
#pragma once

#define HEADER_FIELDS(FIELD)                                                                                 \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(TEXT, value, 0)

#define LETTER_FIELDS(FIELD)                                                                                 \
    FIELD(TEXT, topic, 0)                                                                                    \
    FIELD(NUM, sequence, )                                                                                   \
    FIELD(NUM, time_us, )                                                                                    \
    FIELD(NUM, tries, )                                                                                      \
    FIELD(NUM, lost, )                                                                                       \
    FIELD(TEXT, key, 0)                                                                                      \
    FIELD(MANY, headers, (header, UINT32_MAX))                                                               \
    FIELD(NUM, of, )

#define OUTGOING_FIELDS(FIELD)                                                                               \
    FIELD(VALUE, value, )                                                                                    \
    FIELD(TEXT, key, 255)                                                                                    \
    FIELD(MANY, headers, (header, UINT32_MAX))                                                               \
    FIELD(TEXT, once, 0)

#define PUBLISHED_FIELDS(FIELD)                                                                              \
    FIELD(NUM, sequence, )                                                                                   \
    FIELD(NUM, receivers, )                                                                                  \
    FIELD(NUM, dropped, )                                                                                    \
    FIELD(NUM, repeated, )

#define TOPIC_INFO_FIELDS(FIELD)                                                                             \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(NUM, subscriptions, )                                                                              \
    FIELD(NUM, published, )                                                                                  \
    FIELD(NUM, delivered, )                                                                                  \
    FIELD(NUM, dropped, )                                                                                    \
    FIELD(NUM, durable, )                                                                                    \
    FIELD(NUM, first_sequence, )                                                                             \
    FIELD(NUM, last_sequence, )                                                                              \
    FIELD(NUM, messages, )                                                                                   \
    FIELD(NUM, bytes, )                                                                                      \
    FIELD(NUM, last_us, )                                                                                    \
    FIELD(NUM, delayed, )                                                                                    \
    FIELD(MANY, settings, (counter, UINT32_MAX))

#define GROUP_INFO_FIELDS(FIELD)                                                                             \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(TEXT, pattern, 0)                                                                                  \
    FIELD(NUM, floor, )                                                                                      \
    FIELD(NUM, next, )                                                                                       \
    FIELD(NUM, outstanding, )                                                                                \
    FIELD(NUM, members, )                                                                                    \
    FIELD(NUM, waiting, )                                                                                    \
    FIELD(NUM, redelivered, )                                                                                \
    FIELD(NUM, dead, )                                                                                       \
    FIELD(NUM, paused, )                                                                                     \
    FIELD(MANY, settings, (counter, UINT32_MAX))

#define FEED_INFO_FIELDS(FIELD)                                                                              \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(TEXT, pattern, 0)                                                                                  \
    FIELD(TEXT, plugin, 0)                                                                                   \
    FIELD(TEXT, function, 0)                                                                                 \
    FIELD(TEXT, queue, 0)                                                                                    \
    FIELD(NUM, uid, )                                                                                        \
    FIELD(NUM, flags, )                                                                                      \
    FIELD(NUM, argument, )                                                                                   \
    FIELD(NUM, ahead, )                                                                                      \
    FIELD(NUM, cursor, )                                                                                     \
    FIELD(NUM, waiting, )                                                                                    \
    FIELD(NUM, jobs, )                                                                                       \
    FIELD(NUM, missed, )                                                                                     \
    FIELD(NUM, last_job, )                                                                                   \
    FIELD(TEXT, text, 0)

#define REQUEST_PUBLISH(FIELD)                                                                               \
    FIELD(NAME, topic, )                                                                                     \
    FIELD(RAWS, messages, (outgoing, 1, VALUES_MAX))                                                         \
    FIELD(NUM, expect_sequence, )                                                                            \
    FIELD(NUM, expects, )                                                                                    \
    FIELD(NUM, delay_ns, )                                                                                   \
    FIELD(NUM, at_us, )
#define REQUEST_SUBSCRIBE(FIELD)                                                                             \
    FIELD(TEXT, pattern, NAME_BYTES_MAX)                                                                     \
    FIELD(NUM, capacity, )                                                                                   \
    FIELD(ENUM, full, TOPIC_BLOCK)                                                                           \
    FIELD(NUM, block_ns, )                                                                                   \
    FIELD(ENUM, from, FROM_LAST)                                                                             \
    FIELD(NUM, from_sequence, )                                                                              \
    FIELD(NUM, from_time_us, )                                                                               \
    FIELD(NAME, group, )                                                                                     \
    FIELD(TEXT, settings, SETTINGS_BYTES_MAX)                                                                \
    FIELD(NUM, value_bytes_max, )
#define REQUEST_TOPIC_CLOSE(FIELD) FIELD(TEXT, topic, NAME_BYTES_MAX)
#define REQUEST_TOPIC_LIST(FIELD)                                                                            \
    FIELD(TEXT, pattern, NAME_BYTES_MAX)                                                                     \
    FIELD(TEXT, after, NAME_BYTES_MAX)                                                                       \
    FIELD(NUM, limit, )
#define REQUEST_TOPIC_INFO(FIELD) FIELD(TEXT, topic, NAME_BYTES_MAX)
#define REQUEST_TOPIC_PURGE(FIELD)                                                                           \
    FIELD(NAME, topic, )                                                                                     \
    FIELD(NUM, up_to, )                                                                                      \
    FIELD(NUM, keep, )
#define REQUEST_TOPIC_REMOVE(FIELD) FIELD(NAME, topic, )
#define REQUEST_SETTLE(FIELD)                                                                                \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(NUMS, sequences, VALUES_MAX)                                                                       \
    FIELD(NUM, what, )                                                                                       \
    FIELD(NUM, delay_ns, )
#define REQUEST_GROUP_SET(FIELD)                                                                             \
    FIELD(NAME, group, )                                                                                     \
    FIELD(TEXT, settings, SETTINGS_BYTES_MAX)
#define REQUEST_GROUP_LIST(FIELD)                                                                            \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_GROUP_REMOVE(FIELD) FIELD(NAME, group, )
#define REQUEST_TOPIC_SET(FIELD)                                                                             \
    FIELD(TEXT, pattern, NAME_BYTES_MAX)                                                                     \
    FIELD(TEXT, settings, SETTINGS_BYTES_MAX)                                                                \
    FIELD(NUM, remove, )
#define REQUEST_FEED_SET(FIELD)                                                                              \
    FIELD(NAME, name, )                                                                                      \
    FIELD(TEXT, pattern, NAME_BYTES_MAX)                                                                     \
    FIELD(TEXT, plugin, WIRE_PLUGIN_BYTES_MAX)                                                               \
    FIELD(NAME, function, )                                                                                  \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(NUM, ahead, )                                                                                      \
    FIELD(ENUM, argument, FEED_MESSAGE)                                                                      \
    FIELD(ENUM, pause, FEED_GO_ON)                                                                           \
    FIELD(ENUM, from, FEED_FROM_TIME)                                                                        \
    FIELD(NUM, from_sequence, )                                                                              \
    FIELD(NUM, from_time_us, )
#define REQUEST_FEED_REMOVE(FIELD) FIELD(NAME, name, )
#define REQUEST_FEED_LIST(FIELD)                                                                             \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
