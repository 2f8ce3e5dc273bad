/* What the commands that run a command when processes agree share. */
#pragma once

#include "goclient_sync.h"
#include "session.h"

/* Opens a session for one of them: runs it, or with --reset lets the object begin anew. `word` names the command. */
int run_or_reset(const struct options *options, int (*run)(struct session *session), enum gc_sync_kind kind,
                 const char *word);

/*
 * An exit status as an error that other processes are told: below all errno values, so that neither is taken for the other.
 * 0 for STATUS_OK.
 */
int error_telling(int status);
/* Back; for an error that is a negative errno value, the exit status for that. */
int status_told(int error);
bool tells_status(int error);
