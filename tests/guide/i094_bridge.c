/*
 * G94 between processes: channels that come through a channel, read one after the other, and read all at once.
 *
 * Pattern: bridge, and merge.
 */
#include "goclient_chan.h"
#include "parts.h"

enum { INPUTS = 3, VALUES = 6 };

/* A channel without a name, filled and closed; who receives its handle is the only one that has it. */
static void send_channel(struct part *me, gc_chan channels, int first, int last)
{
    struct gc_passed passed = {.rights = GC_MAY_RECV};

    must(gc_make(me->g, NULL, INPUTS, &passed.chan, GC_FOREVER) == 0);
    for (int i = first; i <= last; i++)
        send_number(me, passed.chan, i);
    close_chan(me, passed.chan);
    must(gc_send(me->g, channels, gc_carrying(gc_string(""), &passed, 1), GC_FOREVER) == 0);
    must(gc_drop(me->g, passed.chan) == 0);
}

static void maker(struct part *me)
{
    static const char *const names[] = {"to_bridge", "to_merge"};

    for (int i = 0; i < 2; i++) {
        gc_chan channels = chan_of(me, names[i]);

        send_channel(me, channels, 1, 2);
        send_channel(me, channels, 3, 3);
        send_channel(me, channels, 4, 6);
        close_chan(me, channels);
    }
}

static bool recv_channel(struct part *me, gc_chan channels, gc_chan *out)
{
    struct gc_value v = {0};
    int r = gc_recv(me->g, channels, &v, 0, GC_FOREVER);

    must(r == 0 || (r == 1 && v.chans_n == 1));
    if (r == 1)
        *out = v.chans[0].chan;
    gc_value_clear(&v);
    return r == 1;
}

/* One channel after the other. */
static void bridge(struct part *me)
{
    gc_chan channels = chan_of(me, "to_bridge"), input;
    int number;

    while (recv_channel(me, channels, &input)) {
        must(gc_send(me->g, input, gc_string("no"), GC_FOREVER) == -EPERM);
        while (recv_number(me, input, &number))
            say(me, "bridge %d", number);
        must(gc_drop(me->g, input) == 0);
    }
}

/* All at once; one that is closed is switched off. */
static void merge(struct part *me)
{
    gc_chan channels = chan_of(me, "to_merge"), input[INPUTS];
    struct gc_case cases[INPUTS];
    struct gc_value v = {0};

    for (int i = 0; i < INPUTS; i++)
        must(recv_channel(me, channels, &input[i]));
    for (int open = INPUTS; open > 0;) {
        int chosen;

        for (int i = 0; i < INPUTS; i++)
            cases[i] = gc_case_recv(input[i], &v);
        chosen = gc_select(me->g, cases, INPUTS, 0, GC_FOREVER);
        must(chosen >= 0);
        if (cases[chosen].status == 1) {
            say(me, "merge %d", number_of(&v));
            gc_value_clear(&v);
            continue;
        }
        must(gc_drop(me->g, input[chosen]) == 0);
        input[chosen] = GC_NIL;
        open--;
    }
}

static void channels_of_channels(void)
{
    /* "bridge of [1, 2], [3], [4, 5, 6]: exactly 1, 2, 3, 4, 5, 6" */
    must(said_by("bridge", LINES("bridge 1", "bridge 2", "bridge 3", "bridge 4", "bridge 5", "bridge 6")));
    /* "merge of the three: the set {1, 2, 3, 4, 5, 6}" */
    for (int i = 1; i <= VALUES; i++)
        must(said_times("merge %d", i) == 1);
    must(part_lines.n == 2 * VALUES);
}

GUIDE_PARTS(G94, channels_of_channels, .channels = {{"to_bridge"}, {"to_merge"}},
            .parts = {PART(maker), PART(bridge), PART(merge)});
