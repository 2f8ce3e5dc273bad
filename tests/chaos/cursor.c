/*
 * The search after Wing and Gong: depth first over the calls that may come next, those that began before the first return among
 * the calls not taken yet. Where a search led nowhere is remembered.
 */
#include "cursor.h"

#include <err.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 1 << 15, WORD = 64, WORDS = CURSOR_CALLS / WORD };

/* Compared as bytes: no padding. A bit for each message, or for each call. */
struct state {
    uint64_t taken[WORDS];
    uint64_t valid[WORDS];           /* receives whose value still counts */
    uint32_t done;                   /* acknowledged, or behind where a seek went */
    uint32_t gone;                   /* purged before it was read */
    uint32_t loose;                  /* purged, and perhaps read before: may be given, or not */
    uint32_t purged;                 /* gone, loose, or done meanwhile: gone behind the next seek */
    uint32_t frozen;                 /* while it is paused: may be with a member already */
    uint8_t holder[CURSOR_MESSAGES]; /* 1 + the call that has received it; 0: nobody has it */
    uint8_t tries[CURSOR_MESSAGES], flags[CURSOR_MESSAGES];
    uint8_t spare[CURSOR_PROCESSES];  /* while it is paused: so many may be with it already */
    uint8_t newest[CURSOR_PROCESSES]; /* 1 + the last one that it received as the first */
    uint8_t dead[CURSOR_PROCESSES];
    uint8_t published, paused;
    uint8_t mixed; /* what a member had not received went to others: the order of what is new is lost */
    uint8_t zero[7];
};

_Static_assert(offsetof(struct state, zero) + 7 == sizeof(struct state), "no padding");

struct search {
    const struct cursor *cursor;
    struct state *seen; /* open addressing; a free place has taken nothing */
    int seen_n;
    bool gave_up;
};

static bool explore(struct search *search, const struct state *state);

/* ---- bits ---- */

static uint32_t bit(int message)
{
    return (uint32_t)1 << message;
}

/* All messages before this one. */
static uint32_t below(int message)
{
    return message >= CURSOR_MESSAGES ? UINT32_MAX : bit(message) - 1;
}

static bool has(const uint64_t *calls, int i)
{
    return calls[i / WORD] & (uint64_t)1 << i % WORD;
}

static void put(uint64_t *calls, int i)
{
    calls[i / WORD] |= (uint64_t)1 << i % WORD;
}

/* ---- what was tried ---- */

static uint64_t hash_of(const struct state *state)
{
    const uint64_t *word = (const uint64_t *)state;
    uint64_t hash = 0;

    for (size_t i = 0; i < sizeof(*state) / sizeof(*word); i++)
        hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static bool is_free(const struct state *place)
{
    return !(place->taken[0] | place->taken[1]);
}

/* True: it was there, or there is no room for more. */
static bool seen_before(struct search *search, const struct state *state)
{
    size_t at = hash_of(state) % (2 * SEEN_MAX);

    for (; !is_free(&search->seen[at]); at = (at + 1) % (2 * SEEN_MAX))
        if (memcmp(&search->seen[at], state, sizeof(*state)) == 0)
            return true;
    search->gave_up |= search->seen_n == SEEN_MAX;
    if (search->gave_up)
        return true;
    search->seen[at] = *state;
    search->seen_n++;
    return false;
}

/* ---- who has what ---- */

/* Messages that this process has, or all: CURSOR_PROCESSES. */
static unsigned held_by(const struct state *state, const struct cursor *cursor, int process)
{
    unsigned n = 0;

    for (int i = 0; i < cursor->messages; i++)
        n += state->holder[i] &&
             (process == CURSOR_PROCESSES || cursor->call[state->holder[i] - 1].process == process);
    return n;
}

static void give_back(struct state *state, int message, enum cursor_flags flag)
{
    state->holder[message] = 0;
    state->flags[message] |= (uint8_t)flag;
}

/* Its time to be acknowledged may have been over when that call took place. */
static bool late(const struct cursor *cursor, int receive, const struct cursor_call *call)
{
    return call->returned_ns - cursor->call[receive].called_ns >= cursor->ack_wait_ns;
}

/* Whoever had it must have been late, then; and it comes with the flag. */
static bool is_with_nobody(struct state *state, const struct cursor *cursor, const struct cursor_call *call,
                           int message)
{
    if (!state->holder[message])
        return true;
    if (!late(cursor, state->holder[message] - 1, call))
        return false;
    give_back(state, message, CURSOR_REDELIVERED);
    return true;
}

static bool is_first_of_its_key(const struct state *state, const struct cursor *cursor, int message)
{
    for (int i = 0; i < message; i++)
        if (!((state->done | state->gone | state->loose) & bit(i)) &&
            cursor->message[i].key == cursor->message[message].key)
            return false;
    return true;
}

/* What was given before the pause. */
static bool may_be_given(struct state *state, int process, int message)
{
    if (!state->paused)
        return true;
    if (!(state->frozen & bit(message)) || !state->spare[process])
        return false;
    state->frozen &= ~bit(message);
    state->spare[process]--;
    return true;
}

/* Of what nobody was given before a member has the ones that come first in the log first. */
static bool is_in_order(struct state *state, const struct cursor *cursor, int process, int message)
{
    if (cursor->hasty || cursor->ordered || state->mixed || state->tries[message])
        return true;
    if (message < state->newest[process])
        return false;
    state->newest[process] = (uint8_t)(message + 1);
    return true;
}

/* ---- steps: each changes the state, or says that it cannot be now ---- */

static bool step_publish(struct state *state, const struct cursor_call *call)
{
    return call->message == state->published++;
}

/* One that never returned had whatever came with it. */
static bool step_receive(struct state *state, const struct cursor *cursor, int i, int message)
{
    const struct cursor_call *call = &cursor->call[i];
    bool room = cursor->hasty || (held_by(state, cursor, call->process) < cursor->capacity &&
                                  held_by(state, cursor, CURSOR_PROCESSES) < cursor->window);

    if (message >= state->published || (state->done | state->gone) & bit(message) || !room ||
        !is_with_nobody(state, cursor, call, message) || !may_be_given(state, call->process, message) ||
        !is_in_order(state, cursor, call->process, message) ||
        (cursor->ordered && !is_first_of_its_key(state, cursor, message)))
        return false;
    state->tries[message]++;
    state->holder[message] = (uint8_t)(i + 1);
    put(state->valid, i);
    return call->outcome == CURSOR_OPEN ||
           (call->tries == state->tries[message] && call->flags == state->flags[message]);
}

static bool acknowledge(struct state *state, int message)
{
    state->done |= bit(message);
    state->holder[message] = 0;
    return true;
}

/* A late one counts, too; of what was received before a seek none does. */
static bool step_ack(struct state *state, const struct cursor_call *call)
{
    return !has(state->valid, call->receive) || acknowledge(state, call->message);
}

/* Where it was late, others had been given it, perhaps. */
static bool step_return(struct state *state, const struct cursor_call *call, enum cursor_flags flag)
{
    if (state->holder[call->message] == call->receive + 1)
        give_back(state, call->message, flag);
    return true;
}

static bool step_seek(struct state *state, const struct cursor_call *call)
{
    int to = call->message == CURSOR_NEW ? state->published : call->message;

    state->done = below(to);
    state->gone = state->purged & ~state->done;
    state->loose = state->frozen = 0;
    memset(state->valid, 0, sizeof(state->valid));
    memset(state->holder, 0, sizeof(state->holder));
    memset(state->tries, 0, sizeof(state->tries));
    memset(state->flags, 0, sizeof(state->flags));
    memset(state->spare, 0, sizeof(state->spare));
    memset(state->newest, 0, sizeof(state->newest));
    return true;
}

static bool step_pause(struct state *state, const struct cursor *cursor)
{
    if (state->paused)
        return true;
    state->paused = true;
    state->frozen = below(state->published) & ~(state->done | state->gone);
    for (int i = 0; i < cursor->messages; i++)
        if (state->holder[i] && !cursor->hasty)
            state->frozen &= ~bit(i);
    for (int i = 0; i < CURSOR_PROCESSES; i++)
        state->spare[i] = (uint8_t)(cursor->capacity - (cursor->hasty ? 0 : held_by(state, cursor, i)));
    return true;
}

static bool step_resume(struct state *state)
{
    state->paused = false;
    state->frozen = 0;
    memset(state->spare, 0, sizeof(state->spare));
    return true;
}

/* Messages are read in order, each for a place with a member; with order per key those behind others need none. */
static bool step_purge(struct state *state, const struct cursor *cursor, const struct cursor_call *call)
{
    unsigned places = cursor->ordered ? CURSOR_MESSAGES : CURSOR_PROCESSES * cursor->capacity;

    for (int i = 0; i < state->published; i++) {
        bool mine = i <= call->message && cursor->message[i].topic == cursor->message[call->message].topic;
        bool read = state->tries[i] || places;

        if ((state->done | state->gone) & bit(i))
            continue;
        places -= places && !state->tries[i];
        if (mine)
            *(read ? &state->loose : &state->gone) |= bit(i);
    }
    for (int i = 0; i <= call->message && i < state->published; i++)
        if (cursor->message[i].topic == cursor->message[call->message].topic)
            state->purged |= bit(i);
    return call->message < state->published;
}

/* The first message that is in none of these sets. */
static int first_beside(uint32_t sets, int end)
{
    int i = 0;

    while (i < end && sets & bit(i))
        i++;
    return i;
}

/* Nothing up to the floor is to be given, and all that was acknowledged without a gap is below it. */
static bool step_look(const struct state *state, const struct cursor *cursor, const struct cursor_call *call)
{
    int least = first_beside(state->done, state->published);
    int most = first_beside(state->done | state->gone | state->loose, state->published);

    return (!least || call->floor >= cursor->message[least - 1].sequence) &&
           (most == cursor->messages || call->floor < cursor->message[most].sequence);
}

static bool step_leave(struct state *state, const struct cursor *cursor, const struct cursor_call *call)
{
    for (int i = 0; i < cursor->messages; i++)
        if (state->holder[i] && cursor->call[state->holder[i] - 1].process == call->process)
            give_back(state, i, CURSOR_REDELIVERED);
    state->spare[call->process] = 0;
    state->mixed = true;
    state->dead[call->process] |= call->deed == CURSOR_DEATH;
    return true;
}

static bool step_end(const struct state *state)
{
    return !(below(state->published) & ~(state->done | state->gone | state->loose));
}

static bool step(struct state *state, const struct cursor *cursor, int i)
{
    const struct cursor_call *call = &cursor->call[i];

    switch (call->deed) {
    case CURSOR_PUBLISH:
        return step_publish(state, call);
    case CURSOR_RECEIVE:
        return step_receive(state, cursor, i, call->message);
    case CURSOR_TAKE:
        return step_receive(state, cursor, i, call->message) && acknowledge(state, call->message);
    case CURSOR_ACK:
        return step_ack(state, call);
    case CURSOR_RETURN:
        return step_return(state, call, CURSOR_RETURNED);
    case CURSOR_SEEK:
        return step_seek(state, call);
    case CURSOR_PAUSE:
        return step_pause(state, cursor);
    case CURSOR_RESUME:
        return step_resume(state);
    case CURSOR_PURGE:
        return step_purge(state, cursor, call);
    case CURSOR_LOOK:
        return step_look(state, cursor, call);
    case CURSOR_LEAVE:
    case CURSOR_DEATH:
        return step_leave(state, cursor, call);
    default:
        return step_end(state);
    }
}

/* ---- the search ---- */

/* When the first of the calls that must still come returned: whatever began later is behind it. */
static int64_t first_return(const struct cursor *cursor, const struct state *state)
{
    int64_t first = INT64_MAX;

    for (int i = 0; i < cursor->n; i++)
        if (!has(state->taken, i) && cursor->call[i].returned_ns < first)
            first = cursor->call[i].returned_ns;
    return first;
}

/* It did not say which message it had: any one. */
static bool try_any(struct search *search, const struct state *state, int i)
{
    for (int message = 0; message < state->published; message++) {
        struct state next = *state;
        put(next.taken, i);
        if (step_receive(&next, search->cursor, i, message) && explore(search, &next))
            return true;
    }
    return false;
}

/* The message was given to others before it came back. */
static bool try_late_return(struct search *search, const struct state *state, int i)
{
    const struct cursor *cursor = search->cursor;
    const struct cursor_call *call = &cursor->call[i];
    struct state next = *state;

    put(next.taken, i);
    return cursor->hasty && late(cursor, call->receive, call) &&
           step_return(&next, call, CURSOR_REDELIVERED) && explore(search, &next);
}

static bool try_call(struct search *search, const struct state *state, int i)
{
    const struct cursor_call *call = &search->cursor->call[i];
    struct state next = *state;

    if (state->dead[call->process] && call->deed != CURSOR_PUBLISH)
        return false;
    if (call->deed == CURSOR_RECEIVE && call->outcome == CURSOR_OPEN)
        return try_any(search, state, i);
    put(next.taken, i);
    if (step(&next, search->cursor, i) && explore(search, &next))
        return true;
    return call->deed == CURSOR_RETURN && try_late_return(search, state, i);
}

static bool complete(const struct cursor *cursor, const struct state *state)
{
    for (int i = 0; i < cursor->n; i++)
        if (!has(state->taken, i) && cursor->call[i].outcome != CURSOR_OPEN)
            return false;
    return true;
}

static bool explore(struct search *search, const struct state *state)
{
    const struct cursor *cursor = search->cursor;
    int64_t before = first_return(cursor, state);

    if (complete(cursor, state))
        return true;
    if (seen_before(search, state))
        return false;
    for (int i = 0; i < cursor->n; i++)
        if (!has(state->taken, i) && cursor->call[i].called_ns <= before && try_call(search, state, i))
            return true;
    return false;
}

int cursor_check(const struct cursor *cursor)
{
    struct state state = {.zero = {0}};
    struct search search = {.cursor = cursor, .seen = calloc(2 * SEEN_MAX, sizeof(struct state))};

    if (!search.seen)
        err(1, "cursor");
    put(state.taken, CURSOR_CALLS - 1);
    for (int i = 0; i < cursor->n; i++)
        if (cursor->call[i].outcome == CURSOR_VOID)
            put(state.taken, i);
    bool good = explore(&search, &state);
    free(search.seen);
    return good ? 1 : search.gave_up ? -E2BIG : 0;
}

/* ---- in words ---- */

void cursor_print(const struct cursor *cursor)
{
    static const char *const deeds[] = {"publish", "receive", "take", "ack",   "return", "seek", "pause",
                                        "resume",  "purge",   "look", "leave", "death",  "end"};
    static const char *const outcomes[] = {"ok", "never returned", "no effect"};

    fprintf(stderr, "capacity %u, window %u, %s, %s\n", cursor->capacity, cursor->window,
            cursor->hasty ? "hasty" : "patient", cursor->ordered ? "ordered" : "free");
    for (int i = 0; i < cursor->messages; i++)
        fprintf(stderr, "message %d: sequence %lu, topic %d, key %d\n", i,
                (unsigned long)cursor->message[i].sequence, cursor->message[i].topic, cursor->message[i].key);
    for (int i = 0; i < cursor->n; i++) {
        const struct cursor_call *call = &cursor->call[i];
        fprintf(stderr, "%3d process %d %15ld..%-15ld %s(%d): %s, of %d, flags %x, tries %d, floor %lu\n", i,
                call->process, (long)call->called_ns, (long)call->returned_ns, deeds[call->deed],
                call->message, outcomes[call->outcome], call->receive, call->flags, call->tries,
                (unsigned long)call->floor);
    }
}
