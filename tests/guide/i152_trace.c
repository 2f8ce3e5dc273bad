/*
 * G152 between processes: a trace of what a job does, begun and ended from outside.
 *
 * Pattern: execution trace.
 */
#include "looking.h"

enum { MESSAGES = 5 /* over each of two channels */, LINKS = 3 };

struct link {
    go_chan *from, *to; /* NULL: it is an end of the chain */
};

static void pass_on(void *arg)
{
    const struct link *link = arg;

    for (int i = 0; i < MESSAGES; i++) {
        int message = i;

        if (link->from)
            must(go_chan_recv(link->from, &message, GO_FOREVER) == 1 && message == i);
        if (link->to)
            must(go_chan_send(link->to, &message, GO_FOREVER) == 0);
    }
}

static void chain(struct part *me)
{
    go_chan *first = go_chan_new(sizeof(int), 0), *second = go_chan_new(sizeof(int), 0);
    const struct link links[LINKS] = {{NULL, first}, {first, second}, {second, NULL}};
    go_waitgroup all = {0};
    char word[TEXT_BYTES];

    must(recv_text(me, chan_of(me, "orders"), word));
    for (int i = 0; i < LINKS; i++)
        must(go_waitgroup_go(&all, pass_on, (void *)&links[i], sizeof links[i]) == 0);
    go_waitgroup_wait(&all);
    send_text(me, chan_of(me, "obeyed"), "%s", word);
    must(!recv_text(me, chan_of(me, "orders"), word));
    go_chan_unref(first);
    go_chan_unref(second);
}

/* The same number of opening and closing brackets, and never more closed than open. */
static bool is_closed(const char *json)
{
    int open = 0;

    for (; *json && open >= 0; json++)
        open += (*json == '{' || *json == '[') - (*json == '}' || *json == ']');
    return open == 0;
}

/* Of those that wait on channels: how many waits there are, and how many of them tell who ended them. */
static void count_waits(const char *json, int *waits, int *woken)
{
    const char *wait = json;

    *waits = *woken = 0;
    while ((wait = strstr(wait, "\"name\":\"blocked: chan"))) {
        const char *end = strchr(wait, '\n'), *by = strstr(wait, "\"woken_by\"");

        *waits += 1;
        *woken += by && end && by < end;
        wait++;
    }
}

/* "the same of a job" */
static void looker(struct part *me)
{
    gc_job job = watched_job(me);
    char word[TEXT_BYTES], *json;
    int waits, woken;

    must(recv_text(me, chan_of(me, "look"), word));
    free(ask(me, job, GC_ASK_TRACE_START, false, NULL));
    send_text(me, chan_of(me, "looked"), "%s", word);
    must(recv_text(me, chan_of(me, "look"), word));
    json = ask(me, job, GC_ASK_TRACE_STOP, false, NULL);
    /* "the file is in the public format of Chrome's trace viewer" */
    must(strstr(json, "\"traceEvents\":[") && is_closed(json));
    say(me, "%d creates, %d ends", times_of(json, "\"name\":\"create\""), times_of(json, "\"name\":\"end\""));
    say(me, "%d sends, %d receives", times_of(json, "\"ph\":\"s\""), times_of(json, "\"ph\":\"f\""));
    count_waits(json, &waits, &woken);
    /* "every wait ends with who woke it" */
    must(waits > 0 && woken == waits);
    free(json);
    send_text(me, chan_of(me, "looked"), "%s", word);
}

static void director(struct part *me)
{
    gc_job job = start_watched(me, "chain");

    have_looked(me, "begin");
    order(me, "pass on");
    have_looked(me, "end");
    end_watched(me, job);
}

static void execution_trace(void)
{
    /* "it has 3 creates and 3 ends", "and 10 links from a send to its receive" */
    must(said(LINES("3 creates, 3 ends", "10 sends, 10 receives")));
}

GUIDE_PARTS(G152, execution_trace, .channels = {LOOKING_CHANNELS},
            .parts = {PART(director), PART(looker), PART_WITH(chain, .on_call = true)});
