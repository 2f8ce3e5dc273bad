/* What is in a plugin (plugin_describe.h). */
#include "plugin_describe.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "host_protocol.h"
#include "host_spawn.h"
#include "why.h"

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* A run of the host program. Its process group is its own, so that what its constructors start ends with it. */
struct description {
    const struct plugin_describer *describer;
    const char *path;
    int64_t end_ms;
    int answer_fd, pidfd;
    pid_t pid;
};

/* Until `fd` is readable or at its end. 0, -ETIMEDOUT, -ECANCELED. */
static int wait_for(const struct description *d, int fd)
{
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = d->describer->stop, .events = POLLIN}};
    int64_t left_ms;

    while ((left_ms = d->end_ms - now_ms()) > 0)
        if (poll(p, 2, (int)left_ms) > 0)
            return p[1].revents ? -ECANCELED : 0;
    return -ETIMEDOUT;
}

/* Reads until the end of the pipe. 0, -ETIMEDOUT, -ECANCELED, -E2BIG, -errno. */
static int read_answer(const struct description *d, char *answer, size_t size)
{
    size_t used = 0;
    int r;

    while ((r = wait_for(d, d->answer_fd)) == 0) {
        ssize_t n = read(d->answer_fd, answer + used, size - 1 - used);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            used += (size_t)n;
        answer[used] = 0;
        if (n == 0)
            return 0;
        if (used == size - 1)
            return -E2BIG;
    }
    return r;
}

static int explain(const struct description *d, int r, int status, const char *answer, char **why)
{
    if (r == -ETIMEDOUT)
        return why_set(why, r, "plugin %s: its constructors did not end within %d ms", d->path,
                       d->describer->timeout_ms);
    if (r == -ECANCELED)
        return why_set(why, r, "plugin %s: the daemon stops", d->path);
    if (WIFSIGNALED(status))
        return why_set(why, -ENOEXEC, "plugin %s: loading it ends with signal %d (SIG%s)", d->path,
                       WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    if (r < 0)
        return why_set(why, r, "plugin %s: its description could not be read: %s", d->path, strerror(-r));
    if (!*answer)
        return why_set(why, -ENOEXEC, "plugin %s: loading it ends the process with status %d", d->path,
                       WEXITSTATUS(status));
    return 0;
}

static int start(struct description *d, const char *copy, char **why)
{
    const char *program = d->describer->host_program;
    struct host_settings settings = host_settings_of(d->describer->settings, d->path);
    const char *profile = host_settings_seccomp(&settings);
    const char *argv[] = {program, "--describe", copy, "--as", d->path, "--seccomp", profile, NULL};
    int pipe_fds[2], r;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return why_set(why, -errno, "plugin %s: no pipe: %s", d->path, strerror(errno));
    d->answer_fd = pipe_fds[0];
    r = spawn_program((char *const *)(uintptr_t)argv, &pipe_fds[1], 1, NULL, &d->pid);
    close(pipe_fds[1]);
    return r < 0 ? why_set(why, r, "cannot start %s: %s: is goroutined installed completely?", program,
                           strerror(-r))
                 : 0;
}

/* Its answer, then its end: a program that has answered may still hang. */
static int finish(struct description *d, char *text, char **why)
{
    int status = 0, r;

    d->pidfd = pidfd_open(d->pid, 0);
    r = d->pidfd < 0 ? -errno : read_answer(d, text, HOST_DESCRIBE_BYTES_MAX + 1);
    if (r == 0)
        r = wait_for(d, d->pidfd);
    if (r < 0)
        kill(-d->pid, SIGKILL); /* ours until it is waited for */
    waitpid(d->pid, &status, 0);
    return explain(d, r, status, text, why);
}

int plugin_describe_run(const struct plugin_describer *describer, const char *copy, const char *path,
                        char **answer, char **why)
{
    struct description d = {.describer = describer, .path = path, .answer_fd = -1, .pidfd = -1};
    char *text = calloc(1, HOST_DESCRIBE_BYTES_MAX + 1);
    int r;

    if (!text)
        return why_set(why, -ENOMEM, "plugin %s: out of memory", path);
    d.end_ms = now_ms() + describer->timeout_ms;
    r = start(&d, copy, why);
    if (r == 0)
        r = finish(&d, text, why);
    cleanup_close(&d.answer_fd);
    cleanup_close(&d.pidfd);
    if (r == 0)
        *answer = text;
    else
        free(text);
    return r;
}

static struct bytes string_of(const json_t *object, const char *key)
{
    const json_t *s = json_object_get(object, key);

    return (struct bytes){json_string_value(s), json_string_length(s)};
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int parse_functions(const json_t *list, struct plugin_about *about)
{
    size_t n = json_array_size(list);

    if (n == 0 || n > PLUGIN_FUNCTIONS_MAX)
        return -ENOEXEC;
    about->functions = calloc(n, sizeof(*about->functions));
    if (!about->functions)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i);

        about->functions[i] = (struct plugin_function){.name = string_of(f, "name"),
                                                       .help = string_of(f, "help"),
                                                       .attempts_max = (uint32_t)number_of(f, "attempts_max"),
                                                       .backoff_ns = number_of(f, "backoff_ns"),
                                                       .time_limit_ns = number_of(f, "time_limit_ns")};
        if (about->functions[i].name.size == 0)
            return -ENOEXEC;
    }
    about->functions_n = n;
    return 0;
}

int plugin_describe_parse(const char *path, const char *answer, struct plugin_about *about)
{
    json_t *object = json_loads(answer, 0, NULL);
    int r;

    about->memory = object;
    if (json_object_get(object, "error"))
        return why_set(&about->text, -(int)number_of(object, "error"), "%s",
                       (const char *)string_of(object, "text").data);
    about->name = string_of(object, "name");
    about->version = string_of(object, "version");
    r = parse_functions(json_object_get(object, "functions"), about);
    return r < 0 ? why_set(&about->text, r, "plugin %s: its description makes no sense", path) : 0;
}

void plugin_describe_free(void *memory)
{
    json_decref(memory);
}
