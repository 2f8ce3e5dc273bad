/*
 * submit --bulk: many jobs, all or none, one JSON object a line. Its fields are the options of submit by their long names, as
 * if they stood on the command line behind those that stand there; "function" and "argument" are the operands.
 *
 * A line that is wrong is told with its number, and nothing is submitted: all lines are read before the daemon is asked.
 * What a job points at belongs to its line, and lives until all are submitted.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "option_rows.h"
#include "options.h"
#include "output.h"
#include "status.h"
#include "submit.h"

enum { LINES_MAX = 1 << 20, LINES_ONCE = 64 };

struct line {
    uint64_t number; /* in the file, from 1 */
    json_t *object;
    char *plugin, *joined; /* joined: arguments with zero bytes between them */
    struct kept {
        struct gc_once once;
        uint64_t lists[];
    } * kept;
};

struct bulk {
    const struct options *options;
    const char *name; /* of the file */
    struct line *lines;
    struct gc_submit *jobs; /* of the lines, in their order */
    size_t n, room;
    uint64_t number; /* of the line that is read */
};

static void bulk_release(struct bulk *bulk)
{
    for (size_t i = 0; i < bulk->n; i++) {
        json_decref(bulk->lines[i].object);
        free(bulk->lines[i].plugin);
        free(bulk->lines[i].joined);
        free(bulk->lines[i].kept);
    }
    free(bulk->lines);
    free(bulk->jobs);
}

static int bulk_grow(struct bulk *bulk)
{
    size_t room = bulk->room ? 2 * bulk->room : LINES_ONCE;
    struct line *lines;
    struct gc_submit *jobs;

    if (bulk->n < bulk->room)
        return 0;
    if (bulk->n == LINES_MAX)
        return -E2BIG;
    lines = realloc(bulk->lines, room * sizeof *lines);
    if (!lines)
        return -ENOMEM;
    bulk->lines = lines;
    jobs = realloc(bulk->jobs, room * sizeof *jobs);
    if (!jobs)
        return -ENOMEM;
    bulk->jobs = jobs;
    bulk->room = room;
    return 0;
}

/* ---- fields ---- */

static int wrong(const char *field, const char *wants)
{
    fprintf(stderr, "goctl submit: the field \"%s\" is not %s\n", field, wants);
    return -EINVAL;
}

/* Of the options of submit those that a single job can have. */
static const struct option_row *row_of(const char *field)
{
    static const char *const others[] = {"wait", "bulk", "ctx", "then"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(field, others[i]))
            return NULL;
    for (const struct option_row *row = submit_rows; row->name; row++)
        if (!strcmp(field, row->name))
            return row;
    return NULL;
}

/* A text, or a number as a text; NULL: neither, or no memory. */
static json_t *word_of(json_t *value)
{
    if (json_is_string(value))
        return json_incref(value);
    return json_is_integer(value) ? json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value)) : NULL;
}

/* The same for a list of them, with commas. */
static json_t *words_of(json_t *value)
{
    json_t *all = NULL, *one;
    size_t i;

    if (!json_is_array(value))
        return word_of(value);
    json_array_foreach(value, i, one)
    {
        json_t *word = word_of(one), *longer = NULL;

        if (word)
            longer = all ? json_sprintf("%s,%s", json_string_value(all), json_string_value(word))
                         : json_incref(word);
        json_decref(word);
        json_decref(all);
        all = longer;
        if (!all)
            return NULL;
    }
    return all;
}

static int take_flag(const struct command *command, const struct option_row *row, json_t *value,
                     struct options *options)
{
    if (!json_is_boolean(value))
        return wrong(row->name, "true or false");
    return json_is_true(value) ? option_take(command, row, "", options, stderr) : 0;
}

/* The text becomes that of the line's object, which keeps it. */
static int take_field(struct line *line, const char *field, json_t *value, struct options *options)
{
    const struct command *command = command_find("submit");
    const struct option_row *row = row_of(field);

    if (!strcmp(field, "function") || !strcmp(field, "argument"))
        return 0;
    if (!row) {
        fprintf(stderr,
                "goctl submit: a job has no field \"%s\"; `goctl submit --help` lists what it can have\n",
                field);
        return -EINVAL;
    }
    if (row->kind == OPTION_FLAG)
        return take_flag(command, row, value, options);
    json_t *words = words_of(value);
    if (!words)
        return wrong(field, "a text, a number or a list of them");
    const char *text = json_string_value(words);
    if (json_object_set_new(line->object, field, words) < 0)
        return -ENOMEM;
    return option_take(command, row, text, options, stderr);
}

/* The fields are those of a copy: they change while they are read. */
static int take_fields(struct line *line, struct options *options)
{
    json_t *fields = json_copy(line->object), *value;
    const char *field;
    int r = fields ? 0 : -ENOMEM;

    json_object_foreach(fields, field, value) if (r == 0) r = take_field(line, field, value, options);
    json_decref(fields);
    return r;
}

/* ---- operands ---- */

static int take_function(struct line *line, const struct options *options, struct gc_submit *job)
{
    json_t *value = json_object_get(line->object, "function");
    const char *text = value ? json_string_value(value) : options->operands_n ? options->operands[0] : NULL;

    if (!text)
        return wrong("function", "there, as PLUGIN.so:FUNCTION, nor on the command line");
    job->function = function_of(text);
    if (!job->function)
        return -EINVAL;
    line->plugin = strndup(text, (size_t)(job->function - 1 - text));
    job->plugin = line->plugin && *line->plugin ? line->plugin : NULL; /* :FUNCTION is for workers */
    return line->plugin ? 0 : -ENOMEM;
}

static int join(struct line *line, json_t *list, struct gc_submit *job)
{
    size_t i, size = 0, at = 0;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (!json_is_string(one))
            return wrong("argument", "a text or a list of texts");
        size += json_string_length(one) + 1;
    }
    line->joined = malloc(size + 1);
    if (!line->joined)
        return -ENOMEM;
    json_array_foreach(list, i, one)
    {
        memcpy(line->joined + at, json_string_value(one), json_string_length(one) + 1);
        at += json_string_length(one) + 1;
    }
    job->argument = line->joined;
    job->argument_bytes = size ? size - 1 : 0;
    return 0;
}

static int take_argument(struct line *line, struct gc_submit *job)
{
    json_t *value = json_object_get(line->object, "argument");

    if (!value)
        return 0;
    if (json_is_array(value))
        return join(line, value, job);
    if (!json_is_string(value))
        return wrong("argument", "a text or a list of texts");
    job->argument = json_string_value(value);
    job->argument_bytes = json_string_length(value);
    return 0;
}

/* ---- lines ---- */

static int parse(struct line *line, const struct gc_value *text)
{
    json_error_t error;

    line->object = json_loadb(text->data, text->size, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(line->object))
        return 0;
    fprintf(stderr,
            "goctl submit: \"%.*s\" is no JSON object%s%s; such as {\"function\":\"./wordcount.so:count\"}\n",
            (int)(text->size < 80 ? text->size : 80), (const char *)text->data, line->object ? "" : ": ",
            line->object ? "" : error.text);
    return -EINVAL;
}

/* The lists are copied: mostly they are short, and there is room for long ones. */
static int take_how(struct line *line, const struct options *options, struct gc_submit *job)
{
    struct how how;
    size_t delays, after;

    if (how_parse(options, &how) < 0)
        return -EINVAL;
    delays = how.retry.delays_n * sizeof *how.retry.delays_ns;
    after = how.after.n * sizeof *how.after.jobs;
    line->kept = malloc(sizeof *line->kept + delays + after);
    if (!line->kept)
        return -ENOMEM;
    line->kept->once = how.once;
    memcpy(line->kept->lists, how.retry.delays_ns, delays);
    memcpy(line->kept->lists + how.retry.delays_n, how.after.jobs, after);
    *job = submit_of(options, &how);
    job->once = how.once.key ? &line->kept->once : NULL;
    job->delays_ns = line->kept->lists;
    job->after = line->kept->lists + how.retry.delays_n;
    return 0;
}

/* What a line lacks is that of the command line. */
static int read_line(struct bulk *bulk, const struct gc_value *text)
{
    struct line *line = &bulk->lines[bulk->n];
    struct gc_submit *job = &bulk->jobs[bulk->n];
    struct options options = *bulk->options;
    int r;

    *line = (struct line){.number = bulk->number};
    options.any = options.any && !options.then;
    options.then = NULL;
    bulk->n++;
    r = parse(line, text);
    if (r == 0)
        r = take_fields(line, &options);
    if (r == 0)
        r = take_how(line, &options, job);
    if (r == 0)
        r = take_function(line, &options, job);
    return r < 0 ? r : take_argument(line, job);
}

/* The job of --then has no line, and what the command line says. */
static int add_callback(struct bulk *bulk)
{
    struct options options = *bulk->options;
    char *function = (char *)options.then;
    int r = bulk_grow(bulk);

    if (r < 0)
        return r;
    bulk->lines[bulk->n] = (struct line){0};
    bulk->n++;
    options.operands = &function;
    options.operands_n = 1;
    r = take_how(&bulk->lines[bulk->n - 1], &options, &bulk->jobs[bulk->n - 1]);
    return r < 0 ? r : take_function(&bulk->lines[bulk->n - 1], &options, &bulk->jobs[bulk->n - 1]);
}

static bool is_blank(const struct gc_value *text)
{
    const char *bytes = text->data;
    size_t i = 0;

    while (i < text->size && strchr(" \t\r", bytes[i]))
        i++;
    return i == text->size;
}

static int read_lines(struct bulk *bulk, const struct gc_value *texts, int n)
{
    int r = 0;

    for (int i = 0; r == 0 && i < n; i++) {
        bulk->number++;
        if (is_blank(&texts[i]))
            continue;
        r = bulk_grow(bulk);
        if (r == 0)
            r = read_line(bulk, &texts[i]);
    }
    return r;
}

static int read_file(struct bulk *bulk, int fd)
{
    struct lines input = {.fd = fd, .stop_fd = -1};
    struct gc_value texts[LINES_ONCE];
    int r = 0, n = 0;

    while (r == 0 && (n = lines_take(&input, texts, LINES_ONCE)) > 0)
        r = read_lines(bulk, texts, n);
    lines_release(&input);
    if (r < 0)
        fprintf(stderr, "goctl submit: line %" PRIu64 " of %s%s%s; correct it: nothing was submitted\n",
                bulk->number, bulk->name, r == -EINVAL ? "" : ": ", r == -EINVAL ? "" : strerror(-r));
    else if (n < 0)
        fprintf(stderr, "goctl submit: %s: %s; nothing was submitted\n", bulk->name, strerror(-n));
    return r < 0 ? r : n;
}

/* 0, or an exit status. */
static int read_all(struct bulk *bulk)
{
    bool standard = !strcmp(bulk->options->bulk, "-");
    int fd = standard ? STDIN_FILENO : open(bulk->options->bulk, O_RDONLY | O_CLOEXEC);
    int r;

    if (fd < 0) {
        fprintf(stderr, "goctl submit: --bulk %s: %s; name a file, or - for standard input\n",
                bulk->options->bulk, strerror(errno));
        return STATUS_USAGE;
    }
    r = read_file(bulk, fd);
    if (!standard)
        close(fd);
    if (r == 0 && bulk->options->then) {
        r = add_callback(bulk);
        if (r < 0 && r != -EINVAL)
            fprintf(stderr, "goctl submit: --then %s: %s; nothing was submitted\n", bulk->options->then,
                    strerror(-r));
    }
    return r == -EINVAL ? STATUS_USAGE : r < 0 ? STATUS_FAILURE : STATUS_OK;
}

/* ---- the submit ---- */

static int refusal(const struct bulk *bulk, int error, size_t refused)
{
    char what[192];

    if (refused == bulk->n || !bulk->lines[refused].number)
        return submit_failed(error, refused == bulk->n ? bulk->name : bulk->options->then);
    snprintf(what, sizeof what, "line %" PRIu64 " of %.80s (of %zu jobs none is submitted)",
             bulk->lines[refused].number, bulk->name, bulk->n);
    return submit_failed(error, what);
}

/* Goes on behind a job that has not ended well; the first bad status. */
static int tell(struct session *session, const gc_job *ids, size_t n)
{
    int status = STATUS_OK;

    for (size_t i = 0; i < n && !session_stopped(); i++) {
        int this_status =
            session->options->wait ? wait_job(session, ids[i]) : print_job(session->options, ids[i]);

        if (status == STATUS_OK)
            status = this_status;
    }
    return status;
}

static int submit_all(struct session *session, const struct bulk *bulk)
{
    gc_job *ids = calloc(bulk->n + 1, sizeof *ids);
    size_t refused = bulk->n;
    gc_until until;
    gc_ctx *ctx;
    int r, status;

    if (!ids)
        return session_fail_here(-ENOMEM, "submit");
    r = submit_begin(session, &until, &ctx);
    if (r == 0)
        r = (bulk->options->then ? gc_submit_batch : gc_submit_many)(session->client, bulk->jobs, bulk->n,
                                                                     ids, &refused, until);
    gc_ctx_free(ctx);
    status = r < 0 ? refusal(bulk, r, refused) : tell(session, ids, bulk->n);
    free(ids);
    return status;
}

int submit_bulk(const struct options *options)
{
    struct bulk bulk = {.options = options,
                        .name = strcmp(options->bulk, "-") ? options->bulk : "standard input"};
    struct session session;
    int status;

    if (options->operands_n > 1) {
        fputs("goctl submit: --bulk has the arguments of jobs in its lines, as \"argument\"\n", stderr);
        return STATUS_USAGE;
    }
    status = read_all(&bulk);
    if (status == STATUS_OK)
        status = session_open(&session, options);
    if (status == STATUS_OK)
        status = session_close(&session, submit_all(&session, &bulk));
    bulk_release(&bulk);
    return status;
}
