/* What the files that tell about waiting operations share. They read everything and change nothing of it. */
#pragma once

#include "engine.h"

enum { WAIT_TEXT_BYTES = 3 * (NAME_BYTES_MAX + 1) }; /* for the objects of one operation */

/* Everybody sees what he pays for himself; root and the daemon's own user see all. */
bool may_see(const struct core *core, const struct account *who, const struct account *whose);
/* One of the objects it waits for has this name. */
bool waits_for(const struct op *op, struct bytes name);

/* Rows for one answer; their texts live as long. */
struct wait_rows {
    struct core *core;
    const struct account *who; /* asks */
    struct wait_info *row;
    char (*text)[WAIT_TEXT_BYTES];
    size_t n, room;
    bool more; /* one found no room */
};

/* Room for so many. 0 or -ENOMEM; rows_answer or rows_free gives it back. */
int rows_make(struct wait_rows *rows, struct core *core, const struct op *asks, size_t room);
void rows_free(struct wait_rows *rows);
/* One more, empty but for what it says of the session, which may be NULL. NULL: there is no room. */
struct wait_info *rows_put(struct wait_rows *rows, const struct session *session);
/* One about an operation that waits. */
struct wait_info *rows_put_op(struct wait_rows *rows, const struct op *op);
/* One about a channel. */
struct wait_info *rows_put_channel(struct wait_rows *rows, const struct session *session,
                                   const struct channel *c);
/* Answers with them, and with the flags, handle and index of `result`. 0 or -ENOMEM: nothing happened. */
int rows_answer(struct wait_rows *rows, struct op *op, struct result result);

/* ---- proof.c ---- */

/* Finds out who can never go on: afterwards session->proof and op->stuck are true of this moment. 0; -ENOBUFS: there is
 * more than inspect_max to look at. */
int proof_make(struct core *core);
/* Each of its callers waits for what only others that sleep could end. After proof_make. */
bool proof_asleep(const struct session *session);
/* No other session, and nobody else in this one, has a handle that could end its wait. */
bool proof_alone(const struct op *op);
