/* Commands that hold something while another command runs: lock, sem. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "child.h"
#include "commands.h"
#include "options.h"
#include "status.h"

static const char *lock_hint(int error)
{
    return error == -ENOTRECOVERABLE
               ? "its last owner died and nobody put right what it guards; --recover takes it all the same"
               : NULL;
}

/* What was held was given back, or not (r); the exit status. */
static int given_back(const char *what, const char *name, int r, int status)
{
    if (r == 0)
        return status;
    fprintf(stderr, "goctl: %s %s was lost while the command ran: %s\n", what, name, gc_why());
    return status == STATUS_OK ? (int)status_of(r) : status;
}

/* The command has ended. What it said of its success decides whether what a dead owner left is in order again. */
static int unlock(struct session *session, uint64_t token, int status)
{
    const char *name = session->options->operands[0];
    int r = gc_unlock(session->client, name, token, status == STATUS_OK ? GC_CONSISTENT : 0, GC_FOREVER);

    return given_back("lock", name, r, status);
}

/* Runs the command with the lock held; the exit status. */
static int run_locked(struct session *session, uint64_t token, bool owner_died)
{
    const struct options *options = session->options;

    if (owner_died)
        fprintf(stderr, "goctl: the last owner of lock %s died: what it guards may be half done\n",
                options->operands[0]);
    if (child_tell("GOROUTINED_TOKEN", token) < 0 || child_tell("GOROUTINED_OWNER_DIED", owner_died) < 0) {
        gc_unlock(session->client, options->operands[0], token, 0, GC_FOREVER);
        fputs("goctl: no memory\n", stderr);
        return STATUS_FAILURE;
    }
    return unlock(session, token, child_run(options->operands + 1));
}

static int lock_and_run(struct session *session)
{
    const struct options *options = session->options;
    uint64_t token = 0;
    int r = gc_lock(session->client, options->operands[0], &token, options->recover ? GC_RECOVER : 0,
                    session_until(session));

    if (r < 0)
        return session_fail_hint(r, lock_hint(r), "lock %s", options->operands[0]);
    return run_locked(session, token, r == GC_OWNER_DIED);
}

int command_lock(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, lock_and_run(&session)) : status;
}

static int acquire_and_run(struct session *session)
{
    const struct options *options = session->options;
    const char *name = options->operands[0];
    uint64_t units = options->units ? options->units : 1;
    int r = gc_sem_acquire(session->client, name, options->size, units, session_until(session));

    if (r < 0)
        return session_fail(r, "sem %s", name);
    int status = child_run(options->operands + 1);
    return given_back("semaphore", name, gc_sem_release(session->client, name, units, GC_FOREVER), status);
}

int command_sem(const struct options *options)
{
    struct session session;
    int status;

    if (!options->size) {
        fputs("goctl sem: --size says how many units there are\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, acquire_and_run(&session)) : status;
}
