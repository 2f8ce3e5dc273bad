/*
 * The command has the signals as we found them. What a terminal sends goes to both of us; only the command ends by it at
 * once: what is held for it must not be given back before it has ended.
 */
#include "child.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_CANNOT_RUN = 126, STATUS_NO_COMMAND = 127, STATUS_SIGNAL = 128 }; /* as shells have them */

int child_tell(const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    return setenv(name, text, 1) < 0 ? -errno : 0;
}

/* 0 or a negative errno value. */
static int spawn(char *const *argv, pid_t *pid)
{
    posix_spawnattr_t how;
    sigset_t mask = session_signals_before(), defaults;
    int r;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* goctl ignores it */
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &mask);
    posix_spawnattr_setsigdefault(&how, &defaults);
    r = posix_spawnp(pid, argv[0], NULL, &how, argv, environ);
    posix_spawnattr_destroy(&how);
    return -r;
}

/* Waits for the end of the process; passes on what ends goctl. */
static void watch_over(int pidfd)
{
    struct pollfd fds[] = {{pidfd, POLLIN, 0}, {session_stop_fd(), POLLIN, 0}};

    while (!fds[0].revents) {
        if (poll(fds, sizeof fds / sizeof *fds, -1) < 0 || !fds[1].revents)
            continue;
        if (session_signal() > 0)
            pidfd_send_signal(pidfd, session_signal(), NULL, 0);
        fds[1].fd = -1;
        fds[1].revents = 0;
    }
}

/* Without a pidfd signals are not passed on. */
static int wait_for(pid_t pid)
{
    int pidfd = pidfd_open(pid, 0), status = 0;

    if (pidfd >= 0) {
        watch_over(pidfd);
        close(pidfd);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_run(char *const *argv)
{
    pid_t pid;
    int r = spawn(argv, &pid);

    if (r == 0)
        return wait_for(pid);
    fprintf(stderr, "goctl: cannot run %s: %s\n", argv[0], strerror(-r));
    return r == -ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
}
