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

struct request_dumped {
    uint64_t dump; /* of the offer */
    struct bytes text;
    bool last;
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
};
