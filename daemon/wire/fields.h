/*
 * Every message of goroutined.proto that has a twin in message.h, field by field: FIELD(KIND, field, bound).
 * Both sides of the codec and its tests are generated from these rows, and a test compares their number with the
 * schema. A field has the same name in both.
 *
 *   NUM     a number or bool, as it is
 *   RANGE   a number from 1 to bound
 *   ENUM    a number from 0 to bound
 *   FLAGS   bits, none outside bound
 *   NAME    bytes that are empty or a name
 *   TEXT    at most `bound` bytes; 0: only the frame bounds it
 *   SECRET  16 bytes or absent
 *   BODY    bytes that may travel as a part
 *   VALUE   the same with flags
 *   STATUS  Status, as a negative errno value
 *   OUTCOME Status and `outcome`, as one number
 *   NUMS    packed numbers; `field` and `field`_n
 *   ONE     a message named `bound` that may be absent
 *   MANY    up to a bound of messages; bound is (name, most); `field` and `field`_n
 *   SOME    the same, at least one
 *   RAWS    an array whose entries are bytes to protobuf-c (plain.h); bound is (name, least, most)
 */
#pragma once

#include "fields_topic.h"
#include "wire.h"

/* MESSAGE(NAME, name, struct, schema): the messages that stand inside others or frames. */
#define MESSAGES(MESSAGE)                                                                                    \
    MESSAGE(HELLO, hello, struct hello, Goroutined__Hello)                                                   \
    MESSAGE(RESUME, resume, struct resume, Goroutined__Resume)                                               \
    MESSAGE(PASSED, passed, struct passed, Goroutined__Passed)                                               \
    MESSAGE(ACK, ack, struct ack, Goroutined__Ack)                                                           \
    MESSAGE(SELECT_CASE, select_case, struct select_case, Goroutined__SelectCase)                            \
    MESSAGE(WELCOME, welcome, struct welcome, Goroutined__Welcome)                                           \
    MESSAGE(OP_STATE, op_state, struct op_state, Goroutined__OpState)                                        \
    MESSAGE(CHAN_INFO, chan_info, struct chan_info, Goroutined__ChanInfo)                                    \
    MESSAGE(JOB_INFO, job_info, struct job_info, Goroutined__JobInfo)                                        \
    MESSAGE(WAIT_INFO, wait_info, struct wait_info, Goroutined__WaitInfo)                                    \
    MESSAGE(SEND, send, struct request_send, Goroutined__Send)                                               \
    MESSAGE(SUBMIT, submit, struct request_submit, Goroutined__Submit)                                       \
    MESSAGE(COUNTER, counter, struct counter, Goroutined__Counter)                                           \
    MESSAGE(CTX_VALUE, ctx_value, struct ctx_value, Goroutined__CtxValue)                                    \
    MESSAGE(CTX_INFO, ctx_info, struct ctx_info, Goroutined__CtxInfo)                                        \
    MESSAGE(SCHEDULE_INFO, schedule_info, struct schedule_info, Goroutined__ScheduleInfo)                    \
    MESSAGE(OFFER, offer, struct offer, Goroutined__Offer)                                                   \
    MESSAGE(HEADER, header, struct header, Goroutined__Header)                                               \
    MESSAGE(LETTER, message, struct message, Goroutined__Message)                                            \
    MESSAGE(OUTGOING, outgoing, struct outgoing, Goroutined__Outgoing)                                       \
    MESSAGE(PUBLISH, publish, struct request_publish, Goroutined__Publish)                                   \
    MESSAGE(PUBLISHED, published, struct published, Goroutined__Published)                                   \
    MESSAGE(TOPIC_INFO, topic_info, struct topic_info, Goroutined__TopicInfo)                                \
    MESSAGE(GROUP_INFO, group_info, struct group_info, Goroutined__GroupInfo)                                \
    MESSAGE(FEED_INFO, feed_info, struct feed_info, Goroutined__FeedInfo)                                    \
    MESSAGE(RESULT, result, struct result, Goroutined__Result)

/* Frames; `requests` and `values` have codecs of their own. */
#define CLIENT_FRAME_FIELDS(FIELD)                                                                           \
    FIELD(NUM, version, )                                                                                    \
    FIELD(NUM, number, )                                                                                     \
    FIELD(NUM, ack_mark, )                                                                                   \
    FIELD(ONE, hello, hello)                                                                                 \
    FIELD(ONE, resume, resume)                                                                               \
    FIELD(NUM, bye, )                                                                                        \
    FIELD(MANY, acks, (ack, WIRE_ACKS_MAX))                                                                  \
    FIELD(MANY, returns, (ack, WIRE_ACKS_MAX))                                                               \
    FIELD(NUMS, cancels, WIRE_ACKS_MAX)                                                                      \
    FIELD(MANY, requests, (request, UINT32_MAX))

#define SERVER_FRAME_FIELDS(FIELD)                                                                           \
    FIELD(NUM, number, )                                                                                     \
    FIELD(ONE, welcome, welcome)                                                                             \
    FIELD(MANY, states, (op_state, UINT32_MAX))                                                              \
    FIELD(NUM, need_resume, )                                                                                \
    FIELD(STATUS, refused, )                                                                                 \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(MANY, results, (result, UINT32_MAX))

#define HELLO_FIELDS(FIELD)                                                                                  \
    FIELD(SECRET, session, )                                                                                 \
    FIELD(TEXT, program, 255)                                                                                \
    FIELD(TEXT, boot_id, 64)                                                                                 \
    FIELD(NUM, time_namespace, )                                                                             \
    FIELD(NUM, attempt, )

#define RESUME_FIELDS(FIELD)                                                                                 \
    FIELD(SECRET, session, )                                                                                 \
    FIELD(NUMS, open_ops, UINT32_MAX)                                                                        \
    FIELD(NUM, attempt, )

#define PASSED_FIELDS(FIELD)                                                                                 \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(FLAGS, rights, RIGHT_ALL)

#define ACK_FIELDS(FIELD)                                                                                    \
    FIELD(NUM, op, )                                                                                         \
    FIELD(NUM, count, )

#define SELECT_CASE_FIELDS(FIELD)                                                                            \
    FIELD(RANGE, kind, CASE_CTX)                                                                             \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(VALUE, value, )

#define WELCOME_FIELDS(FIELD)                                                                                \
    FIELD(SECRET, session, )                                                                                 \
    FIELD(NUM, session_number, )                                                                             \
    FIELD(NUM, node, )                                                                                       \
    FIELD(NUM, incarnation, )                                                                                \
    FIELD(NUM, window_ops, )                                                                                 \
    FIELD(NUM, window_bytes, )                                                                               \
    FIELD(NUM, absolute_deadlines, )                                                                         \
    FIELD(NUM, lease_ns, )                                                                                   \
    FIELD(NUM, attempt, )

#define OP_STATE_FIELDS(FIELD)                                                                               \
    FIELD(NUM, op, )                                                                                         \
    FIELD(NUM, fate, )

#define RESULT_FIELDS(FIELD)                                                                                 \
    FIELD(NUM, op, )                                                                                         \
    FIELD(NUM, number, )                                                                                     \
    FIELD(OUTCOME, status, )                                                                                 \
    FIELD(NUM, flags, )                                                                                      \
    FIELD(NUM, index, )                                                                                      \
    FIELD(NUM, doubt, )                                                                                      \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(BODY, output, )                                                                                    \
    FIELD(RAWS, values, (value, 0, UINT32_MAX))                                                              \
    FIELD(MANY, chans, (chan_info, UINT32_MAX))                                                              \
    FIELD(MANY, jobs, (job_info, UINT32_MAX))                                                                \
    FIELD(MANY, stats, (counter, UINT32_MAX))                                                                \
    FIELD(ONE, offer, offer)                                                                                 \
    FIELD(MANY, ctxs, (ctx_info, UINT32_MAX))                                                                \
    FIELD(MANY, waits, (wait_info, UINT32_MAX))                                                              \
    FIELD(MANY, schedules, (schedule_info, UINT32_MAX))                                                      \
    FIELD(NUMS, ids, UINT32_MAX)                                                                             \
    FIELD(ONE, published, published)                                                                         \
    FIELD(MANY, topics, (topic_info, UINT32_MAX))                                                            \
    FIELD(MANY, groups, (group_info, UINT32_MAX))                                                            \
    FIELD(MANY, feeds, (feed_info, UINT32_MAX))

#define SUBMIT_FIELDS  REQUEST_SUBMIT
#define SEND_FIELDS    REQUEST_SEND
#define PUBLISH_FIELDS REQUEST_PUBLISH

#define CHAN_INFO_FIELDS(FIELD)                                                                              \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(NUM, length, )                                                                                     \
    FIELD(NUM, capacity, )                                                                                   \
    FIELD(NUM, senders, )                                                                                    \
    FIELD(NUM, receivers, )                                                                                  \
    FIELD(NUM, returned, )                                                                                   \
    FIELD(NUM, handles, )                                                                                    \
    FIELD(NUM, bytes, )                                                                                      \
    FIELD(NUM, sent, )                                                                                       \
    FIELD(NUM, received, )                                                                                   \
    FIELD(NUM, dropped, )                                                                                    \
    FIELD(NUM, closed, )                                                                                     \
    FIELD(NUM, unlinked, )                                                                                   \
    FIELD(NUM, durable, )                                                                                    \
    FIELD(NUM, storing, )

#define JOB_INFO_FIELDS(FIELD)                                                                               \
    FIELD(NUM, id, )                                                                                         \
    FIELD(NUM, run, )                                                                                        \
    FIELD(NUM, state, )                                                                                      \
    FIELD(NUM, cause, )                                                                                      \
    FIELD(NUM, error, )                                                                                      \
    FIELD(NUM, attempt, )                                                                                    \
    FIELD(NUM, attempts_max, )                                                                               \
    FIELD(NUM, crashes, )                                                                                    \
    FIELD(NUM, uid, )                                                                                        \
    FIELD(TEXT, plugin, 0)                                                                                   \
    FIELD(TEXT, function, 0)                                                                                 \
    FIELD(TEXT, queue, 0)                                                                                    \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(BODY, result, )                                                                                    \
    FIELD(TEXT, progress, 0)                                                                                 \
    FIELD(NUM, fraction, )                                                                                   \
    FIELD(NUM, created_us, )                                                                                 \
    FIELD(NUM, started_us, )                                                                                 \
    FIELD(NUM, ended_us, )                                                                                   \
    FIELD(NUM, due_us, )                                                                                     \
    FIELD(NUM, output_bytes, )                                                                               \
    FIELD(BODY, argument, )                                                                                  \
    FIELD(NUM, left_ns, )

#define WAIT_INFO_FIELDS(FIELD)                                                                              \
    FIELD(NUM, session, )                                                                                    \
    FIELD(NUM, op, )                                                                                         \
    FIELD(NUM, run, )                                                                                        \
    FIELD(NUM, pid, )                                                                                        \
    FIELD(NUM, uid, )                                                                                        \
    FIELD(TEXT, program, 0)                                                                                  \
    FIELD(NUM, verb, )                                                                                       \
    FIELD(TEXT, reason, 0)                                                                                   \
    FIELD(TEXT, kind, 0)                                                                                     \
    FIELD(TEXT, object, 0)                                                                                   \
    FIELD(NUM, cases, )                                                                                      \
    FIELD(NUM, age_ns, )                                                                                     \
    FIELD(NUM, left_ns, )                                                                                    \
    FIELD(NUM, flags, )                                                                                      \
    FIELD(NUM, group, )                                                                                      \
    FIELD(NUM, holder, )

#define COUNTER_FIELDS(FIELD)                                                                                \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(NUM, value, )

#define CTX_VALUE_FIELDS(FIELD)                                                                              \
    FIELD(NAME, name, )                                                                                      \
    FIELD(TEXT, value, 0)

#define CTX_INFO_FIELDS(FIELD)                                                                               \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(NUM, id, )                                                                                         \
    FIELD(NUM, parent, )                                                                                     \
    FIELD(NUM, flags, )                                                                                      \
    FIELD(STATUS, status, )                                                                                  \
    FIELD(NUM, code, )                                                                                       \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(NUM, origin, )                                                                                     \
    FIELD(NUM, left_ns, )                                                                                    \
    FIELD(NUM, children, )                                                                                   \
    FIELD(NUM, ops, )                                                                                        \
    FIELD(NUM, jobs, )

#define SCHEDULE_INFO_FIELDS(FIELD)                                                                          \
    FIELD(TEXT, name, 0)                                                                                     \
    FIELD(TEXT, spec, 0)                                                                                     \
    FIELD(TEXT, zone, 0)                                                                                     \
    FIELD(NUM, missed, )                                                                                     \
    FIELD(NUM, missed_most, )                                                                                \
    FIELD(NUM, overlap, )                                                                                    \
    FIELD(NUM, flags, )                                                                                      \
    FIELD(NUM, uid, )                                                                                        \
    FIELD(TEXT, plugin, 0)                                                                                   \
    FIELD(TEXT, function, 0)                                                                                 \
    FIELD(TEXT, queue, 0)                                                                                    \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(NUM, last_us, )                                                                                    \
    FIELD(NUM, next_us, )                                                                                    \
    FIELD(NUM, runs, )                                                                                       \
    FIELD(NUM, skipped, )                                                                                    \
    FIELD(NUM, last_job, )

#define OFFER_FIELDS(FIELD)                                                                                  \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(NUM, attempt, )                                                                                    \
    FIELD(TEXT, function, 0)                                                                                 \
    FIELD(BODY, argument, )                                                                                  \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(NUM, cause, )                                                                                      \
    FIELD(NUM, grace_ns, )                                                                                   \
    FIELD(NUM, time_left_ns, )                                                                               \
    FIELD(NUM, context, )                                                                                    \
    FIELD(NUM, what, )                                                                                       \
    FIELD(NUM, format, )                                                                                     \
    FIELD(NUM, value, )                                                                                      \
    FIELD(NUM, after_n, )                                                                                    \
    FIELD(NUM, after_done, )

/* The verbs: one list per row of VERBS. */
#define REQUEST_CHAN_OPEN(FIELD)                                                                             \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, capacity, )                                                                                   \
    FIELD(NUM, value_bytes_max, )                                                                            \
    FIELD(NUM, element_bytes, )                                                                              \
    FIELD(TEXT, type_tag, 255)                                                                               \
    FIELD(FLAGS, flags, OPEN_FLAGS_ALL)                                                                      \
    FIELD(FLAGS, rights, RIGHT_ALL)                                                                          \
    FIELD(ENUM, full, FULL_DROP_NEWEST)

#define REQUEST_CHAN_DROP(FIELD)   FIELD(NUM, handle, )
#define REQUEST_CHAN_UNLINK(FIELD) FIELD(NAME, name, )
#define REQUEST_SEND(FIELD)                                                                                  \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(RAWS, values, (value, 1, VALUES_MAX))
#define REQUEST_RECV(FIELD)                                                                                  \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(RANGE, max, VALUES_MAX)
#define REQUEST_CLOSE(FIELD)  FIELD(NUM, handle, )
#define REQUEST_SELECT(FIELD) FIELD(MANY, cases, (select_case, CASES_MAX))
#define REQUEST_CHAN_INFO(FIELD)                                                                             \
    FIELD(NUM, handle, )                                                                                     \
    FIELD(NAME, name, )
#define REQUEST_CHAN_LIST(FIELD)                                                                             \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )

#define REQUEST_SUBMIT(FIELD)                                                                                \
    FIELD(TEXT, plugin, WIRE_PLUGIN_BYTES_MAX)                                                               \
    FIELD(NAME, function, )                                                                                  \
    FIELD(BODY, argument, )                                                                                  \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(FLAGS, flags, SUBMIT_DETACHED | SUBMIT_AFTER_ANY)                                                  \
    FIELD(NUM, attempts_max, )                                                                               \
    FIELD(NUM, backoff_ns, )                                                                                 \
    FIELD(NUM, backoff_max_ns, )                                                                             \
    FIELD(NUM, time_limit_ns, )                                                                              \
    FIELD(NUM, grace_ns, )                                                                                   \
    FIELD(NUM, deadline_in_ns, )                                                                             \
    FIELD(NUM, delay_ns, )                                                                                   \
    FIELD(ENUM, priority, 9)                                                                                 \
    FIELD(TEXT, key, 255)                                                                                    \
    FIELD(ENUM, jitter, 100)                                                                                 \
    FIELD(NUMS, delays_ns, 1024)                                                                             \
    FIELD(TEXT, once_key, 255)                                                                               \
    FIELD(ENUM, once_scope, ONCE_ALL)                                                                        \
    FIELD(ENUM, once_policy, ONCE_JOIN)                                                                      \
    FIELD(NUM, once_ns, )                                                                                    \
    FIELD(NUMS, after, 1024)

#define REQUEST_JOB_WAIT(FIELD) FIELD(NUM, job, )
#define REQUEST_JOB_INFO(FIELD) FIELD(NUM, job, )
#define REQUEST_JOB_LIST(FIELD)                                                                              \
    FIELD(NUM, states, )                                                                                     \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(NUM, after, )                                                                                      \
    FIELD(NUM, limit, )
#define REQUEST_JOB_CANCEL(FIELD)                                                                            \
    FIELD(NUM, job, )                                                                                        \
    FIELD(TEXT, cause, 0)
#define REQUEST_JOB_RETRY(FIELD)                                                                             \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, states, )                                                                                     \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(NUM, after, )                                                                                      \
    FIELD(NUM, limit, )
#define REQUEST_JOB_PURGE(FIELD)                                                                             \
    FIELD(NUM, states, )                                                                                     \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(NUM, older_ns, )                                                                                   \
    FIELD(NUM, after, )                                                                                      \
    FIELD(NUM, limit, )
#define REQUEST_JOB_OUTPUT(FIELD)                                                                            \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, offset, )                                                                                     \
    FIELD(NUM, max, )
#define REQUEST_OP_STATUS(FIELD)                                                                             \
    FIELD(SECRET, session, )                                                                                 \
    FIELD(NUM, op, )
#define REQUEST_PING(FIELD)          FIELD(BODY, payload, )
#define REQUEST_STATS(FIELD)         FIELD(NAME, prefix, )
#define REQUEST_CLOCK_ADVANCE(FIELD) FIELD(NUM, ns, )
#define REQUEST_DUMP(FIELD)                                                                                  \
    FIELD(NUM, session, )                                                                                    \
    FIELD(NAME, object, )                                                                                    \
    FIELD(NUM, age_ns, )                                                                                     \
    FIELD(NUM, limit, )                                                                                      \
    FIELD(NUM, from_session, )                                                                               \
    FIELD(NUM, from_place, )
#define REQUEST_DEADLOCKS(FIELD) FIELD(NUM, limit, )
#define REQUEST_LEAKS(FIELD)                                                                                 \
    FIELD(NUM, age_ns, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_CALLERS(FIELD)    FIELD(NUM, callers, )
#define REQUEST_GOROUTINES(FIELD) FIELD(NUM, after, )
#define REQUEST_DUMPED(FIELD)                                                                                \
    FIELD(NUM, dump, )                                                                                       \
    FIELD(BODY, text, )                                                                                      \
    FIELD(NUM, last, )                                                                                       \
    FIELD(NUM, error, )
#define REQUEST_INSPECT(FIELD)                                                                               \
    FIELD(RANGE, what, INSPECT_WHAT_MAX)                                                                     \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, after, )                                                                                      \
    FIELD(NUM, value, )                                                                                      \
    FIELD(ENUM, format, INSPECT_PPROF)                                                                       \
    FIELD(NUM, detached, )
#define REQUEST_BACKUP(FIELD)
#define REQUEST_DRAIN(FIELD) FIELD(RANGE, what, DRAIN_END)
#define REQUEST_RESERVE(FIELD)                                                                               \
    FIELD(NAME, generation, )                                                                                \
    FIELD(NUM, window, )
#define REQUEST_STARTED(FIELD)                                                                               \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )
#define REQUEST_DONE(FIELD)                                                                                  \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(ENUM, cause, CAUSE_RETURNED)                                                                       \
    FIELD(NUM, error, )                                                                                      \
    FIELD(TEXT, text, 0)                                                                                     \
    FIELD(BODY, result, )                                                                                    \
    FIELD(NUM, permanent, )
#define REQUEST_PRINT(FIELD)                                                                                 \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(BODY, output, )
#define REQUEST_PROGRESS(FIELD)                                                                              \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(NUM, fraction, )                                                                                   \
    FIELD(TEXT, text, 0)
#define REQUEST_LOCK(FIELD)                                                                                  \
    FIELD(NAME, name, )                                                                                      \
    FIELD(FLAGS, flags, LOCK_RECOVER | LOCK_CLAIM)                                                           \
    FIELD(NUM, token, )
#define REQUEST_UNLOCK(FIELD)                                                                                \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, token, )                                                                                      \
    FIELD(FLAGS, flags, UNLOCK_CONSISTENT | UNLOCK_UNSEEN | UNLOCK_OFFER)
#define REQUEST_SYNC_TAKE(FIELD)                                                                             \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, units, )                                                                                      \
    FIELD(NUM, size, )                                                                                       \
    FIELD(FLAGS, flags, TAKE_READ | TAKE_RECOVER)                                                            \
    FIELD(NUM, period_ns, )
#define REQUEST_SYNC_GIVE(FIELD)                                                                             \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, units, )                                                                                      \
    FIELD(NUM, token, )                                                                                      \
    FIELD(FLAGS, flags, GIVE_READ | GIVE_CONSISTENT | GIVE_UNSEEN | GIVE_FAILED)                             \
    FIELD(NUM, error, )                                                                                      \
    FIELD(BODY, value, )
#define REQUEST_SYNC_ADD(FIELD)                                                                              \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, delta, )                                                                                      \
    FIELD(FLAGS, flags, ADD_DETACHED)
#define REQUEST_SYNC_WAIT(FIELD)                                                                             \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, round, )                                                                                      \
    FIELD(NUM, value, )
#define REQUEST_SYNC_RESET(FIELD)                                                                            \
    FIELD(NUM, kind, )                                                                                       \
    FIELD(NAME, name, )
#define REQUEST_COND_WAIT(FIELD)                                                                             \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NAME, lock, )                                                                                      \
    FIELD(NUM, token, )                                                                                      \
    FIELD(FLAGS, flags, UNLOCK_CONSISTENT)
#define REQUEST_COND_SIGNAL(FIELD)                                                                           \
    FIELD(NAME, name, )                                                                                      \
    FIELD(FLAGS, flags, SIGNAL_ALL)
#define REQUEST_CTX_NEW(FIELD)                                                                               \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, parent, )                                                                                     \
    FIELD(NAME, parent_name, )                                                                               \
    FIELD(FLAGS, flags, CTX_FLAGS_ALL)                                                                       \
    FIELD(ENUM, deadline, UNTIL_IN)                                                                          \
    FIELD(NUM, deadline_ns, )                                                                                \
    FIELD(NUM, code, )                                                                                       \
    FIELD(TEXT, cause, 0)                                                                                    \
    FIELD(MANY, values, (ctx_value, CTX_VALUES_MAX))                                                         \
    FIELD(NAME, group, )
#define REQUEST_CTX_CANCEL(FIELD)                                                                            \
    FIELD(NUM, context, )                                                                                    \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NUM, code, )                                                                                       \
    FIELD(TEXT, cause, 0)
#define REQUEST_CTX_DROP(FIELD)                                                                              \
    FIELD(NUM, context, )                                                                                    \
    FIELD(NAME, name, )
#define REQUEST_CTX_INFO(FIELD)                                                                              \
    FIELD(NUM, context, )                                                                                    \
    FIELD(NAME, name, )                                                                                      \
    FIELD(NAME, key, )
#define REQUEST_CTX_WATCH(FIELD)                                                                             \
    FIELD(NUM, context, )                                                                                    \
    FIELD(NAME, name, )
#define REQUEST_CTX_LIST(FIELD)                                                                              \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_TRANSACT(FIELD)                                                                              \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(BODY, result, )                                                                                    \
    FIELD(MANY, jobs, (submit, UINT32_MAX))                                                                  \
    FIELD(MANY, sends, (send, VALUES_MAX))                                                                   \
    FIELD(MANY, acks, (ack, VALUES_MAX))                                                                     \
    FIELD(MANY, publishes, (publish, VALUES_MAX))
#define REQUEST_SUBMIT_MANY(FIELD)                                                                           \
    FIELD(MANY, jobs, (submit, UINT32_MAX))                                                                  \
    FIELD(ENUM, callback, 1)
#define REQUEST_QUEUE_SET(FIELD)                                                                             \
    FIELD(NAME, name, )                                                                                      \
    FIELD(TEXT, settings, SETTINGS_BYTES_MAX)
#define REQUEST_QUEUE_INFO(FIELD) FIELD(NAME, name, )
#define REQUEST_QUEUE_LIST(FIELD)                                                                            \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_QUEUE_PAUSE(FIELD)                                                                           \
    FIELD(NAME, name, )                                                                                      \
    FIELD(RANGE, what, PAUSE_END)                                                                            \
    FIELD(NUM, for_ns, )
#define REQUEST_QUEUE_PURGE(FIELD)  FIELD(NAME, name, )
#define REQUEST_QUEUE_REMOVE(FIELD) FIELD(NAME, name, )
#define REQUEST_POOL_SET(FIELD)                                                                              \
    FIELD(NAME, name, )                                                                                      \
    FIELD(TEXT, settings, SETTINGS_BYTES_MAX)
#define REQUEST_POOL_REMOVE(FIELD) FIELD(NAME, name, )
#define REQUEST_POOL_INFO(FIELD)   FIELD(NAME, name, )
#define REQUEST_POOL_LIST(FIELD)                                                                             \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_POOL_DRAIN(FIELD)                                                                            \
    FIELD(NAME, name, )                                                                                      \
    FIELD(RANGE, what, POOL_DRAIN_END)
#define REQUEST_SCHEDULE_SET(FIELD)                                                                          \
    FIELD(NAME, name, )                                                                                      \
    FIELD(TEXT, spec, 512)                                                                                   \
    FIELD(TEXT, zone, 64)                                                                                    \
    FIELD(ENUM, missed, MISSED_ALL)                                                                          \
    FIELD(NUM, missed_most, )                                                                                \
    FIELD(ENUM, overlap, OVERLAP_SKIP)                                                                       \
    FIELD(FLAGS, flags, SCHEDULE_PAUSED)                                                                     \
    FIELD(TEXT, plugin, WIRE_PLUGIN_BYTES_MAX)                                                               \
    FIELD(NAME, function, )                                                                                  \
    FIELD(BODY, argument, )                                                                                  \
    FIELD(NAME, queue, )                                                                                     \
    FIELD(NUM, attempts_max, )                                                                               \
    FIELD(NUM, backoff_ns, )                                                                                 \
    FIELD(NUM, backoff_max_ns, )                                                                             \
    FIELD(NUM, time_limit_ns, )                                                                              \
    FIELD(NUM, grace_ns, )                                                                                   \
    FIELD(NUM, deadline_in_ns, )                                                                             \
    FIELD(ENUM, priority, 9)                                                                                 \
    FIELD(TEXT, key, 255)                                                                                    \
    FIELD(NUM, delay_ns, )                                                                                   \
    FIELD(ENUM, jitter, 100)                                                                                 \
    FIELD(NUMS, delays_ns, 1024)
#define REQUEST_SCHEDULE_REMOVE(FIELD) FIELD(NAME, name, )
#define REQUEST_SCHEDULE_PAUSE(FIELD)                                                                        \
    FIELD(NAME, name, )                                                                                      \
    FIELD(ENUM, resume, 1)
#define REQUEST_SCHEDULE_LIST(FIELD)                                                                         \
    FIELD(NAME, prefix, )                                                                                    \
    FIELD(NAME, after, )                                                                                     \
    FIELD(NUM, limit, )
#define REQUEST_WORK_RESERVE(FIELD)                                                                          \
    FIELD(TEXT, queues, WORK_NAMES_BYTES_MAX)                                                                \
    FIELD(TEXT, functions, WORK_NAMES_BYTES_MAX)                                                             \
    FIELD(NUM, max, )                                                                                        \
    FIELD(NUM, lease_ns, )
#define REQUEST_WORK_EXTEND(FIELD)                                                                           \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )                                                                                        \
    FIELD(NUM, lease_ns, )
#define REQUEST_WORK_WATCH(FIELD)                                                                            \
    FIELD(NUM, job, )                                                                                        \
    FIELD(NUM, run, )
