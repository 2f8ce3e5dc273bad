#include "workers.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 16, UNDER_WAY_EACH = 4, UNDER_WAY_MAX = WORKERS_MAX * UNDER_WAY_EACH, NAME_BYTES = 64 };

struct workers {
    const struct worker_program *program;
    char name[NAME_BYTES]; /* of this run */
    int n;
    pid_t pid[WORKERS_MAX];
    gc_client *g; /* NULL: sequential */
    gc_ctx *ctx;  /* or NULL: nothing that waits can be interrupted */
    volatile sig_atomic_t interrupted;
    gc_chan tasks, outcomes;
    uint64_t given, taken;               /* tasks; those whose outcome was taken are the first ones */
    struct outcome early[UNDER_WAY_MAX]; /* of a task that waits for its turn: at its number, as a ring */
};

static struct workers workers;

/* ---- both sides ---- */

gc_client *workers_connect(void)
{
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(NULL, &g, why) < 0)
        errx(STATUS_FAILED, "%s", why);
    return g;
}

static int check(int status, const char *what)
{
    if (status < 0)
        errx(STATUS_FAILED, "%s: %s", what, gc_why());
    return status;
}

gc_chan workers_chan(gc_client *g, const char *name, const char *part, int number, uint64_t capacity)
{
    char full[GC_NAME_BYTES];
    gc_chan c;

    snprintf(full, sizeof full, "%s.%s.%d", name, part, number);
    check(gc_make(g, full, capacity, &c, GC_FOREVER), full);
    return c;
}

gc_chan workers_tasks(gc_client *g, const char *name)
{
    return workers_chan(g, name, "tasks", 0, UNDER_WAY_MAX);
}

static void open_channels(gc_client *g, const char *name, gc_chan *tasks, gc_chan *outcomes)
{
    *tasks = workers_tasks(g, name);
    *outcomes = workers_chan(g, name, "outcomes", 0, UNDER_WAY_MAX);
}

/* ---- a worker ---- */

/* A task is its number, and then its bytes; an outcome likewise. */
static void do_task(const struct worker_program *program, gc_client *g, gc_chan outcomes,
                    struct gc_value *task)
{
    const char *bytes = task->data;
    struct outcome outcome = program->work(bytes + sizeof(uint64_t), task->size - sizeof(uint64_t));
    char *answer = must_alloc(sizeof(uint64_t) + outcome.bytes);

    memcpy(answer, bytes, sizeof(uint64_t));
    memcpy(answer + sizeof(uint64_t), outcome.data, outcome.bytes);
    check(gc_send(g, outcomes, gc_bytes(answer, sizeof(uint64_t) + outcome.bytes), GC_FOREVER), "outcome");
    check(gc_ack(g, task), "task");
    free(answer);
    free(outcome.data);
}

/* PROGRAM --worker NAME INDEX N */
static int worker(const struct worker_program *program, char **argument)
{
    gc_client *g = workers_connect();
    struct gc_value task = {0};
    gc_chan tasks, outcomes;

    if (program->process)
        program->process(g, argument[0], atoi(argument[1]), atoi(argument[2]));
    else {
        open_channels(g, argument[0], &tasks, &outcomes);
        while (check(gc_recv(g, tasks, &task, GC_HOLD, GC_FOREVER), "tasks") == 1) {
            do_task(program, g, outcomes, &task);
            gc_value_clear(&task);
        }
    }
    gc_disconnect(g);
    return STATUS_OK;
}

/* In the child. Never returns. */
static void become(const struct workers *w, int index, pid_t parent)
{
    char number[16], n[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    snprintf(number, sizeof number, "%d", index);
    snprintf(n, sizeof n, "%d", w->n);
    execl("/proc/self/exe", program_invocation_short_name, "--worker", w->name, number, n, NULL);
    _exit(127);
}

/* ---- the program ---- */

static void start_workers(struct workers *w)
{
    pid_t self = getpid();

    snprintf(w->name, sizeof w->name, "%s.%d", program_invocation_short_name, (int)self);
    for (int i = 0; i < w->n; i++) {
        w->pid[i] = fork();
        if (w->pid[i] < 0)
            err(STATUS_FAILED, "fork");
        if (w->pid[i] == 0)
            become(w, i, self);
    }
    w->g = workers_connect();
    open_channels(w->g, w->name, &w->tasks, &w->outcomes);
}

/* Every channel of this run. */
static void unlink_channels(struct workers *w)
{
    struct gc_chan_page page = {.n = 0};

    while (check(gc_channels(w->g, w->name, NULL, 0, &page, GC_FOREVER), "channels") > 0) {
        for (size_t i = 0; i < page.n; i++)
            check(gc_unlink(w->g, page.items[i].name, GC_FOREVER), page.items[i].name);
        gc_chan_page_clear(&page);
    }
}

/* Those whose program was interrupted work on what they have, and then find the channel closed. */
static int join_workers(struct workers *w)
{
    int status, failed = 0;

    check(gc_close(w->g, w->tasks, GC_FOREVER), "tasks");
    for (int i = 0; i < w->n; i++)
        failed |= waitpid(w->pid[i], &status, 0) != w->pid[i] || status != 0;
    unlink_channels(w);
    gc_ctx_free(w->ctx);
    gc_disconnect(w->g);
    return failed ? STATUS_FAILED : STATUS_OK;
}

static void take_ready(struct workers *w)
{
    struct outcome *next;

    while ((next = &w->early[w->taken % UNDER_WAY_MAX])->data) {
        w->program->take(next->data, next->bytes);
        free(next->data);
        *next = (struct outcome){0};
        w->taken++;
    }
}

/* The outcome of whatever task is done next. A task that was done twice counts once. */
static bool receive(struct workers *w)
{
    struct gc_value v = {0};
    struct outcome *place;
    uint64_t number;

    if (gc_recv(w->g, w->outcomes, &v, 0, gc_with(w->ctx)) == -ECANCELED)
        return false;
    memcpy(&number, v.data, sizeof number);
    place = &w->early[number % UNDER_WAY_MAX];
    if (number >= w->taken && !place->data) {
        place->bytes = v.size - sizeof number;
        place->data = must_alloc(place->bytes);
        memcpy(place->data, (const char *)v.data + sizeof number, place->bytes);
    }
    gc_value_clear(&v);
    take_ready(w);
    return true;
}

bool workers_interrupted(const struct workers *w)
{
    return w->interrupted;
}

bool workers_give(struct workers *w, const char *task, size_t bytes)
{
    char *numbered;

    if (workers_interrupted(w))
        return false;
    if (!w->g) {
        w->early[w->given++ % UNDER_WAY_MAX] = w->program->work(task, bytes);
        take_ready(w);
        return true;
    }
    while (w->given - w->taken >= (uint64_t)w->n * UNDER_WAY_EACH)
        if (!receive(w))
            return false;
    numbered = must_alloc(sizeof w->given + bytes);
    memcpy(numbered, &w->given, sizeof w->given);
    memcpy(numbered + sizeof w->given, task, bytes);
    w->given++;
    check(gc_send(w->g, w->tasks, gc_bytes(numbered, sizeof w->given + bytes), GC_FOREVER), "task");
    free(numbered);
    return true;
}

bool workers_settle(struct workers *w)
{
    while (w->taken < w->given)
        if (!receive(w))
            return false;
    return !workers_interrupted(w);
}

static void interrupt(int signal_number)
{
    (void)signal_number;
    workers.interrupted = true;
    if (workers.ctx)
        gc_ctx_cancel(workers.ctx);
}

void workers_interrupt(struct workers *w, int signal_number)
{
    w->ctx = w->g ? gc_ctx_new(w->g) : NULL;
    if (w->g && !w->ctx)
        errx(STATUS_FAILED, "no memory for a context");
    signal(signal_number, interrupt);
}

int workers_n(const struct workers *w)
{
    return w->n;
}

gc_client *workers_client(const struct workers *w)
{
    return w->g;
}

const char *workers_name(const struct workers *w)
{
    return w->name;
}

FILE *program_out(void)
{
    return stdout;
}

void tell_error(const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(-error));
}

void *must_alloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);

    if (!memory)
        err(STATUS_FAILED, "memory");
    return memory;
}

/* ---- the command line ---- */

static int usage(const struct worker_program *program)
{
    fprintf(stderr, "usage: %s [-w N | --sequential]%s%s %s\n", program_invocation_short_name,
            program->flag ? " --" : "", program->flag ? program->flag : "", program->operands);
    return STATUS_USAGE;
}

int workers_main(int argc, char **argv, const struct worker_program *program)
{
    struct workers *w = &workers;
    bool flag = false;
    int at, status;

    *w = (struct workers){.program = program, .n = 2};
    if (argc == 5 && strcmp(argv[1], "--worker") == 0)
        return worker(program, argv + 2);
    for (at = 1; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--sequential") == 0)
            w->n = 0;
        else if (strcmp(argv[at], "-w") == 0 && at + 1 < argc)
            w->n = atoi(argv[++at]);
        else if (program->flag && strcmp(argv[at] + 2, program->flag) == 0)
            flag = true;
        else
            return usage(program);
    }
    if (at == argc || w->n < 0 || w->n > WORKERS_MAX)
        return usage(program);
    if (w->n > 0)
        start_workers(w);
    status = program->run(w, argv + at, flag);
    if (w->n > 0 && join_workers(w) != STATUS_OK)
        status = STATUS_FAILED;
    return fflush(stdout) == 0 ? status : STATUS_FAILED;
}
