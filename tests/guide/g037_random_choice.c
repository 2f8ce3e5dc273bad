/*
 * G37 Two cases that are always ready: neither is preferred.
 *
 * Pattern: fair select.
 */
#include "guide.h"

enum { SELECTS = 10000, LOW = 4700, HIGH = 5300 };

/* How often the first case was chosen. A closed channel is always ready. */
static int firsts(go_chan *first, go_chan *second)
{
    int n = 0;

    for (int i = 0; i < SELECTS; i++) {
        struct go_case cases[] = {GO_RECV(first, NULL), GO_RECV(second, NULL)};

        n += go_select(cases, 2, GO_FOREVER) == 0;
    }
    return n;
}

static void random_choice(void)
{
    go_chan *a = go_chan_new(0, 0), *b = go_chan_new(0, 0);
    int a_first, b_first;

    must(go_chan_close(a) == 0 && go_chan_close(b) == 0);
    a_first = firsts(a, b);
    b_first = firsts(b, a);
    say("case a, written first: %d of %d", a_first, SELECTS);
    say("case b, written first: %d of %d", b_first, SELECTS);
    /* "of 10,000 selects each case is chosen 4,700 to 5,300 times, within 6 sigma of one half" */
    must(a_first >= LOW && a_first <= HIGH);
    /* "whatever the order of the cases" */
    must(b_first >= LOW && b_first <= HIGH);
    go_chan_unref(a);
    go_chan_unref(b);
}

GUIDE_ROW(G37, random_choice);
