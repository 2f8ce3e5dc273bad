/*
 * G58 between processes: what one process has written into plain shared memory, and which others may read it: those who
 * have learnt of the write by an edge, which here goes through the daemon.
 *
 * Pattern: message passing.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "goclient_chan.h"
#include "parts.h"

enum { ROUNDS = 1000, BYTES = (ROUNDS + 1) * sizeof(int) };
enum edge { SEND, UNLOCK, CLOSE, DONE, ONCE, EDGES };

static const char *const names[EDGES] = {"send", "unlock", "close", "done", "once"};

/* Plain memory of this run: a message for each round. */
static int *messages(struct part *me)
{
    char path[TEXT_BYTES];
    int *all, file;

    shared_file(me, "messages", path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0 && ftruncate(file, BYTES) == 0);
    all = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(all != MAP_FAILED);
    close(file);
    return all;
}

static int write_message(void *message)
{
    *(int *)message = *(int *)message + 1;
    return 0;
}

/* ---- each edge: the write and its first half, and the other half ---- */

static void begin(struct part *me, const struct gc_passed *with, size_t n)
{
    must(gc_send(me->g, chan_of(me, "begin"), gc_carrying(gc_string(""), with, n), GC_FOREVER) == 0);
}

static void write_and_tell(struct part *me, enum edge edge, int *message)
{
    gc_chan once = GC_NIL;
    uint64_t token;

    if (edge == UNLOCK)
        must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
    if (edge == DONE)
        must(gc_wg_add(me->g, "written", 1, 0, NULL, GC_FOREVER) == 0);
    if (edge == CLOSE)
        must(gc_open(me->g, NULL, NULL, &once, GC_FOREVER) == 0);
    if (edge != SEND)
        begin(me, &(struct gc_passed){once, 0}, edge == CLOSE);
    if (edge == ONCE)
        must(gc_once(me->g, "once", write_message, message, GC_FOREVER) == 0);
    else
        write_message(message);
    if (edge == SEND)
        begin(me, NULL, 0);
    if (edge == UNLOCK)
        must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
    if (edge == DONE)
        must(gc_wg_done(me->g, "written", 1, GC_FOREVER) == 0);
    if (edge == CLOSE)
        must(gc_close(me->g, once, GC_FOREVER) == 0 && gc_drop(me->g, once) == 0);
}

static void learn(struct part *me, enum edge edge, int *message)
{
    struct gc_value v = {0}, none = {0};
    uint64_t token;

    must(gc_recv(me->g, chan_of(me, "begin"), &v, 0, GC_FOREVER) == 1);
    if (edge == UNLOCK) {
        must(gc_lock(me->g, "lock", &token, 0, GC_FOREVER) == 0);
        must(gc_unlock(me->g, "lock", token, 0, GC_FOREVER) == 0);
    }
    if (edge == CLOSE) {
        must(gc_recv(me->g, v.chans[0].chan, &none, 0, GC_FOREVER) == 0);
        must(gc_drop(me->g, v.chans[0].chan) == 0);
    }
    if (edge == DONE)
        must(gc_wg_wait(me->g, "written", 0, NULL, GC_FOREVER) == 0);
    if (edge == ONCE) /* whoever comes first writes */
        must(gc_once(me->g, "once", write_message, message, GC_FOREVER) == 0);
    gc_value_clear(&v);
}

static void writer(struct part *me)
{
    int *message = messages(me), number;

    for (enum edge edge = SEND; edge < EDGES; edge++)
        for (int i = 1; i <= ROUNDS; i++) {
            write_and_tell(me, edge, &message[i]);
            must(recv_number(me, chan_of(me, "end"), &number));
            if (edge == ONCE)
                must(gc_sync_reset(me->g, GC_SYNC_ONCE, "once", GC_FOREVER) == 0);
        }
    munmap(message, BYTES);
}

static void reader(struct part *me)
{
    int *message = messages(me);

    for (enum edge edge = SEND; edge < EDGES; edge++) {
        for (int i = 1; i <= ROUNDS; i++) {
            learn(me, edge, &message[i]);
            must(message[i] == (int)edge + 1);
            send_number(me, chan_of(me, "end"), i);
        }
        say(me, "%s: %d rounds", names[edge], ROUNDS);
    }
    munmap(message, BYTES);
    step_done(me, "read");
}

/* The last edge: what was written before the submit. */
static void check(struct part *me)
{
    int *message = messages(me);

    must(message[me->index] == EDGES + 1);
    munmap(message, BYTES);
}

static void spawner(struct part *me)
{
    int *message = messages(me);
    gc_job job[ROUNDS + 1];

    step_wait(me, "read");
    for (int i = 1; i <= ROUNDS; i++) {
        write_message(&message[i]);
        job[i] = submit_part(me, "check", i);
    }
    for (int i = 1; i <= ROUNDS; i++)
        must(gc_wait(me->g, job[i], NULL, GC_FOREVER) == 1);
    say(me, "spawn: %d rounds", ROUNDS);
    munmap(message, BYTES);
}

static void memory_model(void)
{
    /* "for each edge: send, unlock, close, done, once, spawn" */
    /* "values alone, 1000 rounds: the reader always sees the write" */
    must(said(LINES("send: 1000 rounds", "unlock: 1000 rounds", "close: 1000 rounds", "done: 1000 rounds",
                    "once: 1000 rounds", "spawn: 1000 rounds")));
}

GUIDE_PARTS(G58, memory_model, .channels = {{"begin"}, {"end"}, {"read"}},
            .parts = {PART(writer), PART(reader), PART(spawner), PART_WITH(check, .on_call = true)});
