#include "probe.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goclient_host.h"

enum { ANSWER_MS = 30000, RECONNECT_MS = 60000 };

gc_client *probe_client_waiting(const char *endpoint, unsigned flags, const struct gc_waiting *waiting)
{
    struct gc_options options = {.size = sizeof(options),
                                 .endpoint = endpoint,
                                 .flags = flags,
                                 .answer_ms = ANSWER_MS,
                                 .reconnect_ms = RECONNECT_MS};
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect_waiting(&options, waiting, &g, why) < 0)
        errx(1, "%s", why);
    return g;
}

gc_client *probe_client(const char *endpoint, unsigned flags)
{
    return probe_client_waiting(endpoint, flags, &gc_waiting_threads);
}

uint64_t probe_says(gc_client *g, const char *counter)
{
    struct gc_stats stats = {0};
    uint64_t value = UINT64_MAX;

    if (gc_stats(g, counter, &stats, GC_FOREVER) < 0)
        errx(1, "%s: %s", counter, gc_why());
    for (size_t i = 0; i < stats.n; i++)
        if (strcmp(stats.items[i].name, counter) == 0)
            value = stats.items[i].value;
    gc_stats_clear(&stats);
    if (value == UINT64_MAX)
        errx(1, "the daemon has no counter %s", counter);
    return value;
}

void probe_await(gc_client *g, const char *counter, uint64_t value)
{
    while (probe_says(g, counter) != value)
        ;
}

struct child child_start(char **argv)
{
    int down[2], up[2];
    struct child child;
    posix_spawn_file_actions_t actions;

    if (pipe2(down, O_CLOEXEC) < 0 || pipe2(up, O_CLOEXEC) < 0)
        err(1, "pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, down[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, up[1], STDOUT_FILENO);
    if (posix_spawn(&child.pid, "/proc/self/exe", &actions, NULL, argv, environ))
        err(1, "child");
    posix_spawn_file_actions_destroy(&actions);
    close(down[0]);
    close(up[1]);
    child.to = down[1];
    child.from = up[0];
    return child;
}

void child_hear(const struct child *child)
{
    char byte;

    if (read(child->from, &byte, 1) != 1)
        errx(1, "a child has failed");
}

void child_tell(const struct child *child)
{
    if (write(child->to, "g", 1) != 1)
        err(1, "child");
}

int child_wait(struct child *child)
{
    int status;

    if (waitpid(child->pid, &status, 0) != child->pid)
        err(1, "child");
    close(child->to);
    close(child->from);
    child->pid = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void child_stop(pid_t pid)
{
    siginfo_t info;

    if (kill(pid, SIGSTOP) < 0 || waitid(P_PID, (id_t)pid, &info, WSTOPPED) < 0)
        err(1, "stop");
}

/* The states of its threads, as the kernel shows them. */
static bool stands_still(pid_t pid)
{
    char line[96], state;
    bool still = true;

    snprintf(line, sizeof(line), "cat /proc/%d/task/*/stat", pid);
    FILE *threads = popen(line, "re");
    if (!threads)
        err(1, "stop");
    while (fscanf(threads, "%*d (%*[^)]) %c %*[^\n]", &state) == 1)
        still &= state == 'T';
    pclose(threads);
    return still;
}

void stranger_stop(pid_t pid)
{
    if (kill(pid, SIGSTOP) < 0)
        err(1, "stop");
    while (!stands_still(pid))
        ;
}
