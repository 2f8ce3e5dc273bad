/* What is in a plugin (plugin_describe.h). */
#include "plugin_describe.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
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

/* Reads until the end of the pipe. 0, -ETIMEDOUT, -E2BIG, -errno. */
static int read_answer(int fd, char *answer, size_t size)
{
    int64_t end_ms = now_ms() + HOST_DESCRIBE_TIMEOUT_MS, left_ms;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t used = 0;
    ssize_t n;

    while ((left_ms = end_ms - now_ms()) > 0) {
        if (poll(&p, 1, (int)left_ms) <= 0)
            continue;
        n = read(fd, answer + used, size - 1 - used);
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
    return -ETIMEDOUT;
}

static int explain(int r, int status, const char *path, const char *answer, char **why)
{
    if (r == -ETIMEDOUT)
        return why_set(why, r, "plugin %s: its constructors did not end within %d ms", path,
                       HOST_DESCRIBE_TIMEOUT_MS);
    if (WIFSIGNALED(status))
        return why_set(why, -ENOEXEC, "plugin %s: loading it ends with signal %d (SIG%s)", path,
                       WTERMSIG(status), sigabbrev_np(WTERMSIG(status)));
    if (r < 0)
        return why_set(why, r, "plugin %s: its description could not be read: %s", path, strerror(-r));
    if (!*answer)
        return why_set(why, -ENOEXEC, "plugin %s: loading it ends the process with status %d", path,
                       WEXITSTATUS(status));
    return 0;
}

int plugin_describe_run(const char *host_program, const char *copy, const char *path, char **answer,
                        char **why)
{
    char *argv[] = {(char *)(uintptr_t)host_program, "--describe", (char *)(uintptr_t)copy, "--as",
                    (char *)(uintptr_t)path,         NULL};
    _cleanup_(cleanup_free) char *text = calloc(1, HOST_DESCRIBE_BYTES_MAX + 1);
    int pipe_fds[2], r, status = 0;
    pid_t pid;

    if (!text)
        return why_set(why, -ENOMEM, "plugin %s: out of memory", path);
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return why_set(why, -errno, "plugin %s: no pipe: %s", path, strerror(errno));
    r = spawn_program(argv, &pipe_fds[1], 1, NULL, &pid);
    close(pipe_fds[1]);
    if (r == 0) {
        r = read_answer(pipe_fds[0], text, HOST_DESCRIBE_BYTES_MAX + 1);
        if (r < 0)
            kill(pid, SIGKILL); /* ours until it is waited for */
        waitpid(pid, &status, 0);
        r = explain(r, status, path, text, why);
    } else {
        why_set(why, r, "cannot start %s: %s: is goroutined installed completely?", host_program,
                strerror(-r));
    }
    close(pipe_fds[0]);
    if (r == 0) {
        *answer = text;
        text = NULL;
    }
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
