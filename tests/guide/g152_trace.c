/*
 * G152 A trace of an execution: who was created and ended when, who waited for what and was woken by whom, and which value
 * went from whom to whom. It is written in the format of Chrome's trace viewer, which Perfetto opens, too.
 *
 * Pattern: execution trace.
 */
#include "goroutine_inspect.h"
#include "guide.h"
#include "paper.h"

enum { MESSAGES = 5 }; /* over each of two channels */

struct chain {
    go_chan *to_middle, *to_last;
};

static void run_first(void *arg)
{
    const struct chain *chain = arg;

    for (int i = 0; i < MESSAGES; i++)
        must(go_chan_send(chain->to_middle, &i, GO_FOREVER) == 0);
}

static void run_middle(void *arg)
{
    const struct chain *chain = arg;
    int message;

    for (int i = 0; i < MESSAGES; i++) {
        must(go_chan_recv(chain->to_middle, &message, GO_FOREVER) == 1 && message == i);
        must(go_chan_send(chain->to_last, &message, GO_FOREVER) == 0);
    }
}

static void run_last(void *arg)
{
    const struct chain *chain = arg;
    int message;

    for (int i = 0; i < MESSAGES; i++)
        must(go_chan_recv(chain->to_last, &message, GO_FOREVER) == 1 && message == i);
}

static char *trace(void)
{
    struct chain chain = {go_chan_new(sizeof(int), 0), go_chan_new(sizeof(int), 0)};
    int fd = paper();

    must(go_trace_start(0) == 0);
    must(go_spawn(run_first, &chain, 0) == 0);
    must(go_spawn(run_middle, &chain, 0) == 0);
    must(go_spawn(run_last, &chain, 0) == 0);
    until_live(1);
    must(go_trace_stop(fd) == 0); /* nothing was dropped */
    go_chan_unref(chain.to_middle);
    go_chan_unref(chain.to_last);
    return paper_read(fd);
}

/* The same number of opening and closing brackets, and never more closed than open. */
static bool is_closed(const char *json)
{
    int open = 0;

    for (; *json && open >= 0; json++)
        open += (*json == '{' || *json == '[') - (*json == '}' || *json == ']');
    return open == 0;
}

static void execution_trace(void)
{
    char *json = trace();
    int blocked = times_in(json, "\"name\":\"blocked: ");

    say("%zu bytes, %d waits", strlen(json), blocked);
    /* "the file is in the public format of Chrome's trace viewer" */
    must(strstr(json, "\"traceEvents\":[") && is_closed(json));
    /* "it has 3 creates and 3 ends" */
    must(times_in(json, "\"name\":\"create\"") == 3 && times_in(json, "\"name\":\"end\"") == 3);
    /* "and 10 links from a send to its receive" */
    must(times_in(json, "\"ph\":\"s\"") == 10 && times_in(json, "\"ph\":\"f\"") == 10);
    /* "every wait ends with who woke it" */
    must(blocked > 0 && times_in(json, "\"woken_by\"") == blocked);
    free(json);
}

GUIDE_ROW(G152, execution_trace);
