/*
 * G41 A bank account: reading the balance, thinking, and writing it back are one step, because the lock is held.
 *
 * Pattern: read, change, write inside the lock.
 */
#include "guide.h"

enum { DEPOSITS = 5, AMOUNT = 10 };

struct account {
    go_mutex lock;
    int balance; /* lock */
};

static void deposit(void *arg)
{
    struct account *account = arg;
    int current;

    go_mutex_lock(&account->lock);
    current = account->balance;
    say("Current: %d", current);
    go_yield(); /* the others run, and find the lock taken */
    account->balance = current + AMOUNT;
    say("New balance: %d", account->balance);
    go_mutex_unlock(&account->lock);
}

static void bank_account(void)
{
    struct account account = {0};
    go_waitgroup deposits = {0};

    for (int i = 0; i < DEPOSITS; i++)
        must(go_waitgroup_go(&deposits, deposit, &account, 0) == 0);
    go_waitgroup_wait(&deposits);
    /* "the final balance is 50" */
    must(account.balance == 50);
    /* "the lines alternate strictly: "Current" 0, 10, 20, 30, 40 and "New balance" 10, 20, 30, 40, 50" */
    must(said(LINES("Current: 0", "New balance: 10", "Current: 10", "New balance: 20", "Current: 20",
                    "New balance: 30", "Current: 30", "New balance: 40", "Current: 40", "New balance: 50")));
}

GUIDE_ROW(G41, bank_account);
