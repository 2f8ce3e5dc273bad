/*
 * G14 Printing from many goroutines: a line is one call, and comes out whole.
 *
 * Pattern: one call per line. The output of a job is kept with it, for whoever submitted it.
 */
#include <stdio.h>

#include "guide.h"

enum { PRINTERS = 50, PRINTED = 100, LINE = 200 };

static void print_lines(void *arg)
{
    int me = *(int *)arg;
    char line[LINE + 1];

    memset(line, 'x', LINE);
    line[LINE] = '\0';
    for (int i = 0; i < PRINTED; i++) {
        int n = snprintf(line, sizeof line, "%02d %03d ", me, i);

        line[n] = 'x';
        say_unkept(line);
    }
}

static void print_from_many(void)
{
    go_waitgroup printers = {0};

    for (int i = 0; i < PRINTERS; i++)
        must(go_waitgroup_go(&printers, print_lines, &i, sizeof i) == 0);
    go_waitgroup_wait(&printers);
}

/* Of a job, tests/guide/jobs.py judges the kept output in the same way. */
static void judge_output(const struct guide_ending *ending)
{
    int next[PRINTERS] = {0}, lines = 0;
    const char *at = ending->out, *end;

    for (; (end = strchr(at, '\n')); at = end + 1) {
        int me = atoi(at), line = atoi(at + 3);

        lines++;
        /* "each is whole, none is torn" */
        must(end - at == LINE && strspn(at + 7, "x") == LINE - 7);
        /* "each goroutine's lines are in order" */
        must(me >= 0 && me < PRINTERS && line == next[me]++);
    }
    /* "5000 lines of 200 bytes" */
    must(lines == PRINTERS * PRINTED && *at == '\0');
}

static void nothing_to_do(void)
{
}

/* "job: its output is kept, and read by its submitter" */
GUIDE_PART(G14, print_from_many, .judge = judge_output);
GUIDE_ROW(G14, nothing_to_do);
