/*
 * G50 between processes: 25 tasks, and a channel with ten slots that lets ten of them work at once.
 *
 * Pattern: channel as semaphore.
 */
#include "parts.h"

enum { TASKS = 25, SLOTS = 10 };

static void task(struct part *me)
{
    gc_chan slots = chan_of(me, "slots");
    char text[TEXT_BYTES];

    send_text(me, slots, "taken"); /* acquire */
    say(me, "begin");
    step_wait(me, "gate");
    say(me, "end");
    must(recv_text(me, slots, text)); /* release */
    send_text(me, chan_of(me, "done"), "done");
}

/* Lets the first ten go on when all others wait for a slot. */
static void overseer(struct part *me)
{
    gc_chan slots = chan_of(me, "slots"), done = chan_of(me, "done");
    char text[TEXT_BYTES];

    until_waiting(me, slots, TASKS - SLOTS, 0);
    until_waiting(me, chan_of(me, "gate"), 0, SLOTS);
    step_done(me, "gate");
    for (int i = 0; i < TASKS; i++)
        must(recv_text(me, done, text));
    say(me, "the program goes on");
}

static void channel_semaphore(void)
{
    int at_work = 0, most = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        at_work += strcmp(part_lines.line[i], "begin") == 0;
        at_work -= strcmp(part_lines.line[i], "end") == 0;
        most = at_work > most ? at_work : most;
    }
    /* "10 tasks are at work at once, and never 11" */
    must(most == SLOTS);
    /* "all 25 are done before the program goes on" */
    must(said_times("end") == TASKS && said_last("the program goes on"));
}

GUIDE_PARTS(G50, channel_semaphore, .channels = {{"slots", {.capacity = SLOTS}}, {"gate"}, {"done"}},
            .parts = {PARTS(TASKS, task), PART(overseer)});
