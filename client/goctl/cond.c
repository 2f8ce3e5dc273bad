/*
 * The command cond: conditions, each bound to a lock. A wait holds the lock whenever it does not wait, so that what --until
 * looks at changes only between two looks, and no signal is lost in between.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "commands.h"
#include "lock.h"
#include "options.h"
#include "output.h"
#include "status.h"

/* The lock of a wait. */
struct monitor {
    struct session *session;
    const char *cond, *lock;
    uint64_t token;
    bool held, owner_died;
};

/* ---- waiting ---- */

/* It is held again also where the wait has failed, unless it was not held before, or nobody can have it. */
static bool lost_it(int r)
{
    return r == -ENOTRECOVERABLE || r == -EPERM || r == -ESTALE || r == -ECONNRESET || r == -ENETRESET;
}

static int wait_once(struct monitor *m, gc_until until)
{
    int r = gc_cond_wait(m->session->client, m->cond, m->lock, &m->token, until);

    m->held = !lost_it(r);
    m->owner_died |= r == GC_OWNER_DIED;
    return r < 0 ? session_fail_hint(r, lock_hint(r), "cond wait %s", m->cond) : STATUS_OK;
}

/* 1: the test of --until has succeeded; 0: not yet; less than 0: it cannot be run or has died, an exit status. */
static int look(const struct monitor *m)
{
    char *test[] = {"sh", "-c", (char *)m->session->options->until, NULL};
    int status = child_run(m->session, test);

    if (status == STATUS_OK)
        return 1;
    return status < STATUS_CANNOT_RUN ? 0 : -status;
}

/* Waits once, or until the test succeeds. --timeout is for all of it. */
static int wait_until(struct monitor *m)
{
    gc_until until = session_until(m->session);
    int status, seen;

    if (!m->session->options->until)
        return wait_once(m, until);
    while ((seen = look(m)) == 0) {
        status = wait_once(m, until);
        if (status != STATUS_OK)
            return status;
    }
    return seen < 0 ? -seen : STATUS_OK;
}

static int wait_and_run(struct monitor *m)
{
    char **command = m->session->options->operands + 3;
    int status = wait_until(m);

    if (status != STATUS_OK || !*command)
        return status;
    status = lock_tell(m->lock, m->token, m->owner_died);
    return status == STATUS_OK ? child_run(m->session, command) : status;
}

static int cond_wait(struct session *session, char **operands)
{
    struct monitor m = {.session = session, .cond = operands[1], .lock = operands[2], .held = true};
    int r = gc_lock(session->client, m.lock, &m.token, session->options->recover ? GC_RECOVER : 0,
                    session_until(session));
    int status;

    if (r < 0)
        return session_fail_hint(r, lock_hint(r), "lock %s", m.lock);
    m.owner_died = r == GC_OWNER_DIED;
    status = wait_and_run(&m);
    if (!m.held)
        return status;
    r = gc_unlock(session->client, m.lock, m.token, status == STATUS_OK ? GC_CONSISTENT : 0, GC_FOREVER);
    return held_lost("lock", m.lock, r, status);
}

/* ---- waking ---- */

static int wake(struct session *session, const char *name, const char *what,
                int (*fn)(gc_client *g, const char *name, gc_until until))
{
    int r = fn(session->client, name, session_patience(session));

    if (r < 0)
        return session_fail(r, "cond %s %s", what, name);
    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:s, s:i}", "condition", name, "woken", r));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

static int cond_signal(struct session *session, char **operands)
{
    return wake(session, operands[1], operands[0], gc_cond_signal);
}

static int cond_broadcast(struct session *session, char **operands)
{
    return wake(session, operands[1], operands[0], gc_cond_broadcast);
}

/* ---- the table ---- */

static const struct cond_verb {
    const char *name;
    int (*run)(struct session *session, char **operands);
    int operands_min, operands_max; /* with the verb; max -1: any number */
    const char *usage;
} verbs[] = {{"wait", cond_wait, 3, -1, "NAME LOCK [-- COMMAND…]"},
             {"signal", cond_signal, 2, 2, "NAME"},
             {"broadcast", cond_broadcast, 2, 2, "NAME"},
             {NULL, NULL, 0, 0, NULL}};

/* NULL after the reason was told. */
static const struct cond_verb *verb_of(const struct options *options)
{
    const struct cond_verb *verb = verbs;
    int n = options->operands_n;

    while (verb->name && strcmp(verb->name, options->operands[0]) != 0)
        verb++;
    if (!verb->name)
        fprintf(stderr, "goctl cond: \"%s\" is none of wait, signal, broadcast\n", options->operands[0]);
    else if (n < verb->operands_min || (verb->operands_max >= 0 && n > verb->operands_max))
        fprintf(stderr, "goctl cond %s: usage: goctl cond %s %s\n", verb->name, verb->name, verb->usage);
    else
        return verb;
    return NULL;
}

int command_cond(const struct options *options)
{
    const struct cond_verb *verb = verb_of(options);
    struct session session;
    int status;

    if (!verb)
        return STATUS_USAGE;
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, verb->run(&session, options->operands)) : status;
}
