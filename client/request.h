/* A request that owns its bytes: what a caller gave is copied when the call is made (U4). */
#pragma once

#include "message.h"

/* Bytes of memory that request_copy needs behind the struct: every string, value and case. */
size_t request_size(const struct request *request);

/* Writes a copy of `from` to `to`; whatever it points at goes to `memory`, request_size(from) bytes aligned for
 * any type. Never fails. */
void request_copy(struct request *to, const struct request *from, void *memory);

/* What the session's window is charged for a request (IP6.2). */
size_t request_charge(const struct request *request);

/* Whether it names a handle, and therefore dies with its session. */
bool request_names_handle(const struct request *request);

/* Whether its effect is in doubt when its session ends before the result is known (IP4). */
bool request_doubtful(const struct request *request);

/* Whether its result grants something of a sync object, which goes back when nobody is there to have it (IP1.3). */
bool request_grants(const struct request *request);

/* Whether a result with this status grants something that a cancel undoes: not a claim, which never waited (IP1.4), nor the
 * lock with which a wait of a condition ends (K1). */
bool request_undoable(const struct request *request, int32_t status);

/* The VERB_ flags of a verb; 0 for a number that is none. */
unsigned verb_flags(enum verb verb);
