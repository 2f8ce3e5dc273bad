/* What message.h says about waits: who asks for them, and what a row tells. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

struct request_dump {
    uint64_t session;      /* public number; 0: all */
    struct bytes object;   /* waits for what has this name; empty: for anything */
    int64_t age_ns;        /* has waited for so long */
    uint32_t limit;        /* rows behind which the page ends; 0: list_page_max */
    uint64_t from_session; /* `handle` and */
    uint32_t from_place;   /* `index` of the page before */
};

struct request_deadlocks {
    uint32_t limit; /* rows; 0: list_page_max */
};

struct request_leaks {
    int64_t age_ns; /* suspected: has waited for so long */
    uint32_t limit;
};

struct request_callers {
    uint32_t callers;
};

struct request_goroutines {
    uint64_t after; /* number of the host of the answer before; 0: the first */
};

/* What a host can tell. Up to STATS of one job alone; the others concern all that it runs. */
enum inspect_what {
    INSPECT_STACKS = 1,      /* a paragraph for each goroutine */
    INSPECT_GOROUTINES = 2,  /* a profile: how many stand where */
    INSPECT_STATS = 3,       /* figures: lines "name value" */
    INSPECT_PROCS = 4,       /* sets the number of processors to `value`, unless that is 0; the old one */
    INSPECT_CPU_START = 5,   /* a CPU profile begins, with `value` samples per second */
    INSPECT_CPU_STOP = 6,    /* it ends */
    INSPECT_ALLOC_START = 7, /* a profile of allocations begins */
    INSPECT_ALLOC_STOP = 8,  /* it ends */
    INSPECT_TRACE_START = 9, /* a trace begins, of at most `value` events per processor */
    INSPECT_TRACE_STOP = 10, /* it ends */
};

enum { INSPECT_WHAT_MAX = 10 };

/* Of an offer alone, which asks nothing: about the recording that the dump `value` has begun. */
enum inspect_order {
    INSPECT_HALT = 11, /* it ends, and what it has recorded is kept for whoever ends it */
    INSPECT_DROP = 12, /* it ends, and nothing is kept */
};

/* Of a profile. */
enum inspect_format { INSPECT_FOLDED, INSPECT_PPROF };

struct request_inspect {
    uint32_t what;   /* enum inspect_what */
    uint64_t job;    /* 0: the host is asked about all of itself */
    uint64_t after;  /* of no job: number of the host of the answer before; 0: the first */
    uint64_t value;  /* as `what` says; 0: the usual one */
    uint32_t format; /* enum inspect_format */
    bool detached;   /* of *_START: it goes on when its session, or job, has ended */
};

enum drain_what {
    DRAIN_BEGIN = 1, /* no job is started or taken any more */
    DRAIN_FORCE = 2, /* also, the hosts of those that run are killed: they go back to be started again */
    DRAIN_END = 3,   /* jobs are started and taken again */
};

struct request_backup {
};

struct request_drain {
    uint32_t what; /* enum drain_what */
};

struct request_dumped {
    uint64_t dump;     /* of the offer */
    struct bytes text; /* with `error`: the same in words */
    bool last;
    int32_t error; /* with `last`: why there is no answer; 0: there is */
};

/* Of every request. */
enum op_flags {
    OP_BLOCKS = 1 << 0, /* its caller waits in it and does nothing else until it has the result */
};

/* What a report says of a row. */
enum wait_flags {
    WAIT_PROVEN = 1 << 0, /* none of those who hold now what the group waits for can ever go on */
    WAIT_NAMED =
        1 << 1, /* with PROVEN: somebody new could end it, who opens a channel of the group by its name */
    WAIT_ALONE = 1 << 2,  /* nobody else holds what it waits for */
    WAIT_CLOSED = 1 << 3, /* no wait: the session holds a channel that is closed and drained */
    WAIT_UNUSED = 1 << 4, /* no wait: a channel has a name, and nobody holds it */
};

/* An operation that waits. */
struct wait_info {
    uint64_t session; /* public number */
    uint64_t op, run;
    int32_t pid;  /* of its process; 0: not known (tcp) */
    uint32_t uid; /* who is charged */
    struct bytes program;
    uint32_t verb; /* enum verb */
    struct bytes reason;
    struct bytes kind;   /* of its object: "channel", "lock", "job"; "cases" of a select */
    struct bytes object; /* name or number; of a select its cases, as far as they fit */
    uint32_t cases;
    int64_t age_ns;
    int64_t left_ns; /* to its deadline; 0: it has none */
    uint32_t flags;  /* enum wait_flags */
    uint64_t group;  /* with WAIT_PROVEN: the same for all that wait for each other */
    uint64_t holder; /* of a lock: public number of the session that has it */
};
