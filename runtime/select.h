/* Select, as single operations see it. */
#pragma once

#include "context.h"
#include "goroutine.h"
#include "timer.h"

/* The channel a case waits on; NULL: it is never ready. */
static inline struct go_chan *case_chan(const struct go_case *k)
{
    switch (k->op) {
    case GO_OP_SEND:
    case GO_OP_RECV:
        return (struct go_chan *)k->object;
    case GO_OP_DONE:
        return k->object ? ctx_done((go_ctx *)k->object) : NULL;
    case GO_OP_TIMER:
        return k->object ? timer_chan((go_timer *)k->object) : NULL;
    case GO_OP_NONE:
    default:
        return NULL;
    }
}

/* A select of one case: what the single call returns. `reason` of the wait, NULL: that of its kind. */
int select_one(struct go_case k, go_until until, const char *reason);

/* A select of no case: ends with `until` only, whose error it returns. */
int select_none(go_until until, const char *reason);
