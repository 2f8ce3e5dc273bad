/*
 * G143 between processes: five workers go on until somebody presses return, or the input ends.
 *
 * Pattern: stop on input.
 */
#include <unistd.h>

#include "parts.h"

enum { WORKERS = 5, SCENES = 2 };

static const char *const stops[SCENES] = {"stop_at_line", "stop_at_end"};

/* In each scene it works until the channel of the scene is closed. */
static void worker(struct part *me)
{
    struct gc_value v = {0};

    for (int scene = 0; scene < SCENES; scene++) {
        gc_chan stop = chan_of(me, stops[scene]);

        while (gc_recv(me->g, stop, &v, 0, GC_NOW) == -EAGAIN)
            must(gc_ping(me->g, GC_FOREVER) == 0); /* the work */
        say(me, "worker %d cancelled! %s", me->index, stops[scene]);
        send_number(me, chan_of(me, "ended"), me->index);
    }
}

/* Waits for a line of the input; the end of the input counts as the line. */
static void wait_for_return(int input)
{
    char byte;
    ssize_t n;

    do {
        n = read(input, &byte, 1);
    } while (n == 1 && byte != '\n');
    must(n >= 0);
}

static void main_part(struct part *me)
{
    for (int scene = 0; scene < SCENES; scene++) {
        int input[2], who;

        must(pipe(input) == 0);
        if (scene == 0)
            must(write(input[1], "stop, please\n", 13) == 13);
        else
            close(input[1]); /* "the end of the input counts as the line" */
        wait_for_return(input[0]);
        step_done(me, stops[scene]);
        for (int i = 0; i < WORKERS; i++)
            must(recv_number(me, chan_of(me, "ended"), &who));
        close(input[0]);
        if (scene == 0)
            close(input[1]);
    }
    say(me, "All workers finished!");
}

static void stop_on_input(void)
{
    /* "5 lines "cancelled!", one of each worker" */
    for (int scene = 0; scene < SCENES; scene++)
        for (int i = 0; i < WORKERS; i++)
            must(said_times("worker %d cancelled! %s", i, stops[scene]) == 1);
    /* ""All workers finished!" last" */
    must(said_last("All workers finished!") && part_lines.n == SCENES * WORKERS + 1);
}

GUIDE_PARTS(G143, stop_on_input, .channels = {{"stop_at_line"}, {"stop_at_end"}, {"ended"}},
            .parts = {PARTS(WORKERS, worker), PART(main_part)});
