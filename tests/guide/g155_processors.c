/*
 * G155 The number of processors: asking for it, setting it while goroutines compute, and runs under a seed, for debugging:
 * one goroutine at a time, whatever the number, in an order that the seed decides.
 *
 * Every example is run with 1, 2 and 4 processors: none may depend on their number.
 *
 * Pattern: limit the processors, not the goroutines.
 */
#include "again.h"
#include "guide.h"

enum { COMPUTING = 8, TURNS = 20 };

struct load {
    atomic_bool stop;
    atomic_long turns;
};

static void compute(void *arg)
{
    struct load *load = arg;

    while (!atomic_load(&load->stop)) {
        atomic_fetch_add(&load->turns, 1);
        go_checkpoint();
    }
}

static void set_under_load(void)
{
    static const int numbers[] = {4, 1, 2, 3, 1};
    struct load load = {0};
    int before = go_set_procs(2);

    for (int i = 0; i < COMPUTING; i++)
        must(go_spawn(compute, &load, 0) == 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        long seen;

        must(go_set_procs(numbers[i]) == (i == 0 ? 2 : numbers[i - 1]));
        seen = atomic_load(&load.turns);
        /* "set while 8 goroutines compute it takes effect, and they go on" */
        while (atomic_load(&load.turns) == seen)
            go_yield();
        must(go_set_procs(0) == numbers[i]);
    }
    atomic_store(&load.stop, true);
    until_live(1);
    must(go_set_procs(before) == 1);
}

static void processors(void)
{
    int before = go_set_procs(0);

    say("%d processors", before);
    /* "set returns the old number" */
    must(go_set_procs(3) == before && go_set_procs(5) == 3);
    /* "a number below 1 only asks" */
    must(go_set_procs(0) == 5 && go_set_procs(-7) == 5 && go_set_procs(before) == 5);
    set_under_load();
    must(go_set_procs(0) == before);
}

/* ---- under a seed ---- */

struct trace {
    struct peak computing;
    go_chan *turns;
};

struct runner {
    struct trace *trace;
    int number;
};

static void run(void *arg)
{
    const struct runner *me = arg;

    for (int turn = 0; turn < TURNS; turn++) {
        peak_enter(&me->trace->computing);
        say("runner %d, turn %d", me->number, turn);
        peak_leave(&me->trace->computing);
        go_yield();
    }
}

/* Prints in which order four goroutines ran, and at last how many ran at once at most. */
static void traced(void)
{
    struct trace trace = {0};

    for (int i = 0; i < 4; i++)
        must(go_spawn(run, &((struct runner){&trace, i}), sizeof(struct runner)) == 0);
    until_live(1);
    say("at most %d at once", atomic_load(&trace.computing.most));
}

static void same_seed(void)
{
    struct again *first = run_again("GOROUTINE_SEED=7", "--procs 4 --part traced");
    struct again *second = run_again("GOROUTINE_SEED=7", "--procs 1 --part traced");
    struct again *other = run_again("GOROUTINE_SEED=8", "--procs 4 --part traced");

    must(first->status == 0 && second->status == 0 && other->status == 0);
    /* "under a seed never two goroutines run at once: a counter of those who run is 1 at most" */
    must(strstr(first->out, "at most 1 at once") && strstr(other->out, "at most 1 at once"));
    /* "the same seed gives the same order of all their steps, another seed another" */
    must(strcmp(first->out, second->out) == 0 && strcmp(first->out, other->out) != 0);
    free(first);
    free(second);
    free(other);
}

/* "every row holds with 1, 2 and 4 processors": as the test of each does, this one too. */
GUIDE_ROW(G155, processors);
GUIDE_PART(G155, traced);
GUIDE_PART(G155, same_seed, .no_job = "it is a program that runs itself again");
