/*
 * usage: agree [SEEDS [FIRST]]
 *
 * Each seed is work for the store in memory and for that on the disk, without any fault. After each few transactions both must
 * have what the ledger says, the disk also once it was opened again, and its directory must be sound.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "work.h"

enum { ROUNDS = 40, TRANSACTIONS = 10 };

static struct place place;

static int wrong(const struct work *work, uint64_t seed, int round, const char *why)
{
    printf("seed %llu, store %s, after %d transactions: %s\n", (unsigned long long)seed, work->ops->name,
           round * TRANSACTIONS, why);
    return 1;
}

static int look(struct work *work, uint64_t seed, int round)
{
    char why[WHY_BYTES] = "";

    if (ledger_compare(work->ledger, work->ops, work->store, ledger_end(work->ledger), why) < 0)
        return wrong(work, seed, round, why);
    return 0;
}

static void keep_line(void *context, const char *line)
{
    snprintf(context, WHY_BYTES, "%s", line);
}

static int close_and_check(struct work *work, uint64_t seed)
{
    char why[WHY_BYTES] = "";

    work_close(work);
    int faults = work->ops->fsck(&work->options, keep_line, why);
    return faults ? wrong(work, seed, ROUNDS, why) : 0;
}

static int examine(const struct store_ops *ops, uint64_t seed)
{
    struct work work = {.ops = ops, .options = {.directory = place.state}, .seed = seed};
    int faults = 0;

    place_empty(&place);
    work.ledger = ledger_new(NULL, NULL, 0);
    if (work_open(&work) < 0)
        return wrong(&work, seed, 0, "it does not open");
    for (int round = 1; round <= ROUNDS && !faults; round++) {
        for (int i = 0; i < TRANSACTIONS; i++)
            if (work_transact(&work) < 0)
                faults = wrong(&work, seed, round, "it refuses a transaction");
        faults += look(&work, seed, round);
        if (ops == &store_sqlite && round % 8 == 0) {
            work_close(&work);
            faults += work_open(&work) < 0 || look(&work, seed, round);
        }
    }
    faults += close_and_check(&work, seed);
    ledger_delete(work.ledger);
    return faults;
}

int main(int argc, char **argv)
{
    uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 5,
             first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    int faults = 0;

    place_make(&place);
    for (uint64_t seed = first; seed < first + seeds && !faults; seed++)
        faults = examine(&store_memory, seed) + examine(&store_sqlite, seed);
    place_remove(&place);
    printf("%llu seeds, %d faults\n", (unsigned long long)seeds, faults);
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}
