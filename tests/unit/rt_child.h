/* Programs that must end badly: run in a child, judged by what they say and how they end. */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt_test.h"

/* The thread sanitizer keeps its own handlers, also for a signal that was set to its default. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_SIGNALS_ARE_TAKEN 1
#endif
#endif
#ifndef RT_SIGNALS_ARE_TAKEN
#define RT_SIGNALS_ARE_TAKEN 0
#endif

static inline void rt_child_run(int (*fn)(void *), int out)
{
    struct rlimit none = {0, 0};

    setpgid(0, 0);
    setrlimit(RLIMIT_CORE, &none);
    dup2(out, STDERR_FILENO);
    if (!RT_SIGNALS_ARE_TAKEN)
        signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
    _exit(go_main(fn, NULL) == 0 ? 0 : 1);
}

/* Runs fn as the main goroutine of a child; what it wrote to stderr goes to `said`. Returns its wait status. Nobody that
 * it has started outlives it: an emulator may stop a child's child, forked beside other threads, for ever. */
static inline int rt_child_hear(int (*fn)(void *), char *said, size_t size)
{
    size_t n = 0;
    ssize_t r;
    int p[2], status;
    pid_t pid;

    rt_check(pipe(p) == 0, "pipe", __FILE__, __LINE__);
    pid = fork();
    if (pid == 0)
        rt_child_run(fn, p[1]);
    close(p[1]);
    while (n < size - 1 && (r = read(p[0], said + n, size - 1 - n)) > 0)
        n += (size_t)r;
    said[n] = '\0';
    close(p[0]);
    waitpid(pid, &status, 0);
    kill(-pid, SIGKILL);
    return status;
}

/* The child's stderr must contain `text`; it must be killed by `sig`, or for 0 exit with something else than 0. The
 * sanitizers turn SIGSEGV into an exit of their own. */
static inline void rt_child_dies(int (*fn)(void *), const char *text, int sig)
{
    char said[65536];
    int status = rt_child_hear(fn, said, sizeof said);

    if (!strstr(said, text))
        fprintf(stderr, "the child said:\n%s", said);
    rt_check(strstr(said, text) != NULL, text, __FILE__, __LINE__);
    rt_check(status != 0, "the child ends badly", __FILE__, __LINE__);
    if (sig == SIGABRT)
        rt_check(WIFSIGNALED(status) && WTERMSIG(status) == sig, "the signal", __FILE__, __LINE__);
}
