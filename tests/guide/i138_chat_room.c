/*
 * G138 between processes: a room passes on what its members say; each hears it on a channel of its own.
 *
 * Pattern: a server that owns the list of its members.
 */
#include "parts.h"

enum { MEMBERS = 3, SPOKEN = 5, SEATS = 4, LATE = 3 };

static gc_chan ears_of(struct part *me, int member)
{
    char name[TEXT_BYTES];

    snprintf(name, sizeof name, "hears.%d", member);
    return chan_of(me, name);
}

/* Messages: "join N", "leave N", or "say TEXT". A leave ends what N hears. */
static void room(struct part *me)
{
    gc_chan messages = chan_of(me, "room"), ears[SEATS];
    bool in[SEATS] = {false};
    char text[TEXT_BYTES];

    for (int i = 0; i < SEATS; i++)
        ears[i] = ears_of(me, i);
    while (recv_text(me, messages, text)) {
        if (strncmp(text, "say ", 4) == 0) {
            for (int i = 0; i < SEATS; i++)
                if (in[i])
                    send_text(me, ears[i], "%s", text + 4);
        } else if (strncmp(text, "join ", 5) == 0) {
            in[atoi(text + 5)] = true;
        } else {
            in[atoi(text + 6)] = false;
            close_chan(me, ears[atoi(text + 6)]);
        }
    }
}

/* Speaks five lines in each of two rounds; a director says when. */
static void member(struct part *me)
{
    static const char *const rounds[] = {"first_round", "second_round"};
    gc_chan messages = chan_of(me, "room"), spoken = chan_of(me, "spoken");

    for (int round = 0; round < 2; round++) {
        step_wait(me, rounds[round]);
        for (int i = 1; i <= SPOKEN; i++)
            send_text(me, messages, "say %d of %d in round %d", i, me->index, round);
        send_number(me, spoken, me->index);
    }
}

static void until_spoken(struct part *me)
{
    int who;

    for (int i = 0; i < MEMBERS; i++)
        must(recv_number(me, chan_of(me, "spoken"), &who));
}

/* All three are in the first round; then one leaves, and another one joins. */
static void director(struct part *me)
{
    gc_chan messages = chan_of(me, "room");

    for (int i = 0; i < MEMBERS; i++)
        send_text(me, messages, "join %d", i);
    step_done(me, "first_round");
    until_spoken(me);
    send_text(me, messages, "leave 0");
    send_text(me, messages, "join %d", LATE);
    step_done(me, "second_round");
    until_spoken(me);
    for (int i = 1; i <= LATE; i++)
        send_text(me, messages, "leave %d", i);
    close_chan(me, messages);
}

/* Writes down what the member of the same number hears. */
static void listener(struct part *me)
{
    gc_chan ears = ears_of(me, me->index);
    char text[TEXT_BYTES];

    while (recv_text(me, ears, text))
        say(me, "log %d: %s", me->index, text);
}

/* The lines of one log, without its number; from the n-th on. */
static int log_of(int listener, int first, const char **lines)
{
    char prefix[TEXT_BYTES];
    int n = 0, length = snprintf(prefix, sizeof prefix, "log %d: ", listener);

    for (size_t i = 0; i < part_lines.n; i++)
        if (strncmp(part_lines.line[i], prefix, (size_t)length) == 0 && n++ >= first)
            *lines++ = part_lines.line[i] + length;
    return n;
}

static bool same_lines(const char **x, const char **y, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(x[i], y[i]) != 0)
            return false;
    return true;
}

static void chat_room(void)
{
    enum { FIRST = MEMBERS * SPOKEN, ALL = 2 * FIRST };
    const char *log[SEATS][ALL], *later[ALL];

    /* "one that leaves hears nothing more, and does not disturb the others" */
    must(log_of(0, 0, log[0]) == FIRST && log_of(1, 0, log[1]) == ALL && log_of(2, 0, log[2]) == ALL);
    /* "all 3 logs hold the same 15 lines in the same order" */
    must(same_lines(log[0], log[1], FIRST) && same_lines(log[1], log[2], ALL));
    /* "who joins late sees only what is said later: 15 of 30 lines" */
    must(log_of(LATE, 0, log[LATE]) == FIRST && log_of(1, FIRST, later) == ALL);
    must(same_lines(log[LATE], later, FIRST));
}

GUIDE_PARTS(G138, chat_room,
            .channels = {{"room"},
                         {"hears.0"},
                         {"hears.1"},
                         {"hears.2"},
                         {"hears.3"},
                         {"spoken"},
                         {"first_round"},
                         {"second_round"}},
            .parts = {PART(room), PARTS(MEMBERS, member), PART(director), PARTS(SEATS, listener)});
