/*
 * G29 Receive with a closed flag: the result tells a value from the end.
 *
 * Pattern: value, ok.
 */
#include "guide.h"

static void send_three(void *arg)
{
    go_chan *c = *(go_chan **)arg;

    for (int i = 1; i <= 3; i++)
        must(go_chan_send(c, &i, GO_FOREVER) == 0);
    must(go_chan_close(c) == 0);
}

static void closed_flag(void)
{
    go_chan *c = go_chan_new(sizeof(int), 0);
    int value, ok;

    must(go_spawn(send_three, &c, sizeof c) == 0);
    while ((ok = go_chan_recv(c, &value, GO_FOREVER)) == 1)
        say("Received %d, ok", value);
    say("Channel closed");
    /* "1, 2, 3 with a value, then "Channel closed"" */
    must(said(LINES("Received 1, ok", "Received 2, ok", "Received 3, ok", "Channel closed")) && ok == 0);
    for (int i = 0; i < 100; i++) {
        value = 99;
        /* "every later receive says closed at once, with a value of zero" */
        must(go_chan_recv(c, &value, GO_NOW) == 0 && value == 0);
    }
    until_live(1);
    go_chan_unref(c);
}

GUIDE_ROW(G29, closed_flag);
