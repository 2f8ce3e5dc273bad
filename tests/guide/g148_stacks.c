/*
 * G148 A dump of all goroutines: a paragraph for each, with its stack. There is no buffer that could be too small: it is
 * written to a descriptor.
 *
 * Pattern: dump of all goroutines.
 */
#include <stdio.h>

#include "goroutine_host.h"
#include "guide.h"
#include "paper.h"

enum { FEW = 5, MANY = 1999, LINE_BYTES_MAX = 256 };

static void wait_closed(void *arg)
{
    must(go_chan_recv(*(go_chan **)arg, NULL, GO_FOREVER) == 0);
}

/* In a job: of the job. */
static char *dump(void)
{
    int fd = paper();

    must((guide_is_job() ? go_group_dump(go_group_current(), fd) : go_dump(fd)) == 0);
    return paper_read(fd);
}

static char *dump_while_held(int n)
{
    go_chan *closing = go_chan_new(0, 0);
    char *text;

    for (int i = 0; i < n; i++)
        must(go_spawn(wait_closed, &closing, sizeof closing) == 0);
    until_parked(n, "chan receive");
    text = dump();
    go_chan_close(closing);
    until_live(1);
    go_chan_unref(closing);
    return text;
}

static void skip_line(const char **at)
{
    *at = strchr(*at, '\n') + 1;
}

/* Of one that waits: id, state with reason and age, function, and where it was started. Behind it comes its stack. */
static bool is_held_entry(const char *at, unsigned long long *id)
{
    char reason[LINE_BYTES_MAX], function[LINE_BYTES_MAX], file[LINE_BYTES_MAX];
    unsigned long long s, ms;
    int line;

    if (sscanf(at, "goroutine %llu [parked: %255[^,], %llu.%3llu s] %255s", id, reason, &s, &ms, function) !=
        5)
        return false;
    skip_line(&at);
    must(sscanf(at, "  started at %255[^:]:%d", file, &line) == 2);
    must(strcmp(reason, "chan receive") == 0 && strcmp(function, "wait_closed") == 0);
    must(strstr(file, "g148_stacks.c") && line > 0);
    return true;
}

/* How many entries; every one but the caller's is of one that is held, and the ids ascend. */
static int entries_of(const char *text)
{
    unsigned long long id, last = 0;
    int entries = 0, held = 0;

    for (const char *at = text; *at; skip_line(&at)) {
        if (strncmp(at, "goroutine ", strlen("goroutine ")) != 0)
            continue;
        entries++;
        if (!is_held_entry(at, &id))
            continue;
        must(id > last);
        last = id;
        held++;
    }
    must(held == entries - 1 && times_in(text, "[running] ") == 1);
    return entries;
}

static void stacks(void)
{
    char *few = dump_while_held(FEW), *many = dump_while_held(MANY);

    say("%s", few);
    /* "the dump of main and 5 that wait has exactly 6 entries" */
    must(entries_of(few) == 6);
    /* "each has id, state, what it waits for and since when, function, and where it was started": `is_held_entry`. "below
     * it is its stack" */
    must(times_in(few, "    wait_closed+0x") == FEW && times_in(few, "    go_chan_recv+0x") == FEW);
    /* "of 2,000 goroutines all are listed" */
    must(entries_of(many) == 2000 && times_in(many, "    wait_closed+0x") == MANY);
    free(few);
    free(many);
}

GUIDE_ROW(G148, stacks);
