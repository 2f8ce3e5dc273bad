/*
 * The command has the signals as we found them. What a terminal sends goes to both of us; only the command ends by it at
 * once: what is held for it must not be given back before it has ended.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goclient_context.h"
#include "options.h"
#include "status.h"

int child_tell(const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, value);
    return setenv(name, text, 1) < 0 ? -errno : 0;
}

/* ---- the context ---- */

/* Readable once the context of the command line has ended. It stays open: the end may be told late. */
static int ctx_fd = -1;

static void ctx_ended(void *unused)
{
    (void)unused;
    eventfd_write(ctx_fd, 1);
}

/* From now on ctx_fd tells. 0 or a negative errno value. */
static int ctx_watch(gc_ctx *ctx, gc_context_func **func)
{
    *func = NULL;
    if (!ctx)
        return 0;
    if (ctx_fd < 0 && (ctx_fd = eventfd(0, EFD_CLOEXEC)) < 0)
        return -errno;
    *func = gc_context_after_func(ctx, ctx_ended, NULL);
    return *func ? 0 : -ENOMEM;
}

static int tell_ctx(const struct session *session, const char *command)
{
    struct gc_context_cause cause;

    gc_context_cause(session->ctx, &cause);
    fprintf(stderr, "goctl: %s was ended with context %s: %s\n", command, session->options->ctx, cause.text);
    return (int)status_of(cause.status);
}

/* ---- the process ---- */

static int add_files(posix_spawn_file_actions_t *files, struct child_how how)
{
    int r = how.alone ? posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) : 0;

    if (r == 0 && how.input != STDIN_FILENO)
        r = posix_spawn_file_actions_adddup2(files, how.input, STDIN_FILENO);
    if (r == 0 && how.output != STDOUT_FILENO)
        r = posix_spawn_file_actions_adddup2(files, how.output, STDOUT_FILENO);
    if (r == 0 && how.alone)
        r = posix_spawn_file_actions_adddup2(files, how.output, STDERR_FILENO);
    return r;
}

int child_spawn(char *const *argv, struct child_how how, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t mask = session_signals_before(), defaults;
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF, r;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* goctl ignores it */
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, (short)(flags | (how.alone ? POSIX_SPAWN_SETPGROUP : 0)));
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawn_file_actions_init(&files);
    r = add_files(&files, how);
    if (r == 0)
        r = posix_spawnp(pid, argv[0], &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

/* Waits for the end of the process; passes on what ends goctl, and the end of the context. True: that it did. */
static bool watch_over(int pidfd, bool with_ctx)
{
    struct pollfd fds[] = {
        {pidfd, POLLIN, 0}, {session_stop_fd(), POLLIN, 0}, {with_ctx ? ctx_fd : -1, POLLIN, 0}};
    bool ended = false;

    while (!fds[0].revents) {
        if (poll(fds, sizeof fds / sizeof *fds, -1) < 0)
            continue;
        if (fds[1].revents && session_signal() > 0)
            pidfd_send_signal(pidfd, session_signal(), NULL, 0);
        if (fds[2].revents && !session_stopped()) /* else our own end is what ended it */
            ended = pidfd_send_signal(pidfd, SIGTERM, NULL, 0) == 0;
        for (int i = 1; i < 3; i++)
            if (fds[i].revents)
                fds[i].fd = -1;
    }
    return ended;
}

/* Its status as wait has it, and whether its context has ended it. Without a pidfd nothing is passed on. */
static int wait_for(pid_t pid, bool with_ctx, bool *ended)
{
    int pidfd = pidfd_open(pid, 0), status = 0;

    *ended = pidfd >= 0 && watch_over(pidfd, with_ctx);
    if (pidfd >= 0)
        close(pidfd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *ended = *ended && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
    return status;
}

static int run(const struct session *session, char *const *argv, int output)
{
    bool ended;
    pid_t pid;
    int r = child_spawn(argv, (struct child_how){.output = output}, &pid);

    if (r < 0) {
        fprintf(stderr, "goctl: cannot run %s: %s\n", argv[0], strerror(-r));
        return r == -ENOENT ? STATUS_NO_COMMAND : STATUS_CANNOT_RUN;
    }
    r = wait_for(pid, session->ctx, &ended);
    if (ended)
        return tell_ctx(session, argv[0]);
    return WIFSIGNALED(r) ? STATUS_SIGNAL + WTERMSIG(r) : WEXITSTATUS(r);
}

int child_run_into(const struct session *session, char *const *argv, int output)
{
    gc_context_func *func;
    int r = ctx_watch(session->ctx, &func);

    if (r < 0)
        return session_fail_here(r, "watching context %s", session->options->ctx);
    r = run(session, argv, output);
    gc_context_func_stop(func);
    return r;
}

int child_run(const struct session *session, char *const *argv)
{
    return child_run_into(session, argv, STDOUT_FILENO);
}
