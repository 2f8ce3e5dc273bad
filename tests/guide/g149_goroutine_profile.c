/*
 * G149 A profile of goroutines: how many stand at each place. A leak shows as a place with ever more of them.
 *
 * Pattern: goroutine profile.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { RECEIVERS = 100, SENDERS = 7 };

static void wait_to_receive(void *c)
{
    must(go_chan_recv(*(go_chan **)c, NULL, GO_FOREVER) == 0);
}

static void wait_to_send(void *c)
{
    must(go_chan_send(*(go_chan **)c, NULL, GO_FOREVER) == -EPIPE);
}

/* One line for each place: outermost function first, and how many. In a job: of the job. */
static char *profile(void)
{
    int fd = paper();

    must(go_goroutine_profile(go_group_current(), fd, GO_PROFILE_FOLDED) == 0);
    return paper_read(fd);
}

static int64_t total_of(const char *folded)
{
    int64_t total = 0;

    for (const char *end; (end = strchr(folded, '\n')); folded = end + 1) {
        const char *count = end;

        while (count[-1] != ' ')
            count--;
        total += strtoll(count, NULL, 10);
    }
    return total;
}

static void goroutine_profile(void)
{
    go_chan *in = go_chan_new(0, 0), *out = go_chan_new(0, 0);
    char *text;

    for (int i = 0; i < RECEIVERS; i++)
        must(go_spawn(wait_to_receive, &in, sizeof in) == 0);
    for (int i = 0; i < SENDERS; i++)
        must(go_spawn(wait_to_send, &out, sizeof out) == 0);
    until_waiting(RECEIVERS + SENDERS);
    text = profile();
    say("%s", text);
    /* "100 goroutines stand at one place, 7 at another, and main at its own" */
    must(times_in(text, "\n") == 3);
    must(strstr(text, "wait_to_receive;go_chan_recv 100\n") && strstr(text, "wait_to_send;go_chan_send 7\n"));
    /* "together they are as many as there are goroutines: 108" */
    must(total_of(text) == 108 && (guide_is_job() || go_live() == 108));
    free(text);
    go_chan_close(in);
    go_chan_close(out);
    until_live(1);
    go_chan_unref(in);
    go_chan_unref(out);
}

GUIDE_ROW(G149, goroutine_profile);
