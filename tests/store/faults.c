/*
 * usage: faults [EVERY [SEED]]
 *
 * A run of the store in which the n-th call to the disk fails, or the n-th allocation, once or from there on; for every
 * n (in EVERY) until a run meets no fault. What the store answers must be as store.h says: refused means that nothing
 * happened, and it goes on; anything else ends the process. After each fault, and at the end, the files are made as a
 * death of the process and as a power cut would have left them, and have to show what the ledger has (ledger.h).
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "place.h"
#include "work.h"

enum { STEPS = 14, REFUSALS = 64, LONG_LOG_BYTES = 3500000, LONG_BEFORE = 5 };

struct kind {
    const char *name;
    unsigned calls; /* 0: allocations */
    enum fault_kind fault;
    bool goes_on; /* the same again at every call from the n-th on */
    bool growing; /* only allocations that make something larger */
    int (*work)(struct work *work);
    int before,
        steps; /* so many are taken before there is a fault, and with it; and again so many behind it */
};

struct trial {
    const struct kind *kind;
    uint64_t n;
    struct tape *tape;
    struct work work;
    size_t refused[REFUSALS]; /* places on the tape */
    int refused_n;
    bool ended;
};

static struct place place;
static bool quiet; /* what is wrong is expected */
static struct {
    uint64_t runs, refused, ended, unnoticed, crashes;
} totals;

static uint64_t passed(const struct kind *kind)
{
    return kind->calls ? vfs_calls() : memory_calls();
}

static void arm(const struct kind *kind, uint64_t n)
{
    uint64_t more = kind->goes_on ? UINT64_MAX - n : 0;

    vfs_fail(kind->calls, kind->calls ? n : 0, more, kind->fault);
    memory_fail(kind->calls ? 0 : n, more, kind->growing);
}

static bool refusal(int error)
{
    return error == -ENOSPC || error == -ENOMEM;
}

static int mixed_step(struct work *work)
{
    return work_step(work);
}

/* After LONG_BEFORE steps the log needs a second page of its index. */
static int long_step(struct work *work)
{
    return work->store ? work_submit(work, LONG_LOG_BYTES) : work_open(work);
}

/* The steps of one run, as a daemon would take them: what is refused is refused, anything else is the end. */
static void run(struct trial *trial, int steps)
{
    for (int i = 0; i < steps && !trial->ended; i++) {
        bool open = trial->work.store != NULL;
        int r = trial->kind->work(&trial->work);
        if (r == 0)
            continue;
        if (trial->refused_n < REFUSALS)
            trial->refused[trial->refused_n++] = trial->tape->n;
        /* A daemon that cannot open its store ends, and is started again. */
        trial->ended = open && !refusal(r);
    }
}

static int crash(struct trial *trial, const struct disk *disk, size_t at, int way)
{
    uint64_t seed = trial->n;
    struct loss loss = loss_of(way, &seed, NULL);
    struct store_options options = {.directory = place.crash, .sync = true};
    struct range range = ledger_at(trial->work.ledger, at, false);
    char why[WHY_BYTES] = "";

    disk_leave(disk, &loss, place.crash);
    totals.crashes++;
    if (ledger_check(trial->work.ledger, &store_sqlite, &options, range, why) >= 0)
        return 0;
    if (quiet)
        return 1;
    printf("%s at %llu%s%s, after event %zu of %zu, %s: %s\n", trial->kind->name,
           (unsigned long long)trial->n, trial->kind->calls ? " met " : "",
           trial->kind->calls ? vfs_failed() : "", at, trial->tape->n, loss_names[way], why);
    return 1;
}

/* At the place of each refusal, and at the end. */
static int judge(struct trial *trial)
{
    struct disk *disk = disk_new(NULL);
    size_t at = 0;
    int faults = 0;

    for (int i = 0; i <= trial->refused_n && faults == 0; i++) {
        size_t to = i < trial->refused_n ? trial->refused[i] : trial->tape->n;
        if (i > 0 && i < trial->refused_n && to == at)
            continue; /* the same again */
        while (at < to)
            disk_play(disk, &trial->tape->events[at++]);
        faults += crash(trial, disk, at, 0) + crash(trial, disk, at, 1 + (int)(trial->n % (LOSSES - 1)));
    }
    disk_delete(disk);
    return faults;
}

/* False: there was no n-th call. */
static bool try(const struct store_ops *ops, const struct kind *kind, uint64_t n, uint64_t seed, int *faults)
{
    struct trial trial = {.kind = kind, .n = n, .tape = tape_new()};

    place_empty(&place);
    trial.work = (struct work){.ops = memory_ops(ops),
                               .options = {.directory = place.state, .sync = true},
                               .ledger = ledger_new(&trial.tape->n, NULL, 0),
                               .seed = seed};
    vfs_record(trial.tape);
    arm(kind, 0);
    run(&trial, kind->before);
    arm(kind, n);
    run(&trial, kind->steps);
    bool met = passed(kind) >= n;
    arm(kind, 0);
    run(&trial, kind->steps); /* the disk is well again */
    vfs_record(NULL);
    work_close(&trial.work);
    *faults += judge(&trial);
    totals.runs++;
    totals.refused += (uint64_t)trial.refused_n;
    totals.ended += trial.ended;
    totals.unnoticed += met && !trial.ended && trial.refused_n == 0;
    ledger_delete(trial.work.ledger);
    tape_delete(trial.tape);
    return met;
}

static int examine(const struct kind *kind, uint64_t every, uint64_t seed)
{
    int faults = 0;
    uint64_t n = 1 + seed % every;

    memset(&totals, 0, sizeof(totals));
    while (try(&store_sqlite, kind, n, seed, &faults) && faults < 5)
        n += every;
    printf("%s: %llu runs up to call %llu; %llu refusals, %llu ends, %llu unnoticed; %llu crashes\n",
           kind->name, (unsigned long long)totals.runs, (unsigned long long)n,
           (unsigned long long)totals.refused, (unsigned long long)totals.ended,
           (unsigned long long)totals.unnoticed, (unsigned long long)totals.crashes);
    if (sqlite3_memory_used() != 0)
        printf("%lld bytes are left behind\n", (long long)sqlite3_memory_used());
    return faults + (sqlite3_memory_used() != 0);
}

static const struct kind kinds[] = {
    {"EIO", EVERY_CALL, FAIL_EIO, false, false, mixed_step, 0, STEPS},
    {"EIO from there on", EVERY_CALL, FAIL_EIO, true, false, mixed_step, 0, STEPS},
    {"ENOSPC", FILLING_CALLS, FAIL_ENOSPC, false, false, mixed_step, 0, STEPS},
    {"ENOSPC from there on", FILLING_CALLS, FAIL_ENOSPC, true, false, mixed_step, 0, STEPS},
    {"short write", 1u << CALL_WRITE, FAIL_SHORT, false, false, mixed_step, 0, STEPS},
    {"short writes from there on", 1u << CALL_WRITE, FAIL_SHORT, true, false, mixed_step, 0, STEPS},
    {"no memory", 0, FAIL_EIO, false, false, mixed_step, 0, STEPS},
    {"no memory from there on", 0, FAIL_EIO, true, false, mixed_step, 0, STEPS},
};

/* Few calls, each of them worth a run. */
static const struct kind long_kinds[] = {
    {"EIO of the index of a long log", 1u << CALL_INDEX, FAIL_EIO, false, false, long_step, LONG_BEFORE, 2},
    {"ENOSPC of the index of a long log", 1u << CALL_INDEX, FAIL_ENOSPC, false, false, long_step, LONG_BEFORE,
     2},
    {"no memory to grow with a long log", 0, FAIL_EIO, false, true, long_step, LONG_BEFORE, 2},
};

/* Says of a transaction that may have happened that it did not. */
static int apply_and_deny(struct store *store, const struct list *batches)
{
    int r = store_sqlite.apply(store, batches);

    return r == -EIO ? -ENOSPC : r;
}

static int find_planted(uint64_t seed)
{
    static const struct kind syncs = {
        "a store that denies", 1u << CALL_SYNC, FAIL_EIO, false, false, mixed_step, 0, STEPS};
    struct store_ops denying = store_sqlite;
    int faults = 0;

    denying.apply = apply_and_deny;
    quiet = true;
    for (uint64_t n = 1; faults == 0 && try(&denying, &syncs, n, seed, &faults); n++)
        ;
    quiet = false;
    printf("%s: %s\n", syncs.name, faults ? "found" : "no crash shows it");
    return faults == 0;
}

int main(int argc, char **argv)
{
    uint64_t every = argc > 1 ? strtoull(argv[1], NULL, 10) : 25,
             seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 3;
    int faults = 0;

    memory_install();
    vfs_install();
    place_make(&place);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        faults +=
            examine(&kinds[i], kinds[i].calls == EVERY_CALL || !kinds[i].calls ? every : every / 4 + 1, seed);
    for (size_t i = 0; i < sizeof(long_kinds) / sizeof(*long_kinds); i++)
        faults += examine(&long_kinds[i], 1, seed);
    faults += find_planted(seed);
    place_remove(&place);
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
