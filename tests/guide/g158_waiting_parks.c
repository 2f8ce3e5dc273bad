/*
 * G158 Waiting for input parks only the goroutine.
 *
 * Pattern: a goroutine for each connection.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "goroutine_net.h"
#include "guide.h"
#include "threads.h"

enum { READERS = 200, COUNT = 1000 };

struct reader {
    go_fd from, to;
    char own;
    atomic_int *got;
};

static void read_own(void *arg)
{
    const struct reader *me = arg;
    char c;

    must(go_read(me->from, &c, 1, GO_FOREVER) == 1 && c == me->own);
    atomic_fetch_add(me->got, 1);
}

static void count_up(void *arg)
{
    for (int i = 0; i <= COUNT; i++) {
        atomic_fetch_add((atomic_int *)arg, 1);
        go_yield();
    }
}

/* A pipe or a pair of sockets. */
static void reader_open(struct reader *r, bool is_pipe)
{
    int ends[2];

    must((is_pipe ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) == 0);
    r->from = go_fd_open(ends[0]);
    r->to = go_fd_open(ends[1]);
    must(r->from >= 0 && r->to >= 0);
}

static void waiting_parks(void)
{
    static struct reader readers[READERS];
    atomic_int counted = 0, got = 0;
    int threads;

    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.own = (char)i, .got = &got};
        reader_open(&readers[i], i % 2);
    }
    threads = threads_now();
    for (int i = 0; i < READERS; i++)
        must(go_spawn(read_own, &readers[i], 0) == 0);
    until_parked(READERS, "descriptor read");
    must(go_spawn(count_up, &counted, 0) == 0);
    until_live(1 + READERS);
    /* "a counter passes 1000 before the first byte is written" */
    must(atomic_load(&counted) > COUNT && atomic_load(&got) == 0);
    /* "the 200 that wait on pipes and sockets cost no thread" */
    must(guide_is_job() ||
         threads_now() <= threads + 1); /* a host has others; one may help out beside a slow loop */
    for (int i = 0; i < READERS; i++)
        must(go_write(readers[i].to, &readers[i].own, 1, GO_FOREVER) == 1);
    until_live(1);
    /* "then each gets its own byte" */
    must(atomic_load(&got) == READERS);
    for (int i = 0; i < READERS; i++)
        must(go_fd_close(readers[i].from) == 0 && go_fd_close(readers[i].to) == 0);
}

GUIDE_ROW(G158, waiting_parks, .procs = {1});
