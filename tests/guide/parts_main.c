/*
 * Runs rows between processes.
 *
 *     guide_between                 lists them
 *     guide_between G20             runs it: once for each of its functions, which is then the job
 *     guide_between --orders G20    each of these runs with each participant late, and with each slow: parts_order.c
 *
 * Each participant is a process of its own, this program again. Whoever is the job's part submits the job, waits for
 * its end and ends as it did. When all have ended, the daemon must hold nothing any more, and the judge, in a process
 * of its own too, looks at the lines.
 *
 * Exit status: 0, 1 something was not as it must be, 124 it hangs; then it has said what it waits for.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../e2e/node.h"
#include "goclient_go.h"
#include "parts_run.h"

enum { HANGS_AFTER_S = 300, EXIT_HANGS = 124, PROCESSES_MAX = 64 };

void part_failed(const char *text)
{
    fprintf(stderr, "%s\n", text);
    fflush(NULL);
    _exit(EXIT_FAILURE); /* the judge leaves the daemon to the program that started it */
}

void part_result(struct part *me, const char *text)
{
    (void)me, (void)text;
    part_failed("a client has no result");
}

void part_print(struct part *me, const char *line)
{
    (void)me, (void)line;
    part_failed("a client has no kept output");
}

void part_sleep(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    if (go_id() != 0)
        go_sleep(go_after_ms(ms));
    else
        nanosleep(&time, NULL);
}

const void *part_here(void)
{
    return &part_lines; /* a process of its own */
}

/* ---- a participant ---- */

static const struct gc_options patient = {.size = sizeof patient, .answer_ms = NODE_ANSWER_MS};

static gc_client *connect_here(void)
{
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(&patient, &g, why) < 0)
        errx(1, "%s", why);
    return g;
}

static void run_as_job(const char *run, const char *name, int index, gc_client *g)
{
    struct part me = {.name = name, .g = g, .run = run};
    struct gc_result result = {0};

    if (gc_wait(g, submit_part(&me, name, index), &result, GC_FOREVER) != 1)
        errx(1, "job %s: %s, %s", name, gc_job_state_name(result.state),
             result.text ? result.text : gc_why());
    gc_result_clear(&result);
}

static int run_in_goroutine(void *arg)
{
    char *const *argument = arg;
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_go_connect(&patient, &g, why) < 0)
        errx(1, "%s", why);
    part_run_function(
        (struct part){.name = argument[1], .index = atoi(argument[2]), .g = g, .run = argument[0]});
    gc_disconnect(g);
    return EXIT_SUCCESS;
}

static bool has_goroutines(const char *run_text)
{
    struct part_run run = {0};

    return part_run_read(&run, run_text) && between_row_of(&run)->goroutines;
}

/* guide_between part RUN NAME INDEX client|job */
static int participant(char **argument)
{
    bool as_job = strcmp(argument[3], "job") == 0;
    int index = atoi(argument[2]);
    gc_client *g;

    if (!as_job && has_goroutines(argument[0]))
        return go_main(run_in_goroutine, argument);
    g = connect_here();
    if (as_job)
        run_as_job(argument[0], argument[1], index, g);
    else
        part_run_function((struct part){.name = argument[1], .index = index, .g = g, .run = argument[0]});
    gc_disconnect(g);
    return EXIT_SUCCESS;
}

/* ---- the program that starts them ---- */

struct process {
    pid_t pid;
    const struct part_function *function;
    int index;
    const char *as;
};

/* One row, and the processes of its present run. */
static struct between {
    const struct between_row *row;
    struct node *node;
    gc_client *g;
    struct part_run run;
    struct process process[PROCESSES_MAX];
    int processes;
    bool orders;
    const char *waits_for; /* told when it hangs */
} between;

static void remove_node(void)
{
    between.node = node_delete(between.node);
}

/* In the signal handler: what was said until now. */
static void copy_lines(void)
{
    char bytes[4096];
    int file = open(between.run.lines, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    while ((n = read(file, bytes, sizeof bytes)) > 0 && write(STDERR_FILENO, bytes, (size_t)n) > 0)
        ;
}

static void say_where(int signal_number)
{
    static const char hangs[] = "it hangs; waits for: ";

    (void)signal_number;
    copy_lines();
    if (write(STDERR_FILENO, hangs, sizeof hangs - 1) < 0 ||
        write(STDERR_FILENO, between.waits_for, strlen(between.waits_for)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_HANGS);
}

/* In the child. Never returns. */
static void become(const struct process *process, pid_t parent)
{
    char run[PART_RUN_BYTES], index[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    part_run_write(&between.run, run);
    snprintf(index, sizeof index, "%d", process->index);
    execl("/proc/self/exe", process->function->name, "part", run, process->function->name, index, process->as,
          NULL);
    _exit(127);
}

static void start(const struct part_function *function, int index, bool as_job)
{
    struct process *process = &between.process[between.processes++];
    pid_t self = getpid();

    if (between.processes == PROCESSES_MAX)
        errx(1, "too many participants");
    *process = (struct process){.function = function, .index = index, .as = as_job ? "job" : "client"};
    process->pid = fork();
    if (process->pid < 0)
        err(1, "fork");
    if (process->pid == 0)
        become(process, self);
}

static bool ended_as_it_must(const struct process *process, int status)
{
    if (process->function->dies)
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void show_lines(void)
{
    for (size_t i = 0; i < part_lines.n; i++)
        printf("    %s\n", part_lines.line[i]);
}

static void read_lines(void)
{
    char line[TEXT_BYTES + 2];
    FILE *file = fopen(between.run.lines, "re");

    if (!file)
        err(1, "%s", between.run.lines);
    lines_drop(&part_lines);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        lines_add(&part_lines, line);
    }
    fclose(file);
}

static const struct process *process_of(pid_t pid)
{
    for (int i = 0; i < between.processes; i++)
        if (between.process[i].pid == pid)
            return &between.process[i];
    errx(1, "the daemon, or a stranger, has ended: process %d", pid);
}

/* Waits for all of them. The first that does not end as it must ends the run. */
static void join(void)
{
    between.waits_for = "the end of a participant";
    for (int left = between.processes; left > 0; left--) {
        const struct process *process;
        int status;
        pid_t pid = wait(&status);

        if (pid < 0)
            err(1, "wait");
        process = process_of(pid);
        if (ended_as_it_must(process, status))
            continue;
        read_lines();
        show_lines();
        errx(1, "%s %d as a %s ended with status %#x", process->function->name, process->index, process->as,
             (unsigned)status);
    }
}

/* ---- the daemon before and after ---- */

static void check(int status, const char *what, const char *name)
{
    if (status < 0)
        errx(1, "%s %s: %s", what, name, gc_why());
}

static void make_channels(void)
{
    for (const struct part_channel *at = between.row->channels; at->name; at++) {
        struct gc_chan_options options = at->options;
        gc_chan c;

        options.size = sizeof options;
        options.flags |= GC_CREATE | GC_EXCLUSIVE;
        check(gc_open(between.g, at->name, &options, &c, GC_FOREVER), "make", at->name);
        check(gc_drop(between.g, c), "drop", at->name);
    }
}

static uint64_t count_of(const char *name)
{
    return stat_of(&(struct part){.g = between.g}, name);
}

/* The daemon hears of the end of the last processes in its own time. */
static void until_none(const char *what)
{
    between.waits_for = what;
    while (count_of(what) != 0)
        ;
}

static void remove_channels(void)
{
    struct gc_chan_info info;

    until_none("handles");
    for (const struct part_channel *at = between.row->channels; at->name; at++) {
        check(gc_chan_stat(between.g, at->name, &info, GC_FOREVER), "look at", at->name);
        if (info.length + info.senders + info.receivers > 0)
            errx(1, "%s: %lu values, %lu senders, %lu receivers are left", at->name,
                 (unsigned long)info.length, (unsigned long)info.senders, (unsigned long)info.receivers);
        check(gc_unlink(between.g, at->name, GC_FOREVER), "unlink", at->name);
    }
    until_none("channels");
    until_none("contexts");
    until_none("syncs");
}

/* ---- rounds ---- */

static void judge(void)
{
    int status;
    pid_t pid;

    read_lines();
    show_lines();
    fflush(NULL);
    between.waits_for = "the judge";
    pid = fork();
    if (pid == 0) {
        between.row->judge();
        fflush(NULL);
        _exit(EXIT_SUCCESS);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        err(1, "judge");
    if (status != 0)
        errx(1, "the lines are not as they must be");
}

static void new_lines(void)
{
    static int round;
    int file;

    snprintf(between.run.lines, sizeof between.run.lines, "%s/lines.%d", between.node->folder, round++);
    file = open(between.run.lines, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (file < 0)
        err(1, "%s", between.run.lines);
    close(file);
}

static int times_of(const struct part_function *function)
{
    return function->times ? function->times : 1;
}

static bool is_late(const struct part_function *function, int index)
{
    return between.run.order == ORDER_LATE && strcmp(function->name, between.run.turn) == 0 &&
           index == between.run.turn_index;
}

/* Those that are late, or all others. */
static void start_those(bool late, const struct part_function *job)
{
    for (const struct part_function *at = between.row->parts; at->name; at++)
        for (int i = 0; !at->on_call && i < times_of(at); i++)
            if (is_late(at, i) == late)
                start(at, i, at == job && i == 0);
}

/* Before a late one begins; then he himself waits until they rest. */
static void until_begun(uint64_t sessions_before)
{
    between.waits_for = "the sessions of those who are not late";
    while (count_of("sessions.begun") < sessions_before + (uint64_t)between.processes)
        ;
}

/* NULL: clients alone. */
static void round_with(const struct part_function *job)
{
    static const char *const orders[] = {
        [ORDER_ANY] = "in any order", [ORDER_LATE] = "late", [ORDER_SLOW] = "slow"};
    uint64_t sessions = count_of("sessions.begun");
    struct part_run *run = &between.run;

    printf("%s %s with %s as a job, ", run->row, run->name, job ? job->name : "nobody");
    if (run->order != ORDER_ANY)
        printf("%s %d ", run->turn, run->turn_index);
    printf("%s:\n", orders[run->order]);
    fflush(NULL);
    if (between.orders)
        alarm(HANGS_AFTER_S);
    new_lines();
    make_channels();
    between.processes = 0;
    start_those(false, job);
    if (run->order == ORDER_LATE) {
        until_begun(sessions);
        start_those(true, job);
    }
    join();
    remove_channels();
    judge();
}

/* Each participant in turn is late, then each is slow. */
static void orders_with(const struct part_function *job)
{
    struct part_run *run = &between.run;

    for (run->order = ORDER_LATE; run->order <= ORDER_SLOW; run->order++)
        for (const struct part_function *at = between.row->parts; at->name; at++) {
            snprintf(run->turn, sizeof run->turn, "%s", at->name);
            for (run->turn_index = 0; run->turn_index < times_of(at); run->turn_index++)
                round_with(job);
        }
}

static void start_daemon(const struct between_row *row)
{
    char *flags[8] = {0}, **next = flags;

    if (row->test_clock)
        *next++ = (char *)"--test-clock";
    for (const char *const *queue = row->queues; *queue; queue++) {
        *next++ = (char *)"--queue";
        *next++ = (char *)*queue;
    }
    between.waits_for = "the daemon";
    between.node = node_make();
    between.node->flags = flags;
    node_run(between.node, true);
    between.node->flags = NULL;
    setenv("GOROUTINED_ENDPOINT", between.node->endpoint, 1);
    between.g = connect_here();
}

static void run_row(const struct between_row *row)
{
    void (*rounds_with)(const struct part_function *job) = between.orders ? orders_with : round_with;
    bool has_job = false;

    between.row = row;
    snprintf(between.run.row, sizeof between.run.row, "%s", row->id);
    snprintf(between.run.name, sizeof between.run.name, "%s", row->name);
    start_daemon(row);
    for (const struct part_function *at = row->parts; at->name; at++)
        if (!at->dies && !at->no_job && !at->on_call) {
            has_job = true;
            rounds_with(at);
        }
    if (!has_job)
        rounds_with(NULL);
    lines_drop(&part_lines);
    gc_disconnect(between.g);
    remove_node();
}

/* All of this number. */
static int run_rows(const char *id)
{
    struct part_run *run = &between.run;
    ssize_t n = readlink("/proc/self/exe", run->plugin, sizeof run->plugin - 4);
    int rows = 0;

    if (n < 0)
        err(1, "/proc/self/exe");
    snprintf(run->plugin + n, sizeof run->plugin - (size_t)n, ".so");
    signal(SIGALRM, say_where);
    alarm(HANGS_AFTER_S); /* of all rounds; of each, where they are many */
    atexit(remove_node);
    for (const struct between_row *const *at = __start_between_rows; at < __stop_between_rows; at++)
        if (atoi((*at)->id + 1) == atoi(id + 1)) {
            run_row(*at);
            rows++;
        }
    if (rows == 0)
        errx(2, "no row %s", id);
    return EXIT_SUCCESS;
}

static int list(void)
{
    const struct between_row *const *at;

    for (at = __start_between_rows; at < __stop_between_rows; at++)
        printf("%s %s\n", (*at)->id, (*at)->name);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "part") == 0)
        return participant(argv + 2);
    if (argc == 1)
        return list();
    between.orders = argc == 3 && strcmp(argv[1], "--orders") == 0;
    if (argc != (between.orders ? 3 : 2)) {
        fprintf(stderr, "usage: %s [[--orders] ROW]\n", argv[0]);
        return 2;
    }
    return run_rows(argv[argc - 1]);
}
