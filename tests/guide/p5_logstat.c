/*
 * logstat [--follow] FILE: how many events of each day and action a log of packages has, sorted: "count day action". Day
 * and action are the first and third word of a line. --follow goes on with what is appended, and tells on standard error
 * how many lines it has seen, until SIGTERM: then it reads what is there and prints the table.
 *
 * Pattern: stages, publish and subscribe, graceful shutdown. One goroutine reads whole lines, N count them block by block,
 * and each part is published to two subscribers: the table and the counter of lines.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "counts.h"
#include "program.h"

enum { LINE_BYTES_MAX = 1 << 20 }; /* a longer line ends the program */

/* Whole lines, except the last of a file. Whoever receives it owns the text. */
struct lines {
    char *text;
    size_t bytes;
};

/* What some lines add up to. The table belongs to the first subscriber. */
struct part {
    struct count *table;
    uint64_t lines;
};

/* ---- counting lines ---- */

/* The next word of a line that ends at `end`, and moves behind it. */
static const char *word_next(const char **at, const char *end, size_t *bytes)
{
    const char *word;

    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
    for (word = *at; *at < end && **at != ' ' && **at != '\t';)
        ++*at;
    *bytes = (size_t)(*at - word);
    return word;
}

static void count_line(struct count **table, const char *line, const char *end, char *key)
{
    size_t day_bytes, skipped, action_bytes;
    const char *day = word_next(&line, end, &day_bytes), *action;

    word_next(&line, end, &skipped);
    action = word_next(&line, end, &action_bytes);
    memcpy(key, day, day_bytes);
    key[day_bytes] = ' ';
    memcpy(key + day_bytes + 1, action, action_bytes);
    counts_add(table, key, day_bytes + 1 + action_bytes, 1);
}

/* Frees the text. */
static struct part count_lines(struct lines lines)
{
    char *key = must_alloc(lines.bytes + 2);
    const char *at = lines.text, *end = lines.text + lines.bytes;
    struct part part = {0};

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        part.lines += line_end != NULL;
        line_end = line_end ? line_end : end;
        count_line(&part.table, at, line_end, key);
        at = line_end + 1;
    }
    free(key);
    free(lines.text);
    return part;
}

/* ---- reading ---- */

struct reader {
    const char *name;
    go_fd log, changes; /* changes: -1, do not follow */
    go_ctx *ctx;        /* done: no more than what is there */
    char *rest;         /* of a line that has not ended */
    size_t rest_bytes;
    int error;
};

static void reader_open(struct reader *r, const char *name, bool follow)
{
    *r = (struct reader){.name = name, .log = file_open(name), .changes = -1};
    if (follow) {
        int fd = inotify_init1(IN_CLOEXEC);

        r->ctx = signal_ctx(SIGTERM);
        r->changes = fd < 0 || inotify_add_watch(fd, name, IN_MODIFY) < 0 ? -errno : go_fd_open(fd);
        r->error = r->changes < 0 ? (int)r->changes : 0;
    }
    if (r->log < 0)
        r->error = (int)r->log;
}

/* At the end of the file: whether there may be more to read. */
static bool reader_wait(struct reader *r)
{
    char events[4096];

    if (r->changes < 0)
        return false;
    if (go_read(r->changes, events, sizeof events, go_with(r->ctx)) > 0)
        return true;
    go_fd_close(r->changes);
    r->changes = -1; /* once more to the end */
    return true;
}

/* Splits what was read behind its last line feed: what follows waits for its end. */
static struct lines reader_split(struct reader *r, char *text, size_t bytes)
{
    const char *feed = memrchr(text, '\n', bytes);
    size_t whole = feed ? (size_t)(feed - text) + 1 : 0;

    r->rest_bytes = bytes - whole;
    r->rest = memcpy(must_alloc(r->rest_bytes), text + whole, r->rest_bytes);
    return (struct lines){text, whole};
}

/* The next lines; none at the end, or after an error. Text may be empty. */
static bool reader_next(struct reader *r, struct lines *lines)
{
    ssize_t n = 0;

    do {
        if (r->error || r->rest_bytes > LINE_BYTES_MAX)
            break;
        r->rest = must_realloc(r->rest, r->rest_bytes + BLOCK_BYTES);
        n = go_read(r->log, r->rest + r->rest_bytes, BLOCK_BYTES, GO_FOREVER);
    } while (n == 0 && reader_wait(r));
    if (r->rest_bytes > LINE_BYTES_MAX)
        n = -E2BIG;
    if (n > 0) {
        *lines = reader_split(r, r->rest, r->rest_bytes + (size_t)n);
        return true;
    }
    r->error = r->error ? r->error : (int)n;
    *lines = (struct lines){r->rest, r->error ? 0 : r->rest_bytes};
    r->rest = NULL;
    r->rest_bytes = 0;
    if (lines->bytes == 0)
        free(lines->text);
    return lines->bytes > 0;
}

/* ---- the stages and the subscribers ---- */

static void read_lines(go_emitter out, void *arg)
{
    struct reader *r = *(struct reader **)arg;
    struct lines lines;

    while (reader_next(r, &lines))
        go_emit(out, &lines);
}

static int count_stage(const void *in, void *out, void *unused)
{
    *(struct part *)out = count_lines(*(const struct lines *)in);
    return 1;
}

static void tell(uint64_t lines)
{
    program_tell("%lu lines", lines);
}

static void tell_progress(void *arg)
{
    go_receiver parts = *(go_receiver *)arg;
    struct part part;
    uint64_t lines = 0;

    while (go_receiver_range(parts, &part))
        tell(lines += part.lines);
    go_generate_stop(parts);
}

static void count_with_workers(struct reader *r, int workers, struct count **table)
{
    struct go_stage_options options = {.workers = workers};
    go_receiver lines = go_generate(read_lines, &r, sizeof r, sizeof(struct lines), 0, NULL), to[2];
    go_receiver parts = go_stage(lines, count_stage, NULL, sizeof(struct part), &options);
    struct part part;

    if (go_tee(parts, to, 1, NULL) < 0 || go_spawn(tell_progress, &to[1], sizeof to[1]) < 0)
        go_panic("no memory for %d workers", workers);
    while (go_receiver_range(to[0], &part))
        counts_merge(table, part.table);
    go_generate_stop(to[0]);
}

static void count_in_sequence(struct reader *r, struct count **table)
{
    struct lines lines;
    uint64_t n = 0;

    while (reader_next(r, &lines)) {
        struct part part = count_lines(lines);

        counts_merge(table, part.table);
        tell(n += part.lines);
    }
}

static int logstat(const struct program *p)
{
    struct count *table = NULL;
    struct reader r;

    reader_open(&r, p->operands[0], p->flag);
    if (p->sequential)
        count_in_sequence(&r, &table);
    else
        count_with_workers(&r, p->workers, &table);
    if (r.log >= 0)
        go_fd_close(r.log);
    if (r.changes >= 0)
        go_fd_close(r.changes);
    go_ctx_unref(r.ctx);
    counts_print(table, NULL);
    if (r.error)
        program_error(r.name, r.error);
    return r.error ? STATUS_FAILED : STATUS_OK;
}

int main(int argc, char **argv)
{
    signal_block(SIGTERM);
    return program_main(argc, argv, "FILE", "follow", logstat);
}
