/*
 * G18 Two stages and two who wait for the first: its done signal must reach both, so it is a close.
 *
 * Pattern: close as broadcast. One value reaches one receiver; the other then waits for ever.
 */
#include "guide.h"

enum { FILES = 5 };

struct stages {
    go_chan *processed, *collected;
    bool broadcasts;
};

static void processor(void *arg)
{
    const struct stages *stages = arg;

    for (int i = 1; i <= FILES; i++)
        say("Processed file %d", i);
    say("All files processed");
    if (stages->broadcasts)
        go_chan_close(stages->processed);
    else
        go_chan_send(stages->processed, NULL, GO_FOREVER);
}

static void collector(void *arg)
{
    const struct stages *stages = arg;

    go_chan_recv(stages->processed, NULL, GO_FOREVER);
    say("Collecting");
    say("Results collected");
    go_chan_send(stages->collected, NULL, GO_FOREVER);
}

static void run_stages(bool broadcasts)
{
    struct stages stages = {go_chan_new(0, 0), go_chan_new(0, 0), broadcasts};

    must(go_spawn(processor, &stages, sizeof stages) == 0);
    must(go_spawn(collector, &stages, sizeof stages) == 0);
    go_chan_recv(stages.processed, NULL, GO_FOREVER);
    go_chan_recv(stages.collected, NULL, GO_FOREVER);
    say("Main: both stages completed");
    until_live(1);
    go_chan_unref(stages.processed);
    go_chan_unref(stages.collected);
}

static void two_stages(void)
{
    run_stages(true);
    /* "files 1 to 5 in order, then "All files processed", "Collecting", "Results collected", main's line last" */
    must(said(LINES("Processed file 1", "Processed file 2", "Processed file 3", "Processed file 4",
                    "Processed file 5", "All files processed", "Collecting", "Results collected",
                    "Main: both stages completed")));
}

/* Wrong: the processor sends one value, and both collector and main wait for it. */
static void one_value_for_two(void)
{
    run_stages(false);
}

static int count(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

static void names_both(const struct guide_ending *ending)
{
    bool collected = strstr(ending->out, "Collecting");

    /* "which lists exactly main and the collector: both in receive if main got the value, the collector in send if it
     * did" */
    must(count(ending->err, "\ngoroutine ") == 2 && strstr(ending->err, "] collector"));
    must(count(ending->err, "parked: chan receive") == (collected ? 1 : 2));
    must(count(ending->err, "parked: chan send") == (collected ? 1 : 0));
}

GUIDE_ROW(G18, two_stages);
/* "the version that sends one value ends with cause deadlock and a report" */
GUIDE_PART(G18, one_value_for_two, .ends = ENDS_IN_DEADLOCK, .says = {"collector", "parked: chan"},
           .judge = names_both);
