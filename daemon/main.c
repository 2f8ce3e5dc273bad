/* goroutined: command line, signals, exit status. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cleanup.h"
#include "config.h"
#include "config_check.h"
#include "fault.h"
#include "hub_open.h"
#include "log.h"
#include "message.h"
#include "reload.h"
#include "store.h"

#ifndef VERSION
#define VERSION "0"
#endif

enum { EXIT_USAGE = 2 };

enum { IDLE_BYTES_MAX = 16 << 20, LARGE_BYTES = 4 << 20 };

static int complain(const char *why, int status)
{
    fprintf(stderr, "goroutined: %s\n", why ? why : "out of memory");
    return status;
}

/* What one turn gives back the next one takes. A fan-out to many takes megabytes, which the kernel would have to take away
 * and clear each time. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, IDLE_BYTES_MAX);
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* else what is larger than 128 KiB is not among it at first */
#endif
}

/* Two descriptors per client of this machine, and libzmq's own. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        log_warn("event=descriptors error=\"%s\"", strerror(errno));
}

/* The store stands this as it stands a crash, and hosts end with their lifelines. */
static void leave_at_once(int number)
{
    (void)number;
    _exit(EXIT_FAILURE);
}

/* The loop reads no more signals: who asks again waits for no thread. */
static void listen_to_impatience(void)
{
    sigset_t stops;

    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    signal(SIGTERM, leave_at_once);
    signal(SIGINT, leave_at_once);
    sigprocmask(SIG_UNBLOCK, &stops, NULL);
}

/* Before the first thread: all of them then leave these to the hub. SIGALRM bounds a stop that was asked for twice. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, leave_at_once);
}

static int run(const struct config *config)
{
    _cleanup_(cleanup_free) char *why = NULL;
    struct hub *hub;
    sigset_t signals;

    block_signals(&signals);
    raise_descriptors();
    keep_memory();
    if (hub_open(config, &signals, &hub, &why) < 0)
        return complain(why, EXIT_FAILURE);
    int r = hub_run(hub);
    listen_to_impatience();
    hub_close(hub);
    log_info("event=stopped");
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_line(void *context, const char *line)
{
    puts(line);
}

static int fsck(const struct config *config, const char *directory)
{
    struct store_options options = {.directory = directory, .pages_max = config->pages_max, .sync = true};
    int faults = store_sqlite.fsck(&options, print_line, NULL);

    if (faults < 0)
        return complain(strerror(-faults), EXIT_FAILURE);
    printf("%s: %d faults\n", directory, faults);
    return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int arm_faults(void)
{
    const char *where = NULL;

    if (fault_arm_text(getenv("GOROUTINED_FAULTS"), &where) >= 0)
        return 0;
    fprintf(stderr, "goroutined: GOROUTINED_FAULTS: not understood from '%s'\n", where);
    return -EINVAL;
}

static int obey(const struct command *command, const struct config *config)
{
    switch (command->command) {
    case COMMAND_HELP:
        config_help(stdout);
        return EXIT_SUCCESS;
    case COMMAND_VERSION:
        printf("goroutined %s, protocol %d\n", VERSION, PROTOCOL_VERSION);
        return EXIT_SUCCESS;
    case COMMAND_CHECK:
        puts("the configuration is good");
        return EXIT_SUCCESS;
    case COMMAND_FSCK:
        return fsck(config, command->directory);
    case COMMAND_RUN:
        break;
    }
    log_start(config_log_level(config), config->log_json);
    return arm_faults() < 0 ? EXIT_USAGE : run(config);
}

int main(int argc, char **argv)
{
    _cleanup_(cleanup_free) char *why = NULL;
    struct config config;
    struct command command;

    reload_remember(argc, argv);
    int r = config_load(argc, argv, &config, &command, &why);
    int status = r < 0 ? complain(why, EXIT_USAGE) : obey(&command, &config);
    config_clear(&config, &command);
    return status;
}
