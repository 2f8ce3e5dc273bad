/*
 * From argv to struct options, driven by the rows of the command's option table.
 */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "goclient.h"
#include "quantity.h"

enum { LONG_BASE = 256 }; /* getopt's value for the first long option */

static int set_flag(void *field, const char *text)
{
    (void)text;
    *(bool *)field = true;
    return 0;
}

static int set_text(void *field, const char *text)
{
    *(const char **)field = text;
    return 0;
}

static int set_count(void *field, const char *text)
{
    return parse_count(text, field);
}

static int set_size(void *field, const char *text)
{
    return parse_size(text, field);
}

static int set_duration(void *field, const char *text)
{
    return parse_duration(text, field);
}

static uint32_t state_bit(const char *name, size_t length)
{
    for (int state = GC_JOB_SCHEDULED; state <= GC_JOB_DEAD; state++) {
        const char *known = gc_job_state_name(state);

        if (strlen(known) == length && !strncmp(known, name, length))
            return 1u << state;
    }
    return 0;
}

static int set_states(void *field, const char *text)
{
    uint32_t *states = field;

    for (;;) {
        size_t length = strcspn(text, ",");
        uint32_t bit = state_bit(text, length);

        if (!bit)
            return -EINVAL;
        *states |= bit;
        if (!text[length])
            return 0;
        text += length + 1;
    }
}

/* A copy of the first `length` bytes of `name` becomes the name of a new last case. */
static int add_case(struct options *options, const struct select_option *what, const char *name,
                    size_t length)
{
    struct select_option *cases = realloc(options->cases, (options->cases_n + 1) * sizeof *options->cases);
    char *copy;

    if (!cases)
        return -ENOMEM;
    options->cases = cases;
    copy = strndup(name, length);
    if (!copy)
        return -ENOMEM;
    cases[options->cases_n] = *what;
    cases[options->cases_n++].name = copy;
    return 0;
}

static int set_case_recv(void *field, const char *text)
{
    return add_case(field, &(struct select_option){.kind = SELECT_RECV}, text, strlen(text));
}

static int set_case_send(void *field, const char *text)
{
    const char *equals = strchr(text, '=');

    if (!equals)
        return -EINVAL;
    return add_case(field, &(struct select_option){.kind = SELECT_SEND, .value = equals + 1}, text,
                    (size_t)(equals - text));
}

static int set_case_job(void *field, const char *text)
{
    struct select_option what = {.kind = SELECT_JOB};
    int r = parse_job(text, &what.job);

    return r < 0 ? r : add_case(field, &what, text, strlen(text));
}

/* What a kind does with its text, and what it wants to see. A case's offset is 0: its field is the options. */
static const struct {
    int (*set)(void *field, const char *text);
    const char *wants;
} kinds[] = {
    [OPTION_FLAG] = {set_flag, "no value"},
    [OPTION_TEXT] = {set_text, "a text"},
    [OPTION_COUNT] = {set_count, "a number"},
    [OPTION_SIZE] = {set_size, "a number of bytes, such as 4096, 64K or 1M"},
    [OPTION_DURATION] = {set_duration, "a duration, such as 200ms, 2s or 1m30s"},
    [OPTION_STATES] = {set_states, "a list of job states, such as ready,running "
                                   "(scheduled blocked ready running done failed cancelled dead)"},
    [OPTION_CASE_RECV] = {set_case_recv, "the name of a channel"},
    [OPTION_CASE_SEND] = {set_case_send, "NAME=VALUE"},
    [OPTION_CASE_JOB] = {set_case_job, "a job's number, as submit prints it"},
};

/* The option rows of one command and the common ones, as getopt wants them. */
struct getopt_table {
    const struct option_row *rows[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2];
    int n;
};

static void table_add(struct getopt_table *table, const struct option_row *row)
{
    size_t end = strlen(table->shorts);

    assert(table->n < OPTIONS_MAX);
    table->rows[table->n] = row;
    table->longs[table->n] = (struct option){.name = row->name,
                                             .has_arg = row->value ? required_argument : no_argument,
                                             .val = LONG_BASE + table->n};
    table->n++;
    if (!row->letter)
        return;
    table->shorts[end] = row->letter;
    if (row->value)
        table->shorts[end + 1] = ':';
}

static void table_fill(struct getopt_table *table, const struct command *command)
{
    *table = (struct getopt_table){.shorts = ":"};
    for (const struct option_row *row = command->rows; row && row->name; row++)
        table_add(table, row);
    for (const struct option_row *row = common_rows; row->name; row++)
        table_add(table, row);
}

static const struct option_row *table_row(const struct getopt_table *table, int found)
{
    if (found >= LONG_BASE)
        return table->rows[found - LONG_BASE];
    for (int i = 0; i < table->n; i++) {
        if (table->rows[i]->letter == found)
            return table->rows[i];
    }
    return NULL;
}

static int refuse_option(const struct command *command, int found, char **argv, FILE *errors)
{
    const char *word = argv[optind - 1];

    if (found == ':')
        fprintf(errors, "goctl %s: %s wants a value; see: goctl %s --help\n", command->name, word,
                command->name);
    else if (optopt >= '0' && optopt <= '9')
        fprintf(errors, "goctl %s: there is no option -%c; put -- before values that begin with -\n",
                command->name, optopt);
    else if (optopt > 0 && optopt < LONG_BASE)
        fprintf(errors, "goctl %s: there is no option -%c; see: goctl %s --help\n", command->name, optopt,
                command->name);
    else
        fprintf(errors, "goctl %s: there is no option %s, or it takes no value; see: goctl %s --help\n",
                command->name, word, command->name);
    return -EINVAL;
}

int option_take(const struct command *command, const struct option_row *row, const char *text,
                struct options *options, FILE *errors)
{
    int r = kinds[row->kind].set((char *)options + row->offset, text);

    if (r == -ERANGE)
        fprintf(errors, "goctl %s: --%s: %s is out of range\n", command->name, row->name, text);
    else if (r == -ENOMEM)
        fprintf(errors, "goctl %s: no memory\n", command->name);
    else if (r < 0)
        fprintf(errors, "goctl %s: --%s: \"%s\" is not %s\n", command->name, row->name, text,
                kinds[row->kind].wants);
    return r < 0 ? -EINVAL : 0;
}

static int check_operands(const struct command *command, const struct options *options, FILE *errors)
{
    if (options->operands_n < command->operands_min)
        fprintf(errors, "goctl %s: something is missing; usage: goctl %s %s\n", command->name, command->name,
                command->operands);
    else if (command->operands_max >= 0 && options->operands_n > command->operands_max)
        fprintf(errors, "goctl %s: \"%s\" is too much; usage: goctl %s %s\n", command->name,
                options->operands[command->operands_max], command->name, command->operands);
    else
        return 0;
    return -EINVAL;
}

int options_parse(const struct command *command, int argc, char **argv, struct options *options, FILE *errors)
{
    struct getopt_table table;
    int found;

    *options = (struct options){
        .timeout_ns = -1, .connect_ns = -1, .every_ns = -1, .open_ns = -1, .reconnect_ns = -1};
    table_fill(&table, command);
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    while ((found = getopt_long(argc, argv, table.shorts, table.longs, NULL)) != -1) {
        const struct option_row *row = table_row(&table, found);
        int r = row ? option_take(command, row, optarg, options, errors)
                    : refuse_option(command, found, argv, errors);

        if (r < 0)
            return r;
    }
    options->operands = argv + optind;
    options->operands_n = argc - optind;
    return options->help ? 0 : check_operands(command, options, errors);
}

void options_release(struct options *options)
{
    for (size_t i = 0; i < options->cases_n; i++)
        free(options->cases[i].name);
    free(options->cases);
    options->cases = NULL;
    options->cases_n = 0;
}

const struct command *command_find(const char *name)
{
    for (const struct command *c = NULL; (c = command_after(c));) {
        if (!strcmp(c->name, name))
            return c;
    }
    return NULL;
}
