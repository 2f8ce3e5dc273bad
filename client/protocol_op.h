/* Inside the protocol: the one mover of operations, and what its files share. */
#pragma once

#include "protocol.h"

/* Moves `op`, keeping lists and window as its phase says. Aborts on a move the table does not allow. */
void op_move(struct protocol *p, struct protocol_op *op, enum op_phase phase);

/* Makes `op` known by its id. 0 or -ENOMEM. */
int op_register(struct protocol *p, struct protocol_op *op);

/* The registered operation with this id, or NULL. */
struct protocol_op *op_find(const struct protocol *p, uint64_t id);

/* Gives `op` its result, or, if nobody waits, settles it. */
void op_finish(struct protocol *p, struct protocol_op *op, const struct result *result, int64_t now_ns);

/* The same with an outcome made here, for an operation the daemon does not know or has forgotten. */
void op_fail(struct protocol *p, struct protocol_op *op, int error, uint32_t flags);

/* Acknowledges (or returns, see `returning`) the rest of op with one of the next frames. 1: it must be the next. */
int op_settle(struct protocol *p, struct protocol_op *op, int64_t now_ns);

/* Puts an ACK for `op` on the way, without settling it. 1: it must leave now. */
int op_ack(struct protocol *p, struct protocol_op *op, int64_t now_ns);

/* The daemon has taken every frame up to this one: forgets the ACKs that were in them. */
void acks_taken(struct protocol *p, uint64_t frame);

/* Leaves every list and calls `release`. */
void op_release(struct protocol *p, struct protocol_op *op);

bool op_is_ping(const struct protocol *p, const struct protocol_op *op);

/* A state of its own for each move of the session. Aborts on a move the table does not allow. */
void protocol_move(struct protocol *p, enum protocol_state state);

/* HELLO or RESUME anew on the connection there is: something on it was lost. */
void protocol_rebind(struct protocol *p, int64_t now_ns);

/* A ping, unless one is under way. */
void protocol_ping(struct protocol *p, int64_t now_ns);

/* All of a list by its `place` links: each fails with `error`. */
void op_fail_all(struct protocol *p, struct list *place, int error);
