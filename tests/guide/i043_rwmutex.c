/*
 * G43 between processes: a data store in a file, under a reader-writer lock with a name.
 *
 * Pattern: reader-writer lock.
 */
#include "parts.h"

enum { READERS = 5, ROUNDS = 20, WRITERS = 2, KEYS = 25 };

/* How many keys the store has; the n-th line must be "key_N value_N". */
static int size_of_store(struct part *me)
{
    char path[TEXT_BYTES], line[TEXT_BYTES], wanted[TEXT_BYTES];
    FILE *file;
    int n = 0;

    shared_file(me, "store", path);
    file = fopen(path, "re");
    for (; file && fgets(line, sizeof line, file); n++) {
        snprintf(wanted, sizeof wanted, "key_%d value_%d\n", n, n);
        must(strcmp(line, wanted) == 0);
    }
    if (file)
        must(fclose(file) == 0);
    return n;
}

static void append(struct part *me, int key)
{
    char path[TEXT_BYTES];
    FILE *file;

    shared_file(me, "store", path);
    file = fopen(path, "ae");
    must(file != NULL && fprintf(file, "key_%d value_%d\n", key, key) > 0);
    must(fclose(file) == 0);
}

static void reader(struct part *me)
{
    int size = 0;

    /* "5 readers are inside at the same moment" */
    must(gc_rlock(me->g, "store", GC_FOREVER) == 0);
    send_number(me, chan_of(me, "inside"), me->index);
    step_wait(me, "all_inside");
    must(gc_runlock(me->g, "store", GC_FOREVER) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        int before = size;

        must(gc_rlock(me->g, "store", GC_FOREVER) == 0);
        say(me, "reader in");
        size = size_of_store(me);
        say(me, "reader out");
        must(gc_runlock(me->g, "store", GC_FOREVER) == 0);
        /* "the sizes that a reader sees never shrink" */
        must(size >= before);
    }
}

/* "no writer starves: both finish while readers come without a pause" */
static void writer(struct part *me)
{
    uint64_t token;

    step_wait(me, "all_inside");
    for (int i = 0; i < KEYS; i++) {
        must(gc_rwlock(me->g, "store", &token, 0, GC_FOREVER) == 0);
        say(me, "writer in");
        append(me, size_of_store(me));
        say(me, "writer out");
        must(gc_rwunlock(me->g, "store", token, 0, GC_FOREVER) == 0);
    }
    send_number(me, chan_of(me, "written"), me->index);
}

static void main_part(struct part *me)
{
    int who;

    for (int i = 0; i < READERS; i++)
        must(recv_number(me, chan_of(me, "inside"), &who));
    must(gc_rwlock(me->g, "store", &(uint64_t){0}, 0, GC_NOW) == -EAGAIN);
    step_done(me, "all_inside");
    for (int i = 0; i < WRITERS; i++)
        must(recv_number(me, chan_of(me, "written"), &who));
    /* "the final map is key_0 to key_49 with value_0 to value_49" */
    must(size_of_store(me) == WRITERS * KEYS);
}

static void rwmutex(void)
{
    int readers = 0, writers = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        int change = strstr(part_lines.line[i], " in") ? 1 : -1;

        if (part_lines.line[i][0] == 'r')
            readers += change;
        else
            writers += change;
        /* "a writer is always alone: 0 readers, 1 writer" */
        must(writers == 0 || (writers == 1 && readers == 0));
    }
}

GUIDE_PARTS(G43, rwmutex, .channels = {{"inside"}, {"all_inside"}, {"written"}},
            .parts = {PARTS(READERS, reader), PARTS(WRITERS, writer), PART(main_part)});
