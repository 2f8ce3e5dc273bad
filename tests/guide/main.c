/*
 * A row as a program.
 *
 *     g020_unbuffered                     runs it, as its reader would
 *     g020_unbuffered --procs 4           with so many processors
 *     g020_unbuffered --part NAME         runs one of its parts, which may have to end badly
 *     g020_unbuffered --most 100          is refused more goroutines at a time than that
 *     g020_unbuffered --counters          says at the end what the runtime has counted, as a line of JSON
 *     g020_unbuffered --test              runs all this in processes of their own and judges them: the test
 *
 * Exit status of --test: 0, 1 a run did not end as it must, 77 left out of this build.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "goroutine_inspect.h"
#include "guide_run.h"

#if defined(__SANITIZE_THREAD__)
#define RACE_BUILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACE_BUILD 1
#endif
#endif
#ifndef RACE_BUILD
#define RACE_BUILD 0
#endif
#ifndef GUIDE_RELEASE /* whether the runtime is a release build */
#define GUIDE_RELEASE 1
#endif

enum { EXIT_SKIPPED = 77, OUTPUT_BYTES_MAX = 1 << 20 };

/* A run that hangs says where, before whoever started it ends it. */
enum { HANGS_AFTER_S = 110, EXIT_HANGS = 124 };

static const char *const race_report = "WARNING: ThreadSanitizer: data race";

/* ---- the run ---- */

struct program {
    const struct guide_row *row;
    int procs;      /* 0: as many as the machine has */
    long long most; /* goroutines; 0: as many as the runtime allows */
    bool counters;
};

/* Whoever has said that it is done may not have ended yet: only main goes on when the others wait or have ended. */
static int tell_counters(void)
{
    struct go_stats stats;

    do {
        go_yield();
        go_stats_read(&stats);
    } while (stats.live - stats.parked > 1);
    return go_stats_json(STDOUT_FILENO);
}

static int run_main(void *arg)
{
    const struct program *program = arg;

    if (program->most)
        go_set_goroutines_max(program->most);
    guide_run(program->row, NULL, NULL, 0);
    fflush(stdout);
    return program->counters ? tell_counters() : 0;
}

static void say_where(int signal_number)
{
    (void)signal_number;
    go_dump(STDERR_FILENO);
    _exit(EXIT_HANGS);
}

static int run(struct program *program)
{
    signal(SIGALRM, say_where);
    alarm(HANGS_AFTER_S);
    go_set_procs(program->procs);
    return go_main(run_main, program) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct guide_row *row_named(const char *part)
{
    const struct guide_row *const *at;

    for (at = __start_guide_rows; at < __stop_guide_rows; at++)
        if (part ? (*at)->is_part && strcmp((*at)->name, part) == 0 : !(*at)->is_part)
            return *at;
    return NULL;
}

/* ---- the test ---- */

static void run_child(const struct guide_row *row, int procs, int out, int err)
{
    struct rlimit none = {0, 0};
    char number[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    if (row->drops_goroutines)
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    snprintf(number, sizeof number, "%d", procs);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execl("/proc/self/exe", row->name, "--procs", number, row->is_part ? "--part" : NULL, row->name, NULL);
    _exit(127);
}

static char *text_of(int fd)
{
    char *text = calloc(1, OUTPUT_BYTES_MAX + 1);

    if (!text || pread(fd, text, OUTPUT_BYTES_MAX, 0) < 0)
        abort();
    close(fd);
    return text;
}

static bool has_all(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strstr(text, *words)) {
            fprintf(stderr, "not said: %s\n", *words);
            return false;
        }
    return true;
}

static bool has_none(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strstr(text, *words)) {
            fprintf(stderr, "must not be said: %s\n", *words);
            return false;
        }
    return true;
}

static bool ended_as_it_must(const struct guide_row *row, const struct guide_ending *ending)
{
    int status = WIFEXITED(ending->status) ? WEXITSTATUS(ending->status) : -WTERMSIG(ending->status);

    switch (row->ends) {
    case ENDS_WELL:
        return status == 0;
    case ENDS_IN_DEADLOCK:
        return status == 2 && strstr(ending->err, "all goroutines are asleep - deadlock!");
    case ENDS_IN_PANIC:
        return status != 0 && strstr(ending->err, "panic: ");
    case ENDS_IN_FATAL:
        return status != 0 &&
               (strstr(ending->err, "fatal error: ") || strstr(ending->err, "fatal: SIG") ||
                strstr(ending->err, "fatal: stack overflow") || strstr(ending->err, "Sanitizer: SEGV"));
    case ENDS_IN_RACE:
        return status != 0 && strstr(ending->err, race_report);
    }
    return false;
}

static bool judge(const struct guide_row *row, const struct guide_ending *ending)
{
    bool good = ended_as_it_must(row, ending) && has_all(ending->err, row->says) &&
                has_all(ending->out, row->prints) && has_none(ending->out, row->never) &&
                has_none(ending->err, row->never);

    if (good && row->judge)
        row->judge(ending); /* does not return if it does not hold */
    return good;
}

static bool passes(const struct guide_row *row, int procs)
{
    int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
    struct guide_ending ending;
    pid_t child = fork();
    bool good;

    if (child == 0)
        run_child(row, procs, out, err);
    if (child < 0 || waitpid(child, &ending.status, 0) != child)
        abort();
    ending.out = text_of(out);
    ending.err = text_of(err);
    good = judge(row, &ending);
    printf("%s %s with %d processors: %s\n", row->id, row->name, procs, good ? "as it must be" : "WRONG");
    if (!good)
        printf("---- status %#x, standard output\n%s---- standard error\n%s", (unsigned)ending.status,
               ending.out, ending.err);
    free((void *)(uintptr_t)ending.out);
    free((void *)(uintptr_t)ending.err);
    return good;
}

static bool passes_all(const struct guide_row *row)
{
    static const int usual[GUIDE_PROCS] = {1, 2, 4}, race[GUIDE_PROCS] = {2};
    const int *procs = RACE_BUILD ? race : usual;
    bool good = true;

    if (row->procs[0])
        procs = row->procs;
    if ((row->ends == ENDS_IN_RACE && !RACE_BUILD) || (row->debug_only && GUIDE_RELEASE))
        return true;
    if (row->no_race && RACE_BUILD) {
        printf("%s %s is left out: %s\n", row->id, row->name, row->no_race);
        return true;
    }
    for (int i = 0; i < GUIDE_PROCS && procs[i]; i++)
        good = passes(row, procs[i]) && good;
    return good;
}

static int test(void)
{
    const struct guide_row *const *at, *whole = row_named(NULL);
    bool good = true;

    if (getenv("TESTS_SHORT") && whole->long_run) {
        printf("%s %s is left out of the short run: %s\n", whole->id, whole->name, whole->long_run);
        return EXIT_SKIPPED;
    }
    for (at = __start_guide_rows; at < __stop_guide_rows; at++)
        good = passes_all(*at) && good;
    if (good && RACE_BUILD && row_named(NULL)->no_race)
        return EXIT_SKIPPED;
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int usage(const char *name)
{
    fprintf(stderr, "usage: %s [--procs N] [--part NAME] [--most N] [--counters] | --test\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"procs", required_argument, NULL, 'n'}, {"part", required_argument, NULL, 'p'},
        {"most", required_argument, NULL, 'm'},  {"counters", no_argument, NULL, 'c'},
        {"test", no_argument, NULL, 't'},        {0}};
    struct program program = {.row = row_named(NULL)};
    int option;

    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 't')
            return test();
        if (option == 'n')
            program.procs = atoi(optarg);
        if (option == 'm')
            program.most = atoll(optarg);
        if (option == 'p')
            program.row = row_named(optarg);
        program.counters = program.counters || option == 'c';
        if (option == '?' || !program.row)
            return usage(argv[0]);
    }
    return run(&program);
}
