/* What the commands that hold a lock share. */
#pragma once

#include "session.h"

/* What to do about a lock that could not be taken; NULL: the error says it. */
const char *lock_hint(int error);

/* Tells the command that will run, and people, how the lock was had. 0, or an exit status after the reason was told. */
int lock_tell(const char *name, uint64_t token, bool owner_died);

/* What was held was given back, or not (r, which is told); the exit status, which was `status` so far. */
int held_lost(const char *what, const char *name, int r, int status);
