/*
 * G03 A goroutine of a small local function: what it needs comes as an argument block, copied at the spawn.
 *
 * Pattern: argument block in place of a closure.
 */
#include <stdio.h>

#include "guide.h"

struct block {
    char text[32];
    int times;
    struct gate *gate;
};

static void repeat(void *arg)
{
    const struct block *block = arg; /* the goroutine's own copy: it lives as long as the goroutine */

    gate_pass(block->gate);
    for (int i = 0; i < block->times; i++)
        say("%s: %d", block->text, i);
}

static void anonymous(void *unused)
{
    for (int i = 0; i < 3; i++)
        say("Anonymous goroutine: %d", i);
}

static void arguments(void)
{
    struct gate gate = {0};
    struct block block = {"Parameterized goroutine", 3, &gate};
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, anonymous, NULL, 0) == 0);
    must(go_waitgroup_go(&done, repeat, &block, sizeof block) == 0);
    snprintf(block.text, sizeof block.text, "overwritten");
    block.times = 99;
    gate_open(&gate); /* only now does the second look at its block */
    go_waitgroup_wait(&done);

    /* "the lines "Anonymous goroutine: 0" to 2 in order" */
    must(said_by("Anonymous",
                 LINES("Anonymous goroutine: 0", "Anonymous goroutine: 1", "Anonymous goroutine: 2")));
    /* "the lines "Parameterized goroutine: 0" to 2 in order" */
    must(said_by("Parameterized", LINES("Parameterized goroutine: 0", "Parameterized goroutine: 1",
                                        "Parameterized goroutine: 2")));
    /* "the caller overwrites its block right after the spawn and the goroutine still sees the old values" */
    must(said_lines() == 6 && strcmp(block.text, "overwritten") == 0);
}

GUIDE_ROW(G03, arguments);
