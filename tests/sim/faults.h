/* The kinds of faults of the simulator, counted: a set of seeds counts only where each of them came up. */
#pragma once

#define SIM_FAULTS(FAULT)                                                                                    \
    FAULT(LOST, "frames lost")                                                                               \
    FAULT(DOUBLED, "frames doubled")                                                                         \
    FAULT(REPEATED, "operations asked twice")                                                                \
    FAULT(DELAYED, "frames delayed")                                                                         \
    FAULT(CUT, "connections cut")                                                                            \
    FAULT(SILENT_CUT, "connections cut unnoticed")                                                           \
    FAULT(LATE, "frames of a dead connection delivered")                                                     \
    FAULT(KILL_PARKED, "clients killed with a parked operation")                                             \
    FAULT(KILL_HANDED, "clients killed with a handed value")                                                 \
    FAULT(KILL_COMMITTED, "clients killed with a committed value")                                           \
    FAULT(KILL_HELD, "clients killed holding a value")                                                       \
    FAULT(KILL_ACKED, "clients killed after an acknowledgement")                                             \
    FAULT(BYE, "clients left in order")                                                                      \
    FAULT(KILL_HOST, "hosts killed")                                                                         \
    FAULT(CRASH_HOST, "hosts crashed by a job")                                                              \
    FAULT(MUTE_HOST, "hosts that said nothing")                                                              \
    FAULT(NO_HOST, "hosts that did not start")                                                               \
    FAULT(NO_MEMORY, "allocations of the core refused")                                                      \
    FAULT(NO_FETCH, "reads of the store that failed")                                                        \
    FAULT(STRANGER, "strangers that came")                                                                   \
    FAULT(STORE_FULL, "commits refused by a full store")                                                     \
    FAULT(RESTART, "daemon restarts")                                                                        \
    FAULT(RESTART_UNREPORTED, "daemon restarts between commit and report")                                   \
    FAULT(LOCK_LOST, "frames lost with a lock operation")                                                    \
    FAULT(LOCK_DOUBLED, "frames doubled with a lock operation")                                              \
    FAULT(LOCK_REPEATED, "lock operations asked twice")                                                      \
    FAULT(LOCK_DELAYED, "frames delayed with a lock operation")                                              \
    FAULT(LOCK_LATE, "frames of a dead connection delivered with a lock operation")                          \
    FAULT(LOCK_CUT, "connections cut under a lock operation")                                                \
    FAULT(LOCK_SILENT_CUT, "connections cut unnoticed under a lock operation")                               \
    FAULT(KILL_LOCK_WAITS, "clients killed waiting for a lock")                                              \
    FAULT(KILL_LOCK_GRANTED, "clients killed with a grant not acknowledged")                                 \
    FAULT(KILL_LOCK_HELD, "clients killed holding a lock")                                                   \
    FAULT(BYE_LOCK_HELD, "clients left in order holding a lock")                                             \
    FAULT(HOST_LOCK_HELD, "hosts ended holding a lock")                                                      \
    FAULT(RUN_LOCK_HELD, "runs of jobs ended holding a lock")                                                \
    FAULT(GRANT_CANCELLED, "grants undone by a cancel")                                                      \
    FAULT(GRANT_RETURNED, "grants given back that nobody waited for")                                        \
    FAULT(RESTART_LOCK_HELD, "daemon restarts with a lock held")                                             \
    FAULT(RESTART_LOCK_WAITS, "daemon restarts with a client waiting for a lock")                            \
    FAULT(KILL_WORKER, "workers killed with a job")                                                          \
    FAULT(SILENT_WORKER, "workers fallen silent about a job")                                                \
    FAULT(DEAL_UNKNOWN, "transactions of which nobody was told how they ended")                              \
    FAULT(NO_RIGHT, "operations refused since a right was missing")

enum sim_fault {
#define FAULT_ENUM(NAME, text) FAULT_##NAME,
    SIM_FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        SIM_FAULT_COUNT
};
