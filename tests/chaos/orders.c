/* The search after Wing and Gong, and the five models. Where a search led nowhere is remembered. */
#include "orders.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 1 << 16, NOBODY = -1 };

/* Compared as bytes: no padding. What a kind does not use stays zero. */
struct state {
    uint64_t taken;                /* calls */
    int64_t number;                /* last token; sum; code of the cause; whether it has run */
    int64_t held[ORDER_PROCESSES]; /* read locks; units */
    int64_t writer;                /* process, or NOBODY */
};

struct search {
    const struct order *order;
    struct state *seen; /* open addressing; a free place has taken nothing */
    int seen_n;
    bool gave_up;
};

static uint64_t hash_of(const struct state *state)
{
    const uint64_t *word = (const uint64_t *)state;
    uint64_t hash = 0;

    for (size_t i = 0; i < sizeof(*state) / sizeof(*word); i++)
        hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* True: it was there, or there is no room for more. */
static bool seen_before(struct search *search, const struct state *state)
{
    size_t at = hash_of(state) % (2 * SEEN_MAX);

    for (; search->seen[at].taken; at = (at + 1) % (2 * SEEN_MAX))
        if (memcmp(&search->seen[at], state, sizeof(*state)) == 0)
            return true;
    search->gave_up |= search->seen_n == SEEN_MAX;
    if (search->gave_up)
        return true;
    search->seen[at] = *state;
    search->seen_n++;
    return false;
}

/* ---- the models: each step changes the state, or says that it cannot be now ---- */

static int64_t held_by_all(const struct state *state)
{
    int64_t sum = 0;

    for (int i = 0; i < ORDER_PROCESSES; i++)
        sum += state->held[i];
    return sum;
}

static bool give(int64_t *held, int64_t units)
{
    *held -= units;
    return *held >= 0;
}

static bool step_rwmutex(struct state *state, const struct order_call *call)
{
    bool free = state->writer == NOBODY, mine = state->writer == call->process;

    switch (call->deed) {
    case READ_LOCK:
        state->held[call->process]++;
        return free;
    case READ_UNLOCK:
        return give(&state->held[call->process], 1);
    case WRITE_LOCK:
        free = free && !held_by_all(state) && (uint64_t)call->out > (uint64_t)state->number;
        state->writer = call->process;
        state->number = call->out;
        return free;
    default:
        state->writer = NOBODY;
        return mine;
    }
}

static bool step_semaphore(struct state *state, const struct order *order, const struct order_call *call)
{
    if (call->deed == RELEASE)
        return give(&state->held[call->process], call->in);
    state->held[call->process] += call->in;
    return held_by_all(state) <= order->units;
}

static bool step_counter(struct state *state, const struct order_call *call)
{
    if (call->deed == ADD)
        state->number += call->in;
    return call->out == state->number && (call->deed == ADD || state->number >= call->in);
}

static bool step_once(struct state *state, const struct order_call *call)
{
    bool has_run = state->number;

    if (call->deed == JOINED)
        return has_run;
    state->number = call->deed == RAN;
    return call->deed == RESET || !has_run;
}

/* The first cancel is the cause; whoever looks later knows of it. */
static bool step_context(struct state *state, const struct order_call *call)
{
    bool over = state->number;

    if (call->deed == CAUSE)
        return call->out == state->number;
    if (call->deed == USE)
        return call->out == over;
    if (!over)
        state->number = call->in;
    return call->out == !over;
}

static bool step(struct state *state, const struct order *order, const struct order_call *call)
{
    switch (order->kind) {
    case ORDER_RWMUTEX:
        return step_rwmutex(state, call);
    case ORDER_SEMAPHORE:
        return step_semaphore(state, order, call);
    case ORDER_COUNTER:
        return step_counter(state, call);
    case ORDER_ONCE:
        return step_once(state, call);
    default:
        return step_context(state, call);
    }
}

/* Somebody else was there at that time who may have waited, or run the function: so it had to wait behind him. */
static bool had_company(const struct order *order, const struct order_call *call)
{
    for (int i = 0; i < order->n; i++) {
        const struct order_call *other = &order->call[i];
        bool waits = other->deed == READ_LOCK || other->deed == WRITE_LOCK || other->deed == ACQUIRE ||
                     other->deed == RAN;
        if (other != call && waits && other->called_ns <= call->returned_ns &&
            other->returned_ns >= call->called_ns)
            return true;
    }
    return false;
}

/* Refused is right where the same call could not have been granted. */
static bool step_refused(const struct state *state, const struct order *order,
                         const struct order_call *refused)
{
    struct state granted = *state;
    struct order_call call = *refused;

    if (had_company(order, refused))
        return true;
    call.out = -1; /* a token that is surely larger */
    return order->kind != ORDER_ONCE && !step(&granted, order, &call);
}

/* ---- the search ---- */

static bool is_taken(const struct state *state, int i)
{
    return state->taken & 1ull << i;
}

/* When the first of the calls that must still come returned: whatever began later is behind it. */
static int64_t first_return(const struct order *order, const struct state *state)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < order->n; i++)
        if (!is_taken(state, i) && order->call[i].returned_ns < first)
            first = order->call[i].returned_ns;
    return first;
}

static bool explore(struct search *search, const struct state *state)
{
    const struct order *order = search->order;
    int64_t before = first_return(order, state);

    if (before == INT64_MAX)
        return true;
    if (seen_before(search, state))
        return false;
    for (int i = 0; i < order->n; i++) {
        const struct order_call *call = &order->call[i];
        struct state next = *state;
        if (is_taken(state, i) || call->called_ns > before)
            continue;
        bool can =
            call->outcome == ORDER_REFUSED ? step_refused(state, order, call) : step(&next, order, call);
        next.taken |= 1ull << i;
        if (can && explore(search, &next))
            return true;
    }
    return false;
}

int order_check(const struct order *order)
{
    struct state state = {.taken = 1ull << 63, .writer = NOBODY};
    struct search search = {.order = order, .seen = calloc(2 * SEEN_MAX, sizeof(struct state))};

    if (!search.seen)
        err(1, "order");
    for (int i = 0; i < order->n; i++)
        if (order->call[i].outcome == ORDER_VOID)
            state.taken |= 1ull << i;
    bool good = explore(&search, &state);
    free(search.seen);
    return good ? 1 : search.gave_up ? -E2BIG : 0;
}

/* ---- in words ---- */

void order_print(const struct order *order)
{
    static const char *const deeds[] = {"read",    "end of read", "write",    "end of write", "acquire",
                                        "release", "add",         "at least", "ran",          "joined",
                                        "reset",   "cancel",      "use",      "cause"};
    static const char *const outcomes[] = {"ok", "refused", "given up"};

    for (int i = 0; i < order->n; i++) {
        const struct order_call *call = &order->call[i];
        fprintf(stderr, "%2d process %d %12ld..%-12ld %s(%ld): %s, %ld\n", i, call->process,
                (long)call->called_ns, (long)call->returned_ns, deeds[call->deed], (long)call->in,
                outcomes[call->outcome], (long)call->out);
    }
}
