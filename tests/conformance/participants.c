#include "participants.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node.h"

enum { PARTICIPANTS_MAX = 3, PATIENCE_MS = 60000 };

enum kind { NOBODY, CLIENT, PLUGIN_A, PLUGIN_B, PYTHON, PYTHON_CUT };

/* The two plugins are two files, so that they run in two hosts. */
static const struct placement {
    const char *name;
    enum kind kinds[PARTICIPANTS_MAX];
} placements[] = {
    {"clients", {CLIENT, CLIENT}}, {"mixed", {CLIENT, PLUGIN_A, CLIENT}}, {"plugins", {PLUGIN_A, PLUGIN_B}},
    {"python", {PYTHON, CLIENT}},  {"cut", {PYTHON_CUT, CLIENT}},
};

struct process {
    enum kind kind;
    int control;
    pid_t pid;  /* of a program */
    gc_job job; /* of a plugin */
};

extern char **environ;

static const struct placement *placement;
static struct node *node;
static gc_client *own; /* asks the daemon; takes part in nothing */
static struct process processes[PARTICIPANTS_MAX];
static char path[100]; /* as long as a socket address may be */
static int listener;
static uint64_t parked_before;                           /* what waits all the time: hosts, for jobs */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the control seats and the listener */

/* ---- seats ---- */

static void listen_for_seats(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(path, sizeof path, "%s/seats", node->folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 16) < 0)
        err(1, "%s", path);
}

static int await_seat(void)
{
    struct pollfd waits = {.fd = listener, .events = POLLIN};

    if (poll(&waits, 1, PATIENCE_MS) <= 0)
        errx(1, "a participant does not join");
    int seat = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (seat < 0)
        err(1, "accept a seat");
    return seat;
}

int64_t seat_ask(int seat, const struct seat_order *order, struct seat_answer *answer)
{
    size_t size = seat_order_bytes(order);
    ssize_t got;

    if (send(seat, order, size, MSG_NOSIGNAL) != (ssize_t)size)
        err(1, "a participant takes no order");
    do
        got = recv(seat, answer, sizeof *answer, 0);
    while (got < 0 && errno == EINTR);
    if (got < (ssize_t)offsetof(struct seat_answer, values))
        errx(1, "a participant has gone");
    return answer->result;
}

static int64_t ask_locked(int i, const struct seat_order *order)
{
    struct seat_answer answer;

    return seat_ask(processes[i].control, order, &answer);
}

int64_t control_ask(int i, const struct seat_order *order)
{
    pthread_mutex_lock(&lock);
    int64_t r = ask_locked(i, order);
    pthread_mutex_unlock(&lock);
    return r;
}

int participants_seat(int i)
{
    pthread_mutex_lock(&lock);
    if (ask_locked(i % participants_n(), &(struct seat_order){.verb = SEAT_JOIN}) < 0)
        errx(1, "a participant has no room for a seat");
    int seat = await_seat();
    pthread_mutex_unlock(&lock);
    return seat;
}

/* ---- processes ---- */

static pid_t run(char *const *argv)
{
    pid_t pid;
    int r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);

    if (r != 0)
        errx(1, "start %s: %s", argv[0], strerror(r));
    return pid;
}

static char *needed(const char *name)
{
    char *value = getenv(name);

    if (!value)
        errx(1, "%s is not set", name);
    return value;
}

static gc_job submit(const char *name)
{
    char plugin[512];
    struct gc_submit what = {.size = sizeof what,
                             .plugin = plugin,
                             .function = "participate",
                             .argument = path,
                             .argument_bytes = strlen(path)};
    gc_job job;

    snprintf(plugin, sizeof plugin, "%s/participant_%s.so", needed("PLUGINS"), name);
    if (gc_submit(own, &what, &job, GC_FOREVER) < 0)
        errx(1, "submit: %s", gc_why());
    return job;
}

static pid_t run_python(char *how)
{
    return run((char *[]){needed("PYTHON"), needed("PARTICIPANT_PY"), node->endpoint, path, how, NULL});
}

static void start(struct process *process, enum kind kind)
{
    process->kind = kind;
    switch (kind) {
    case CLIENT:
        process->pid = run((char *[]){needed("PARTICIPANT"), node->endpoint, path, NULL});
        break;
    case PYTHON:
        process->pid = run_python(NULL);
        break;
    case PYTHON_CUT:
        process->pid = run_python("cut");
        break;
    case PLUGIN_A:
        process->job = submit("a");
        break;
    case PLUGIN_B:
        process->job = submit("b");
        break;
    case NOBODY:
        return;
    }
    process->control = await_seat();
}

int participants_n(void)
{
    int n = 0;

    while (n < PARTICIPANTS_MAX && placement->kinds[n] != NOBODY)
        n++;
    return n;
}

static uint64_t parked_now(void)
{
    struct gc_stats stats = {0};

    if (gc_stats(own, "ops.parked", &stats, GC_FOREVER) != 1)
        errx(1, "ops.parked: %s", gc_why());
    uint64_t parked = stats.items[0].value;
    gc_stats_clear(&stats);
    return parked;
}

uint64_t participants_parked(void)
{
    return parked_now() - parked_before;
}

bool participants_start(const char *name)
{
    for (size_t i = 0; i < sizeof placements / sizeof *placements; i++)
        if (strcmp(placements[i].name, name) == 0)
            placement = &placements[i];
    if (!placement)
        return false;
    node = node_start();
    own = node_connect(node);
    listen_for_seats();
    for (int i = 0; i < participants_n(); i++)
        start(&processes[i], placement->kinds[i]);
    parked_before = parked_now();
    return true;
}

/* Their seats have been closed. */
static void end(struct process *process)
{
    int status = 0;

    close(process->control);
    if (process->pid && (waitpid(process->pid, &status, 0) < 0 || status))
        errx(1, "a participant ended with status %d", status);
    if (process->job.id && gc_wait(own, process->job, NULL, GC_FOREVER) != 1)
        errx(1, "the job of a participant failed");
}

void participants_stop(void)
{
    for (int i = 0; i < participants_n(); i++)
        end(&processes[i]);
    own = gc_disconnect(own);
    close(listener);
    node = node_delete(node);
}
