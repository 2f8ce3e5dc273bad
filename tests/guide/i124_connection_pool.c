/*
 * G124 between processes: an owner lends five connections to ten users; who is given back what, it looks at.
 *
 * Pattern: connection pool.
 */
#include "parts.h"

enum { CONNECTIONS = 5, USERS = 10, HOUR_MS = 3600 * 1000 };

/* Lends by sending on `free`, as long as it has any; what comes back on `put` it must have lent. */
static void owner(struct part *me)
{
    gc_chan lend = chan_of(me, "free"), put = chan_of(me, "put"), verdict = chan_of(me, "verdict");
    int lent[CONNECTIONS + 1] = {0};
    struct gc_value v = {0};

    for (;;) {
        struct gc_case cases[] = {gc_case_recv(put, &v), gc_case_of(GC_CASE_SEND, GC_NIL)};
        char text[16];
        int chosen, c = CONNECTIONS;

        while (c > 0 && lent[c])
            c--;
        if (c > 0) { /* else nobody can be served: the case stays nil */
            snprintf(text, sizeof text, "%d", c);
            cases[1] = gc_case_send(lend, gc_string(text));
        }
        chosen = gc_select(me->g, cases, 2, 0, GC_FOREVER);
        must(chosen >= 0);
        if (chosen == 1) {
            lent[c] = 1;
            continue;
        }
        if (cases[0].status == 0)
            break;
        c = number_of(&v);
        gc_value_clear(&v);
        send_text(me, verdict, c >= 1 && c <= CONNECTIONS && lent[c] ? "taken back" : "refused");
        if (c >= 1 && c <= CONNECTIONS)
            lent[c] = 0;
    }
    close_chan(me, lend);
}

static bool give_back(struct part *me, int connection)
{
    char text[TEXT_BYTES];

    send_number(me, chan_of(me, "put"), connection);
    must(recv_text(me, chan_of(me, "verdict"), text));
    return strcmp(text, "taken back") == 0;
}

static void user(struct part *me)
{
    int connection;

    must(recv_number(me, chan_of(me, "free"), &connection));
    say(me, "taken %d", connection);
    step_wait(me, "served");
    say(me, "given %d", connection);
    must(recv_number(me, chan_of(me, "turns"), &(int){0})); /* one puts at a time, and gets its own verdict */
    must(give_back(me, connection));
    send_number(me, chan_of(me, "ended"), me->index);
}

static void director(struct part *me)
{
    gc_chan lend = chan_of(me, "free"), turns = chan_of(me, "turns"), ended = chan_of(me, "ended");
    struct gc_value v = {0};
    int who;

    until_waiting(me, chan_of(me, "served"), 0, CONNECTIONS);
    until_waiting(me, lend, 0, USERS - CONNECTIONS + 1);
    advance_ms(me, 5 * HOUR_MS);
    step_wait(me, "timed_out");
    step_done(me, "served");
    for (int i = 0; i < USERS; i++) {
        send_number(me, turns, i);
        must(recv_number(me, ended, &who));
    }
    /* "all 10 are served" */
    say(me, "all served");
    /* "a put of a foreign connection, or a second put, is refused" */
    must(!give_back(me, CONNECTIONS + 1) && !give_back(me, 1));
    for (int i = 0; i < CONNECTIONS; i++)
        must(recv_number(me, lend, &who));
    step_done(me, "all_taken");
    until_waiting(me, lend, 0, 1);
    close_chan(me, chan_of(me, "put"));
    must(gc_recv(me->g, lend, &v, 0, GC_FOREVER) == 0);
}

/* Comes when all are taken, and later once more. */
static void patient(struct part *me)
{
    gc_chan lend = chan_of(me, "free");
    struct gc_value v = {0};

    until_waiting(me, chan_of(me, "served"), 0, CONNECTIONS);
    /* "when all are taken: "timeout waiting for connection" after five hours of the daemon's clock" */
    must(gc_recv(me->g, lend, &v, 0, gc_after_ms(5 * HOUR_MS)) == -ETIMEDOUT);
    say(me, "timeout waiting for connection");
    step_done(me, "timed_out");
    step_wait(me, "all_taken");
    /* "close wakes those who wait with "pool is closed"" */
    must(gc_recv(me->g, lend, &v, 0, GC_FOREVER) == 0);
    say(me, "pool is closed");
}

static void connection_pool(void)
{
    bool taken[CONNECTIONS + 1] = {false};
    int in_use = 0, c;

    for (size_t i = 0; i < part_lines.n; i++) {
        bool takes = sscanf(part_lines.line[i], "taken %d", &c) == 1;

        if (!takes && sscanf(part_lines.line[i], "given %d", &c) != 1)
            continue;
        /* "no connection is held by two" */
        must(taken[c] != takes);
        taken[c] = takes;
        in_use += takes ? 1 : -1;
        /* "at most 5 connections are in use" */
        must(in_use <= CONNECTIONS);
    }
    must(in_use == 0 && said_times("timeout waiting for connection") == 1 && said_last("pool is closed"));
}

GUIDE_PARTS(
    G124, connection_pool, .test_clock = true,
    .channels =
        {{"free"}, {"put"}, {"verdict"}, {"served"}, {"turns"}, {"ended"}, {"timed_out"}, {"all_taken"}},
    .parts = {PART(owner), PARTS(USERS, user), PART(director), PART(patient)});
