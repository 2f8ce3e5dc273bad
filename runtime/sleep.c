/* A sleep without a context is a wait that only its deadline ends: no cases, no locks (S8, T1). */
#include <errno.h>

#include "select.h"
#include "waiting.h"

/* `until` is neither a mark nor over. */
static int sleep_until(struct g *g, go_until until)
{
    uint64_t ticket = wait_open(g, scope_has(g) ? WAIT_BUBBLE : 0);
    unsigned outcome;

    wait_deadline(g, ticket, until.ns);
    outcome = park(g, "sleep");
    return outcome == OUTCOME_TIMEOUT ? 0 : wait_failed(g, outcome, NULL);
}

int go_sleep(go_until until)
{
    struct g *g = g_self();
    int r;

    if (until.ns == GO_NS_FOREVER || until.ns == GO_NS_NOW || until.ctx) {
        r = select_none(until, "sleep");
        if (r == -EAGAIN)
            return 0;
        return r == -ETIMEDOUT && !(until.ctx && go_ctx_err(until.ctx)) ? 0 : r;
    }
    return until_over(g, until) ? 0 : sleep_until(g, until);
}
