/*
 * Runs rows between processes.
 *
 *     guide_between                 lists them
 *     guide_between G20             runs it: once for each of its functions, which is then the job
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
#include <unistd.h>

#include "../e2e/node.h"
#include "parts_run.h"

enum { HANGS_AFTER_S = 100, EXIT_HANGS = 124, PROCESSES_MAX = 64 };

void part_failed(const char *text)
{
    fprintf(stderr, "%s\n", text);
    fflush(NULL);
    _exit(EXIT_FAILURE); /* the judge leaves the daemon to the program that started it */
}

/* ---- a participant ---- */

static gc_client *connect_here(void)
{
    char why[GC_WHY_BYTES];
    gc_client *g;

    if (gc_connect(&(struct gc_options){.size = sizeof(struct gc_options), .answer_ms = 30000}, &g, why) < 0)
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

/* guide_between part RUN NAME INDEX client|job */
static int participant(char **argument)
{
    gc_client *g = connect_here();
    int index = atoi(argument[2]);

    if (strcmp(argument[3], "job") == 0)
        run_as_job(argument[0], argument[1], index, g);
    else
        part_run_function(argument[0], argument[1], index, g, false);
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
    const char *waits_for; /* told when it hangs */
} between;

static void remove_node(void)
{
    between.node = node_delete(between.node);
}

static void say_where(int signal_number)
{
    static const char hangs[] = "it hangs; waits for: ";

    (void)signal_number;
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

static void round_with(const struct part_function *job)
{
    printf("%s %s with %s as a job:\n", between.row->id, between.row->name, job->name);
    fflush(NULL);
    new_lines();
    make_channels();
    between.processes = 0;
    for (const struct part_function *at = between.row->parts; at->name; at++)
        for (int i = 0; i < (at->on_call ? 0 : at->times ? at->times : 1); i++)
            start(at, i, at == job && i == 0);
    join();
    remove_channels();
    judge();
}

static int run_row(const struct between_row *row)
{
    struct part_run *run = &between.run;
    ssize_t n;

    between.row = row;
    between.waits_for = "the daemon";
    signal(SIGALRM, say_where);
    alarm(HANGS_AFTER_S);
    atexit(remove_node);
    between.node = node_make();
    between.node->flags = row->test_clock ? (char *[]){"--test-clock", NULL} : NULL;
    node_run(between.node, true);
    setenv("GOROUTINED_ENDPOINT", between.node->endpoint, 1);
    between.g = connect_here();
    snprintf(run->row, sizeof run->row, "%s", row->id);
    n = readlink("/proc/self/exe", run->plugin, sizeof run->plugin - 4);
    if (n < 0)
        err(1, "/proc/self/exe");
    snprintf(run->plugin + n, sizeof run->plugin - (size_t)n, ".so");
    for (const struct part_function *at = row->parts; at->name; at++)
        if (!at->dies && !at->no_job && !at->on_call)
            round_with(at);
    lines_drop(&part_lines);
    gc_disconnect(between.g);
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
    const struct between_row *row = argc == 2 ? between_row_of(argv[1]) : NULL;

    if (argc == 6 && strcmp(argv[1], "part") == 0)
        return participant(argv + 2);
    if (argc == 1)
        return list();
    if (!row) {
        fprintf(stderr, "usage: %s [ROW]\n", argv[0]);
        return 2;
    }
    return run_row(row);
}
