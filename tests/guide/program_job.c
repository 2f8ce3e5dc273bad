/*
 * The programs of program.h as jobs of a plugin, from the same sources: their `main` is compiled under another name
 * (meson.build), and called by a goroutine of the job.
 *
 * The argument of the job is the command line, a word a line. Its result is what the program prints, and behind that a
 * line with the exit status; its kept output is what the program tells beside it. Programs keep some of what they know in
 * variables of the file: one job of each at a time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "goplugin.h"
#include "goroutine_host.h"
#include "program.h"

enum { WORDS_MAX = 256 };

/* One run, found by the group that all goroutines of a job belong to. */
struct run {
    gp_job *job;
    go_group *group;
    FILE *out;
    char *printed;
    size_t printed_bytes;
    struct run *next;
};

static struct run *runs;
static pthread_mutex_t runs_lock = PTHREAD_MUTEX_INITIALIZER; /* held briefly, never over a wait */

/* NULL: not a goroutine, but a thread that does something for one. */
static struct run *run_here(void)
{
    const go_group *group = go_inside() ? go_group_current() : NULL;
    struct run *run;

    pthread_mutex_lock(&runs_lock);
    for (run = runs; run && run->group != group; run = run->next)
        continue;
    pthread_mutex_unlock(&runs_lock);
    return run;
}

static void run_begin(struct run *run, gp_job *job)
{
    *run = (struct run){.job = job, .group = go_group_current()};
    run->out = open_memstream(&run->printed, &run->printed_bytes);
    if (!run->out)
        go_panic("no memory for the output");
    pthread_mutex_lock(&runs_lock);
    run->next = runs;
    runs = run;
    pthread_mutex_unlock(&runs_lock);
}

/* Also when the job is unwound. */
static void run_end(struct run *run)
{
    struct run **at;

    pthread_mutex_lock(&runs_lock);
    for (at = &runs; *at != run; at = &(*at)->next)
        continue;
    *at = run->next;
    pthread_mutex_unlock(&runs_lock);
    if (run->out)
        fclose(run->out);
    free(run->printed);
}

/* ---- what a program asks for ---- */

int program_main(int argc, char **argv, const char *operands, const char *flag,
                 int (*fn)(const struct program *p))
{
    struct program p = {0};
    int status = program_parse(argc, argv, operands, flag, &p), procs = go_set_procs(0);

    if (status != STATUS_OK)
        return status;
    p.workers = p.workers ? p.workers : procs;
    status = fn(&p);
    go_set_procs(procs); /* a program may have set its own */
    return status;
}

FILE *program_out(void)
{
    return run_here()->out;
}

void program_tell(const char *format, ...)
{
    const struct run *run = run_here();
    va_list args;
    char line[PROGRAM_LINE_BYTES];

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (run)
        gp_print(run->job, "%s\n", line);
    else
        fprintf(stderr, "%s\n", line); /* the log of the host */
}

/* What was joined may still be on its way out: looks on for ten seconds, as the other program_live does. */
int64_t program_live(void)
{
    for (int i = 0; i < 10000 && go_group_live(go_group_current()) > 1; i++)
        go_sleep(go_after_ms(1));
    return go_group_live(go_group_current());
}

void signal_block(int signal_number)
{
}

go_ctx *signal_ctx(int signal_number)
{
    return go_ctx_ref(gp_context(run_here()->job));
}

/* ---- jobs ---- */

/* The words of the argument behind the program's name; `text` is cut into them. Those above WORDS_MAX are left out. */
static int words_of(char *text, const char *name, char *argv[static WORDS_MAX + 2])
{
    char *place = NULL;
    int argc = 0;

    argv[argc++] = (char *)(uintptr_t)name;
    for (char *word = strtok_r(text, "\n", &place); word && argc <= WORDS_MAX;
         word = strtok_r(NULL, "\n", &place))
        argv[argc++] = word;
    argv[argc] = NULL;
    return argc;
}

static void text_free(char **text)
{
    free(*text);
}

static int run_job(gp_job *job, const char *name, int (*main_of)(int argc, char **argv))
{
    struct gp_bytes argument = gp_argument(job);
    __attribute__((cleanup(text_free))) char *text = strndup(argument.data, argument.size);
    __attribute__((cleanup(run_end))) struct run run;
    char *argv[WORDS_MAX + 2];
    int status;

    run_begin(&run, job);
    if (!text)
        return gp_fail(job, -ENOMEM, "no memory for the command line");
    status = main_of(words_of(text, name, argv), argv);
    fprintf(run.out, "\nexit status %d", status);
    fclose(run.out);
    run.out = NULL;
    return gp_result(job, run.printed, run.printed_bytes);
}

#define JOB(name)                                                                                            \
    int name##_main(int argc, char **argv);                                                                  \
    static int name(gp_job *job)                                                                             \
    {                                                                                                        \
        return run_job(job, #name, name##_main);                                                             \
    }

JOB(p1_wordstat)
JOB(p2_wordfreq)
JOB(p3_treesum)
JOB(p4_pgz)
JOB(p5_logstat)
JOB(p6_linkcheck)
JOB(p7_primes)

GP_PLUGIN("guide_programs", "1.0", {"p1_wordstat", "lines, words and bytes of files", p1_wordstat},
          {"p2_wordfreq", "words of files by their number", p2_wordfreq},
          {"p3_treesum", "SHA-256 of the files below a folder", p3_treesum},
          {"p4_pgz", "a file in members of gzip", p4_pgz},
          {"p5_logstat", "events of a package log by day", p5_logstat},
          {"p6_linkcheck", "pages of a server and their status", p6_linkcheck},
          {"p7_primes", "prime numbers", p7_primes});
