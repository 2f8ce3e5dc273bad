/*
 * What the ledger holds a core to:
 *
 *     a lock is granted only after its owner before has unlocked it or is dead: never two at once (M1)
 *     one LOCK has one grant: the same token and outcome, however often it is told (IP7.1)
 *     the tokens of one lock rise from grant to grant, also over restarts
 *     grants come in the order in which their LOCKs were taken (F1)
 *     GRANT_OWNER_DIED comes if and only if the owner before died with its grant told, that news was given back UNSEEN, or the
 *     lock was broken (IP4)
 *     NOT_RECOVERABLE comes only without LOCK_RECOVER, for a lock that was broken when or after its LOCK was taken
 *     a grant that was undone (IP1.3) is told no more, and only such a one is followed by CANCELED
 *     an UNLOCK succeeds if and only if its token and scope are those of a grant that was not unlocked before (M3, M4)
 *
 * A grant that was never told leaves no trace here: it goes back as if it had not been given. The death of an owner
 * is noted when the next one is told, which is early enough: it cannot come alive again.
 *
 * Clients that acknowledge a grant before it was told, or unlock with a token that nobody was told, make the ledger
 * unsure of their LOCKs, and of what becomes of that lock's news.
 */
#include "lock_ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

/* One lock, by name. */
struct named {
    struct list link;
    struct claim *owner; /* of the last grant that was told; NULL: none since the start of the core */
    uint64_t token;      /* of the last grant that was told */
    uint64_t place;      /* of its LOCK */
    bool owner_died;     /* to be told with the next grant */
    bool broken;         /* unlocked without having been made consistent */
    uint64_t breaks;     /* how often it became so */
    bool unsure;         /* the two above are not known */
    bool strange;        /* operations of other kinds name it: nothing is judged any more */
    size_t name_size;
    char name[];
};

/* One LOCK. */
struct claim {
    struct list link;
    struct named *lock;
    uint64_t session, op, run;
    uint64_t place;  /* in the order in which the core took them */
    uint64_t breaks; /* of the lock before this one could see any */
    uint32_t flags;  /* enum lock_flags */
    enum until_kind until;
    bool bound;     /* to a context, which may have a deadline */
    uint64_t token; /* 0: no grant was told */
    int32_t outcome;
    bool recovered; /* the lock was broken before */
    bool unlocked;
    bool undone;
    bool void_then; /* its scope had ended when its client came to undo it */
    bool guessed;   /* its client may have used the grant without having been told */
};

/* One UNLOCK. */
struct release {
    struct list link;
    uint64_t session, op;
    const struct named *lock;
    bool valid;
    bool guessed; /* with a token that nobody was told */
};

struct lock_ledger {
    lock_scope_lives *lives;
    void *context;
    struct list locks, claims, releases;
    uint64_t place;
};

static void *taken(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

struct lock_ledger *lock_ledger_new(lock_scope_lives *lives, void *context)
{
    struct lock_ledger *ledger = taken(sizeof(*ledger));

    ledger->lives = lives;
    ledger->context = context;
    list_init(&ledger->locks);
    list_init(&ledger->claims);
    list_init(&ledger->releases);
    return ledger;
}

static void operations_forget(struct lock_ledger *ledger)
{
    struct claim *claim, *claim_after;
    struct release *release, *release_after;

    list_each_safe (claim, claim_after, &ledger->claims, link)
        free(claim);
    list_each_safe (release, release_after, &ledger->releases, link)
        free(release);
    list_init(&ledger->claims);
    list_init(&ledger->releases);
}

struct lock_ledger *lock_ledger_delete(struct lock_ledger *ledger)
{
    struct named *lock, *after;

    if (!ledger)
        return NULL;
    operations_forget(ledger);
    list_each_safe (lock, after, &ledger->locks, link)
        free(lock);
    free(ledger);
    return NULL;
}

void lock_ledger_restart(struct lock_ledger *ledger)
{
    struct named *lock;

    operations_forget(ledger);
    list_each (lock, &ledger->locks, link) {
        lock->owner = NULL;
        lock->owner_died = lock->broken = lock->unsure = false;
    }
}

/* ---- operations that were taken ---- */

static struct named *lock_of(struct lock_ledger *ledger, struct bytes name)
{
    struct named *lock;

    list_each (lock, &ledger->locks, link)
        if (lock->name_size == name.size && memcmp(lock->name, name.data, name.size) == 0)
            return lock;
    lock = taken(sizeof(*lock) + name.size + 1);
    lock->name_size = name.size;
    if (name.size)
        memcpy(lock->name, name.data, name.size);
    list_append(&ledger->locks, &lock->link);
    return lock;
}

static void lock_taken(struct lock_ledger *ledger, uint64_t session, const struct request *request)
{
    struct claim *claim = taken(sizeof(*claim));
    struct named *lock = lock_of(ledger, request->lock.name);

    *claim = (struct claim){.lock = lock,
                            .session = session,
                            .op = request->id,
                            .run = request->run,
                            .place = ++ledger->place,
                            .breaks = lock->breaks - lock->broken,
                            .flags = request->lock.flags,
                            .until = request->until.kind,
                            .bound = request->context};
    list_append(&ledger->claims, &claim->link);
}

static void lock_break(struct named *lock)
{
    lock->broken = true;
    lock->breaks++;
}

static void unlock(struct named *lock, uint32_t flags)
{
    const struct claim *owner = lock->owner;

    lock->owner->unlocked = true;
    if (flags & UNLOCK_UNSEEN && !owner->recovered)
        lock->owner_died = owner->outcome == GRANT_OWNER_DIED;
    else if (flags & UNLOCK_UNSEEN || (owner->outcome == GRANT_OWNER_DIED && !(flags & UNLOCK_CONSISTENT)))
        lock_break(lock);
}

void lock_ledger_acked(struct lock_ledger *ledger, uint64_t session, uint64_t first, uint64_t last)
{
    const struct claim *claim;

    list_each (claim, &ledger->claims, link)
        if (claim->session == session && claim->op >= first && claim->op <= last && !claim->token)
            claim->lock->unsure = true;
}

/* One that was never told leaves no trace, and the death of its owner stays. */
static void undo(struct claim *claim)
{
    struct named *lock = claim->lock;

    claim->undone = true;
    if (claim->token && lock->owner == claim && !claim->unlocked && !claim->void_then)
        unlock(lock, UNLOCK_UNSEEN);
}

void lock_ledger_undoing(struct lock_ledger *ledger, uint64_t session, uint64_t op)
{
    struct claim *claim;

    list_each (claim, &ledger->claims, link)
        if (claim->session == session && claim->op == op)
            claim->void_then = !ledger->lives(ledger->context, session, claim->run);
}

void lock_ledger_undone(struct lock_ledger *ledger, uint64_t session, uint64_t op)
{
    struct claim *claim;

    list_each (claim, &ledger->claims, link)
        if (claim->session == session && claim->op == op)
            undo(claim);
}

void lock_ledger_unsure(struct lock_ledger *ledger, uint64_t session, uint64_t op)
{
    const struct claim *claim;

    list_each (claim, &ledger->claims, link)
        if (claim->session == session && claim->op == op)
            claim->lock->unsure = true;
}

static void guess(struct lock_ledger *ledger, struct named *lock, uint64_t session)
{
    struct claim *claim;

    lock->unsure = true;
    list_each (claim, &ledger->claims, link)
        claim->guessed |= claim->session == session && claim->lock == lock && !claim->token;
}

static void unlock_taken(struct lock_ledger *ledger, uint64_t session, const struct request *request)
{
    struct release *release = taken(sizeof(*release));
    struct named *lock = lock_of(ledger, request->unlock.name);
    const struct claim *owner = lock->owner;

    release->session = session;
    release->op = request->id;
    release->lock = lock;
    release->valid = owner && !owner->unlocked && owner->token == request->unlock.token &&
                     owner->session == session && owner->run == request->run;
    release->guessed = request->unlock.token > lock->token;
    if (release->valid)
        unlock(lock, request->unlock.flags);
    if (release->guessed)
        guess(ledger, lock, session);
    list_append(&ledger->releases, &release->link);
}

void lock_ledger_taken(struct lock_ledger *ledger, uint64_t session, const struct request *request)
{
    if (request->verb == VERB_LOCK)
        lock_taken(ledger, session, request);
    else
        unlock_taken(ledger, session, request);
}

void lock_ledger_perhaps(struct lock_ledger *ledger, const struct request *request)
{
    if (request->verb == VERB_UNLOCK)
        lock_of(ledger, request->unlock.name)->unsure = true;
}

void lock_ledger_strange(struct lock_ledger *ledger, struct bytes name)
{
    lock_of(ledger, name)->strange = true;
}

/* ---- results ---- */

static bool lives(const struct lock_ledger *ledger, const struct claim *claim)
{
    return ledger->lives(ledger->context, claim->session, claim->run);
}

static const char *check_news(const struct claim *claim, int32_t outcome)
{
    const struct named *lock = claim->lock;

    if (lock->unsure)
        return NULL;
    if (lock->broken && !(claim->flags & LOCK_RECOVER))
        return "a broken lock is granted to who does not recover it";
    if ((lock->owner_died || lock->broken) && outcome != GRANT_OWNER_DIED)
        return "the death of its owner is not told to the next";
    if (!lock->owner_died && !lock->broken && outcome == GRANT_OWNER_DIED)
        return "it is told that its owner has died, and none has";
    return NULL;
}

static const char *granted(struct lock_ledger *ledger, struct claim *claim, const struct result *result)
{
    struct named *lock = claim->lock;
    bool kept = lock->owner && !lock->owner->unlocked;

    if (kept && lives(ledger, lock->owner))
        return "it is granted while another holds it";
    if (result->handle <= lock->token)
        return "its token is not larger than an earlier one";
    if (claim->place < lock->place)
        return "it is granted after a LOCK that came later";
    lock->owner_died |= kept;
    const char *wrong = check_news(claim, result->status);
    claim->token = lock->token = result->handle;
    claim->outcome = result->status;
    claim->recovered = lock->broken;
    lock->owner = claim;
    lock->place = claim->place;
    lock->broken = lock->owner_died = false;
    return wrong;
}

static const char *failed(const struct lock_ledger *ledger, const struct claim *claim, int32_t status)
{
    bool timed = claim->until == UNTIL_AT || claim->until == UNTIL_IN || claim->bound;

    if (status == -ESTALE && claim->flags & LOCK_CLAIM)
        return NULL; /* with a token that is not that of the lock */
    if (status == -ESTALE)
        return lives(ledger, claim) ? "a LOCK of a living scope is void" : NULL;
    if (claim->token && !(claim->undone && status == -ECANCELED))
        return "a grant is followed by an error";
    if (status == -ETIMEDOUT && !timed)
        return "a LOCK without a deadline has timed out";
    if (status == -EAGAIN && claim->until != UNTIL_NOW)
        return "a LOCK that may wait does not";
    if (status != -ENOTRECOVERABLE || claim->lock->unsure)
        return NULL;
    if (claim->flags & LOCK_RECOVER)
        return "a lock cannot be recovered by who asks for that";
    return claim->breaks == claim->lock->breaks ? "a lock is not recoverable, and nobody has broken it"
                                                : NULL;
}

static const char *told(struct lock_ledger *ledger, struct claim *claim, const struct result *result)
{
    if (claim->guessed || claim->lock->strange)
        return NULL;
    if (result->status < 0)
        return failed(ledger, claim, result->status);
    if (claim->undone)
        return "a grant is told that was undone";
    if (result->status > GRANT_OWNER_DIED)
        return "a LOCK has an unknown outcome";
    if (!claim->token)
        return granted(ledger, claim, result);
    return claim->token == result->handle && claim->outcome == result->status ? NULL
                                                                              : "one LOCK is told two grants";
}

static const char *released(const struct release *release, int32_t status)
{
    if (release->guessed || release->lock->strange)
        return NULL;
    if (release->valid)
        return status == 0 ? NULL : "the owner's UNLOCK fails";
    return status == -EPERM || status == -ESTALE ? NULL : "an UNLOCK succeeds that is not the owner's";
}

const char *lock_ledger_result(struct lock_ledger *ledger, uint64_t session, const struct result *result)
{
    struct claim *claim;
    const struct release *release;

    list_each (claim, &ledger->claims, link)
        if (claim->op == result->op && claim->session == session)
            return told(ledger, claim, result);
    list_each (release, &ledger->releases, link)
        if (release->op == result->op && release->session == session)
            return released(release, result->status);
    return NULL;
}
