#include "host_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "endpoint.h"
#include "fd.h"

enum { FIRST_FD = 3, HIGH_FD = 64 };

extern char **environ;

/* The environment with our endpoint in it. The strings are borrowed; NULL: out of memory. */
static char **environment(char *variable)
{
    size_t n = 0, kept = 0;
    char **copy;

    while (environ[n])
        n++;
    copy = calloc(n + 2, sizeof(*copy));
    if (!copy)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (!variable || strncmp(environ[i], ENDPOINT_VARIABLE "=", sizeof(ENDPOINT_VARIABLE)) != 0)
            copy[kept++] = environ[i];
    copy[kept] = variable;
    return copy;
}

static void cleanup_actions(posix_spawn_file_actions_t *actions)
{
    posix_spawn_file_actions_destroy(actions);
}

static int add_actions(posix_spawn_file_actions_t *actions, const int *high, int n)
{
    int r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, 2, 1);
    for (int i = 0; r == 0 && i < n; i++)
        r = posix_spawn_file_actions_adddup2(actions, high[i], FIRST_FD + i);
    return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FD + n);
}

static int spawn_with(char *const argv[], const int *high, int n, char **env, pid_t *pid)
{
    _cleanup_(cleanup_actions) posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    r = add_actions(&actions, high, n);
    if (r == 0)
        r = posix_spawn(pid, argv[0], &actions, &attributes, argv, env);
    posix_spawnattr_destroy(&attributes);
    return -r;
}

int spawn_program(char *const argv[], const int *fds, int fds_n, const char *endpoint, pid_t *pid)
{
    int high[SPAWN_FDS_MAX] = {-1, -1}, r = 0;
    char variable[512];
    char **env;

    if (endpoint)
        snprintf(variable, sizeof(variable), ENDPOINT_VARIABLE "=%s", endpoint);
    env = environment(endpoint ? variable : NULL);
    if (!env)
        return -ENOMEM;
    /* Above all targets, so that one dup2 does not overwrite the source of the next. */
    for (int i = 0; r == 0 && i < fds_n; i++) {
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
        r = high[i] < 0 ? -errno : 0;
    }
    if (r == 0)
        r = spawn_with(argv, high, fds_n, env, pid);
    for (int i = 0; i < fds_n; i++)
        cleanup_close(&high[i]);
    free(env);
    return r;
}
