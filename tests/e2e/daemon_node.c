#include "daemon_node.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "endpoint.h"

enum { ARGUMENTS_MAX = 32 };

static char *program(void)
{
    char *path = getenv("GOROUTINED");

    if (!path)
        fail_msg("GOROUTINED must name the program");
    return path;
}

static int listen_notify(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void node_make(struct node *node)
{
    char notify[128];

    *node = (struct node){.directory = "/tmp/node-XXXXXX"};
    assert_non_null(mkdtemp(node->directory));
    snprintf(node->socket, sizeof(node->socket), "%s/socket", node->directory);
    snprintf(node->endpoint, sizeof(node->endpoint), ENDPOINT_IPC "%s/socket", node->directory);
    snprintf(node->lifeline, sizeof(node->lifeline), "%s/socket" LIFELINE_SUFFIX, node->directory);
    snprintf(node->state, sizeof(node->state), "%s/state", node->directory);
    snprintf(node->log, sizeof(node->log), "%s/log", node->directory);
    snprintf(notify, sizeof(notify), "%s/notify", node->directory);
    node->notify = listen_notify(notify);
}

/* In the child, where no check of cmocka may stand: it would go on with the tests. Never returns. */
static void become_daemon(struct node *node, char *path, char *const *flags)
{
    char *arguments[ARGUMENTS_MAX] = {path, "--endpoint", node->endpoint, "--state", node->state};
    char notify[128];
    int n = 5, log = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    while (flags && *flags && n < ARGUMENTS_MAX - 1)
        arguments[n++] = *flags++;
    snprintf(notify, sizeof(notify), "%s/notify", node->directory);
    setenv("NOTIFY_SOCKET", notify, 1);
    if (node->descriptors)
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){node->descriptors, node->descriptors});
    setpgid(0, 0);                    /* kill(-pid) is Ctrl-C at its terminal */
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no daemon behind */
    dup2(log, STDERR_FILENO);
    execv(arguments[0], arguments);
    _exit(127);
}

void node_spawn(struct node *node, char *const *flags)
{
    char *path = program();

    node->pid = fork();
    assert_true(node->pid >= 0);
    if (!node->pid)
        become_daemon(node, path, flags);
}

static void show_log(const struct node *node)
{
    char line[512];
    FILE *log = fopen(node->log, "re");

    while (log && fgets(line, sizeof(line), log))
        print_message("  daemon: %s", line);
    if (log)
        fclose(log);
}

/* The end of a daemon that should have spoken is noticed here, by a look between two waits. */
void node_wait_said(struct node *node, const char *line)
{
    const struct timeval look = {.tv_usec = 100000};
    char said[512];

    setsockopt(node->notify, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof(look));
    for (;;) {
        ssize_t n = recv(node->notify, said, sizeof(said) - 1, 0);
        if (n > 0) {
            said[n] = '\0';
            if (strstr(said, line))
                return;
        } else if (node->pid && waitpid(node->pid, NULL, WNOHANG) == node->pid) {
            node->pid = 0;
            show_log(node);
            fail_msg("the daemon ended without saying %s", line);
        }
    }
}

void node_start(struct node *node, char *const *flags)
{
    node_spawn(node, flags);
    node_wait_said(node, "READY=1");
}

void node_signal(struct node *node, int signal)
{
    assert_true(node->pid > 0);
    assert_int_equal(kill(node->pid, signal), 0);
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int node_wait(struct node *node)
{
    int status;

    assert_true(node->pid > 0);
    assert_int_equal(waitpid(node->pid, &status, 0), node->pid);
    node->pid = 0;
    return status_of(status);
}

void node_stop(struct node *node)
{
    node_signal(node, SIGTERM);
    int status = node_wait(node);
    if (status) {
        show_log(node);
        fail_msg("the daemon ended with status %d", status);
    }
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

void node_remove(struct node *node)
{
    if (node->pid > 0) {
        kill(node->pid, SIGKILL);
        waitpid(node->pid, NULL, 0);
    }
    close(node->notify);
    nftw(node->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool node_logged_value(const struct node *node, const char *words, char *rest, size_t size)
{
    char line[1024], *found = NULL;
    FILE *log = fopen(node->log, "re");

    while (log && !found && fgets(line, sizeof(line), log))
        found = strstr(line, words);
    if (log)
        fclose(log);
    if (found && size) {
        found += strlen(words);
        snprintf(rest, size, "%.*s", (int)strcspn(found, " \n"), found);
    }
    return found;
}

bool node_logged(const struct node *node, const char *words)
{
    return node_logged_value(node, words, NULL, 0);
}

static void become_program(char *path, char *const *arguments, bool without_dac, int said)
{
    char *all[ARGUMENTS_MAX] = {path};

    for (int n = 1; *arguments && n < ARGUMENTS_MAX - 1; n++)
        all[n] = *arguments++;
    if (without_dac) {
        prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0);
        prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0);
    }
    unsetenv("NOTIFY_SOCKET");
    alarm(60); /* outlives execv: a daemon that starts after all does not stay */
    dup2(said, STDERR_FILENO);
    execv(all[0], all);
    _exit(127);
}

int node_run(char *const *arguments, bool without_dac, char *said, size_t size)
{
    char *path = program();
    int ends[2], status;
    size_t n = 0;
    ssize_t more;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid)
        become_program(path, arguments, without_dac, ends[1]);
    close(ends[1]);
    while (n < size - 1 && (more = read(ends[0], said + n, size - 1 - n)) > 0)
        n += (size_t)more;
    said[n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status_of(status);
}
