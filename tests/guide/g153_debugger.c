/*
 * G153 A program to look at with a debugger: main and five goroutines that wait, and a place to stop at when they do. The
 * commands are those of goroutine-gdb.py; debugger.py gives them to gdb and reads the answers.
 *
 *     (gdb) source goroutine-gdb.py
 *     (gdb) break all_are_parked
 *     (gdb) run
 *     (gdb) info goroutines              "it lists 6 of 6 with their states, what they wait for and their functions"
 *     (gdb) goroutine 4 bt full          "the back-trace of a parked one shows its function, and the value of its local variable"
 *     (gdb) break wait_with_a_local if number == 3      "a break in one of them stops in that one"
 *
 * "a core gives the same answers as the live process"
 *
 * Pattern: debugging goroutines.
 */
#include "guide.h"

enum { WAITERS = 5 };

struct waiter {
    go_chan *c;
    int number;
};

static __attribute__((noinline)) void wait_with_a_local(go_chan *c, int number)
{
    volatile int secret = 4200 + number;

    must(go_chan_recv(c, NULL, GO_FOREVER) == 0);
    must(secret - number == 4200);
}

static void waiter(void *arg)
{
    const struct waiter *me = arg;

    wait_with_a_local(me->c, me->number);
    go_yield(); /* so this was no tail call */
}

static __attribute__((noinline)) void all_are_parked(void)
{
    __asm__ volatile("" ::: "memory");
}

static void debugged(void)
{
    struct waiter each = {go_chan_new(0, 0), 0};

    for (; each.number < WAITERS; each.number++)
        must(go_spawn(waiter, &each, sizeof each) == 0);
    until_parked(WAITERS, "chan receive");
    all_are_parked();
    go_chan_close(each.c);
    until_live(1);
    go_chan_unref(each.c);
    say("all have ended");
}

GUIDE_ROW(G153, debugged);
