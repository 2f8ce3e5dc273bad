/*
 * G40 between processes: four clients count in one file, under a lock that has a name.
 *
 * Pattern: mutex.
 */
#include <fcntl.h>
#include <unistd.h>

#include "parts.h"

enum { CLIENTS = 4, TIMES = 250 };

/* Reads the number in the file and writes the next one. */
static int increment(struct part *me)
{
    char path[TEXT_BYTES], text[16] = "";
    int file, number;

    shared_file(me, "counter", path);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0 && pread(file, text, sizeof text - 1, 0) >= 0);
    number = atoi(text) + 1;
    snprintf(text, sizeof text, "%d", number);
    must(pwrite(file, text, strlen(text), 0) == (ssize_t)strlen(text));
    close(file);
    return number;
}

/* "never two holders at once": the second could not make this file. */
static void enter(struct part *me, bool in)
{
    char path[TEXT_BYTES];

    shared_file(me, "inside", path);
    if (in) {
        int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        must(file >= 0);
        close(file);
    } else {
        must(unlink(path) == 0);
    }
}

static void counter(struct part *me)
{
    uint64_t token, before = 0;
    int number = 0;

    for (int i = 0; i < TIMES; i++) {
        must(gc_lock(me->g, "counter", &token, 0, GC_FOREVER) == 0);
        must(token > before);
        before = token;
        enter(me, true);
        number = increment(me);
        enter(me, false);
        must(gc_unlock(me->g, "counter", token, 0, GC_FOREVER) == 0);
    }
    say(me, "last: %d", number);
}

static void mutex(void)
{
    /* "exactly 1000" */
    must(said_times("last: %d", CLIENTS * TIMES) == 1 && part_lines.n == CLIENTS);
}

GUIDE_PARTS(G40, mutex, .parts = {PARTS(CLIENTS, counter)});
