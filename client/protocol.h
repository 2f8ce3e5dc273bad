/*
 * The client's half of the protocol as a state machine: no I/O, no clock, no thread, no lock.
 *
 * The caller feeds in operations, frames, connection changes and time; it takes out frames to send, and is told
 * of each operation's one result (a standing one: of each result of its stream). Sessions, numbering, resend,
 * acknowledgements, the window, cancels and deadlines are decided in here. The same code runs in the library
 * and, against the core under lost and doubled frames, in the simulator.
 *
 *     protocol_session()       a session id was read from the lifeline (tcp: zero)
 *     protocol_connected()     frames can be sent: HELLO or RESUME goes first
 *     protocol_start()         queue an operation
 *     protocol_output()        the next frame to send, until it says there is none; call it after all others
 *     protocol_input()         a frame came
 *     protocol_tick()          time has passed; when to call again
 *
 * An operation belongs to the protocol from protocol_start until `release` is called for it; its user has it
 * from start until one of these:
 *     protocol_surface(op, hold)   the result has been handed to whoever waited
 *     protocol_abandon(op)         nobody waits any more, with or without a result
 *
 * Callbacks run inside the calls below and may start, surface, abandon and cancel operations, nothing else.
 * Errors are results: negative errno values as goclient.h lists them.
 */
#pragma once

#define HASH_NONFATAL_OOM 1 /* a refused insert is an outcome (-ENOMEM), not an exit */
#include <uthash.h>

#include "list.h"
#include "message.h"

enum {
    PROTOCOL_FRAME_OPS = 256,        /* operations in one frame */
    PROTOCOL_FRAME_BYTES = 64 << 10, /* a frame that has reached it takes no further operation */
    PROTOCOL_FRAME_ACKS = 1024,      /* acknowledgements, returns and cancels, each, in one frame */
};

#define PROTOCOL_ACK_DELAY_NS  (50 * 1000000LL) /* how long an ACK waits for a frame to ride on */
#define PROTOCOL_PINGS         2
#define PROTOCOL_PING_RETRY_NS (10 * 1000000LL)    /* until one is free, or there is a connection again */
#define PROTOCOL_PING_NS       (1000 * 1000000LL)  /* silence before a connection is tried; doubles */
#define PROTOCOL_PING_MAX_NS   (32000 * 1000000LL) /* its bound */
#define PROTOCOL_ANSWER_NS     (2000 * 1000000LL)  /* a ping, HELLO or RESUME without answer is tried anew */
#define PROTOCOL_NEVER         INT64_MAX
#define PROTOCOL_DEADLINE_NOW  INT64_MIN
#define PROTOCOL_DEADLINE_NONE INT64_MAX

enum protocol_state {
    PROTOCOL_VOID,   /* no session: operations queue */
    PROTOCOL_CUT,    /* a session, no connection */
    PROTOCOL_HELLO,  /* HELLO to be sent, or sent */
    PROTOCOL_RESUME, /* RESUME to be sent, or sent */
    PROTOCOL_LIVE,
    PROTOCOL_OVER, /* for good: operations fail at once */
    PROTOCOL_STATES
};

/* Where an operation is. Only op_move writes it. */
enum op_phase {
    OP_IDLE,     /* not started, or released */
    OP_NIL,      /* waits here for its deadline or cancel, never sent (N1, S8) */
    OP_QUEUED,   /* the daemon does not know it */
    OP_FLIGHT,   /* sent, not known to have been taken */
    OP_TAKEN,    /* taken: parked, or waiting for the store */
    OP_UNDOING,  /* cancelled, and a grant has come: the answer to the cancel will (IP1.3) */
    OP_FINISHED, /* has its result; `finish` was called */
    OP_FENCED,   /* the same, but its session ended before it surfaced */
    OP_HELD,     /* surfaced with values that are not all acknowledged */
    OP_SETTLED,  /* acknowledged or returned; released when the daemon is known to have seen that */
    OP_PHASES
};

/* One operation. The user embeds it; the fields are the protocol's, but for `request` (read only). */
struct protocol_op {
    struct request request; /* what it points at lives until `release` */
    int64_t deadline_ns;    /* absolute; or PROTOCOL_DEADLINE_NOW, PROTOCOL_DEADLINE_NONE */
    enum op_phase phase;
    bool cancelled;     /* its end was asked for */
    bool abandoned;     /* nobody waits: its values go back */
    bool handed;        /* a sender waits for its ACK */
    bool granted;       /* its result is a lock or the like */
    bool undoable;      /* the same, and a cancel undoes it */
    bool returning;     /* settles by RETURN, not ACK */
    bool local;         /* its result was made here: nothing to acknowledge */
    int fenced;         /* OP_FENCED: how its session ended */
    uint32_t values_n;  /* of its result */
    uint64_t settled_n; /* ACK: values or stream results acknowledged, RETURN: values kept */
    uint64_t stream;    /* number of the last result of a standing operation */
    int64_t sent_ns;    /* of a ping */
    uint64_t frame;     /* it was sent in; 0: not on this connection */
    uint64_t attempt;   /* the last HELLO or RESUME when it was sent last */
    uint64_t ack_frame; /* its ACK or RETURN was sent in */
    bool charged;       /* to the window */
    size_t charge;      /* bytes */
    struct list open;   /* of all that hold back the ACK mark, by id */
    struct list place;  /* in the nil list, a queue or the flight */
    struct list ack;    /* in one of the two ack lists */
    struct list cancel; /* of those whose CANCEL is to be sent */
    UT_hash_handle by_id;
};

struct protocol_user {
    /* The result of `op`, borrowed for the call. Every operation but an abandoned one gets exactly one, and one more when
     * that was undone (protocol_undo); a standing one gets each of its stream, in order, the last with RESULT_LAST or a
     * negative status. */
    void (*finish)(struct protocol_op *op, const struct result *result, void *context);
    /* The result of an abandoned operation, so that the handle in it can be given back; values and grants of sync objects
     * go back by themselves. May be NULL. */
    void (*leftover)(struct protocol_op *op, const struct result *result, void *context);
    /* The protocol has forgotten `op`. */
    void (*release)(struct protocol_op *op, void *context);
    void *context;
};

/* What HELLO says; borrowed for the protocol's life. */
struct protocol_identity {
    struct bytes program, boot_id;
    uint64_t time_namespace;
};

struct protocol {
    struct protocol_user user;
    struct protocol_identity identity;
    enum protocol_state state;
    int error;            /* PROTOCOL_OVER: what operations fail with; before: how the last session ended */
    struct secret secret; /* of the living session, or of the last */
    struct welcome facts; /* of the living session, once it was welcomed */
    bool welcomed;        /* the session was: RESUME binds, not HELLO */
    bool head_sent;       /* HELLO or RESUME has left on this connection */
    bool bye, bye_sent;
    uint64_t heads;        /* sent and not answered */
    uint64_t attempts;     /* HELLO and RESUME sent, ever */
    char refusal[256];     /* the daemon's words, when it refused */
    uint64_t session_from; /* id of the first operation that can be of this session */

    uint64_t last_id;   /* of operations; never reused, also over sessions */
    uint64_t frame_out; /* last number sent */
    uint64_t frame_in;  /* last number taken */

    struct list open;
    struct list nil, queue, queue_free, flight; /* queue_free: what never waits for credit */
    struct list ack_new, ack_sent;              /* to be sent; sent, not known to have been taken */
    struct list cancels;
    struct protocol_op *by_id; /* every operation that is sent and not released */

    uint64_t known_n;    /* operations in flight or taken */
    uint64_t pressing_n; /* settled, and others wait until the daemon knows: not known to have been taken */
    uint64_t charged_ops;
    size_t charged_bytes;
    bool ack_urgent;     /* what is in ack_new must leave now */
    int64_t ack_due_ns;  /* when it becomes urgent */
    int64_t deadline_ns; /* not later than the first deadline of what is nil or queued */
    int64_t heard_ns;    /* the last frame came, or the wait for one began */
    int64_t ping_ns;     /* silence that is allowed now */
    int64_t asked_ns;    /* the ping, HELLO or RESUME under way left */
    int64_t answered_ns; /* the last one that was answered left (lease) */
    bool asked;
    struct protocol_op pings[PROTOCOL_PINGS]; /* one under way, one whose ACK may be */

    struct client_frame out; /* the frame protocol_output shows, and what it points at */
    struct hello out_hello;
    struct resume out_resume;
    uint64_t *open_ids;
    size_t open_ids_max;
    struct ack acks[PROTOCOL_FRAME_ACKS], returns[PROTOCOL_FRAME_ACKS];
    uint64_t cancel_ids[PROTOCOL_FRAME_ACKS];
    struct request requests[PROTOCOL_FRAME_OPS];
};

/* NULL: no memory. */
struct protocol *protocol_new(const struct protocol_user *user, const struct protocol_identity *identity);
/* Ends it with -ECONNRESET; operations nobody surfaced are released. Accepts NULL, returns NULL. */
struct protocol *protocol_delete(struct protocol *p);

/* ---- session and connection ---- */

/* A session nobody has used yet. Only in PROTOCOL_VOID. */
void protocol_session(struct protocol *p, struct secret secret);

/* A fresh connection: whatever was sent on the one before may be lost. With a session: HELLO or RESUME. */
void protocol_connected(struct protocol *p, int64_t now_ns);
void protocol_disconnected(struct protocol *p);

/* The session is over (IP4): what names handles, or was sent, fails with `error`, in doubt where it has to be;
 * waits for jobs and what was never sent stay for the next session. */
void protocol_session_end(struct protocol *p, int error);

/* No session will come for now: what was never sent fails with `error`. */
void protocol_unreachable(struct protocol *p, int error);

/* For good: every operation fails with `error`, also what is started later. */
void protocol_over(struct protocol *p, int error);

/* BYE leaves with a next frame, after all acknowledgements; `bye_sent` then says so. */
void protocol_bye(struct protocol *p);

/* ---- operations ---- */

/* Queues it and numbers it; `op` is zero but for request and deadline_ns. A request without a verb waits for its
 * deadline or cancel here. Its result may come during the call. */
void protocol_start(struct protocol *p, struct protocol_op *op, int64_t now_ns);

/* Asks for the end of `op`; its one result tells what became of it (IP1.1). Safe to repeat. */
void protocol_cancel(struct protocol *p, struct protocol_op *op);

/* The end of `op` was asked for when its result was there and had not surfaced. True: that was a grant, and does not count;
 * `op` has another result to come (IP1.3). */
bool protocol_undo(struct protocol *p, struct protocol_op *op);

/* The result has reached its user; with `hold` its values stay, for protocol_settle. 1: the ACK must leave
 * before the user goes on (IP2.2): call protocol_output. Negative: the session ended meanwhile, the values or
 * the lock are not the user's (fencing). `op` is not the user's any more. */
int protocol_surface(struct protocol *p, struct protocol_op *op, bool hold, int64_t now_ns);

/* Nobody waits any more (IP1.2): it is cancelled, and its values or grant go back when they come. */
void protocol_abandon(struct protocol *p, struct protocol_op *op, int64_t now_ns);

/* Of the held operation `id`: its first n values are acknowledged; with `give_back` the others go back. 1: must
 * leave now; 0; -ESTALE: settled already; -EINVAL: never held; how its session ended. */
int protocol_settle(struct protocol *p, uint64_t id, uint64_t n, bool give_back, int64_t now_ns);

/* ---- frames and time ---- */

/* The next frame, borrowed until the next call: it counts as sent. NULL: nothing to send. */
const struct client_frame *protocol_output(struct protocol *p, int64_t now_ns);

/* The frame shown last has certainly not left, nor will it: its operations wait as if they had not been in it. The
 * connection is to be given up. */
void protocol_unsent(struct protocol *p);

void protocol_input(struct protocol *p, const struct server_frame *frame, int64_t now_ns);

/* Ends what is past its deadline and never left, tries silent connections, lets late ACKs leave (by the next
 * protocol_output). When to call again: absolute, or PROTOCOL_NEVER. */
int64_t protocol_tick(struct protocol *p, int64_t now_ns);

/* Aborts when an invariant does not hold. */
void protocol_check(const struct protocol *p);
