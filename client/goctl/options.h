/*
 * The options of goctl as data. A row of `struct option_row` says name, letter, kind and help of one option
 * and where its value goes; the rows of a command feed getopt_long, --help, the manual's check and the shell
 * completion, so that none of them can say something else than the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
    OPTION_FLAG,      /* bool */
    OPTION_TEXT,      /* const char * */
    OPTION_COUNT,     /* uint64_t: digits */
    OPTION_SIZE,      /* uint64_t, bytes: digits and an optional K, M or G */
    OPTION_DURATION,  /* int64_t, nanoseconds: see parse_duration */
    OPTION_STATES,    /* uint32_t: names of job states, separated by commas, as bits */
    OPTION_CASE_RECV, /* appends to `cases`: NAME */
    OPTION_CASE_SEND, /* appends to `cases`: NAME=VALUE */
    OPTION_CASE_JOB,  /* appends to `cases`: a job's id */
};

/* What the shell can complete an operand or a value with. */
enum completes {
    COMPLETES_NOTHING,
    COMPLETES_CHANNEL,
    COMPLETES_JOB,
    COMPLETES_FILE,
    COMPLETES_COMMAND,
    COMPLETES_CONTEXT,
    COMPLETES_PROGRAM,
    COMPLETES_TOPIC
};

struct option_row {
    const char *name; /* long name; NULL ends a table */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;     /* in struct options; unused by the kinds of a select case */
    const char *value; /* its name in the help; NULL for a flag */
    const char *help;
    enum completes completes;
};

enum select_kind { SELECT_RECV, SELECT_SEND, SELECT_JOB };

/* One --recv, --send or --job of a select, in the order of the command line; or one --value of a context, or
 * --header of a message (SELECT_SEND). */
struct select_option {
    enum select_kind kind;
    char *name;        /* channel; a copy of its own */
    const char *value; /* SELECT_SEND; points into argv */
    uint64_t job;      /* SELECT_JOB */
};

/*
 * Everything the command line can say. Texts point into argv, which outlives it. A duration of -1 and a text
 * of NULL mean that the option was not given.
 */
struct options {
    const char *endpoint, *server_key, *secret_file;
    int64_t timeout_ns, connect_ns;
    bool help, json, try_once;
    /* channels */
    uint64_t capacity, value_bytes_max, element_bytes;
    const char *type;
    bool drop_oldest, drop_newest, at_most_once, durable, if_missing;
    bool lines, raw, follow;
    uint64_t count, batch;
    struct select_option *cases;
    size_t cases_n;
    /* topics; `group` is the durable subscription */
    const char *expected, *from, *policy, *format, *at;
    int64_t block_ns, reconnect_ns;
    uint64_t keep, up_to;
    bool ack, headers, topic, bare, times, no_reconnect;
    /* contexts */
    const char *ctx, *parent, *group, *job_ctx;
    /* jobs */
    const char *queue, *key, *cause;
    uint64_t retries, priority, limit;
    int64_t backoff_ns, time_limit_ns, grace_ns, deadline_ns, delay_ns;
    uint32_t states;
    bool wait;
    const char *bulk, *then;
    const char *retry, *once_key, *once_scope, *once_policy, *once_for, *after;
    bool any;
    uint64_t jitter;
    const char *functions;
    uint64_t permanent;
    int64_t lease_ns;
    bool all;
    /* schedules */
    const char *zone, *missed, *overlap;
    bool paused;
    int64_t older_ns;
    /* what processes agree with */
    bool recover;
    bool reset;
    uint64_t size, units, burst, failures;
    int64_t every_ns, open_ns;
    const char *until;
    /* what waits */
    uint64_t session;
    const char *object;
    int64_t age_ns;
    bool goroutines;
    /* what runs */
    uint64_t job, set, most, rate;
    int64_t for_ns;
    bool start, stop, pprof;
    /* the whole */
    bool force, end, submits;
    int64_t each_ns;
    const char *output;
    /* what is left */
    char **operands;
    int operands_n;
};

struct command {
    const char *name;
    const char *operands;           /* as the usage line shows them */
    const char *help;               /* one line */
    const char *verbs;              /* what the first operand can be; NULL: anything */
    const char *more;               /* what else a reader of --help needs; NULL: nothing */
    int operands_min, operands_max; /* max -1: any number */
    enum completes completes;
    const struct option_row *rows;
    const char *const *examples;               /* NULL ends them */
    int (*run)(const struct options *options); /* gives an exit status */
};

/* The options that every command has. A command has at most OPTIONS_MAX, with these. */
enum { OPTIONS_MAX = 32 };
extern const struct option_row common_rows[];

/* The commands in the order of `goctl help`: the first one behind NULL, and NULL behind the last one. */
const struct command *command_after(const struct command *command);

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/*
 * Reads argv[1..] as options and operands of `command` (argv[0] is its name). Says on `errors` what is wrong.
 * 0, or -EINVAL. Release the options in either case.
 */
int options_parse(const struct command *command, int argc, char **argv, struct options *options,
                  FILE *errors);
/* Reads the value of one option of a table as if it stood on the command line; the text outlives the options. 0, or -EINVAL,
 * said on `errors`. */
int option_take(const struct command *command, const struct option_row *row, const char *text,
                struct options *options, FILE *errors);
void options_release(struct options *options);

/* The help of one command; the list of all; a completion script for bash. */
void help_command(const struct command *command, FILE *out);
void help_all(FILE *out);
void completion_bash(FILE *out);
