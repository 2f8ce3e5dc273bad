/* Commands about the daemon and goctl itself: ping, stats, version, help, completion. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "observe.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

static int64_t mono_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int print_ping(const struct options *options, const char *endpoint, int64_t ns)
{
    char text[DURATION_TEXT_BYTES];

    if (options->json)
        return output_json(json_pack("{s:s, s:I}", "endpoint", endpoint, "round_trip_ns", (json_int_t)ns));
    printf("%s answered in %s\n", endpoint, format_duration(ns, text));
    return output_flush();
}

static int ping(struct session *session)
{
    uint64_t most = session->options->count ? session->options->count : 1;
    struct gc_about about;

    gc_about(session->client, &about);
    for (uint64_t n = 0; n < most; n++) {
        int64_t begin = mono_ns();
        int r = gc_ping(session->client, session_patience(session));

        if (r < 0)
            return session_fail(r, "ping");
        r = print_ping(session->options, about.endpoint, mono_ns() - begin);
        if (r < 0)
            return output_fail(r);
    }
    return STATUS_OK;
}

int command_ping(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, ping(&session)) : status;
}

/* ---- the clock of tests ---- */

static int advance(struct session *session, int64_t ns)
{
    int r = gc_clock_advance(session->client, ns, session_patience(session));

    if (r < 0)
        return session_fail_hint(r, r == -EOPNOTSUPP ? "start it with --test-clock" : NULL, "advance %s",
                                 session->options->operands[0]);
    if (!session->options->json)
        return STATUS_OK;
    r = output_json(json_pack("{s:I}", "advanced_ns", (json_int_t)ns));
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_advance(const struct options *options)
{
    struct session session;
    int64_t ns;
    int status;

    if (parse_duration(options->operands[0], &ns) < 0 || ns == 0) {
        fprintf(stderr, "goctl advance: \"%s\" is not a duration, such as 200ms, 2s or 1m30s\n",
                options->operands[0]);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, advance(&session, ns)) : status;
}

/* ---- counters ---- */

int print_stats(const struct options *options, const struct gc_stats *stats)
{
    json_t *object;

    if (!options->json) {
        for (size_t i = 0; i < stats->n; i++)
            printf("%-32s %" PRIu64 "\n", stats->items[i].name, stats->items[i].value);
        return output_flush();
    }
    object = json_object();
    for (size_t i = 0; object && i < stats->n; i++)
        json_object_set_new(object, stats->items[i].name, json_integer((json_int_t)stats->items[i].value));
    return output_json(object);
}

static int show_stats(struct session *session)
{
    const struct options *options = session->options;
    struct gc_stats stats = {0};
    int r;

    if (options->job)
        return show_figures(session, gc_job_of(options->job));
    r = gc_stats(session->client, options->operands_n ? options->operands[0] : NULL, &stats,
                 session_patience(session));

    if (r < 0)
        return session_fail(r, "stats");
    r = print_stats(options, &stats);
    gc_stats_clear(&stats);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_stats(const struct options *options)
{
    struct session session;
    int status = session_open(&session, options);

    return status == STATUS_OK ? session_close(&session, show_stats(&session)) : status;
}

enum { JSON_SCHEMA = 1 }; /* grows when a member of a JSON object changes its meaning or goes */

int command_version(const struct options *options)
{
    if (options->json)
        return output_json(json_pack("{s:s, s:i}", "goctl", gc_version(), "json_schema", JSON_SCHEMA)) < 0;
    printf("goctl %s\n", gc_version());
    return STATUS_OK;
}

int command_help(const struct options *options)
{
    const struct command *command = options->operands_n ? command_find(options->operands[0]) : NULL;

    if (options->operands_n && !command) {
        fprintf(stderr, "goctl help: there is no command \"%s\"; `goctl help` lists them\n",
                options->operands[0]);
        return STATUS_USAGE;
    }
    if (command)
        help_command(command, stdout);
    else
        help_all(stdout);
    return STATUS_OK;
}

int command_completion(const struct options *options)
{
    if (strcmp(options->operands[0], "bash") != 0) {
        fprintf(stderr, "goctl completion: \"%s\" is not a shell it knows; it knows bash\n",
                options->operands[0]);
        return STATUS_USAGE;
    }
    completion_bash(stdout);
    return STATUS_OK;
}
