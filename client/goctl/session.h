/*
 * One command's session with the daemon, and everything that can end it early: a signal, a reader of standard
 * output that went away, --timeout.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "goclient.h"

struct options;

struct session {
    gc_client *client;
    const struct options *options;
    gc_ctx *interrupt; /* ends by a signal */
    gc_ctx *ctx;       /* of --ctx, and ends by a signal too: below the one that was named; or NULL */
    uint64_t incarnation, number; /* of the daemon and of the session that was opened */
};

/* Connects. 0, or an exit status after the reason was told. One session at a time. Blocks for some seconds. */
int session_open(struct session *session, const struct options *options);

/*
 * Ends the session: values held and not acknowledged go back. Gives the exit status of the command: `status`,
 * or what a signal or a departed reader made of it. Held values must not be used after it.
 */
int session_close(struct session *session, int status);

/* For a wait that begins now: --try, --timeout, and whatever ends the command. */
gc_until session_until(const struct session *session);

/* As above, but never GC_NOW: for what --try does not mean, such as opening the channel. */
gc_until session_patience(const struct session *session);

/* As above without --timeout, and without --ctx: only what ends the command ends the wait. */
gc_until session_interrupt(const struct session *session);

/* From now on the command also ends when nobody reads standard output any more. */
void session_watch_output(void);

/* Readable once the command has to end. For poll beside other descriptors. */
int session_stop_fd(void);
bool session_stopped(void);

/* The signal that asked the command to end; 0: none did. */
int session_signal(void);

/* The signals that were blocked before the session was opened: for programs that goctl starts. */
sigset_t session_signals_before(void);

/* ---- a daemon that goes away ---- */

/* STATUS_OK, or STATUS_USAGE after it was told: --reconnect and --no-reconnect do not go together. */
int session_check_options(const struct options *options, const char *command);

/* This says that the session ended with its daemon. */
bool session_went_away(int error);

/* The session ended with its daemon, and the command may go on in another one: without --no-reconnect, --try and --ctx. */
bool session_comes_back(const struct session *session, int error);

/* There is another session than the one that was opened, and the command may not go on in it. The library makes that by itself for
 * calls of which the end of the session tells nothing, such as gc_reserve. A connection that is cut is no end: it is resumed. */
bool session_over(const struct session *session);

/*
 * Tells that the command waits for a daemon, and calls `again`, which takes up what the command did, until that is done or
 * fails of something else, as long as --reconnect and --timeout allow. Gives its result; what is negative is to be told by
 * session_fail. Blocks.
 */
int session_come_back(const struct session *session, int (*again)(void *arg, gc_until until), void *arg);

/*
 * Tells on standard error what went wrong: the text, then what the library says of `error`. Gives the exit
 * status for it. Quiet when the command was asked to end.
 */
int session_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for an error that is not the library's: `error` in the words of the system. */
int session_fail_here(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As session_fail, with `hint` as what to do about it. */
int session_fail_hint(int error, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
