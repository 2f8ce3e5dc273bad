/*
 * G149 between processes: how many goroutines of a job stand at each place, asked for by its number.
 *
 * Pattern: goroutine profile.
 */
#include <inttypes.h>

#include "looking.h"

enum { RECEIVERS = 100, SENDERS = 7 };

static void wait_to_receive(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

static void wait_to_send(void *c)
{
    must(go_chan_send(*(go_chan **)c, NULL, GO_FOREVER) == -EPIPE);
}

static void crowd(struct part *me)
{
    go_chan *in = go_chan_new(0, 0), *out = go_chan_new(0, 0);
    go_waitgroup all = {0};
    char word[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "orders"), word));
    for (int i = 0; i < RECEIVERS; i++)
        must(go_waitgroup_go(&all, wait_to_receive, &in, sizeof in) == 0);
    for (int i = 0; i < SENDERS; i++)
        must(go_waitgroup_go(&all, wait_to_send, &out, sizeof out) == 0);
    until_job_waits(RECEIVERS, "chan receive");
    until_job_waits(SENDERS, "chan send");
    send_text(me, chan_of(me, "obeyed"), "%s", word);
    must(!recv_text(me, chan_of(me, "orders"), word));
    go_chan_close(in);
    go_chan_close(out);
    go_waitgroup_wait(&all);
    go_chan_unref(in);
    go_chan_unref(out);
}

static int64_t total_of(const char *folded)
{
    int64_t total = 0;

    for (const char *end; (end = strchr(folded, '\n')); folded = end + 1) {
        const char *count = end;

        while (count[-1] != ' ')
            count--;
        total += strtoll(count, NULL, 10);
    }
    return total;
}

/* "the same of a job" */
static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    char word[TEXT_BYTES], *text;
    struct gc_stats figures;

    must(recv_text(me, chan_of(me, "look"), word));
    text = ask(me, job, GC_ASK_GOROUTINES, false, NULL);
    must(gc_figures(me->g, job, &figures, GC_FOREVER) > 0);
    /* "100 goroutines stand at one place, 7 at another, and main at its own" */
    must(times_of(text, "\n") == 3);
    must(strstr(text, "wait_to_receive;go_chan_recv 100\n") && strstr(text, "wait_to_send;go_chan_send 7\n"));
    say(me, "%" PRId64 " in all, %" PRIu64 " live", total_of(text), figures.items[0].value);
    free(text);
    gc_stats_clear(&figures);
    send_text(me, chan_of(me, "looked"), "%s", word);
}

static void director(struct part *me)
{
    gc_job job = start_watched(me, "crowd");

    order(me, "stand");
    have_looked(me, "where");
    end_watched(me, job);
}

static void goroutine_profile(void)
{
    /* "together they are as many as there are goroutines: 108" */
    must(said(LINES("108 in all, 108 live")));
}

GUIDE_PARTS(G149, goroutine_profile, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(crowd, .on_call = true)});
