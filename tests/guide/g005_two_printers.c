/*
 * G05 Two printers side by side: digits and letters.
 *
 * Pattern: spawn and join. Each goroutine keeps its own order; there is none between the two.
 */
#include "guide.h"

static void print_digits(void *unused)
{
    for (int digit = 1; digit <= 5; digit++) {
        say("digit %d", digit);
        go_yield();
    }
}

static void print_letters(void *unused)
{
    for (char letter = 'a'; letter <= 'e'; letter++) {
        say("letter %c", letter);
        go_yield();
    }
}

static void two_printers(void)
{
    go_waitgroup done = {0};

    must(go_waitgroup_go(&done, print_digits, NULL, 0) == 0);
    must(go_waitgroup_go(&done, print_letters, NULL, 0) == 0);
    go_waitgroup_wait(&done);
    say("Done!");

    /* "the digits in order 1 to 5" */
    must(said_by("digit", LINES("digit 1", "digit 2", "digit 3", "digit 4", "digit 5")));
    /* "the letters in order a to e" */
    must(said_by("letter", LINES("letter a", "letter b", "letter c", "letter d", "letter e")));
    /* "any interleaving of the two, "Done!" last" */
    must(said_lines() == 11 && said_last("Done!"));
}

GUIDE_ROW(G05, two_printers);
