/*
 * Host processes and plugin files (supervisor.h).
 *
 * The lock guards the three queues and `stop`; `hosts` belongs to the host thread. A command goes in by
 * supervisor_take, a report comes out by supervisor_collect; each is freed by the side that takes it.
 */
#include "supervisor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "fd.h"
#include "host_process.h"
#include "plugin_file.h"
#include "thread.h"
#include "why.h"

enum { LOOKERS = 4, TEXT_BYTES = HOST_CRASH_TEXT_BYTES + 256 };

/* What the hub asks for. The strings lie behind it. */
struct command {
    struct list link;
    enum effect_kind kind;
    uint64_t host;
    int signal;
    char *generation, *path;
};

/* What has happened. */
struct report {
    struct list link;
    struct input in;
    int fd;                    /* IN_HOST_UP: the lifeline, until it is collected */
    struct command *command;   /* IN_PLUGIN: keeps the path */
    struct plugin_about about; /* IN_PLUGIN */
    char text[];               /* IN_HOST_END */
};

struct supervisor {
    struct supervisor_options options;
    struct plugin_files *files;
    pthread_t host_thread, looker[LOOKERS];
    int lookers_n;
    bool host_thread_runs;
    pthread_mutex_t lock;
    pthread_cond_t work;         /* for lookers */
    struct list looks, commands; /* struct command */
    struct list reports;         /* struct report */
    bool stop;
    int command_event, report_event;
    struct list hosts; /* struct host_process */
};

static void raise_event(int fd)
{
    uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void lower_event(int fd)
{
    uint64_t count;

    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

/* ---- reports, to the hub ---- */

static struct report *report_new(enum input_kind kind, size_t text_bytes)
{
    struct report *report = calloc(1, sizeof(*report) + text_bytes);

    if (!report)
        return NULL;
    report->in.kind = kind;
    report->fd = -1;
    return report;
}

static void report_free(struct report *report)
{
    cleanup_close(&report->fd);
    plugin_about_clear(&report->about);
    free(report->command);
    free(report);
}

static void report_push(struct supervisor *s, struct report *report)
{
    pthread_mutex_lock(&s->lock);
    list_append(&s->reports, &report->link);
    pthread_mutex_unlock(&s->lock);
    raise_event(s->report_event);
}

void supervisor_collect(struct supervisor *s, supervisor_input *input, void *context)
{
    struct list reports;
    struct report *report;

    list_init(&reports);
    lower_event(s->report_event);
    pthread_mutex_lock(&s->lock);
    list_splice(&reports, &s->reports);
    pthread_mutex_unlock(&s->lock);
    while ((report = list_first(&reports, struct report, link))) {
        int fd = report->fd;

        list_remove(&report->link);
        report->fd = -1;
        input(context, &report->in, fd);
        report_free(report);
    }
}

/* ---- plugin files ---- */

static struct bytes bytes_of(const char *text)
{
    return text ? (struct bytes){text, strlen(text)} : (struct bytes){0};
}

static void look_at(struct supervisor *s, struct command *command)
{
    struct report *report = report_new(IN_PLUGIN, 0);
    struct plugin_about *about;

    if (!report) { /* the submits that wait for it end with their own deadlines; memory is gone */
        free(command);
        return;
    }
    report->command = command;
    about = &report->about;
    plugin_files_look(s->files, command->path, about);
    report->in.plugin.path = bytes_of(command->path);
    report->in.plugin.error = about->error;
    report->in.plugin.text = bytes_of(about->text);
    report->in.plugin.generation = bytes_of(about->generation);
    report->in.plugin.name = about->name;
    report->in.plugin.version = about->version;
    report->in.plugin.functions = about->functions;
    report->in.plugin.functions_n = about->functions_n;
    report_push(s, report);
}

static void *run_looker(void *arg)
{
    struct supervisor *s = arg;
    struct command *command;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        while (!s->stop && list_empty(&s->looks))
            pthread_cond_wait(&s->work, &s->lock);
        command = s->stop ? NULL : list_first(&s->looks, struct command, link);
        if (command)
            list_remove(&command->link);
        pthread_mutex_unlock(&s->lock);
        if (!command)
            return NULL;
        look_at(s, command);
    }
}

/* ---- hosts ---- */

static void start_host(struct supervisor *s, const struct command *command)
{
    struct report *report = report_new(IN_HOST_UP, 0);
    struct host_process *process;
    char copy[PATH_MAX];
    struct host_start start = {.state = s->options.state,
                               .program = s->options.host_program,
                               .endpoint = s->options.endpoint,
                               .copy = copy,
                               .generation = command->generation,
                               .settings = host_settings_of(s->options.plugins, command->path)};
    int r;

    if (!report)
        return;
    plugin_files_copy_path(s->files, bytes_of(command->generation), copy, sizeof(copy));
    r = host_process_start(&start, command->host, &process, &report->fd);
    report->in.host_up.host = command->host;
    report->in.host_up.error = r;
    if (r == 0) {
        list_append(&s->hosts, &process->link);
        report->in.host_up.pid = process->pid;
    }
    report_push(s, report);
}

static void kill_host(struct supervisor *s, const struct command *command)
{
    struct host_process *process;

    list_each (process, &s->hosts, link)
        if (process->host == command->host)
            pidfd_send_signal(process->pidfd, command->signal, NULL, 0);
}

static void reap(struct supervisor *s, struct host_process *process)
{
    struct report *report = report_new(IN_HOST_END, TEXT_BYTES);

    if (!report)
        return; /* its end stays readable: tried again */
    list_remove(&process->link);
    host_process_reap(process, &report->in, report->text, TEXT_BYTES);
    report_push(s, report);
}

/* True: the supervisor stops. */
static bool take_commands(struct supervisor *s)
{
    struct list commands;
    struct command *command;
    bool stop;

    list_init(&commands);
    lower_event(s->command_event);
    pthread_mutex_lock(&s->lock);
    list_splice(&commands, &s->commands);
    stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    while ((command = list_first(&commands, struct command, link))) {
        list_remove(&command->link);
        (command->kind == EFFECT_HOST_START ? start_host : kill_host)(s, command);
        free(command);
    }
    return stop;
}

static size_t hosts_count(const struct supervisor *s)
{
    struct host_process *process;
    size_t n = 0;

    list_each (process, &s->hosts, link)
        n++;
    return n;
}

/* How long to wait for them at most; -1: until something happens. */
static int patience_ms(const struct supervisor *s)
{
    const struct host_process *process;

    list_each (process, &s->hosts, link)
        if (process->bounds.memory_max && !process->bounds.took)
            return BOUNDS_LOOK_MS;
    return -1;
}

/* Waits for a command, the end of a host, or the next look at what hosts take, and reaps. */
static void wait_and_reap(struct supervisor *s, struct pollfd *p)
{
    struct host_process *process, *after;
    nfds_t n = 0;

    p[n++] = (struct pollfd){.fd = s->command_event, .events = POLLIN};
    list_each (process, &s->hosts, link)
        p[n++] = (struct pollfd){.fd = process->pidfd, .events = POLLIN};
    if (poll(p, n, patience_ms(s)) < 0)
        return;
    n = 1;
    list_each_safe (process, after, &s->hosts, link) {
        if (p[n++].revents)
            reap(s, process);
        else
            host_process_bound(process);
    }
}

static void *run_hosts(void *arg)
{
    struct supervisor *s = arg;
    struct pollfd *p = NULL;

    while (!take_commands(s)) {
        struct pollfd *more = realloc(p, (hosts_count(s) + 1) * sizeof(*p));

        if (more) /* else the old one is large enough but for hosts just started */
            p = more;
        if (more)
            wait_and_reap(s, p);
    }
    free(p);
    return NULL;
}

/* ---- the hub's side ---- */

static struct command *command_new(const struct effect *effect, struct bytes path, struct bytes generation)
{
    struct command *command = calloc(1, sizeof(*command) + path.size + generation.size + 2);

    if (!command)
        return NULL;
    list_init(&command->link);
    command->kind = effect->kind;
    command->path = (char *)(command + 1);
    command->generation = command->path + path.size + 1;
    if (path.size)
        memcpy(command->path, path.data, path.size);
    if (generation.size)
        memcpy(command->generation, generation.data, generation.size);
    return command;
}

static struct command *command_of(const struct effect *effect)
{
    const struct bytes none = {0};
    struct command *command;

    switch (effect->kind) {
    case EFFECT_PLUGIN:
        return command_new(effect, effect->plugin.path, none);
    case EFFECT_HOST_START:
        command = command_new(effect, effect->host_start.path, effect->host_start.generation);
        if (command)
            command->host = effect->host_start.host;
        return command;
    default:
        command = command_new(effect, none, none);
        if (command) {
            command->host = effect->host_kill.host;
            command->signal = effect->host_kill.signal;
        }
        return command;
    }
}

int supervisor_take(struct supervisor *s, const struct effect *effect)
{
    struct command *command = command_of(effect);
    bool look = effect->kind == EFFECT_PLUGIN;

    if (!command)
        return -ENOMEM;
    pthread_mutex_lock(&s->lock);
    list_append(look ? &s->looks : &s->commands, &command->link);
    pthread_mutex_unlock(&s->lock);
    if (look)
        pthread_cond_signal(&s->work);
    else
        raise_event(s->command_event);
    return 0;
}

int supervisor_event(const struct supervisor *s)
{
    return s->report_event;
}

static int start_threads(struct supervisor *s)
{
    int r = thread_start(&s->host_thread, run_hosts, s);

    s->host_thread_runs = r == 0;
    while (r == 0 && s->lookers_n < LOOKERS) {
        r = thread_start(&s->looker[s->lookers_n], run_looker, s);
        s->lookers_n += r == 0;
    }
    return r;
}

static struct supervisor *supervisor_alloc(const struct supervisor_options *options)
{
    struct supervisor *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->options = *options;
    list_init(&s->looks);
    list_init(&s->commands);
    list_init(&s->reports);
    list_init(&s->hosts);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    s->command_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->report_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s;
}

int supervisor_new(const struct supervisor_options *options, struct supervisor **out, char **why)
{
    struct plugin_files_options files = {.state = options->state,
                                         .host_program = options->host_program,
                                         .directories = options->plugin_directories,
                                         .settings = options->plugins,
                                         .plugins_max = options->plugins_max};
    struct supervisor *s;
    int r = host_process_end_older(options->state);

    if (r < 0)
        return why_set(why, r, "cannot use %s/hosts: %s", options->state, strerror(-r));
    s = supervisor_alloc(options);
    if (!s)
        return why_set(why, -ENOMEM, "out of memory");
    r = s->command_event < 0 || s->report_event < 0 ? -EMFILE : plugin_files_new(&files, &s->files);
    if (r == 0)
        r = start_threads(s);
    if (r < 0) {
        supervisor_delete(s);
        return why_set(why, r, "cannot start the supervisor on %s: %s", options->state, strerror(-r));
    }
    *out = s;
    return 0;
}

static void join_threads(struct supervisor *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_broadcast(&s->work);
    raise_event(s->command_event);
    if (s->files)
        plugin_files_stop(s->files);
    if (s->host_thread_runs)
        pthread_join(s->host_thread, NULL);
    while (s->lookers_n > 0)
        pthread_join(s->looker[--s->lookers_n], NULL);
}

static void free_commands(struct list *commands)
{
    struct command *command;

    while ((command = list_first(commands, struct command, link))) {
        list_remove(&command->link);
        free(command);
    }
}

struct supervisor *supervisor_delete(struct supervisor *s)
{
    struct host_process *process, *after;
    struct report *report;

    if (!s)
        return NULL;
    join_threads(s);
    list_each (process, &s->hosts, link)
        pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
    list_each_safe (process, after, &s->hosts, link)
        reap(s, process);
    while ((report = list_first(&s->reports, struct report, link))) {
        list_remove(&report->link);
        report_free(report);
    }
    free_commands(&s->looks);
    free_commands(&s->commands);
    plugin_files_delete(s->files);
    cleanup_close(&s->command_event);
    cleanup_close(&s->report_event);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}
