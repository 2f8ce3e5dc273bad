/*
 * G92 A loop that works until it is told to quit, cleans up, and says that it has.
 *
 * Pattern: quit channel. Closing it reaches every listener; the end of a program by a signal is the same close.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guide.h"

enum { LISTENERS = 3 };

struct listener {
    int id;
    go_chan *work, *quit, *gone;
};

static void listen_for_quit(void *arg)
{
    const struct listener *me = arg;

    for (;;) {
        struct go_case cases[] = {GO_RECV(me->quit, NULL), GO_RECV(me->work, NULL)};

        if (go_select(cases, 2, GO_FOREVER) == 0)
            break;
        say("%d: working", me->id);
    }
    say("%d: cleanup", me->id);
    must(go_chan_send(me->gone, &me->id, GO_FOREVER) == 0);
}

static void start(struct listener *shared, int n)
{
    *shared = (struct listener){1, go_chan_new(0, 0), go_chan_new(0, 0), go_chan_new(sizeof(int), 0)};
    for (int id = 1; id <= n; id++) {
        shared->id = id;
        must(go_spawn(listen_for_quit, shared, sizeof *shared) == 0);
    }
}

/* Waits for the acknowledgements of n listeners. */
static void join(struct listener *shared, int n)
{
    int sum = 0;

    for (int i = 0, id; i < n; i++, sum += id)
        must(go_chan_recv(shared->gone, &id, GO_FOREVER) == 1);
    /* "the end is acknowledged to who asked for it" */
    must(sum == n * (n + 1) / 2);
    until_live(1);
    go_chan_unref(shared->work);
    go_chan_unref(shared->quit);
    go_chan_unref(shared->gone);
}

static void one_value(void)
{
    struct listener shared;

    start(&shared, 1);
    for (int i = 0; i < 2; i++)
        must(go_chan_send(shared.work, NULL, GO_FOREVER) == 0);
    until_parked(1, "select"); /* both are worked */
    must(go_chan_send(shared.quit, NULL, GO_FOREVER) == 0);
    must(go_chan_send(shared.work, NULL, GO_NOW) == -EAGAIN);
    join(&shared, 1);
    /* "after quit no line of work any more, and "cleanup" once" */
    must(said(LINES("1: working", "1: working", "1: cleanup")));
}

static void one_close(void)
{
    struct listener shared;

    start(&shared, LISTENERS);
    must(go_chan_close(shared.quit) == 0);
    join(&shared, LISTENERS);
    /* "3 listeners stop on one close" */
    must(said_in_any_order(LINES("1: cleanup", "2: cleanup", "3: cleanup")));
}

static void quit(void)
{
    one_value();
    say_nothing_yet();
    one_close();
}

/* ---- quit by a signal: the handler may do next to nothing, so it only wakes a goroutine ---- */

static int signalled = -1;

static void on_signal(int signal_number)
{
    eventfd_write(signalled, (eventfd_t)signal_number);
}

static void quit_by(int signal_number)
{
    struct listener shared;
    eventfd_t which = 0;

    signal(signal_number, on_signal);
    start(&shared, 1);
    must(go_chan_send(shared.work, NULL, GO_FOREVER) == 0);
    kill(getpid(), signal_number); /* as somebody outside would */
    must(go_wait_fd(signalled, GO_READABLE, GO_FOREVER) > 0);
    must(eventfd_read(signalled, &which) == 0 && which == (eventfd_t)signal_number);
    must(go_chan_close(shared.quit) == 0);
    join(&shared, 1);
    say("%s", strsignal(signal_number));
}

static void quit_by_signal(void)
{
    signalled = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    must(signalled >= 0);
    quit_by(SIGINT);
    quit_by(SIGTERM);
    close(signalled);
    /* "SIGINT and SIGTERM end it in the same way" */
    must(said(LINES("1: working", "1: cleanup", "Interrupt", "1: working", "1: cleanup", "Terminated")));
}

GUIDE_ROW(G92, quit);
GUIDE_PART(G92, quit_by_signal, .no_race = "the sanitizer keeps a signal back from a thread that sleeps",
           .no_job = "the signals of a host are not a job's");
