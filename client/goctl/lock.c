/* Commands that hold something while another command runs: lock, rwlock, sem. */
#include "lock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "commands.h"
#include "options.h"
#include "status.h"

/* ---- what is held alone ---- */

/* Locks that one at a time has: both kinds are alike in all but their calls. */
struct lock_kind {
    const char *word;
    int (*take)(gc_client *g, const char *name, uint64_t *token, unsigned flags, gc_until until);
    int (*give)(gc_client *g, const char *name, uint64_t token, unsigned flags, gc_until until);
};
static const struct lock_kind mutex = {"lock", gc_lock, gc_unlock},
                              writer = {"rwlock", gc_rwlock, gc_rwunlock};

const char *lock_hint(int error)
{
    return error == -ENOTRECOVERABLE
               ? "its last owner died and nobody put right what it guards; --recover takes it all the same"
               : NULL;
}

int held_lost(const char *what, const char *name, int r, int status)
{
    if (r == 0)
        return status;
    fprintf(stderr, "goctl: %s %s was lost while the command ran, so that others may have had it too: %s\n",
            what, name, gc_why());
    return status == STATUS_OK ? (int)status_of(r) : status;
}

int lock_tell(const char *name, uint64_t token, bool owner_died)
{
    if (owner_died)
        fprintf(stderr, "goctl: the last owner of lock %s died: what it guards may be half done\n", name);
    if (child_tell("GOROUTINED_TOKEN", token) == 0 && child_tell("GOROUTINED_OWNER_DIED", owner_died) == 0)
        return STATUS_OK;
    fputs("goctl: no memory\n", stderr);
    return STATUS_FAILURE;
}

/* The success of the command says that what a dead owner left is in order again. */
static int hold_alone(struct session *session, const struct lock_kind *kind, const char *name, char **command)
{
    uint64_t token = 0;
    int r = kind->take(session->client, name, &token, session->options->recover ? GC_RECOVER : 0,
                       session_until(session));
    int status;

    if (r < 0)
        return session_fail_hint(r, lock_hint(r), "%s %s", kind->word, name);
    status = lock_tell(name, token, r == GC_OWNER_DIED);
    if (status == STATUS_OK)
        status = child_run(session, command);
    r = kind->give(session->client, name, token, status == STATUS_OK ? GC_CONSISTENT : 0, GC_FOREVER);
    return held_lost(kind->word, name, r, status);
}

static int lock_and_run(struct session *session)
{
    return hold_alone(session, &mutex, session->options->operands[0], session->options->operands + 1);
}

int command_lock(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, lock_and_run(&session)) : status;
}

/* ---- to read, with others ---- */

static int hold_to_read(struct session *session, const char *name, char **command)
{
    int r = gc_rlock(session->client, name, session_until(session)), status;

    if (r < 0)
        return session_fail_hint(r, lock_hint(r), "rwlock read %s", name);
    status = lock_tell(name, 0, r == GC_OWNER_DIED);
    if (status == STATUS_OK)
        status = child_run(session, command);
    return held_lost("rwlock", name, gc_runlock(session->client, name, GC_FOREVER), status);
}

static int rwlock_and_run(struct session *session)
{
    char **operands = session->options->operands;

    return strcmp(operands[0], "read") == 0 ? hold_to_read(session, operands[1], operands + 2)
                                            : hold_alone(session, &writer, operands[1], operands + 2);
}

int command_rwlock(const struct options *options)
{
    bool read = strcmp(options->operands[0], "read") == 0;
    struct session session;
    int status;

    if (!read && strcmp(options->operands[0], "write") != 0) {
        fprintf(stderr, "goctl rwlock: \"%s\" is none of read, write\n", options->operands[0]);
        return STATUS_USAGE;
    }
    if (read && options->recover) {
        fputs("goctl rwlock: who reads puts nothing right: --recover goes with write\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, rwlock_and_run(&session)) : status;
}

/* ---- units ---- */

static const char *sem_hint(int error)
{
    return error == -E2BIG    ? "ask for no more than --size, or make --size larger for everybody"
           : error == -EEXIST ? "the --size is the same from everybody while somebody uses it"
                              : NULL;
}

static int acquire_and_run(struct session *session)
{
    const struct options *options = session->options;
    const char *name = options->operands[0];
    uint64_t units = options->units ? options->units : 1;
    int r = gc_sem_acquire(session->client, name, options->size, units, session_until(session));

    if (r < 0)
        return session_fail_hint(r, sem_hint(r), "sem %s", name);
    int status = child_run(session, options->operands + 1);
    return held_lost("semaphore", name, gc_sem_release(session->client, name, units, GC_FOREVER), status);
}

int command_sem(const struct options *options)
{
    struct session session;
    int status;

    if (!options->size) {
        fputs("goctl sem: --size has to say how many units there are, 1 or more\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, acquire_and_run(&session)) : status;
}
