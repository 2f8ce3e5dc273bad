/*
 * Host processes: start, record, reap.
 *
 * A record names pid and start time, so that a pid that was used again is never taken for a host. It is written before
 * the host gets its greeting, and a host does nothing without it: a daemon killed at any moment leaves no host that the
 * next one does not know, or that will not notice by itself that its lifeline has ended.
 */
#include "host_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"
#include "host_spawn.h"

enum { STAT_START_TIME = 22, OLDER_END_MS = 10000 };

/* Clock ticks after boot at which the process was started; 0: no such process. */
static unsigned long long start_time(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long ticks = 0;
    ssize_t n;
    int fd;
    char *field;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    cleanup_close(&fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    field = strrchr(text, ')'); /* the name may hold anything; field 2 ends with the last bracket */
    for (int i = 2; field && i < STAT_START_TIME; i++)
        field = strchr(field + 1, ' ');
    if (field)
        ticks = strtoull(field, NULL, 10);
    return ticks;
}

static int write_record(const char *state, struct host_process *process)
{
    FILE *file;
    int r;

    snprintf(process->record, sizeof(process->record), "%s/hosts/%d", state, (int)process->pid);
    file = fopen(process->record, "we");
    if (!file)
        return -errno;
    r = fprintf(file, "%llu\n", start_time(process->pid)) < 0 ? -EIO : 0;
    return fclose(file) == 0 ? r : -errno;
}

static struct host_process *host_process_delete(struct host_process *process)
{
    cleanup_close(&process->pidfd);
    cleanup_close(&process->crash_fd);
    free(process);
    return NULL;
}
DEFINE_CLEANUP(struct host_process *, host_process_delete)

static int spawn(const struct host_start *start, int lifeline, int crash, pid_t *pid)
{
    char memory_max[32], cpu_weight[32];
    const char *argv[] = {start->program,
                          "--run",
                          start->copy,
                          "--generation",
                          start->generation,
                          "--seccomp",
                          host_settings_seccomp(&start->settings),
                          "--memory-max",
                          memory_max,
                          "--cpu-weight",
                          cpu_weight,
                          NULL};

    snprintf(memory_max, sizeof(memory_max), "%llu", (unsigned long long)start->settings.memory_max);
    snprintf(cpu_weight, sizeof(cpu_weight), "%llu", (unsigned long long)start->settings.cpu_weight);

    return spawn_program((char *const *)(uintptr_t)argv, (int[]){lifeline, crash}, 2, start->endpoint, pid);
}

/* The process runs; what is needed to watch it. On failure the process is ended again. */
static int watch(const struct host_start *start, struct host_process *process)
{
    int r;

    process->pidfd = pidfd_open(process->pid, 0);
    r = process->pidfd < 0 ? -errno : write_record(start->state, process);
    if (r < 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    return r;
}

int host_process_start(const struct host_start *start, uint64_t host, struct host_process **out,
                       int *lifeline)
{
    _cleanup_(host_process_deletep) struct host_process *process = calloc(1, sizeof(*process));
    _cleanup_(cleanup_close) int ours = -1, theirs = -1, crash = -1;
    int pair[2];
    int r;

    if (!process)
        return -ENOMEM;
    process->host = host;
    process->pidfd = process->crash_fd = -1;
    process->bounds.memory_max = start->settings.memory_max;
    list_init(&process->link);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ours = pair[0];
    theirs = pair[1];
    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    process->crash_fd = pair[0];
    crash = pair[1];
    r = spawn(start, theirs, crash, &process->pid);
    if (r == 0)
        r = watch(start, process);
    if (r < 0)
        return r;
    *lifeline = ours;
    ours = -1;
    *out = process;
    process = NULL;
    return 0;
}

static bool crash_good(const struct host_crash *crash, ssize_t n)
{
    size_t head = offsetof(struct host_crash, text);

    return n >= (ssize_t)head && crash->magic == HOST_CRASH_MAGIC && crash->text_bytes <= (size_t)n - head;
}

/* The last words: of several reports the last says most, if it came whole. */
static bool read_crash(int fd, struct host_crash *crash)
{
    struct host_crash next;
    ssize_t n;
    bool any = false;

    while ((n = read(fd, &next, sizeof(next))) > 0)
        if (crash_good(&next, n)) {
            *crash = next;
            any = true;
        }
    return any;
}

void host_process_bound(struct host_process *process)
{
    if (host_bounds_exceeded(&process->bounds, process->pid))
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
}

void host_process_reap(struct host_process *process, struct input *in, char *text, size_t size)
{
    struct host_crash crash;
    siginfo_t info = {0};

    kill(-process->pid, SIGKILL); /* its group, while the number is still its: what it started ends with it */
    waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED);
    in->kind = IN_HOST_END;
    in->host_end.host = process->host;
    if (info.si_code == CLD_EXITED) {
        in->host_end.status = info.si_status;
        snprintf(text, size, "the host exited with status %d", info.si_status);
    } else {
        in->host_end.signal = info.si_status;
        snprintf(text, size, "the host was ended by signal %d (SIG%s)", info.si_status,
                 sigabbrev_np(info.si_status));
    }
    if (read_crash(process->crash_fd, &crash)) {
        in->host_end.guilty_run = crash.run;
        snprintf(text, size, "%.*s", (int)crash.text_bytes, crash.text);
    } else if (process->bounds.took && info.si_code == CLD_KILLED && info.si_status == SIGKILL) {
        in->host_end.out_of_memory = true;
        host_bounds_words(&process->bounds, text, size);
    }
    in->host_end.text = (struct bytes){text, strlen(text)};
    unlink(process->record);
    host_process_delete(process);
}

/* Kills the process of one record, if it is still the same one. */
static void end_recorded(pid_t pid, const char *record)
{
    _cleanup_(cleanup_close) int pidfd = pidfd_open(pid, 0);
    unsigned long long recorded = 0;
    FILE *file = fopen(record, "re");
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    if (file && fscanf(file, "%llu", &recorded) != 1)
        recorded = 0;
    if (file)
        fclose(file);
    if (pidfd >= 0 && recorded != 0 && start_time(pid) == recorded) {
        kill(-pid, SIGKILL); /* what it started, too, and first: once it has ended the number is free */
        pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        poll(&p, 1, OLDER_END_MS);
    }
    unlink(record);
}

int host_process_end_older(const char *state)
{
    char folder[4096], record[4096 + 300];
    struct dirent *entry;
    DIR *dir;

    snprintf(folder, sizeof(folder), "%s/hosts", state);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return -errno;
    dir = opendir(folder);
    if (!dir)
        return -errno;
    while ((entry = readdir(dir))) {
        pid_t pid = atoi(entry->d_name);

        snprintf(record, sizeof(record), "%s/%s", folder, entry->d_name);
        if (pid > 0)
            end_recorded(pid, record);
    }
    closedir(dir);
    return 0;
}
