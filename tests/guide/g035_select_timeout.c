/*
 * G35 Select with a timeout: whichever comes first, the value or the time.
 *
 * Pattern: timeout. Here it is the last argument of the select; a timer in a case does the same.
 */
#include "guide.h"

enum { D_MS = 200 };

static void select_with_until(go_chan *c)
{
    int value = 0;
    struct go_case cases[] = {GO_RECV(c, &value)};

    if (go_select(cases, 1, go_after_ms(D_MS)) == -ETIMEDOUT)
        say("Timeout!");
    else
        say("Received %d", value);
}

static void select_with_timer(go_chan *c)
{
    go_timer *after = go_timer_new(D_MS * INT64_C(1000000));
    int value = 0;
    struct go_case cases[] = {GO_RECV(c, &value), GO_TIMER(after, NULL)};

    if (go_select(cases, 2, GO_FOREVER) == 1)
        say("Timeout!");
    else
        say("Received %d", value);
    go_timer_unref(after);
}

static void silent_and_ready(void (*select)(go_chan *c))
{
    go_chan *c = go_chan_new(sizeof(int), 1);
    int64_t start = fake_ms();

    say_nothing_yet();
    select(c);
    /* "silent: the timeout branch, after exactly the time on the fake clock" */
    must(said(LINES("Timeout!")) && fake_ms() - start == D_MS);
    must(go_chan_send(c, &(int){42}, GO_NOW) == 0);
    select(c);
    /* "ready: the value branch, at once" */
    must(said(LINES("Timeout!", "Received 42")) && fake_ms() - start == D_MS);
    go_chan_unref(c);
}

static void both_forms(void *unused)
{
    silent_and_ready(select_with_until);
    silent_and_ready(select_with_timer);
}

static void select_timeout(void)
{
    go_chan *silent = go_chan_new(sizeof(int), 0);
    int64_t start = go_now_ns();

    on_fake_clock(both_forms, NULL);
    must(go_chan_recv(silent, NULL, go_after_ms(20)) == -ETIMEDOUT);
    /* "on the real clock not before it" */
    must(go_now_ns() - start >= 20 * INT64_C(1000000));
    go_chan_unref(silent);
}

GUIDE_ROW(G35, select_timeout);
