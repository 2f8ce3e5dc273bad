/*
 * G157 Many goroutines on few threads, of which a call that blocks takes none away.
 *
 * Pattern: blocking calls on spare threads.
 */
#include <unistd.h>

#include "goroutine_net.h"
#include "guide.h"
#include "threads.h"

enum {
    PARKED = 10000,
    OPERATIONS = 1000,
    OWN_THREADS =
        3, /* of the runtime: the one in go_main, the watchdog, one more while a goroutine computes */
};

static void wait_closed(void *arg)
{
    must(go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER) == 0);
}

struct reader {
    int fd; /* not opened with go_fd_open: the read blocks a spare thread */
    atomic_bool done;
};

static void read_one(void *arg)
{
    struct reader *me = arg;
    char c;

    must(go_read(me->fd, &c, 1, GO_FOREVER) == 1);
    atomic_store(&me->done, true);
}

static void send_all(void *arg)
{
    for (int i = 0; i < OPERATIONS; i++)
        must(go_chan_send(*(go_chan **)arg, &i, GO_FOREVER) == 0);
}

static void many_on_few(void)
{
    go_chan *closing = go_chan_new(0, 0), *numbers = go_chan_new(sizeof(int), 0);
    struct reader reader = {0};
    int ends[2], value, most = go_set_procs(0) + OWN_THREADS;

    for (int i = 0; i < PARKED; i++)
        must(go_spawn(wait_closed, &closing, sizeof closing) == 0);
    until_parked(PARKED, "chan receive");
    /* "with 10,000 goroutines parked there are at most 3 threads more than processors" */
    must(guide_is_job() || threads_now() <= most); /* a host has others */

    must(pipe(ends) == 0);
    reader.fd = ends[0];
    must(go_spawn(read_one, &reader, 0) == 0);
    until_parked(1, "blocking call");
    must(go_spawn(send_all, &numbers, sizeof numbers) == 0);
    for (int i = 0; i < OPERATIONS; i++)
        must(go_chan_recv(numbers, &value, GO_FOREVER) == 1 && value == i);
    /* "while one blocks in a read, on 1 processor, the others do 1000 channel operations" */
    must(!atomic_load(&reader.done) && (guide_is_job() || threads_now() <= most + 1));
    must(write(ends[1], "x", 1) == 1);
    go_chan_close(closing);
    until_live(1);
    must(atomic_load(&reader.done));
    close(ends[0]);
    close(ends[1]);
    go_chan_unref(closing);
    go_chan_unref(numbers);
}

GUIDE_ROW(G157, many_on_few, .procs = {1}, .no_race = "10,000 goroutines");
