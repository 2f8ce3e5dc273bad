#include "node.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 120, FLAGS_MAX = 16 };

struct node *node_make(void)
{
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        err(1, "node");
    snprintf(node->folder, sizeof node->folder, "/tmp/node.XXXXXX");
    if (!mkdtemp(node->folder))
        err(1, "mkdtemp %s", node->folder);
    snprintf(node->endpoint, sizeof node->endpoint, "ipc://%s/socket", node->folder);
    node->log_fd = -1;
    return node;
}

/* In the child. Never returns. */
static void become(char *const *argv, int log, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no daemon behind */
    if (getppid() != parent)          /* it died before */
        _exit(127);
    dup2(log, STDERR_FILENO);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "start %s: %s", argv[0], strerror(errno)); /* await_ready passes it on */
    _exit(127);
}

/* From a thread that lives as long as the daemon shall: the kernel ends the daemon with it. */
static void spawn(struct node *node, char *const *argv)
{
    int log[2];
    pid_t self = getpid();
    if (pipe2(log, O_CLOEXEC) < 0)
        err(1, "pipe");
    node->pid = fork();
    if (node->pid < 0)
        err(1, "fork");
    if (node->pid == 0)
        become(argv, log[1], self);
    close(log[1]);
    if (node->log_fd >= 0)
        close(node->log_fd);
    node->log_fd = log[0];
}

/* Reads its log up to the line that says so. */
static void await_ready(struct node *node)
{
    char log[4096] = "";
    size_t used = 0;
    while (!strstr(log, "event=ready")) {
        ssize_t n = read(node->log_fd, log + used, sizeof log - 1 - used);
        if (n <= 0)
            errx(1, "goroutined did not start: %s", log);
        used += (size_t)n;
        log[used] = '\0';
    }
}

void node_run(struct node *node, bool ready)
{
    char state[128];
    char *program = getenv("GOROUTINED");
    char *argv[FLAGS_MAX + 6] = {program ? program : (char *)"goroutined", "--endpoint", node->endpoint,
                                 "--state", state};
    snprintf(state, sizeof state, "%s/state", node->folder);
    for (int n = 0; node->flags && node->flags[n] && n < FLAGS_MAX; n++)
        argv[5 + n] = node->flags[n];
    spawn(node, argv);
    if (ready)
        await_ready(node);
}

struct node *node_start(void)
{
    struct node *node = node_make();
    node_run(node, true);
    return node;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            err(1, "waitpid");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void show_log(const struct node *node)
{
    char log[4096];
    ssize_t n;
    fcntl(node->log_fd, F_SETFL, O_NONBLOCK); /* its hosts may still have the other end */
    while ((n = read(node->log_fd, log, sizeof log)) > 0)
        fwrite(log, 1, (size_t)n, stderr);
}

void node_kill(struct node *node, int signal)
{
    kill(node->pid, signal);
    int status = wait_for(node->pid), wanted = signal == SIGTERM ? 0 : 128 + signal;
    node->pid = 0;
    if (status == wanted)
        return;
    show_log(node);
    errx(1, "goroutined ended with status %d and not with %d", status, wanted);
}

struct node *node_delete(struct node *node)
{
    char command[128];
    if (!node)
        return NULL;
    if (node->pid)
        node_kill(node, SIGTERM);
    if (node->log_fd >= 0)
        close(node->log_fd);
    snprintf(command, sizeof command, "rm -rf %s", node->folder);
    if (system(command))
        warnx("%s is left behind", node->folder);
    free(node);
    return NULL;
}

gc_client *node_connect(const struct node *node)
{
    gc_client *g;
    char why[GC_WHY_BYTES];
    struct gc_options options = {
        .size = sizeof options, .endpoint = node->endpoint, .answer_ms = NODE_ANSWER_MS};
    if (gc_connect(&options, &g, why) < 0)
        errx(1, "%s", why);
    return g;
}

/* ---- peers ---- */

struct peer peer_start(const struct node *node, int (*fn)(const struct node *node, int to, int from))
{
    int down[2], up[2];
    if (pipe(down) < 0 || pipe(up) < 0)
        err(1, "pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        alarm(PATIENCE_S);
        _exit(fn(node, up[1], down[0]));
    }
    close(down[0]);
    close(up[1]);
    return (struct peer){pid, down[1], up[0]};
}

void peer_say(int fd, char what)
{
    if (write(fd, &what, 1) != 1)
        err(1, "say %c", what);
}

void peer_hear(int fd, char what)
{
    char heard = '-';
    if (read(fd, &heard, 1) != 1 || heard != what)
        errx(1, "waited for '%c' of the other process, got '%c'", what, heard);
}

int peer_wait(struct peer *peer)
{
    close(peer->to);
    close(peer->from);
    return wait_for(peer->pid);
}

/* ---- probes ---- */

void wait_parked(gc_client *g, gc_chan c, unsigned senders, unsigned receivers)
{
    struct gc_chan_info info;
    gc_until limit = gc_after_ms(PATIENCE_S * 1000);
    struct timespec now;
    do {
        int r = gc_chan_info(g, c, &info, GC_FOREVER);
        if (r < 0)
            errx(1, "wait_parked: %s", gc_why());
        if (info.senders == senders && info.receivers == receivers)
            return;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec * 1000000000LL + now.tv_nsec < limit.ns);
    errx(1, "waited for %u senders and %u receivers, see %lu and %lu", senders, receivers, info.senders,
         info.receivers);
}

void wait_handles(gc_client *g, gc_chan c, unsigned handles)
{
    struct gc_chan_info info;
    do
        if (gc_chan_info(g, c, &info, GC_FOREVER) < 0)
            errx(1, "wait_handles: %s", gc_why());
    while (info.handles != handles);
}
