/* A plugin whose functions go to the bounds that are set for its host. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "denied.h"
#include "goplugin.h"

static const struct {
    const char *name, *answer;
    long number;
} calls[] = {
#define ROW(call, answer) {#call, #answer, SYS_##call},
    DENIED_CALLS(ROW)
#undef ROW
};

enum { CALLS = sizeof calls / sizeof *calls };

/* With arguments that no kernel could make anything of, should the call come through. */
static int ask(long number)
{
    errno = 0;
    return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0;
}

/* Asks for everything that is answered with an error: a line `NAME ERROR` for each. */
static int ask_all(gp_job *job)
{
    for (int i = 0; i < CALLS; i++)
        if (strcmp(calls[i].answer, "SIGSYS") != 0)
            gp_print(job, "%s %s\n", calls[i].name, strerrorname_np(ask(calls[i].number)));
    return 0;
}

/* Asks for the call that its argument names. */
static int ask_one(gp_job *job)
{
    for (int i = 0; i < CALLS; i++)
        if (strcmp(calls[i].name, gp_argument(job).data) == 0)
            return gp_fail(job, -ask(calls[i].number), "it was answered");
    return gp_fail(job, -ENOENT, "there is no such call");
}

static volatile sig_atomic_t caught;

static void take_signal(int number)
{
    caught = number;
}

/* The same, of code that has taken over the signal. */
static int ask_caught(gp_job *job)
{
    signal(SIGSYS, take_signal);
    ask_one(job);
    return gp_print(job, "%s in place of the call\n", caught == SIGSYS ? "SIGSYS" : "nothing");
}

/* What the kernel says of this process in the row that its argument names. */
static int status(gp_job *job)
{
    const char *row = gp_argument(job).data;
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, row, strlen(row)) == 0 && line[strlen(row)] == ':')
            gp_print(job, "%s", line);
    if (file)
        fclose(file);
    return 0;
}

/* Programs that a job starts are allowed. */
static int shell(gp_job *job)
{
    char line[256];
    FILE *out = popen(gp_argument(job).data, "re");

    while (out && fgets(line, sizeof line, out))
        gp_print(job, "%s", line);
    return out ? pclose(out) : -errno;
}

/* Makes as many MiB resident as its argument says, says so, and waits until it is cancelled. */
static int grow(gp_job *job)
{
    size_t bytes = (size_t)atoi(gp_argument(job).data) << 20;
    char *memory = malloc(bytes);

    if (!memory)
        return -ENOMEM;
    memset(memory, 1, bytes);
    gp_print(job, "grown %d\n", memory[bytes - 1]);
    go_ctx_wait(gp_context(job), GO_FOREVER);
    free(memory);
    return -ECANCELED;
}

static int niceness(gp_job *job)
{
    return gp_print(job, "%d\n", getpriority(PRIO_PROCESS, 0));
}

GP_PLUGIN("bounded", "1.0", {"ask_all", "asks for every denied call", ask_all},
          {"ask_one", "asks for one call", ask_one},
          {"ask_caught", "the same, and catches SIGSYS", ask_caught},
          {"status", "a row of /proc/self/status", status}, {"shell", "runs a command", shell},
          {"grow", "takes memory", grow}, {"niceness", "of its thread", niceness});
