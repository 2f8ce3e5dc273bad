/*
 * Which frame of a connection is struck by which fault. Decides, and touches neither bytes nor sockets.
 *
 * A rule follows the first operation of its verb that passes. It strikes one frame, once.
 */
#pragma once

#include "message.h"

/* The step of the operation at which the fault comes, and the frame that it hits there. */
#define STEPS(STEP)                                                                                          \
    STEP(REQUEST, request)     /* under way to the daemon: the frame with the request */                     \
    STEP(PARKED, parked)       /* waiting there: the next frame with a request of the same client */         \
    STEP(REPLY, reply)         /* ended, and the client does not know: the frame with the result */          \
    STEP(COMMITTED, committed) /* the client knows: the frame with the acknowledgement */                    \
    STEP(ACKED, acked)         /* the daemon has forgotten it: the next frame with a request of the client */

#define FAULTS(FAULT)                                                                                        \
    FAULT(DROP, drop)       /* it is lost */                                                                 \
    FAULT(DOUBLE, double)   /* it comes twice */                                                             \
    FAULT(DELAY, delay)     /* it and all behind it wait until another session has been answered */          \
    FAULT(REORDER, reorder) /* the same operation of another session overtakes it */                         \
    FAULT(AGAIN, again)     /* the operation is asked for once more, in a frame of its own */                \
    FAULT(CUT, cut)         /* the connection ends, and the frame is lost with it */

enum step {
#define STEP_ENUM(NAME, name) STEP_##NAME,
    STEPS(STEP_ENUM)
#undef STEP_ENUM
        STEPS_N
};

enum fault {
    FAULT_NONE,
#define FAULT_ENUM(NAME, name) FAULT_##NAME,
    FAULTS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULTS_N
};

/* Parts of a frame that are no verbs and can be struck as their requests are: a rule takes them for its verb. */
#define PARTS(PART)                                                                                          \
    PART(CANCEL, cancel)                                                                                     \
    PART(RETURN, give_back)                                                                                  \
    PART(HELLO, hello)   /* answered by WELCOME */                                                           \
    PART(RESUME, resume) /* the same */                                                                      \
    PART(BYE, bye)

enum part {
    PART_NONE = VERB_NUMBER_END,
#define PART_ENUM(NAME, name) PART_##NAME,
    PARTS(PART_ENUM)
#undef PART_ENUM
};

struct rule {
    enum step step;
    enum fault fault; /* NONE: strikes nothing */
    enum verb verb;   /* or enum part */
    uint64_t op;      /* the operation it follows; 0: not seen yet */
    bool replied;     /* its result has passed */
    bool now;         /* said by the test: it is parked, or acknowledged */
    bool used;
};

/* The fault for a frame of the client, or NONE. */
enum fault rule_client(struct rule *rule, const struct client_frame *frame);
/* The same for a frame of the daemon. */
enum fault rule_server(struct rule *rule, const struct server_frame *frame);
