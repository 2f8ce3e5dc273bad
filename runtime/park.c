/* Parking for libraries (goroutine_host.h), on top of waiting.h. */
#include <errno.h>
#include <sys/types.h>

#include "scheduler.h"
#include "waiting.h"

go_wait go_wait_begin(void)
{
    struct g *g = g_self();

    return (go_wait){.who = g, .ticket = wait_open(g, WAIT_MASKED)};
}

int go_wait_cancel(go_wait wait)
{
    if (wait_claim(wait.who, wait.ticket, OUTCOME_TIMEOUT))
        return 1;
    park(wait.who, "answered wait"); /* returns at once or soon: whoever ended it wakes */
    return 0;
}

/* A wait is masked until its park says otherwise, and looks for the end of the scope: nobody but who answers it may end one
 * that is to be masked. */
static void wait_unmask(struct g *g)
{
    uint64_t word = atomic_load(&g->wait);

    while ((word & OUTCOME_OPEN) == OUTCOME_OPEN &&
           !atomic_compare_exchange_weak(&g->wait, &word, word & ~(uint64_t)WAIT_MASKED_BIT))
        continue;
}

int go_park(go_wait wait, const char *reason, unsigned flags, go_until until)
{
    struct g *g = wait.who;
    int over = until_over(g, until);
    unsigned outcome;

    if (over == 0 && until.ns == GO_NS_NOW)
        over = -EAGAIN;
    if (over && wait_claim(g, wait.ticket, OUTCOME_TIMEOUT))
        return over;
    if (!(flags & GO_PARK_MASKED))
        wait_unmask(g);
    if (over)
        until = GO_FOREVER; /* answered already: the wake is due */
    atomic_fetch_add(&sched.outside, 1);
    outcome = park_until(g, reason, wait.ticket, until);
    atomic_fetch_sub(&sched.outside, 1);
    return outcome <= GO_OUTCOME_MAX ? (int)outcome : wait_failed(g, outcome, until.ctx);
}

int go_ready(go_wait wait, int outcome)
{
    struct g *g = wait.who;

    if (outcome < 0 || outcome > GO_OUTCOME_MAX || !wait_claim(g, wait.ticket, (unsigned)outcome))
        return 0;
    wake(g);
    return 1;
}

int go_ready_all(const go_wait *waits, int n, int outcome)
{
    struct wake_list wakes;
    int ended = 0;

    wake_list_init(&wakes);
    for (int i = 0; i < n; i++) {
        struct g *g = waits[i].who;

        if (!wait_claim(g, waits[i].ticket, (unsigned)outcome))
            continue;
        wake_later(&wakes, g);
        ended++;
    }
    wake_all(&wakes);
    return ended;
}
