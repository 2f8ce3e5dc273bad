/*
 * G41 between processes: five deposits of 10; who deposits reads the balance, and writes it, under one lock.
 *
 * Pattern: read, change, write inside the lock.
 */
#include "parts.h"

static int balance_read(const char *path)
{
    FILE *file = fopen(path, "re");
    int balance = 0;

    if (file) {
        must(fscanf(file, "%d", &balance) == 1);
        fclose(file);
    }
    return balance;
}

static void balance_write(const char *path, int balance)
{
    FILE *file = fopen(path, "we");

    must(file != NULL && fprintf(file, "%d\n", balance) > 0);
    must(fclose(file) == 0);
}

static void depositor(struct part *me)
{
    char path[TEXT_BYTES];
    uint64_t token;
    int balance;

    step_wait(me, "opened");
    shared_file(me, "balance", path);
    must(gc_lock(me->g, "account", &token, 0, GC_FOREVER) == 0);
    balance = balance_read(path);
    say(me, "Current: %d", balance);
    must(gc_ping(me->g, GC_FOREVER) == 0); /* the others have time to come in, if they could */
    balance_write(path, balance + 10);
    say(me, "New balance: %d", balance + 10);
    must(gc_unlock(me->g, "account", token, 0, GC_FOREVER) == 0);
}

static void bank(struct part *me)
{
    char path[TEXT_BYTES];

    shared_file(me, "balance", path);
    balance_write(path, 0);
    until_waiting(me, chan_of(me, "opened"), 0, 5);
    step_done(me, "opened");
}

static void bank_account(void)
{
    /* "the final balance is 50" */
    must(said_last("New balance: 50"));
    /* "the lines alternate strictly: "Current" 0, 10, 20, 30, 40 and "New balance" 10, 20, 30, 40, 50" */
    must(said(LINES("Current: 0", "New balance: 10", "Current: 10", "New balance: 20", "Current: 20",
                    "New balance: 30", "Current: 30", "New balance: 40", "Current: 40", "New balance: 50")));
}

GUIDE_PARTS(G41, bank_account, .channels = {{"opened"}}, .parts = {PARTS(5, depositor), PART(bank)});
