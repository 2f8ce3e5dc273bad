/*
 * The simulator builds the core with known bugs inside, one at a time, to see that it finds them. Any other build has none
 * of them.
 */
#pragma once

#define PLANTS(PLANT)                                                                                        \
    PLANT(NO_DEDUP, "no-dedup")                                                                              \
    PLANT(LOST_REPARK, "lost-repark")                                                                        \
    PLANT(WRONG_REQUEUE, "wrong-requeue")                                                                    \
    PLANT(DOUBLE_GRANT, "double-grant")                                                                      \
    PLANT(EARLY_REPLY, "early-reply")                                                                        \
    PLANT(TWO_OWNERS, "two-owners")                                                                          \
    PLANT(FORGOTTEN_DEATH, "forgotten-death")                                                                \
    PLANT(LOST_UNIT, "lost-unit")                                                                            \
    PLANT(TWO_TRIALS, "two-trials")                                                                          \
    PLANT(KEPT_GRANT, "kept-grant")                                                                          \
    PLANT(SHARED_KEY, "shared-key")                                                                          \
    PLANT(BRIEF_LIFE, "brief-life")                                                                          \
    PLANT(EARLY_CHILD, "early-child")                                                                        \
    PLANT(CHILD_OF_FAILED, "child-of-failed")                                                                \
    PLANT(ONE_TOO_MANY, "one-too-many")                                                                      \
    PLANT(NOT_SERIAL, "not-serial")                                                                          \
    PLANT(FORGOTTEN_PAUSE, "forgotten-pause")                                                                \
    PLANT(BRIEF_SETTING, "brief-setting")                                                                    \
    PLANT(NO_WEIGHT, "no-weight")                                                                            \
    PLANT(LONG_TURN, "long-turn")                                                                            \
    PLANT(OUT_OF_TURN, "out-of-turn")                                                                        \
    PLANT(ENDLESS_LEASE, "endless-lease")                                                                    \
    PLANT(OLD_RUN, "old-run")                                                                                \
    PLANT(TORN_DEAL, "torn-deal")                                                                            \
    PLANT(KEPT_ACK, "kept-ack")                                                                              \
    PLANT(ANY_NAME, "any-name")                                                                              \
    PLANT(PARTED_BULK, "parted-bulk")                                                                        \
    PLANT(EARLY_CALLBACK, "early-callback")                                                                  \
    PLANT(FALSE_BACKUP, "false-backup")                                                                      \
    PLANT(PARTED_RUN, "parted-run")                                                                          \
    PLANT(LOST_MOMENT, "lost-moment")                                                                        \
    PLANT(NO_SUMMER, "no-summer")                                                                            \
    PLANT(OVERLAPPING_RUN, "overlapping-run")                                                                \
    PLANT(CROWDED_POOL, "crowded-pool")                                                                      \
    PLANT(FULL_HOST, "full-host")                                                                            \
    PLANT(STRAY_JOB, "stray-job")                                                                            \
    PLANT(BRIEF_DRAIN, "brief-drain")                                                                        \
    PLANT(EARLY_DRAIN, "early-drain")                                                                        \
    PLANT(TAKEN_RUN, "taken-run")                                                                            \
    PLANT(OPEN_DOOR, "open-door")                                                                            \
    PLANT(TWO_TRY, "two-try")                                                                                \
    PLANT(BROKEN_FUSE, "broken-fuse")                                                                        \
    PLANT(SAFE_BRIEF, "safe-brief")                                                                          \
    PLANT(LOST_BRIEF, "lost-brief")                                                                          \
    PLANT(LONG_KEPT, "long-kept")                                                                            \
    PLANT(UNTOLD_LOSS, "untold-loss")                                                                        \
    PLANT(OVERTAKING_PUBLISH, "overtaking-publish")                                                          \
    PLANT(TORN_BATCH, "torn-batch")                                                                          \
    PLANT(LONG_CLOSE, "long-close")                                                                          \
    PLANT(TWO_COPIES, "two-copies")                                                                          \
    PLANT(SAME_ID, "same-id")                                                                                \
    PLANT(UNFLAGGED_AGAIN, "unflagged-again")                                                                \
    PLANT(FORGOTTEN_MARK, "forgotten-mark")                                                                  \
    PLANT(HASTY_FLOOR, "hasty-floor")                                                                        \
    PLANT(ANY_ORDER, "any-order")                                                                            \
    PLANT(LOST_ACK, "lost-ack")                                                                              \
    PLANT(SHORT_REPLAY, "short-replay")                                                                      \
    PLANT(EARLY_MESSAGE, "early-message")                                                                    \
    PLANT(LOST_MESSAGE, "lost-message")                                                                      \
    PLANT(SECOND_MESSAGE, "second-message")                                                                  \
    PLANT(OVERTAKEN_MESSAGE, "overtaken-message")                                                            \
    PLANT(FAR_PURGE, "far-purge")                                                                            \
    PLANT(EARLY_PURGE, "early-purge")                                                                        \
    PLANT(OLD_BLOCK, "old-block")                                                                            \
    PLANT(OLD_NUMBER, "old-number")                                                                          \
    PLANT(BRIEF_ID, "brief-id")                                                                              \
    PLANT(SHARED_DOUBT, "shared-doubt")                                                                      \
    PLANT(ANY_LAST, "any-last")                                                                              \
    PLANT(HASTY_TRIM, "hasty-trim")                                                                          \
    PLANT(LONG_LOG, "long-log")                                                                              \
    PLANT(LOST_HEADER, "lost-header")                                                                        \
    PLANT(PARTED_STATE, "parted-state")                                                                      \
    PLANT(UNTOLD_STATE, "untold-state")                                                                      \
    PLANT(LOST_LETTER, "lost-letter")                                                                        \
    PLANT(ENDLESS_TRIES, "endless-tries")                                                                    \
    PLANT(DEAF_PAUSE, "deaf-pause")                                                                          \
    PLANT(SHORT_SEEK, "short-seek")                                                                          \
    PLANT(SKIPPED_JOB, "skipped-job")                                                                        \
    PLANT(SECOND_JOB, "second-job")                                                                          \
    PLANT(LOST_CURSOR, "lost-cursor")                                                                        \
    PLANT(FAR_AHEAD, "far-ahead")                                                                            \
    PLANT(PARTED_STEP, "parted-step")                                                                        \
    PLANT(RESTLESS_FEED, "restless-feed")                                                                    \
    PLANT(ECHOED_STATE, "echoed-state")                                                                      \
    PLANT(STALE_LAST, "stale-last")                                                                          \
    PLANT(KEPT_LAST, "kept-last")                                                                            \
    PLANT(UNTOUCHED_LAST, "untouched-last")                                                                  \
    PLANT(MISPLACED_LAST, "misplaced-last")                                                                  \
    PLANT(DEAF_WILD, "deaf-wild")                                                                            \
    PLANT(UNFLAGGED_LAST, "unflagged-last")                                                                  \
    PLANT(HASTY_ROOM, "hasty-room")

#define PLANT_NUMBER(NUMBER, NAME) PLANT_##NUMBER,
enum plant { PLANT_NONE, PLANTS(PLANT_NUMBER) };
#undef PLANT_NUMBER

#ifdef CORE_PLANT
extern int core_planted; /* enum plant */
#define PLANTED(NAME) (core_planted == PLANT_##NAME)
#else
#define PLANTED(NAME) false
#endif
