/*
 * A thread answers the shims, one after the other. `lock` guards what it shares with the tester.
 *
 * Each host has a generation of its own, so that the death of one before it delays none: the file of the plugin is written
 * anew with another number behind its end, and the test clock is moved so that the daemon looks at it again.
 */
#include "hosted.h"

#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"
#include "shim.h"

#define LOOK_NS (2 * 1000000000LL) /* a file is looked at again after one second */

static struct {
    const struct node *node;
    gc_client *observer;
    const char *plugin;
    char copy[128], fresh[128];
    int listener;
    unsigned versions;
    struct proxy *proxy;
    pthread_mutex_t lock;
    pthread_cond_t news;
    pid_t pid;    /* of the newest host */
    bool holding; /* descriptions */
} hosted = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

/* ---- shims ---- */

static void lead(int shim, const int *fds, int fds_n, pid_t pid)
{
    struct shim_says says;
    int pair[2];

    if (fds_n < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        err(1, "a host without a lifeline");
    pthread_mutex_lock(&hosted.lock);
    hosted.pid = pid;
    pthread_mutex_unlock(&hosted.lock);
    proxy_adopt(hosted.proxy, pair[0], fds[0], fds + 1, fds_n - 1);
    snprintf(says.endpoint, sizeof(says.endpoint), "%s", proxy_endpoint(hosted.proxy));
    (void)shim_send(shim, &says, sizeof(says), &pair[1], 1);
    close(pair[1]);
}

static void describe(int shim)
{
    pthread_mutex_lock(&hosted.lock);
    while (hosted.holding)
        pthread_cond_wait(&hosted.news, &hosted.lock);
    pthread_mutex_unlock(&hosted.lock);
    (void)shim_send(shim, &(struct shim_says){""}, sizeof(struct shim_says), NULL, 0);
}

static void *answer_shims(void *arg)
{
    struct shim_asks asks;
    int fds[SHIM_FDS_MAX], fds_n, shim;

    while ((shim = accept4(hosted.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (shim_receive(shim, &asks, sizeof(asks), fds, &fds_n) == 0) {
            if (asks.run)
                lead(shim, fds, fds_n, asks.pid);
            else
                describe(shim);
        }
        close(shim);
    }
    err(1, "shims");
}

static void set_hold(bool holding)
{
    pthread_mutex_lock(&hosted.lock);
    hosted.holding = holding;
    pthread_cond_broadcast(&hosted.news);
    pthread_mutex_unlock(&hosted.lock);
}

void hosted_hold(void)
{
    set_hold(true);
}

void hosted_release(void)
{
    set_hold(false);
}

pid_t hosted_pid(void)
{
    pthread_mutex_lock(&hosted.lock);
    pid_t pid = hosted.pid;
    pthread_mutex_unlock(&hosted.lock);
    return pid;
}

/* ---- the beginning ---- */

char *hosted_program(const struct node *node)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *shim = getenv("CHAOS_SHIM");
    pthread_t thread;

    if (!shim || !getenv("CHAOS_HOST"))
        errx(2, "CHAOS_SHIM and CHAOS_HOST must name the programs");
    hosted.node = node;
    snprintf(hosted.copy, sizeof(hosted.copy), "%s/hosted.so", node->directory);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/shims", node->directory);
    hosted.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (hosted.listener < 0 || bind(hosted.listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(hosted.listener, 16) < 0)
        err(1, "shims");
    setenv("CHAOS_TESTER", address.sun_path, 1);
    if (pthread_create(&thread, NULL, answer_shims, NULL))
        errx(1, "no thread");
    pthread_detach(thread);
    return shim;
}

void hosted_open(gc_client *observer, const char *plugin)
{
    hosted.observer = observer;
    hosted.plugin = plugin;
}

/* ---- plugins ---- */

static void copy_bytes(FILE *from, FILE *to)
{
    char bytes[65536];
    size_t n;

    while ((n = fread(bytes, 1, sizeof(bytes), from)) > 0)
        if (fwrite(bytes, 1, n, to) != n)
            err(1, "a copy of the plugin");
}

/* Whole or not at all, with a number behind its end. */
static void write_version(const char *path)
{
    char beside[160];

    snprintf(beside, sizeof(beside), "%s.new", path);
    FILE *from = fopen(hosted.plugin, "re"), *to = fopen(beside, "we");
    if (!from || !to)
        err(1, "a copy of the plugin");
    copy_bytes(from, to);
    fprintf(to, "version %u", ++hosted.versions);
    fclose(from);
    if (fclose(to) || rename(beside, path) < 0)
        err(1, "a copy of the plugin");
}

const char *hosted_new_plugin(void)
{
    if (hosted.fresh[0])
        unlink(hosted.fresh);
    snprintf(hosted.fresh, sizeof(hosted.fresh), "%s/fresh%u.so", hosted.node->directory, hosted.versions);
    write_version(hosted.fresh);
    return hosted.fresh;
}

/* ---- a host ---- */

struct proxy *hosted_expect(void)
{
    write_version(hosted.copy);
    if (gc_clock_advance(hosted.observer, LOOK_NS, GC_FOREVER) < 0)
        errx(1, "clock: %s", gc_why());
    hosted.proxy = proxy_start(hosted.node->endpoint);
    return hosted.proxy;
}

struct proxy *hosted_proxy(void)
{
    return hosted.proxy;
}

void hosted_start(void)
{
    hosted_job("echo", "start", NULL);
}

void hosted_end(void)
{
    uint64_t sessions = probe_says(hosted.observer, "sessions");

    kill(hosted_pid(), SIGKILL);
    probe_await(hosted.observer, "sessions", sessions - 1);
    hosted.proxy = proxy_stop(hosted.proxy);
}

gc_job hosted_submit(const char *function, const char *argument)
{
    struct gc_submit what = {.size = sizeof(what),
                             .plugin = hosted.copy,
                             .function = function,
                             .argument = argument,
                             .argument_bytes = strlen(argument)};
    gc_job job;

    if (gc_submit(hosted.observer, &what, &job, GC_FOREVER) < 0)
        errx(1, "submit: %s", gc_why());
    return job;
}

int hosted_job(const char *function, const char *argument, char out[64])
{
    struct gc_result result = {0};
    int r = gc_wait(hosted.observer, hosted_submit(function, argument), &result, GC_FOREVER);

    if (r < 0)
        errx(1, "wait: %s", gc_why());
    if (out)
        snprintf(out, 64, "%.*s", (int)result.bytes, (const char *)result.data);
    gc_result_clear(&result);
    return r;
}
