/*
 * goroutined-host: runs the functions of one plugin as goroutines, for the daemon that started it.
 *
 * Threads: the main thread loads the plugin, starts the runtime and waits for the end; jobs are goroutines; offers come
 * on the client's service thread, which only starts and tells and never waits. The order at start matters: system calls
 * are taken away before the plugin is loaded, whose constructors are its code, too; the crash handler goes in after plugin
 * and runtime, so that neither replaces it.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "crash.h"
#include "goclient_go.h"
#include "host.h"
#include "host_protocol.h"
#include "inspect.h"
#include "job.h"
#include "message_inspect.h"
#include "recording.h"
#include "sandbox.h"

enum { OFFERS_WINDOW = 64, GRACE_WITHOUT_DAEMON_MS = 5000, EXIT_USAGE = 2 };

enum argument { RUN, GENERATION, DESCRIBE, AS, SECCOMP, MEMORY_MAX, CPU_WEIGHT, ARGUMENTS };

static struct host host;
static const char *given[ARGUMENTS] = {[SECCOMP] = "none", [MEMORY_MAX] = "0", [CPU_WEIGHT] = "33"};

static void tell(go_chan *c)
{
    char news = 0;

    go_chan_send(c, &news, GO_NOW); /* -EAGAIN: it has been told already */
}

/* Called after each change of what it looks at. */
static void tell_if_idle(struct host *h)
{
    bool idle;

    go_mutex_lock(&h->lock);
    idle = h->draining && list_empty(&h->jobs) && h->reporting == 0;
    go_mutex_unlock(&h->lock);
    if (idle)
        tell(h->idle);
}

/* A stale run is no news, and the end of the session is told by on_lost. */
static void on_stored(int status, void *arg)
{
    struct host *h = arg;

    (void)status;
    go_mutex_lock(&h->lock);
    h->reporting--;
    go_mutex_unlock(&h->lock);
    tell_if_idle(h);
}

bool host_begins(struct host *h)
{
    bool draining;

    go_mutex_lock(&h->lock);
    draining = h->draining;
    go_mutex_unlock(&h->lock);
    return !draining;
}

void host_leave(struct host *h, struct list *job_link)
{
    go_mutex_lock(&h->lock);
    list_remove(job_link);
    h->reporting++;
    go_mutex_unlock(&h->lock);
}

void host_report(struct host *h, const struct gc_host_end *end)
{
    if (gc_host_done(h->client, end, on_stored, h) < 0)
        on_stored(-ECONNRESET, h);
}

/* An offer that cannot be taken goes back unharmed: the daemon gives it to another host. */
static void give_back(const struct gc_offer *offer, const char *why)
{
    struct gc_host_end end = {
        .job = offer->job, .run = offer->run, .cause = CAUSE_RETURNED, .error = -EAGAIN, .text = why};
    struct list nothing = LIST_INIT(nothing);

    host_leave(&host, &nothing);
    host_report(&host, &end);
}

static void take_run(const struct gc_offer *offer)
{
    struct gp_bytes name = {offer->function, strlen(offer->function)};
    const struct gp_function *function = plugin_function(&host.plugin, name);
    int r;

    if (!host_begins(&host)) {
        give_back(offer, "the host drains");
        return;
    }
    if (!function) {
        give_back(offer, "this generation of the plugin has no such function");
        return;
    }
    r = job_start(&host, function, offer);
    if (r < 0)
        give_back(offer, strerror(-r));
}

/* Calls `fn` for the job with this run, if it is still here, under the lock. */
static void with_run(const struct gc_offer *offer,
                     void (*fn)(struct gp_job *job, const struct gc_offer *offer))
{
    struct gp_job *job;

    go_mutex_lock(&host.lock);
    list_each (job, &host.jobs, link) {
        if (job->run == offer->run) {
            fn(job, offer);
            break;
        }
    }
    go_mutex_unlock(&host.lock);
}

static void cancel(struct gp_job *job, const struct gc_offer *offer)
{
    job_cancel(job, offer->cause, offer->text, offer->grace_ns);
}

static void take_cancel(const struct gc_offer *offer)
{
    with_run(offer, cancel);
}

static void end_scope(struct gp_job *job, const struct gc_offer *offer)
{
    (void)offer;
    go_group_end(job->group);
}

static void take_scope_end(const struct gc_offer *offer)
{
    with_run(offer, end_scope);
}

static void take_drain(const struct gc_offer *offer)
{
    (void)offer;
    go_mutex_lock(&host.lock);
    host.draining = true;
    go_mutex_unlock(&host.lock);
    tell_if_idle(&host);
}

/* About a run that has ended nothing is told. */
static void take_dump(const struct gc_offer *offer)
{
    struct question question = {.client = host.client,
                                .number = offer->job,
                                .what = offer->what,
                                .format = offer->format,
                                .value = offer->value};
    struct gp_job *job;

    if (offer->what == INSPECT_HALT || offer->what == INSPECT_DROP) {
        recording_order(offer->what, offer->value); /* at once: before a question that comes later */
        return;
    }
    go_mutex_lock(&host.lock);
    list_each (job, &host.jobs, link)
        if (offer->run && job->run == offer->run)
            question.group = go_group_ref(job->group);
    go_mutex_unlock(&host.lock);
    if (offer->run && !question.group)
        question_refuse(&question, -ENOENT, "the job has ended");
    else
        question_answer(&question);
}

static void on_offer(const struct gc_offer *offer, void *arg)
{
    static void (*const take[])(const struct gc_offer *offer) = {
        [OFFER_RUN] = take_run,     [OFFER_CANCEL] = take_cancel,
        [OFFER_DRAIN] = take_drain, [OFFER_SCOPE_END] = take_scope_end,
        [OFFER_DUMP] = take_dump,
    };

    (void)arg;
    if (offer->kind < sizeof(take) / sizeof(take[0]) && take[offer->kind])
        take[offer->kind](offer);
}

static void on_lost(int error, void *arg)
{
    (void)error;
    (void)arg;
    tell(host.lost);
}

/* The daemon is gone: nobody will ask for the results. Cancel all, give them their grace, leave. */
static void end_without_daemon(void)
{
    struct gp_job *job;

    go_mutex_lock(&host.lock);
    host.draining = true;
    list_each (job, &host.jobs, link)
        job_cancel(job, CAUSE_CANCELED, "the daemon is gone", (int64_t)GRACE_WITHOUT_DAEMON_MS * 1000000);
    go_mutex_unlock(&host.lock);
    tell_if_idle(&host);
    go_chan_recv(host.idle, NULL, go_after_ms(2 * GRACE_WITHOUT_DAEMON_MS));
    crash_exit(1);
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "level=error event=host_failed what=\"%s\" why=\"%s\"\n", what, why);
    return 1;
}

static int connect_host(char *why)
{
    static struct gc_waiting waiting;
    struct gc_host_options options = {.size = sizeof(options),
                                      .lifeline = HOST_FD,
                                      .program = "goroutined-host",
                                      .waiting = &waiting,
                                      .offer = on_offer,
                                      .lost = on_lost};

    waiting = gc_waiting_goroutines;
    waiting.scope = job_scope;
    return gc_connect_host(&options, &host.client, why);
}

/* Until the daemon says drain and the last job has ended, or until the daemon is gone. */
static void serve(void)
{
    struct go_case ends[] = {GO_RECV(host.idle, NULL), GO_RECV(host.lost, NULL)};

    if (go_select(ends, 2, GO_FOREVER) == 1)
        end_without_daemon();
    questions_end();
    gc_disconnect(host.client);
    crash_exit(0);
}

static int refused_sandbox(int error)
{
    char why[128];

    snprintf(why, sizeof why, "%s: %s; allow seccomp(2) to the service, or set seccomp = none",
             given[SECCOMP], strerror(-error));
    return fail("seccomp", why);
}

static int run_host(const char *file)
{
    char why[PLUGIN_WHY_BYTES];
    int r;

    sandbox_share((unsigned)atoi(given[CPU_WEIGHT]));
    inspect_memory_max(strtoll(given[MEMORY_MAX], NULL, 10));
    r = sandbox_apply(given[SECCOMP]);
    if (r < 0)
        return refused_sandbox(r);
    r = plugin_open(file, file, &host.plugin, why);
    if (r < 0)
        return fail("plugin", why);
    list_init(&host.jobs);
    r = go_start(0);
    if (r < 0)
        return fail("runtime", strerror(-r));
    host.idle = go_chan_new(1, 1);
    host.lost = go_chan_new(1, 1);
    if (!host.idle || !host.lost)
        return fail("memory", strerror(ENOMEM));
    crash_install(HOST_CRASH_FD, job_run_here);
    r = connect_host(why);
    if (r < 0)
        crash_exit(fail("daemon", why));
    r = gc_host_reserve(host.client, given[GENERATION], OFFERS_WINDOW);
    if (r < 0)
        crash_exit(fail("daemon", gc_strerror(r)));
    serve();
    return 0;
}

static int usage(FILE *to, int status)
{
    fputs("usage: goroutined-host --describe FILE [--as PATH] [--seccomp PROFILE]\n"
          "       goroutined-host --run FILE --generation HASH [--seccomp PROFILE] [--memory-max BYTES]\n"
          "                       [--cpu-weight SHARES]\n"
          "Started by goroutined, with its end of a socket pair as descriptor 3. Not for people.\n",
          to);
    return status;
}

static int describe_plugin(const char *file, const char *as)
{
    int r = sandbox_apply(given[SECCOMP]);

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* constructors may never end */
    return r < 0 ? refused_sandbox(r) : plugin_describe(file, as ? as : file, HOST_FD);
}

/* 0, 'h' or '?'. */
static int read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"describe", required_argument, NULL, DESCRIBE},
                                            {"as", required_argument, NULL, AS},
                                            {"run", required_argument, NULL, RUN},
                                            {"generation", required_argument, NULL, GENERATION},
                                            {"seccomp", required_argument, NULL, SECCOMP},
                                            {"memory-max", required_argument, NULL, MEMORY_MAX},
                                            {"cpu-weight", required_argument, NULL, CPU_WEIGHT},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int o;

    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h' || o == '?')
            return o;
        given[o] = optarg;
    }
    return optind < argc || !given[DESCRIBE] == !given[RUN] || (given[RUN] && !given[GENERATION]) ? '?' : 0;
}

int main(int argc, char **argv)
{
    int wrong = read_arguments(argc, argv);

    if (wrong)
        return wrong == 'h' ? usage(stdout, 0) : usage(stderr, EXIT_USAGE);
    signal(SIGPIPE, SIG_IGN);
    sandbox_begin();
    return given[DESCRIBE] ? describe_plugin(given[DESCRIBE], given[AS]) : run_host(given[RUN]);
}
