/*
 * G159 between processes: one loops without a call; the others, and the daemon, go on.
 *
 * Pattern: fairness.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parts.h"

enum { ROUNDS = 1000, PAGE = 4096 };

/* A word in a file that two processes see. */
static volatile int *shared_word(struct part *me)
{
    char path[TEXT_BYTES];
    void *word;
    int file;

    shared_file(me, "word", path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0 && ftruncate(file, PAGE) == 0);
    word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(word != MAP_FAILED);
    close(file);
    return word;
}

static void hog(struct part *me)
{
    volatile int *stop = shared_word(me);

    step_done(me, "looping");
    while (!*stop)
        ;
    munmap((void *)(uintptr_t)stop, PAGE);
}

/* "beside a loop without calls, a pair plays 1000 rounds of ping-pong" */
static void player(struct part *me)
{
    gc_chan ping = chan_of(me, "ping"), pong = chan_of(me, "pong");
    int ball;

    step_wait(me, "looping");
    for (int i = 0; i < ROUNDS; i++)
        if (me->index == 0) {
            send_number(me, ping, i);
            must(recv_number(me, pong, &ball) && ball == i);
        } else {
            must(recv_number(me, ping, &ball));
            send_number(me, pong, ball);
        }
    if (me->index == 0)
        step_done(me, "played");
}

static void referee(struct part *me)
{
    gc_chan silent = chan_of(me, "silent");
    struct gc_value v = {0};

    step_wait(me, "looping");
    /* "a timer fires meanwhile" */
    must(gc_recv(me->g, silent, &v, 0, gc_after_ms(1)) == -ETIMEDOUT);
    /* "the daemon answers meanwhile" */
    must(gc_ping(me->g, GC_FOREVER) == 0);
    step_wait(me, "played");
    say(me, "%d rounds", ROUNDS);
    *shared_word(me) = 1;
}

static void fairness(void)
{
    must(said(LINES("1000 rounds")));
}

GUIDE_PARTS(G159, fairness, .channels = {{"ping"}, {"pong"}, {"looping"}, {"played"}, {"silent"}},
            .parts = {PART(hog), PARTS(2, player), PART(referee)});
