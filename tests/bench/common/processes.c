#include "processes.h"

#include <dirent.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ready_fd = -1;

int64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

void *shared_memory(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        err(1, "shared memory of %zu bytes", bytes);
    return p;
}

void ready(void)
{
    if (ready_fd >= 0 && write(ready_fd, "", 1) != 1)
        err(1, "ready");
}

pid_t process_start(void (*work)(const char *where, size_t number), const char *where, size_t number)
{
    int fds[2];
    char byte;

    if (pipe(fds) < 0)
        err(1, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        ready_fd = fds[1];
        work(where, number);
        _exit(0);
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) != 1)
        errx(1, "a process ended before it was ready");
    close(fds[0]);
    return pid;
}

void process_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void process_await(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid || status != 0)
        errx(1, "a process has failed");
}

int64_t cpu_ns(pid_t pid)
{
    struct timespec t;
    clockid_t clock;

    if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Those that one thread has started. */
static int64_t cpu_of_children(pid_t pid, const char *thread)
{
    char path[64];
    int64_t sum = 0;
    int child;

    snprintf(path, sizeof path, "/proc/%d/task/%.16s/children", pid, thread);
    FILE *f = fopen(path, "re");
    while (f && fscanf(f, "%d", &child) == 1)
        sum += cpu_family_ns(child);
    if (f)
        fclose(f);
    return sum;
}

int64_t cpu_family_ns(pid_t pid)
{
    int64_t sum = cpu_ns(pid);
    struct dirent *thread;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *threads = pid ? opendir(path) : NULL;
    while (threads && (thread = readdir(threads)))
        if (thread->d_name[0] != '.')
            sum += cpu_of_children(pid, thread->d_name);
    if (threads)
        closedir(threads);
    return sum;
}
