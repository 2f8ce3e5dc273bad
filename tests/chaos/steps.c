/*
 * Faults at every step of every verb (IP7, IP11.3): runs the rows of a table, each cell with a client of its own
 * behind a proxy that strikes exactly one frame. Afterwards the operation must have taken effect once, its caller must
 * have been told the truth, and the daemon must be as it was (IP11.4).
 *
 *     steps TABLE PLUGIN [--rounds N] [VERB...]
 *
 * Nothing here waits for time to pass: the daemon is asked what is parked, the proxy says when it has struck, and what
 * was lost is noticed because another frame follows it. With more than one round the daemon's memory must not grow
 * after the first.
 */
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "daemon_node.h"
#include "hosted.h"
#include "probe.h"

enum { ROW_BYTES = 512, WORDS = 4, TASKS_MAX = 8, GROWTH_BYTES_MAX = 4 << 20 };
#define DAYS_NS (3 * 86400 * 1000000000LL) /* ended sessions and jobs are forgotten by then */

struct task {
    struct run *run;
    int number;
    pthread_t thread;
};

/* A cell while it runs. */
struct run {
    struct cell cell;
    const struct scene *scene;
    enum step step;
    enum fault fault;
    struct task tasks[TASKS_MAX];
    int tasks_n;
};

static struct node node;
static const char *plugin;
static gc_client *observer;
static unsigned long cells_n;
static uint64_t parked_always; /* a host's RESERVE, where there is one */

static const char *const step_names[STEPS_N] = {
#define STEP_NAME(NAME, name) [STEP_##NAME] = #name,
    STEPS(STEP_NAME)};
static const char *const fault_names[FAULTS_N] = {
#define FAULT_NAME(NAME, name) [FAULT_##NAME] = #name,
    [FAULT_NONE] = "none", FAULTS(FAULT_NAME)};

/* ---- for the scenes ---- */

void cell_fail(const struct cell *cell, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", cell->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
    exit(1);
}

void cell_note(struct cell *cell, int number)
{
    pthread_mutex_lock(&cell->lock);
    CELL_MUST(cell, cell->order_n < WHO_N);
    cell->order[cell->order_n++] = number;
    pthread_cond_broadcast(&cell->news);
    pthread_mutex_unlock(&cell->lock);
}

int cell_await(struct cell *cell, int i)
{
    pthread_mutex_lock(&cell->lock);
    while (cell->order_n <= i)
        pthread_cond_wait(&cell->news, &cell->lock);
    int number = cell->order[i];
    pthread_mutex_unlock(&cell->lock);
    return number;
}

/* ---- what the daemon says ---- */

/* Each look is an answer of the core, not a nap. */
static void await_parked(uint64_t n)
{
    while (probe_says(observer, "ops.parked") < parked_always + n)
        ;
}

static void await_baseline(uint64_t sessions)
{
    static const char *const none[] = {"results.kept", "handles", "channels", "syncs",
                                       "contexts",     "fetches", "bytes"};

    probe_await(observer, "sessions", sessions);
    probe_await(observer, "ops.parked", parked_always);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        probe_await(observer, none[i], 0);
}

/* ---- the threads of a cell ---- */

static void *run_call(void *arg)
{
    struct task *task = arg;
    struct cell *cell = &task->run->cell;

    cell->status[task->number] = task->run->scene->call(cell, task->number);
    return NULL;
}

static void *run_complete(void *arg)
{
    struct task *task = arg;

    task->run->scene->complete(&task->run->cell, task->number);
    return NULL;
}

/* Makes A or B ask for something. A host does by running a job. */
static void ping(struct run *run, int who)
{
    struct cell *cell = &run->cell;

    if (cell->g[who])
        CELL_MUST(cell, gc_ping(cell->g[who], GC_FOREVER) == 0);
    else
        CELL_MUST(cell, hosted_job("echo", "ping", NULL) == 1);
}

static void *run_ping(void *arg)
{
    struct task *task = arg;

    ping(task->run, task->number);
    return NULL;
}

static struct task *start(struct run *run, void *(*body)(void *), int number)
{
    struct task *task = &run->tasks[run->tasks_n++];

    *task = (struct task){.run = run, .number = number};
    if (run->tasks_n > TASKS_MAX || pthread_create(&task->thread, NULL, body, task))
        errx(1, "no thread");
    return task;
}

static void join(struct task *task)
{
    if (task->run)
        pthread_join(task->thread, NULL);
    task->run = NULL;
}

/* ---- faults ---- */

static bool has_rival(const struct run *run)
{
    return run->fault == FAULT_REORDER && run->scene->rivals &&
           (run->step == STEP_REQUEST || run->step == STEP_PARKED);
}

/* The same of another session goes first: until it waits, or is answered. */
static void overtake(struct run *run)
{
    if (!has_rival(run)) {
        ping(run, WHO_B);
        return;
    }
    struct task *rival = start(run, run_call, WHO_B);
    if (run->scene->complete)
        await_parked(run->step == STEP_PARKED ? 2 : 1);
    else
        join(rival);
}

/* Waits until the fault is done, and does what makes it come out. */
static void strike(struct run *run)
{
    proxy_wait(run->cell.proxy);
    if (run->fault == FAULT_DROP)
        ping(run, WHO_A); /* the next frame shows the gap */
    if (run->fault == FAULT_DELAY)
        ping(run, WHO_B);
    if (run->fault == FAULT_REORDER)
        overtake(run);
    if (run->fault == FAULT_DELAY || run->fault == FAULT_REORDER)
        proxy_release(run->cell.proxy);
}

/* The next frame of A is struck, that of a ping. */
static void strike_now(struct run *run)
{
    proxy_now(run->cell.proxy);
    struct task *bystander = start(run, run_ping, WHO_A);
    strike(run);
    join(bystander);
}

/* The frame to be struck leaves only when the operation shall end. */
static bool strikes_late(const struct run *run)
{
    int part = (int)run->scene->number;

    return run->step == STEP_REPLY ||
           (run->step == STEP_REQUEST && (part == PART_CANCEL || part == PART_RESUME));
}

/* A host says more before its call is over, and with that it may acknowledge. */
static bool speaks_on(const struct scene *scene)
{
    return scene->place == IN_HOST || scene->place == IN_NEW_HOST;
}

/* The next frame of A carries it. */
static void strike_acknowledgement(struct run *run)
{
    struct task *bystander = start(run, run_ping, WHO_A);

    strike(run);
    join(bystander);
}

static void steps(struct run *run)
{
    struct task *call = start(run, run_call, WHO_A);

    if (run->step == STEP_REQUEST && !strikes_late(run))
        strike(run);
    if (run->scene->complete && run->step == STEP_PARKED) {
        await_parked(1);
        strike_now(run);
    }
    if (run->scene->complete)
        await_parked((uint64_t)run->cell.calls);
    for (int i = 0; run->scene->complete && i < run->cell.calls; i++)
        start(run, run_complete, i);
    if (strikes_late(run))
        strike(run);
    if (run->step == STEP_COMMITTED && speaks_on(run->scene))
        strike_acknowledgement(run);
    join(call);
    if (run->step == STEP_COMMITTED && !speaks_on(run->scene))
        strike_acknowledgement(run);
    ping(run, WHO_A);
    ping(run, WHO_A); /* the daemon has taken the acknowledgement of what was answered before the first */
    if (run->step == STEP_ACKED)
        strike_now(run);
    for (int i = 0; i < run->tasks_n; i++)
        join(&run->tasks[i]);
    ping(run, WHO_A);
}

/* ---- a cell ---- */

/* What is left of the object goes. */
static void tidy(struct cell *cell)
{
    if (cell->chan[WHO_B].id)
        CELL_MUST(cell, gc_drop(cell->g[WHO_B], cell->chan[WHO_B]) == 0);
    (void)gc_unlink(cell->g[WHO_B], cell->object, GC_FOREVER); /* where it has a name */
    gc_disconnect(cell->g[WHO_A]);
}

static bool has_host(const struct scene *scene)
{
    return scene->place == WITH_HOST || scene->place == IN_HOST;
}

/* A, and what is between A and the daemon. */
static void bring_up(struct run *run)
{
    struct cell *cell = &run->cell;
    enum place place = run->scene->place;
    bool client = place == IN_CLIENT || place == WITH_HOST;

    cell->proxy = client                 ? proxy_start(node.endpoint)
                  : place == IN_NEW_HOST ? hosted_expect()
                                         : hosted_proxy();
    cell->endpoint[WHO_A] = proxy_endpoint(cell->proxy);
    cell->endpoint[WHO_B] = node.endpoint;
    cell->g[WHO_A] = client ? probe_client(cell->endpoint[WHO_A], 0) : NULL;
    cell->g[WHO_B] = observer;
}

static void take_down(struct run *run)
{
    tidy(&run->cell);
    if (run->cell.g[WHO_A])
        proxy_stop(run->cell.proxy);
    if (run->scene->place == IN_NEW_HOST)
        hosted_end();
    await_baseline(has_host(run->scene) ? 2 : 1);
}

static void run_cell(const struct scene *scene, enum step step, enum fault fault)
{
    char name[128];
    struct run run = {.scene = scene, .step = step, .fault = fault};
    struct cell *cell = &run.cell;

    snprintf(name, sizeof(name), "%s %s: %s at %s", scene->verb, scene->name, fault_names[fault],
             step_names[step]);
    snprintf(cell->object, sizeof(cell->object), "cell.%lu", ++cells_n);
    cell->name = name;
    cell->plugin = plugin;
    cell->calls = has_rival(&run) ? 2 : 1;
    pthread_mutex_init(&cell->lock, NULL);
    pthread_cond_init(&cell->news, NULL);
    bring_up(&run);
    scene->prepare(cell);
    proxy_arm(cell->proxy, scene->number, step, fault);
    steps(&run);
    scene->check(cell);
    take_down(&run);
    pthread_mutex_destroy(&cell->lock);
    pthread_cond_destroy(&cell->news);
}

/* ---- the table ---- */

static const struct scene *find_scene(const char *verb, const char *name)
{
#define SCENES_OF(name) scenes_##name,
    static const struct scene *const all[] = {SCENES(SCENES_OF)};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        for (const struct scene *scene = all[i]; scene->verb; scene++)
            if (strcmp(scene->verb, verb) == 0 && strcmp(scene->name, name) == 0)
                return scene;
    errx(1, "no scene %s of %s", name, verb);
}

/* The next name of a list, with what it stands for; -1: the list is over. */
static int next_name(char **list, const char *const *names, int n)
{
    char *name = strsep(list, ",");

    for (int i = 0; name && i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    if (name)
        errx(1, "what is %s?", name);
    return -1;
}

/* One host for all cells of a row. Its RESERVE waits as long as it lives. */
static void host_begin(void)
{
    hosted_expect();
    hosted_start();
    probe_await(observer, "results.kept", 0);
    parked_always = probe_says(observer, "ops.parked");
}

static void host_end(void)
{
    hosted_end();
    parked_always = 0;
    await_baseline(1);
}

static void run_row(char **word)
{
    const struct scene *scene = find_scene(word[0], word[1]);
    char faults[ROW_BYTES];
    int step, fault;

    printf("%s %s\n", word[0], word[1]);
    fflush(stdout);
    if (has_host(scene))
        host_begin();
    for (char *steps_left = word[2]; (step = next_name(&steps_left, step_names, STEPS_N)) >= 0;) {
        snprintf(faults, sizeof(faults), "%s", word[3]);
        for (char *left = faults; (fault = next_name(&left, fault_names, FAULTS_N)) >= 0;)
            run_cell(scene, (enum step)step, (enum fault)fault);
    }
    if (has_host(scene))
        host_end();
}

static bool wanted(const char *verb, char **verbs)
{
    for (char **one = verbs; *one; one++)
        if (strcmp(*one, verb) == 0)
            return true;
    return !*verbs;
}

static void run_table(const char *path, char **verbs)
{
    char line[ROW_BYTES];
    FILE *table = fopen(path, "re");

    if (!table)
        err(1, "%s", path);
    while (fgets(line, sizeof(line), table)) {
        char *word[WORDS] = {0}, *rest = line;
        for (int n = 0; n < WORDS && (word[n] = strtok_r(rest, " \t\n", &rest)); n++)
            ;
        bool row = word[3] && word[0][0] != '#' && strcmp(word[1], "-") != 0 && strcmp(word[2], "-") != 0;
        if (row && wanted(word[0], verbs))
            run_row(word);
    }
    fclose(table);
}

/* ---- memory ---- */

static long resident_bytes(void)
{
    char path[64];
    long pages = 0;

    snprintf(path, sizeof(path), "/proc/%d/statm", node.pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        err(1, "%s", path);
    fclose(file);
    return pages * 4096;
}

/* Days later nothing is remembered. */
static long forget_all(void)
{
    if (gc_clock_advance(observer, DAYS_NS, GC_FOREVER) < 0)
        errx(1, "clock: %s", gc_why());
    probe_await(observer, "sessions.remembered", 0);
    probe_await(observer, "timers", 0);
    return resident_bytes();
}

int main(int argc, char **argv)
{
    /* Rows describe more plugins than that in a round: what the daemon knows of them is full before it is compared. */
    char *flags[] = {"--ephemeral",    "--test-clock", "--limit", "plugins_max=100",
                     "--host-program", NULL,           NULL};
    int rounds = 1, at = 3;
    long before = 0;

    if (argc < 3)
        errx(2, "usage: steps TABLE PLUGIN [--rounds N] [VERB...]");
    plugin = argv[2];
    if (argc > 4 && strcmp(argv[3], "--rounds") == 0) {
        rounds = atoi(argv[4]);
        at = 5;
    }
    node_make(&node);
    flags[5] = hosted_program(&node);
    node_start(&node, flags);
    observer = probe_client(node.endpoint, 0);
    hosted_open(observer, plugin);
    for (int round = 0; round < rounds; round++) {
        run_table(argv[1], argv + at);
        long now = forget_all();
        if (round > 0 && now > before + GROWTH_BYTES_MAX)
            errx(1, "the daemon has grown from %ld to %ld bytes", before, now);
        before = round > 0 ? before : now;
    }
    gc_disconnect(observer);
    node_stop(&node);
    node_remove(&node);
    printf("%lu cells\n", cells_n);
    return cells_n == 0;
}
