/*
 * usage: crash [SEEDS [EVERY [FIRST]]]
 *
 * Each seed is a run of the store over a disk that writes down what happens to it (vfs.h). Then, for each prefix of that
 * tape (one in EVERY), the files are made as a death of the process and as a power cut would have left them (disk.h), and
 * the store opens them, has to show what it acknowledged (ledger.h), to go on, and to be found sound. Some of these crashes
 * are followed by another one, somewhere in what the store does after it.
 *
 * Then defects are planted, and have to be found: a disk that does not sync, a store that does not, one that takes a batch
 * apart, one that forgets a transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "work.h"

enum {
    GROWN_JOBS = 14,
    GROWN_BYTES = 100000,
    STEPS = 40,
    STEPS_AFTER = 6,
    SECOND_CRASHES = 4,
    SHRINKING_EVERY = 5
};

/* What to look for in one run. */
struct plan {
    const struct store_ops *ops;
    uint64_t seed;
    int steps;
    int (*steps_of)(struct work *work, int steps); /* NULL: work_steps */
    bool sync;                                     /* durability `full` */
    bool judged_as_full;                           /* whatever it is */
    bool deaf;                                     /* the disk does not sync */
    int again;                                     /* crashes that are followed by another one */
    size_t every;                                  /* of so many prefixes one is looked at */
    bool planted; /* says nothing of what is wrong, and ends with the first */
};

struct totals {
    uint64_t runs, events, syncs, shrunk, crashes, second, transactions;
};

static struct totals totals;
static struct place place;

/* A run of the store on the tape; the ledger says what came of it. */
struct run {
    struct tape *tape;
    struct ledger *ledger;
    struct disk *disk; /* as it was before the first event */
};

static struct run run_new(const struct plan *plan, const char *directory, const struct ledger *from,
                          size_t moment)
{
    struct run run = {.tape = tape_new(), .disk = disk_new(directory)};

    run.tape->deaf = plan->deaf;
    run.ledger = ledger_new(&run.tape->n, from, moment);
    struct work work = {.ops = plan->ops,
                        .options = {.directory = directory, .sync = plan->sync},
                        .ledger = run.ledger,
                        .seed = plan->seed,
                        .job = from ? LEDGER_JOBS / 2 : 0};
    vfs_record(run.tape);
    int r = work_open(&work);
    if (r == 0)
        r = (plan->steps_of ? plan->steps_of : work_steps)(&work, plan->steps);
    work_close(&work);
    vfs_record(NULL);
    if (r < 0) {
        printf("seed %llu: the work itself failed: %s\n", (unsigned long long)plan->seed, strerror(-r));
        exit(EXIT_FAILURE);
    }
    totals.runs++;
    totals.events += run.tape->n;
    totals.transactions += run.ledger->n - 1;
    return run;
}

static void run_delete(struct run *run)
{
    disk_delete(run->disk);
    ledger_delete(run->ledger);
    tape_delete(run->tape);
}

/* Prints what was wrong and where. */
static int wrong(const struct plan *plan, size_t at, const struct tape *tape, int variant, const char *why)
{
    static const char *const kinds[] = {"create", "delete", "write", "truncate", "sync"};

    if (plan->planted)
        return 1;
    printf("seed %llu durability %s: crash after event %zu of %zu", (unsigned long long)plan->seed,
           plan->sync ? "full" : "process", at, tape->n);
    if (at > 0)
        printf(" (%s of %s)", kinds[tape->events[at - 1].kind], file_names[tape->events[at - 1].name]);
    printf(", %s: %s\n", loss_names[variant], why);
    return 1;
}

static int explore(const struct plan *plan, struct run *run);

/* The crash that is in place.crash is followed by another one. */
static int crash_again(const struct plan *plan, const struct run *run, size_t moment)
{
    struct plan next = *plan;

    next.steps = STEPS_AFTER;
    next.steps_of = NULL;
    next.again = 0;
    next.seed += 1000000007;
    struct run after = run_new(&next, place.crash, run->ledger, moment);
    int faults = explore(&next, &after);
    run_delete(&after);
    totals.second++;
    return faults;
}

static int crash(const struct plan *plan, struct run *run, size_t at, int variant, bool again, uint64_t *seed)
{
    struct store_options options = {.directory = place.crash, .sync = plan->sync};
    const struct event *underway = at < run->tape->n ? &run->tape->events[at] : NULL;
    struct loss loss = loss_of(variant, seed, underway);
    struct range range = ledger_at(run->ledger, at, loss.power && !plan->sync && !plan->judged_as_full);
    char why[WHY_BYTES] = "";

    disk_leave(run->disk, &loss, place.crash);
    totals.crashes++;
    int moment = ledger_check(run->ledger, plan->ops, &options, range, why);
    if (moment < 0)
        return wrong(plan, at, run->tape, variant, why);
    if (again) {
        disk_leave(run->disk, &loss, place.crash); /* as before it was looked at */
        return crash_again(plan, run, (size_t)moment);
    }
    return 0;
}

/* Every prefix of the tape, in all variants. The number of faults. */
static int explore(const struct plan *plan, struct run *run)
{
    uint64_t seed = plan->seed;
    size_t apart = plan->again ? run->tape->n / (size_t)plan->again + 1 : 0;
    int faults = 0;

    for (size_t at = 0; at <= run->tape->n && !(plan->planted && faults); at++) {
        int twice = apart && at % apart == apart / 2 ? (int)(draw(&seed) % LOSSES) : -1;
        bool looked_at = at % plan->every == plan->seed % plan->every || twice >= 0;
        for (int variant = 0; looked_at && variant < LOSSES; variant++)
            faults += crash(plan, run, at, variant, variant == twice, &seed);
        if (at < run->tape->n) {
            const struct event *event = &run->tape->events[at];
            totals.syncs += event->kind == EVENT_SYNC;
            totals.shrunk += event->kind == EVENT_TRUNCATE && event->name == NAME_DATABASE;
            disk_play(run->disk, &run->tape->events[at]);
        }
    }
    return faults;
}

static int examine(const struct plan *plan)
{
    place_empty(&place);
    struct run run = run_new(plan, place.state, NULL, 0);
    int faults = explore(plan, &run);

    run_delete(&run);
    return faults;
}

/* The file grows, is emptied, and gives its pages back. */
static int grow_and_shrink(struct work *work, int steps)
{
    int r = 0;

    for (int i = 0; r == 0 && i < GROWN_JOBS; i++)
        r = work_submit(work, GROWN_BYTES);
    if (r == 0)
        r = work->ops->tidy(work->store, true);
    if (r == 0)
        r = work_forget_all(work);
    if (r == 0)
        r = work->ops->tidy(work->store, true);
    return r == 0 ? work_steps(work, steps) : r;
}

static int examine_shrinking(uint64_t seed, size_t every)
{
    int faults = examine(&(struct plan){.ops = &store_sqlite,
                                        .seed = seed,
                                        .steps = STEPS_AFTER,
                                        .steps_of = grow_and_shrink,
                                        .sync = true,
                                        .every = every});

    if (totals.shrunk == 0)
        printf("seed %llu: the file never shrank\n", (unsigned long long)seed);
    return faults + (totals.shrunk == 0);
}

/* One transaction for each record: half a batch can be seen. */
static int apply_in_pieces(struct store *store, const struct list *batches)
{
    struct batch *batch;
    struct record *record, *after;
    int r = 0;

    list_each (batch, batches, link)
        list_each_safe (record, after, &batch->records, link) {
            struct batch one = {.number = batch->number};
            struct list list = LIST_INIT(list);
            list_init(&one.records);
            list_remove(&record->link);
            list_append(&one.records, &record->link);
            list_append(&list, &one.link);
            if (r == 0)
                r = store_sqlite.apply(store, &list);
            record_delete(record);
        }
    return r;
}

/* Every tenth transaction is acknowledged and never happens. */
static int apply_mostly(struct store *store, const struct list *batches)
{
    static int n;

    return ++n % 10 == 0 ? 0 : store_sqlite.apply(store, batches);
}

/* What a defect gives must be found by some crash. */
static int found(const char *defect, struct plan plan)
{
    plan.steps = STEPS;
    plan.seed = 7;
    plan.every = 5;
    plan.planted = true;
    int faults = examine(&plan);
    printf("%s: %s\n", defect, faults ? "found" : "no crash shows it");
    return faults > 0 ? 0 : 1;
}

static int find_planted(void)
{
    struct store_ops pieces = store_sqlite, mostly = store_sqlite;

    pieces.apply = apply_in_pieces;
    mostly.apply = apply_mostly;
    return found("a disk that does not sync",
                 (struct plan){.ops = &store_sqlite, .sync = true, .deaf = true}) +
           found("a store that does not sync", (struct plan){.ops = &store_sqlite, .judged_as_full = true}) +
           found("a batch in several transactions", (struct plan){.ops = &pieces, .sync = true}) +
           found("a transaction that is forgotten", (struct plan){.ops = &mostly, .sync = true});
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2,
             every = argc > 2 ? strtoull(argv[2], NULL, 10) : 4,
             first = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    int faults = 0;

    vfs_install();
    place_make(&place);
    for (uint64_t seed = first; seed < first + seeds && faults == 0; seed++)
        faults = examine(&(struct plan){.ops = &store_sqlite,
                                        .seed = seed,
                                        .steps = STEPS,
                                        .sync = seed % 2,
                                        .again = SECOND_CRASHES,
                                        .every = every});
    if (faults == 0)
        faults = examine_shrinking(first, every * SHRINKING_EVERY);
    printf(
        "%llu runs, %llu transactions, %llu events of which %llu syncs, %llu crashes, %llu crashed again\n",
        (unsigned long long)totals.runs, (unsigned long long)totals.transactions,
        (unsigned long long)totals.events, (unsigned long long)totals.syncs,
        (unsigned long long)totals.crashes, (unsigned long long)totals.second);
    if (faults == 0)
        faults = find_planted();
    place_remove(&place);
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
