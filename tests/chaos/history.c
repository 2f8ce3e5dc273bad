/*
 * Depth first over the calls that may come next: those that began before the first return among the calls not taken yet.
 * What has been taken, and the state it led to, is remembered where it led nowhere.
 */
#include "history.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = 0xff, SEEN_MAX = 1 << 16, FLAGGED = 1 << 30, BACK = 1 << 29, VALUE = BACK - 1 };

/* Compared as bytes: no padding that is not zero. */
struct state {
    uint64_t taken; /* calls */
    uint64_t token[HISTORY_LOCKS];
    uint32_t queue[HISTORY_CHANNELS]
                  [HISTORY_QUEUE];       /* values, with FLAGGED and BACK: given back, not counted */
    uint32_t unacked[HISTORY_PROCESSES]; /* received last: may come back with a death; 0: none */
    uint8_t unacked_channel[HISTORY_PROCESSES];
    uint8_t queue_n[HISTORY_CHANNELS], closed[HISTORY_CHANNELS];
    uint8_t holder[HISTORY_LOCKS], dirty[HISTORY_LOCKS];
    uint8_t dead[HISTORY_PROCESSES];
    uint8_t zero[8 - (2 * HISTORY_CHANNELS + 2 * HISTORY_LOCKS) % 8];
};

struct search {
    const struct history *history;
    struct state **seen; /* open addressing */
    size_t seen_n;
    bool gave_up;
};

static bool explore(struct search *search, const struct state *state);

/* ---- what was tried ---- */

static uint64_t hash_of(const struct state *state)
{
    const uint8_t *byte = (const uint8_t *)state;
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < sizeof(*state); i++)
        hash = (hash ^ byte[i]) * 1099511628211u;
    return hash ^ hash >> 29;
}

/* True: it was there, or there is no room for more. */
static bool seen_before(struct search *search, const struct state *state)
{
    size_t at = hash_of(state) % (2 * SEEN_MAX);

    for (; search->seen[at]; at = (at + 1) % (2 * SEEN_MAX))
        if (memcmp(search->seen[at], state, sizeof(*state)) == 0)
            return true;
    search->gave_up |= search->seen_n == SEEN_MAX;
    if (search->gave_up)
        return true;
    search->seen[at] = malloc(sizeof(*state));
    if (!search->seen[at])
        err(1, "history");
    memcpy(search->seen[at], state, sizeof(*state));
    search->seen_n++;
    return false;
}

/* ---- channels ---- */

static uint32_t length(const struct state *state, uint8_t channel)
{
    uint32_t n = 0;

    for (uint8_t i = 0; i < state->queue_n[channel]; i++)
        n += !(state->queue[channel][i] & BACK);
    return n;
}

static bool push(struct state *state, uint8_t channel, uint32_t entry, bool front)
{
    uint32_t *queue = state->queue[channel];
    uint8_t *n = &state->queue_n[channel];

    if (*n == HISTORY_QUEUE)
        errx(1, "history: a channel of more than %d values", HISTORY_QUEUE);
    if (front)
        memmove(queue + 1, queue, *n * sizeof(*queue));
    queue[front ? 0 : *n] = entry;
    ++*n;
    return true;
}

static void pop(struct state *state, uint8_t channel)
{
    uint32_t *queue = state->queue[channel];
    uint8_t *n = &state->queue_n[channel];

    --*n;
    memmove(queue, queue + 1, *n * sizeof(*queue));
    queue[*n] = 0;
}

static void note_received(struct state *state, const struct call *call, uint8_t channel, uint32_t value)
{
    state->unacked[call->process] = value;
    state->unacked_channel[call->process] = channel;
}

/* What a call says next acknowledges what its process has received before. */
static void note_asked(struct state *state, const struct call *call)
{
    if (call->cases[0].deed != DEED_DEATH) {
        state->unacked[call->process] = 0;
        state->unacked_channel[call->process] = 0;
    }
}

/* ---- steps: each changes the state, or says that it cannot be now ---- */

static bool step_send(struct state *state, const struct history *history, const struct history_case *k)
{
    uint32_t capacity = history->capacity[k->object];

    return !state->closed[k->object] && capacity && length(state, k->object) < capacity &&
           push(state, k->object, k->value, false);
}

/* One that never returned takes what is there. */
static bool step_recv(struct state *state, const struct call *call, const struct history_case *k)
{
    uint32_t head = state->queue[k->object][0];

    if (!state->queue_n[k->object])
        return false;
    if (call->outcome == OUTCOME_OK && ((head & VALUE) != call->value || !!(head & FLAGGED) != call->flagged))
        return false;
    pop(state, k->object);
    note_received(state, call, k->object, head & VALUE);
    return true;
}

static bool step_lock(struct state *state, const struct call *call, const struct history_case *k)
{
    bool done = call->outcome == OUTCOME_OK;

    if (state->holder[k->object] != NOBODY)
        return false;
    if (done && (call->token <= state->token[k->object] || call->died != state->dirty[k->object]))
        return false;
    state->holder[k->object] = call->process;
    if (done)
        state->token[k->object] = call->token;
    return true;
}

static bool step_unlock(struct state *state, const struct call *call, const struct history_case *k)
{
    if (state->holder[k->object] != call->process || state->token[k->object] != call->token)
        return false;
    state->holder[k->object] = NOBODY;
    state->dirty[k->object] = false;
    return true;
}

static bool step_case(struct state *state, const struct history *history, const struct call *call,
                      const struct history_case *k)
{
    switch (k->deed) {
    case DEED_SEND:
        return step_send(state, history, k);
    case DEED_RECV:
        return step_recv(state, call, k);
    case DEED_CLOSE:
        return !state->closed[k->object]++;
    case DEED_LOCK:
        return step_lock(state, call, k);
    case DEED_UNLOCK:
        return step_unlock(state, call, k);
    case DEED_DEATH:
        break;
    }
    return false;
}

static bool step_closed(const struct state *state, const struct history_case *k)
{
    return state->closed[k->object] && (k->deed != DEED_RECV || !state->queue_n[k->object]);
}

/* Whether the case could proceed for certain, so that a default is not to be taken. */
static bool ready(const struct state *state, const struct history *history, const struct history_case *k)
{
    uint32_t capacity = history->capacity[k->object];

    if (k->deed == DEED_LOCK)
        return state->holder[k->object] == NOBODY;
    if (state->closed[k->object])
        return true;
    if (k->deed == DEED_RECV)
        return state->queue_n[k->object];
    return capacity && length(state, k->object) < capacity;
}

static bool step_none(const struct state *state, const struct history *history, const struct call *call)
{
    for (uint8_t i = 0; i < call->cases_n; i++)
        if (ready(state, history, &call->cases[i]))
            return false;
    return true;
}

/* ---- the search ---- */

static bool takes(const struct state *state, int i)
{
    return state->taken & 1ull << i;
}

static bool optional(const struct call *call)
{
    return call->outcome == OUTCOME_OPEN;
}

/* When the first of the calls that must still come returned: whatever began later is behind it. */
static int64_t first_return(const struct search *search, const struct state *state)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < search->history->n; i++)
        if (!takes(state, i) && search->history->call[i].returned_ns < first)
            first = search->history->call[i].returned_ns;
    return first;
}

/* Both ends of a rendezvous in one step. */
static bool try_meeting(struct search *search, const struct state *state, int sender,
                        const struct history_case *out, int64_t before)
{
    const struct history *history = search->history;

    for (int i = 0; i < history->n; i++) {
        const struct call *call = &history->call[i];
        if (i == sender || takes(state, i) || call->called_ns > before || state->dead[call->process])
            continue;
        for (uint8_t k = 0; k < call->cases_n; k++) {
            bool chosen = call->outcome == OUTCOME_OPEN ||
                          (call->outcome == OUTCOME_OK && call->chosen == k && call->value == out->value);
            if (!chosen || call->cases[k].deed != DEED_RECV || call->cases[k].object != out->object)
                continue;
            struct state next = *state;
            next.taken |= 1ull << sender | 1ull << i;
            note_asked(&next, &history->call[sender]);
            note_asked(&next, call);
            note_received(&next, call, out->object, out->value);
            if (explore(search, &next))
                return true;
        }
    }
    return false;
}

static bool try_case(struct search *search, const struct state *state, int i, uint8_t k, int64_t before)
{
    const struct call *call = &search->history->call[i];
    const struct history_case *mine = &call->cases[k];
    struct state next = *state;

    if (mine->deed == DEED_SEND && !search->history->capacity[mine->object])
        return !state->closed[mine->object] && try_meeting(search, state, i, mine, before);
    note_asked(&next, call);
    next.taken |= 1ull << i;
    return step_case(&next, search->history, call, mine) && explore(search, &next);
}

/* The locks are passed on. The value received last comes back, or had been acknowledged. */
static bool try_death(struct search *search, const struct state *state, int i)
{
    uint8_t process = search->history->call[i].process;
    struct state next = *state;

    next.taken |= 1ull << i;
    next.dead[process] = true;
    for (int k = 0; k < HISTORY_LOCKS; k++)
        if (next.holder[k] == process) {
            next.holder[k] = NOBODY;
            next.dirty[k] = true;
        }
    uint32_t value = next.unacked[process];
    next.unacked[process] = 0;
    if (explore(search, &next))
        return true;
    return value && push(&next, next.unacked_channel[process], value | FLAGGED | BACK, true) &&
           explore(search, &next);
}

static bool try_call(struct search *search, const struct state *state, int i, int64_t before)
{
    const struct call *call = &search->history->call[i];
    struct state next = *state;

    if (call->cases[0].deed == DEED_DEATH)
        return try_death(search, state, i);
    if (state->dead[call->process])
        return false;
    if (call->outcome == OUTCOME_OK)
        return try_case(search, state, i, call->chosen, before);
    for (uint8_t k = 0; optional(call) && k < call->cases_n; k++)
        if (try_case(search, state, i, k, before))
            return true;
    if (optional(call))
        return false;
    note_asked(&next, call);
    next.taken |= 1ull << i;
    bool can = call->outcome == OUTCOME_CLOSED ? step_closed(state, &call->cases[call->chosen])
                                               : step_none(state, search->history, call);
    return can && explore(search, &next);
}

static bool complete(const struct search *search, const struct state *state)
{
    for (int i = 0; i < search->history->n; i++)
        if (!takes(state, i) && !optional(&search->history->call[i]))
            return false;
    return true;
}

static bool explore(struct search *search, const struct state *state)
{
    if (complete(search, state))
        return true;
    if (seen_before(search, state))
        return false;
    int64_t before = first_return(search, state);
    for (int i = 0; i < search->history->n; i++)
        if (!takes(state, i) && search->history->call[i].called_ns <= before &&
            try_call(search, state, i, before))
            return true;
    return false;
}

static struct state begin(const struct history *history)
{
    struct state state;

    memset(&state, 0, sizeof(state));
    memset(state.holder, NOBODY, sizeof(state.holder));
    for (int i = 0; i < history->n; i++) /* they count as taken */
        if (history->call[i].outcome == OUTCOME_VOID)
            state.taken |= 1ull << i;
    return state;
}

int history_check(const struct history *history)
{
    struct search search = {.history = history, .seen = calloc(2 * SEEN_MAX, sizeof(struct state *))};

    if (!search.seen)
        err(1, "history");
    struct state state = begin(history);
    bool good = explore(&search, &state);
    for (size_t i = 0; search.seen_n && i < 2 * SEEN_MAX; i++)
        free(search.seen[i]);
    free(search.seen);
    return good ? 1 : search.gave_up ? -E2BIG : 0;
}

/* ---- in words ---- */

void history_print(const struct history *history)
{
    static const char *const deeds[] = {"send", "recv", "close", "lock", "unlock", "death"};
    static const char *const outcomes[] = {"nothing ready", "ok", "closed", "never returned", "no effect"};

    for (int i = 0; i < history->n; i++) {
        const struct call *call = &history->call[i];
        fprintf(stderr, "%2d process %d %12ld..%-12ld", i, call->process, (long)call->called_ns,
                call->returned_ns == INT64_MAX ? -1 : (long)call->returned_ns);
        for (uint8_t k = 0; k < call->cases_n; k++)
            fprintf(stderr, " %s(%d%s%.0u)", deeds[call->cases[k].deed], call->cases[k].object,
                    call->cases[k].value ? ", " : "", call->cases[k].value);
        fprintf(stderr, ": %s, case %d, value %u%s, token %lu\n", outcomes[call->outcome], call->chosen,
                call->value, call->flagged ? " again" : "", (unsigned long)call->token);
    }
}
