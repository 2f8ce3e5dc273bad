/* A plugin whose functions end in every way that a job can end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "goclient_chan.h"
#include "goclient_context.h"
#include "goplugin.h"

static int hello(gp_job *job)
{
    struct gp_bytes name = gp_argument(job);

    return gp_print(job, "Hello, %.*s!\n", (int)name.size, (const char *)name.data);
}

static int echo(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);

    return gp_result(job, argument.data, argument.size);
}

static int fail(gp_job *job)
{
    gp_print(job, "attempt %u\n", gp_attempt(job));
    return gp_fail(job, -EIO, "the disk of %s", "trial");
}

/* How many jobs it came after, and how many of them were done. */
static int counts(gp_job *job)
{
    unsigned jobs, done = gp_after(job, &jobs);
    char text[64];
    int n = snprintf(text, sizeof(text), "%u of %u", done, jobs);

    return gp_result(job, text, (size_t)n);
}

/* Succeeds in its third attempt. */
static int third(gp_job *job)
{
    gp_print(job, "attempt %u\n", gp_attempt(job));
    return gp_attempt(job) < 3 ? -EAGAIN : gp_result(job, "at last", 7);
}

/* Waits for its context: ends when it is cancelled or its time is over. */
static int wait(gp_job *job)
{
    gp_progress(job, 0.5, "waiting");
    go_ctx_wait(gp_context(job), GO_FOREVER);
    return -ECANCELED;
}

/* Stops the daemon, waits until its time is over, and then makes the file that the argument names. */
static int late(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    FILE *mark;

    kill(getppid(), SIGSTOP);
    go_ctx_wait(gp_context(job), GO_FOREVER);
    mark = fopen((const char *)argument.data, "w");
    return mark && fclose(mark) == 0 ? -ECANCELED : -EIO;
}

static int open_named(gp_job *job, gc_chan *out)
{
    struct gp_bytes argument = gp_argument(job);
    char name[GC_NAME_BYTES];

    snprintf(name, sizeof name, "%.*s", (int)argument.size, (const char *)argument.data);
    return gc_open(gp_client(job), name, NULL, out, GC_FOREVER);
}

/* Waits for a value on the channel that the argument names, and leaves it as the result. */
static int receive(gp_job *job)
{
    struct gc_value value = {0};
    gc_chan channel;
    int r = open_named(job, &channel);

    if (r >= 0)
        r = gc_recv(gp_client(job), channel, &value, 0, GC_FOREVER);
    if (r > 0)
        r = gp_result(job, value.data, value.size);
    gc_value_clear(&value);
    return r;
}

/* Answers one request on the channel that came with it, and leaves that to the end of its run. */
static int answer(gp_job *job)
{
    struct gc_value request = {0};
    gc_chan channel;
    int r = open_named(job, &channel);

    if (r >= 0)
        r = gc_recv(gp_client(job), channel, &request, 0, GC_FOREVER);
    if (r > 0)
        r = request.chans_n == 1
                ? gc_send(gp_client(job), request.chans[0].chan, gc_string("answer"), GC_FOREVER)
                : -EINVAL;
    gc_value_clear(&request);
    return r;
}

/* Its argument is the name of a durable channel, perhaps with a blank and a plugin behind it. Takes a value from there; in one
 * transaction with its end it acknowledges that, puts "relayed" there, and submits an echo of it to that plugin. */
static int relay(gp_job *job)
{
    struct gp_bytes argument = gp_argument(job);
    gc_client *g = gp_client(job);
    char name[GC_NAME_BYTES + 512];
    struct gc_submit next = {.size = sizeof next, .function = "echo"};
    struct gc_value value = {0};
    gp_txn *txn = gp_txn_begin(job);
    gc_chan channel;

    snprintf(name, sizeof name, "%.*s", (int)argument.size, (const char *)argument.data);
    char *plugin = strchr(name, ' ');
    if (plugin)
        *plugin++ = 0;
    int r = txn ? gc_open(g, name, NULL, &channel, GC_FOREVER) : -ENOMEM;
    if (r == 0)
        r = gc_recv(g, channel, &value, GC_HOLD, GC_FOREVER) == 1 ? 0 : -EPIPE;
    if (r == 0)
        r = gp_result(job, value.data, value.size);
    if (r == 0)
        r = gp_txn_ack(txn, &value);
    if (r == 0)
        r = gp_txn_send(txn, channel, gc_string("relayed"));
    next.plugin = plugin;
    next.argument = value.data;
    next.argument_bytes = value.size;
    if (r == 0 && plugin)
        r = gp_txn_submit(txn, &next);
    if (r == 0 && plugin && gp_txn_submit(txn, &(struct gc_submit){.size = 1}) != -EINVAL)
        r = gp_fail(job, -EBADMSG, "a submit of an unknown size was taken");
    if (r == 0)
        r = gp_txn_commit(txn, NULL, GC_FOREVER);
    if (r < 0) {
        gp_txn_drop(txn);
        r = gp_fail(job, r, "%s", gc_why());
    }
    gc_value_clear(&value);
    return r;
}

/* Its argument is a topic. In one transaction with its end, whose result is "told", it publishes "news" there, with a key. */
static int tell(gp_job *job)
{
    const struct gc_publish_options options = {.size = sizeof options, .key = "trial"};
    struct gp_bytes argument = gp_argument(job);
    gp_txn *txn = gp_txn_begin(job);
    char topic[GC_NAME_BYTES];

    snprintf(topic, sizeof topic, "%.*s", (int)argument.size, (const char *)argument.data);
    int r = txn ? gp_result(job, "told", 4) : -ENOMEM;
    if (r == 0)
        r = gp_txn_publish(txn, topic, gc_string("news"), &options);
    if (r == 0)
        r = gp_txn_commit(txn, NULL, GC_FOREVER);
    if (r < 0) {
        gp_txn_drop(txn);
        r = gp_fail(job, r, "%s", gc_why());
    }
    return r;
}

/* Asks on the channel that the argument names, with one for the answer, which is its result. */
static int ask(gp_job *job)
{
    struct gc_passed reply = {.rights = GC_MAY_SEND};
    struct gc_value value = {0};
    gc_chan channel;
    int r = open_named(job, &channel);

    if (r >= 0)
        r = gc_make(gp_client(job), NULL, 0, &reply.chan, GC_FOREVER);
    if (r >= 0)
        r = gc_send(gp_client(job), channel, gc_carrying(gc_string("?"), &reply, 1), GC_FOREVER);
    if (r >= 0)
        r = gc_recv(gp_client(job), reply.chan, &value, 0, GC_FOREVER);
    if (r > 0)
        r = gp_result(job, value.data, value.size);
    gc_value_clear(&value);
    return r;
}

enum { PRINTERS = 10, LINES = 50 };

struct printer {
    gp_job *job;
    int number;
};

static void print_lines(void *arg)
{
    const struct printer *printer = arg;
    char filler[201];

    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (int line = 0; line < LINES; line++)
        gp_print(printer->job, "%d %d %s\n", printer->number, line, filler);
}

/* Ten goroutines print fifty lines each. The job ends when they all have. */
static int print_many(gp_job *job)
{
    go_waitgroup printers = {0};

    for (int i = 0; i < PRINTERS; i++)
        go_waitgroup_go(&printers, print_lines, &(struct printer){job, i}, sizeof(struct printer));
    go_waitgroup_wait(&printers);
    return 0;
}

/* Leaves the value that its context binds to the name that the argument is. */
static int lookup(gp_job *job)
{
    struct gc_value value = {0};
    gc_ctx *ctx;
    int r = gc_context_of(gp_client(job), gp_context_id(job), &ctx, GC_FOREVER);

    if (r < 0)
        return r;
    r = gc_context_value(ctx, gp_argument(job).data, &value, GC_FOREVER);
    if (r > 0)
        r = gp_result(job, value.data, value.size);
    gc_value_clear(&value);
    gc_ctx_free(ctx);
    return r;
}

/* Fails in a way that no other attempt would mend. */
static int give_up(gp_job *job)
{
    gp_print(job, "attempt %u\n", gp_attempt(job));
    return gp_give_up(job, -EINVAL, "an argument without sense: %s", (const char *)gp_argument(job).data);
}

/* Fails until there is a file of the name that its argument is. */
static int need_file(gp_job *job)
{
    const char *name = gp_argument(job).data;

    if (access(name, F_OK) != 0)
        return gp_fail(job, -errno, "%s", name);
    return gp_result(job, "there", 5);
}

static int panic(gp_job *job)
{
    (void)job;
    go_panic("a bad day");
    return 0;
}

static int crash(gp_job *job)
{
    volatile int *nowhere = NULL;

    (void)job;
    return *nowhere;
}

GP_PLUGIN("trial", "1.0", {"hello", "greets its argument", hello}, {"echo", "gives its argument back", echo},
          {"fail", "fails", fail}, {"counts", "says how many jobs before it were done", counts},
          {"third", "succeeds in its third attempt", third}, {"wait", "waits until it is cancelled", wait},
          {"late", "stops the daemon until its time is over, and makes a file", late},
          {"receive", "receives a value from the channel it is given", receive},
          {"answer", "answers on the channel that came with a request", answer},
          {"ask", "asks, with a channel for the answer", ask},
          {"relay", "takes, sends, submits and ends at once", relay},
          {"tell", "publishes and ends at once", tell}, {"lookup", "looks up a value of its context", lookup},
          {"print_many", "prints from ten goroutines", print_many}, {"give_up", "fails for good", give_up},
          {"need_file", "fails while there is no such file", need_file}, {"panic", "panics", panic},
          {"crash", "reads address 0", crash});
