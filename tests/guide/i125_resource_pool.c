/*
 * G125 between processes: three resources lie in a channel; ten workers take one, use it, and put it back.
 *
 * Pattern: resource pool.
 */
#include "parts.h"

enum { RESOURCES = 3, WORKERS = 10 };

static void worker(struct part *me)
{
    gc_chan pool = chan_of(me, "pool");
    int resource;

    must(recv_number(me, pool, &resource));
    say(me, "acquire: worker %d", me->index);
    say(me, "resource %d: taken", resource);
    step_wait(me, "gate");
    say(me, "resource %d: free", resource);
    say(me, "release: worker %d", me->index);
    send_number(me, pool, resource); /* there is room: it was taken out */
    send_number(me, chan_of(me, "ended"), me->index);
}

static void owner(struct part *me)
{
    gc_chan pool = chan_of(me, "pool"), ended = chan_of(me, "ended");
    int left[RESOURCES], worker;

    for (int i = 1; i <= RESOURCES; i++)
        send_number(me, pool, i);
    until_waiting(me, chan_of(me, "gate"), 0, RESOURCES);
    until_waiting(me, pool, 0, WORKERS - RESOURCES);
    step_done(me, "gate");
    for (int i = 0; i < WORKERS; i++)
        must(recv_number(me, ended, &worker));
    for (int i = 0; i < RESOURCES; i++)
        must(recv_number(me, pool, &left[i]));
    /* "at the end the pool holds {1, 2, 3}" */
    must(ints_are_set(left, RESOURCES, INTS(1, 2, 3)));
}

static void resource_pool(void)
{
    bool taken[RESOURCES + 1] = {false};
    int in_use = 0, most = 0;

    for (size_t i = 0; i < part_lines.n; i++) {
        int resource;
        char what[TEXT_BYTES];

        if (sscanf(part_lines.line[i], "resource %d: %255s", &resource, what) != 2)
            continue;
        /* "each is used by one at a time" */
        must(taken[resource] == (strcmp(what, "free") == 0));
        taken[resource] = !taken[resource];
        in_use += taken[resource] ? 1 : -1;
        most = in_use > most ? in_use : most;
    }
    /* "at most 3 are in use" */
    must(most == RESOURCES);
    /* "10 acquire lines and 10 release lines, one of each worker" */
    for (int i = 0; i < WORKERS; i++)
        must(said_times("acquire: worker %d", i) == 1 && said_times("release: worker %d", i) == 1);
}

GUIDE_PARTS(G125, resource_pool, .channels = {{"pool", {.capacity = RESOURCES}}, {"gate"}, {"ended"}},
            .parts = {PARTS(WORKERS, worker), PART(owner)});
