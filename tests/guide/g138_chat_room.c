/*
 * G138 A chat room: what one says all hear, in the same order. One comes late, one leaves early.
 *
 * Pattern: broadcast by one owner. The room is a goroutine that alone knows who is in it; to join, to leave and to speak are
 * messages to it, so that there is one order of all.
 */
#include <stdio.h>

#include "guide.h"

enum { MEMBERS = 3, LINES_EACH = 5, LINES_ALL = MEMBERS * LINES_EACH, LATE = MEMBERS, SEATS = 8 };

struct line {
    int from, number;
};

struct member {
    go_chan *hears; /* room for all that is said */
};

struct message {
    enum { JOIN, LEAVE, SPEAK } verb;
    struct member *member;
    struct line line;
    go_chan *done; /* may be NULL */
};

static void broadcast(struct member *const *members, struct line line)
{
    for (int i = 0; i < SEATS; i++)
        if (members[i])
            must(go_chan_send(members[i]->hears, &line, GO_NOW) == 0);
}

static void replace(struct member **members, const struct member *old, struct member *new)
{
    int seat = 0;

    while (members[seat] != old)
        seat++;
    members[seat] = new;
}

static void run_room(void *messages)
{
    struct member *members[SEATS] = {NULL};
    struct message message;

    while (go_range(messages, &message)) {
        if (message.verb == JOIN)
            replace(members, NULL, message.member);
        else if (message.verb == LEAVE)
            replace(members, message.member, NULL);
        else
            broadcast(members, message.line);
        if (message.done)
            must(go_chan_send(message.done, NULL, GO_FOREVER) == 0);
    }
}

/* Returns when it has taken effect. */
static void tell_room(go_chan *room, int verb, struct member *member)
{
    go_chan *done = go_chan_new(0, 0);
    struct message message = {.verb = verb, .member = member, .done = done};

    must(go_chan_send(room, &message, GO_FOREVER) == 0);
    must(go_chan_recv(done, NULL, GO_FOREVER) == 1);
    go_chan_unref(done);
}

struct speaker {
    go_chan *room;
    int id;
};

static void speak(void *arg)
{
    const struct speaker *me = arg;

    for (int number = 1; number <= LINES_EACH; number++) {
        struct message message = {.verb = SPEAK, .line = {me->id, number}};

        must(go_chan_send(me->room, &message, GO_FOREVER) == 0);
    }
}

static void all_speak(go_chan *room)
{
    go_waitgroup all = {0};

    for (int id = 0; id < MEMBERS; id++)
        must(go_waitgroup_go(&all, speak, &((struct speaker){room, id}), sizeof(struct speaker)) == 0);
    go_waitgroup_wait(&all);
}

/* How many lines it has heard, and which. */
static int read_log(struct member *member, struct line *log)
{
    return go_chan_recv_many(member->hears, log, 2 * LINES_ALL, GO_NOW);
}

static void chat_room(void)
{
    go_chan *room = go_chan_new(sizeof(struct message), 0);
    struct member members[MEMBERS + 1];
    struct line log[MEMBERS + 1][2 * LINES_ALL];
    go_waitgroup owner = {0};

    must(go_waitgroup_go(&owner, run_room, room, 0) == 0);
    for (int i = 0; i <= LATE; i++)
        members[i].hears = go_chan_new(sizeof(struct line), 2 * LINES_ALL);
    for (int i = 0; i < MEMBERS; i++)
        tell_room(room, JOIN, &members[i]);
    all_speak(room);
    tell_room(room, JOIN, &members[LATE]); /* all that was said before has been heard by now */
    /* "all 3 logs hold the same 15 lines in the same order" */
    for (int i = 0; i < MEMBERS; i++) {
        must(read_log(&members[i], log[i]) == LINES_ALL);
        must(memcmp(log[i], log[0], LINES_ALL * sizeof log[0][0]) == 0);
    }
    tell_room(room, LEAVE, &members[0]);
    all_speak(room);
    tell_room(room, LEAVE, &members[LATE]);
    /* "who joins late sees only what is said later: 15 of 30 lines" */
    must(read_log(&members[LATE], log[LATE]) == LINES_ALL);
    /* "one that leaves hears nothing more, and does not disturb the others" */
    must(read_log(&members[0], log[0]) == -EAGAIN);
    must(read_log(&members[1], log[1]) == LINES_ALL && read_log(&members[2], log[2]) == LINES_ALL);
    must(memcmp(log[1], log[2], LINES_ALL * sizeof log[0][0]) == 0);
    must(memcmp(log[1], log[LATE], LINES_ALL * sizeof log[0][0]) == 0);
    go_chan_close(room);
    go_waitgroup_wait(&owner);
    for (int i = 0; i <= LATE; i++)
        go_chan_unref(members[i].hears);
    go_chan_unref(room);
}

GUIDE_ROW(G138, chat_room);
