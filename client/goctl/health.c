/*
 * The command health: checks run side by side, each within its time. Three are built in, of which that of circuit breakers is
 * told when one is open; all others are shell commands, of
 * which one that is not well fails or does not end.
 *
 * What a command prints is read when it has ended; one that prints more than a pipe holds does not end in time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "commands.h"
#include "observe.h"
#include "options.h"
#include "output.h"
#include "status.h"

enum { CHECKS_MAX = 64, BUILT_IN = 3, TEXT_BYTES = 256 };

#define EACH_DEFAULT_NS INT64_C(1000000000)
#define GOROUTINES_MOST 100000
#define MEMORY_MOST     (UINT64_C(1) << 30)

struct check {
    const char *name;
    bool failed;
    char text[TEXT_BYTES]; /* why */
    pid_t pid;             /* of its command, until it has ended; 0: none */
    int pidfd, output;
};

static void check_fail(struct check *check, const char *text)
{
    check->failed = true;
    snprintf(check->text, sizeof check->text, "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- built in ---- */

/* A job that has ended meanwhile has none. */
static int add_goroutines(struct session *session, gc_job job, uint64_t *n)
{
    struct gc_stats figures;
    int r = gc_figures(session->client, job, &figures, session_patience(session));

    if (r > 0)
        *n += figures.items[0].value;
    gc_stats_clear(&figures);
    return r >= 0 || r == -ENOENT ? 0 : r;
}

static int count_goroutines(struct session *session, uint64_t *n)
{
    struct gc_job_filter filter = {.size = sizeof filter, .states = 1u << GC_JOB_RUNNING};
    bool more = true;
    int r = 0;

    for (*n = 0; more;) {
        struct gc_job_page page = {0};

        r = gc_jobs(session->client, &filter, &page, session_patience(session));
        if (r < 0)
            return r;
        r = 0;
        for (size_t i = 0; i < page.n && r == 0; i++)
            r = add_goroutines(session, page.items[i].job, n);
        more = r == 0 && page.more;
        filter.after = page.next;
        gc_job_page_clear(&page);
    }
    return r;
}

static void check_goroutines(struct session *session, struct check *check)
{
    uint64_t n, most = session->options->most ? session->options->most : GOROUTINES_MOST;
    int r = count_goroutines(session, &n);
    char text[TEXT_BYTES];

    check->name = "goroutine_count";
    snprintf(text, sizeof text, "%" PRIu64 " goroutines, %" PRIu64 " are expected at most", n, most);
    if (r < 0 || n > most)
        check_fail(check, r < 0 ? gc_strerror(r) : text);
}

static void check_memory(struct session *session, struct check *check)
{
    struct gc_stats stats = {0};
    int r = gc_stats(session->client, "bytes", &stats, session_patience(session));
    char text[TEXT_BYTES] = "the daemon does not tell \"bytes\"";

    check->name = "memory_usage";
    if (stats.n)
        snprintf(text, sizeof text, "%" PRIu64 " bytes, %" PRIu64 " are expected at most",
                 stats.items[0].value, MEMORY_MOST);
    if (r < 0 || !stats.n || stats.items[0].value > MEMORY_MOST)
        check_fail(check, r < 0 ? gc_strerror(r) : text);
    gc_stats_clear(&stats);
}

static void check_breakers(struct session *session, struct check *check)
{
    struct gc_stats stats = {0};
    int r = gc_stats(session->client, "breakers.open", &stats, session_patience(session));
    uint64_t n = stats.n ? stats.items[0].value : 0;
    char text[TEXT_BYTES];

    check->name = "circuit_breakers";
    snprintf(text, sizeof text, "%" PRIu64 " functions of queues are kept by theirs", n);
    if (r < 0 || n)
        check_fail(check, r < 0 ? gc_strerror(r) : text);
    gc_stats_clear(&stats);
}

/* ---- commands ---- */

static void check_start(struct check *check, const char *name, const char *command)
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    int ends[2], r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;

    check->name = name;
    if (r == 0) {
        r = child_spawn(argv, (struct child_how){.output = ends[1], .alone = true}, &check->pid);
        check->output = ends[0];
        close(ends[1]);
        check->pidfd = r == 0 ? pidfd_open(check->pid, 0) : -1;
        if (r < 0)
            close(ends[0]);
    }
    if (r == 0)
        return;
    check->pid = 0;
    check_fail(check, strerror(-r));
}

/* The first line it printed, or how it ended. */
static void check_judge(struct check *check, int status)
{
    char text[TEXT_BYTES];
    ssize_t n;

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    fcntl(check->output, F_SETFL, O_NONBLOCK); /* others may have it open */
    n = read(check->output, text, sizeof text - 1);
    if (n > 0)
        text[n] = '\0';
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "exit status %d", WEXITSTATUS(status));
    check_fail(check, text);
}

static void check_end(struct check *check, bool in_time)
{
    int status = 0;

    if (!in_time)
        kill(-check->pid, SIGKILL);
    while (waitpid(check->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (in_time)
        check_judge(check, status);
    else
        check_fail(check, "timeout");
    close(check->output);
    if (check->pidfd >= 0)
        close(check->pidfd);
    check->pid = 0;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until all have ended or the time is over, or goctl has to end. */
static void checks_await(struct check *checks, size_t n, int64_t until_ms)
{
    for (;;) {
        struct pollfd fds[CHECKS_MAX + 1] = {{session_stop_fd(), POLLIN, 0}};
        int64_t left_ms = until_ms - now_ms();
        size_t waits = 0;

        for (size_t i = 0; i < n; i++) {
            fds[i + 1] = (struct pollfd){checks[i].pid ? checks[i].pidfd : -1, POLLIN, 0};
            waits += checks[i].pid != 0;
        }
        if (!waits)
            return;
        poll(fds, n + 1, left_ms > 0 ? (int)left_ms : 0);
        for (size_t i = 0; i < n; i++)
            if (checks[i].pid && (fds[i + 1].revents || left_ms <= 0 || fds[0].revents))
                check_end(&checks[i], fds[i + 1].revents);
    }
}

/* ---- a round ---- */

static int say_check(const struct options *options, const struct check *check)
{
    if (options->json)
        return output_json(
            json_pack("{s:s, s:b, s:s}", "check", check->name, "ok", !check->failed, "text", check->text));
    if (check->failed)
        printf("%s: ERROR - %s\n", check->name, check->text);
    else
        printf("%s: OK\n", check->name);
    return output_flush();
}

/* How many are not well, or how the output failed. */
static int round_of(struct session *session)
{
    const struct options *options = session->options;
    int64_t each_ns = options->each_ns > 0 ? options->each_ns : EACH_DEFAULT_NS,
            until_ms = now_ms() + each_ns / 1000000;
    struct check checks[CHECKS_MAX] = {0};
    size_t n = BUILT_IN;
    int failed = 0, r = 0;

    for (size_t i = 0; i < options->cases_n && n < CHECKS_MAX; i++, n++)
        check_start(&checks[n], options->cases[i].name, options->cases[i].value);
    check_goroutines(session, &checks[0]);
    check_memory(session, &checks[1]);
    check_breakers(session, &checks[2]);
    checks_await(checks, n, until_ms);
    for (size_t i = 0; i < n && r == 0; i++) {
        failed += checks[i].failed;
        if (i != 2 || checks[i].failed)
            r = say_check(options, &checks[i]);
    }
    return r < 0 ? r : failed;
}

static int health(struct session *session)
{
    const struct options *options = session->options;
    uint64_t rounds = options->count ? options->count : options->every_ns > 0 ? UINT64_MAX : 1;
    int failed = 0;

    for (uint64_t i = 0; i < rounds && !session_stopped(); i++) {
        struct pollfd stop = {session_stop_fd(), POLLIN, 0};
        int r = round_of(session);

        if (r < 0)
            return output_fail(r);
        failed += r;
        if (i + 1 < rounds)
            poll(&stop, 1, options->every_ns > 0 ? (int)(options->every_ns / 1000000) : 0);
    }
    return failed ? STATUS_FAILURE : STATUS_OK;
}

int command_health(const struct options *options)
{
    struct session session;
    int status;

    if (options->cases_n > CHECKS_MAX - BUILT_IN) {
        fprintf(stderr, "goctl health: at most %d checks\n", CHECKS_MAX - BUILT_IN);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, health(&session)) : status;
}
