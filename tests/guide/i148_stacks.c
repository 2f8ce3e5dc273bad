/*
 * G148 between processes: the stacks of all goroutines of a job, asked for by its number.
 *
 * Pattern: dump of all goroutines.
 */
#include "looking.h"

enum { LINE_BYTES_MAX = 256 };

static void wait_closed(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

/* An order is how many goroutines it shall hold; those of the order before are let go. */
static void holder(struct part *me)
{
    gc_chan orders = chan_of(me, "orders");
    go_waitgroup held = {0};
    int n;

    while (recv_number(me, orders, &n)) {
        go_chan *gate = go_chan_new(0, 0);

        for (int i = 0; i < n; i++)
            must(go_waitgroup_go(&held, wait_closed, &gate, sizeof gate) == 0);
        until_job_waits(n, "chan receive");
        send_number(me, chan_of(me, "obeyed"), n);
        must(recv_number(me, orders, &n));
        go_chan_close(gate);
        go_waitgroup_wait(&held);
        go_chan_unref(gate);
        send_number(me, chan_of(me, "obeyed"), n);
    }
}

static const char *next_line(const char *at)
{
    return strchr(at, '\n') + 1;
}

/* "each has id, state, what it waits for and since when, function, and where it was started". Behind it comes its stack. */
static bool is_held_entry(const char *at, unsigned long long *id)
{
    char reason[LINE_BYTES_MAX], function[LINE_BYTES_MAX], file[LINE_BYTES_MAX];
    unsigned long long s, ms;
    int line;

    if (sscanf(at, "goroutine %llu [parked: %255[^,], %llu.%3llu s] %255s", id, reason, &s, &ms, function) !=
            5 ||
        strcmp(reason, "chan receive") != 0)
        return false;
    must(sscanf(next_line(at), "  started at %255[^:]:%d", file, &line) == 2);
    must(strstr(file, "i148_stacks.c") && line > 0);
    return true;
}

static int entries_of(const char *text)
{
    unsigned long long id, last = 0;
    int entries = 0, held = 0;

    for (const char *at = text; *at; at = next_line(at)) {
        if (strncmp(at, "goroutine ", strlen("goroutine ")) != 0)
            continue;
        entries++;
        if (!is_held_entry(at, &id))
            continue;
        must(id > last);
        last = id;
        held++;
    }
    must(held == entries - 1);
    return entries;
}

/* "the same of a job, by its id" */
static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    int n;

    while (recv_number(me, chan_of(me, "look"), &n)) {
        char *text = ask(me, job, GC_ASK_STACKS, false, NULL);

        say(me, "%d held: %d entries", n, entries_of(text));
        /* "below it is its stack" */
        must(times_of(text, "    wait_closed+0x") == n && times_of(text, "    go_chan_recv+0x") == n);
        free(text);
        send_number(me, chan_of(me, "looked"), n);
    }
}

static void director(struct part *me)
{
    static const char *const sizes[] = {"5", "1999"};
    gc_job job = start_watched(me, "holder");

    for (int i = 0; i < 2; i++) {
        order(me, sizes[i]);
        have_looked(me, sizes[i]);
        order(me, "0");
    }
    end_watched(me, job);
}

static void stacks(void)
{
    /* "the dump of main and 5 that wait has exactly 6 entries", "of 2,000 goroutines all are listed" */
    must(said(LINES("5 held: 6 entries", "1999 held: 2000 entries")));
}

GUIDE_PARTS(G148, stacks, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(holder, .on_call = true)});
