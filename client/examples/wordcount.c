/*
 * wordcount: a plugin with one function, `count`: the words and lines of one file.
 *
 *     goctl submit ./wordcount.so:count README.md --wait
 *
 * The argument is FILE, or FILE, TAG, RESULTS and ERRORS with a zero byte between them: then the counts go to
 * the channel RESULTS (counts.h says how) or, when there are none, "TAG reason" to the channel ERRORS. In Go:
 *
 *     func count(file string, results chan<- Part, errors chan<- error) (string, error) {
 *         words, lines, err := load(file)
 *         if err != nil {
 *             errors <- err
 *             return "", err
 *         }
 *         for _, part := range words.parts() {
 *             results <- part
 *         }
 *         return fmt.Sprintf("%d words, %d lines", words.total, lines), nil
 *     }
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts.h"
#include "goclient_go.h"
#include "goplugin.h"
#include "words.h"

#define _cleanup_(function) __attribute__((cleanup(function)))

enum { READ_BYTES = 256 << 10 };

/* One file, and everything that must be freed however the job ends. */
struct work {
    gp_job *job;
    gc_go_ctx *ctx; /* ends calls of the client when the job is cancelled */
    char *argument; /* a copy; the four texts point into it */
    const char *file, *tag, *results, *errors;
    char *bytes; /* of the file */
    size_t size;
    struct words words;
    uint64_t lines;
    char *part; /* the value being written */
    size_t part_size;
    uint64_t parts;
    char why[256]; /* in words, when it fails */
};

static void work_clear(struct work *work)
{
    free(work->argument);
    free(work->bytes);
    free(work->part);
    words_clear(&work->words);
    gc_go_ctx_free(work->ctx);
}

__attribute__((format(printf, 3, 4))) static int fail(struct work *work, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(work->why, sizeof work->why, format, arguments);
    va_end(arguments);
    return gp_fail(work->job, error, "%s", work->why);
}

/* The texts of the argument, one behind the other; "" for those it does not have. */
static int work_argument(struct work *work)
{
    const char **texts[] = {&work->file, &work->tag, &work->results, &work->errors};
    struct gp_bytes argument = gp_argument(work->job);
    size_t at = 0;

    work->argument = calloc(1, argument.size + 1);
    if (!work->argument)
        return -ENOMEM;
    if (argument.size)
        memcpy(work->argument, argument.data, argument.size);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = work->argument + at;
        at += strlen(*texts[i]);
        at += at < argument.size;
    }
    return *work->file ? 0 : fail(work, -EINVAL, "no file; give its name as the argument");
}

/* ---- reading and counting ---- */

/* To the end of the file, which may have moved since anybody looked. */
static int read_all(struct work *work, int fd)
{
    size_t room = 0;
    ssize_t n;

    do {
        if (room - work->size < READ_BYTES) {
            char *bytes = realloc(work->bytes, room = 2 * room + READ_BYTES);

            if (!bytes)
                return -ENOMEM;
            work->bytes = bytes;
        }
        n = read(fd, work->bytes + work->size, room - work->size);
        if (n < 0)
            return -errno;
        work->size += (size_t)n;
    } while (n > 0);
    return 0;
}

/* Runs on a spare thread (go_blocking): the goroutine waits for the disk, its processor does not. */
static int load_file(void *arg)
{
    struct work *work = arg;
    int fd = open(work->file, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : read_all(work, fd);

    if (fd >= 0)
        close(fd);
    return r < 0 ? fail(work, r, "%s: %s", work->file, strerror(-r)) : 0;
}

static int count_bytes(struct work *work)
{
    for (size_t i = 0; i < work->size; i++)
        work->lines += work->bytes[i] == '\n';
    return words_count(&work->words, work->bytes, work->size);
}

/* ---- telling ---- */

static void part_begin(struct work *work)
{
    int n = snprintf(work->part, COUNTS_HEADER_BYTES, "%c %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %zu\n",
                     COUNTS_MORE, work->tag, gp_run(work->job), work->parts++, work->lines, work->size);

    work->part_size = (size_t)n;
}

/* results <- part, until the job is cancelled. */
static int part_send(struct work *work, gc_chan results, char mark)
{
    work->part[0] = mark;
    return gc_send(gp_client(work->job), results, gc_bytes(work->part, work->part_size),
                   gc_go_with(work->ctx));
}

/* One line "COUNT WORD", after sending the part when the line does not fit any more. */
static int part_add(struct work *work, gc_chan results, const struct word *word)
{
    size_t room = COUNTS_VALUE_BYTES - work->part_size;
    int n = snprintf(work->part + work->part_size, room, "%" PRIu64 " %s\n", word->count, word->text);
    int r;

    if ((size_t)n < room) {
        work->part_size += (size_t)n;
        return 0;
    }
    if ((size_t)n + COUNTS_HEADER_BYTES >= COUNTS_VALUE_BYTES)
        return fail(work, -E2BIG, "%s: a word of %zu letters", work->file, word->size);
    r = part_send(work, results, COUNTS_MORE);
    if (r < 0)
        return r;
    part_begin(work);
    return part_add(work, results, word);
}

static int send_counts(struct work *work)
{
    gc_chan results;
    int r = gc_open(gp_client(work->job), work->results, NULL, &results, gc_go_with(work->ctx));

    if (r < 0)
        return fail(work, r, "channel %s: %s", work->results, gc_why());
    work->part = malloc(COUNTS_VALUE_BYTES);
    if (!work->part)
        return -ENOMEM;
    part_begin(work);
    for (struct word *word = work->words.table; word && r >= 0; word = word->hh.next)
        r = part_add(work, results, word);
    return r < 0 ? r : part_send(work, results, COUNTS_LAST);
}

/* errors <- reason. The job fails for that reason, whether or not anybody listens. */
static int send_error(struct work *work, int error)
{
    gc_client *client = gp_client(work->job);
    gc_chan errors;
    char text[512];

    if (!work->errors || !*work->errors ||
        gc_open(client, work->errors, NULL, &errors, gc_go_with(work->ctx)) < 0)
        return error;
    snprintf(text, sizeof text, "%s %s", work->tag, *work->why ? work->why : strerror(-error));
    gc_send(client, errors, gc_string(text), gc_go_with(work->ctx));
    return error;
}

static int give_result(struct work *work)
{
    char text[128];
    int n = snprintf(text, sizeof text, "%" PRIu64 " words, %" PRIu64 " lines, %zu bytes", work->words.total,
                     work->lines, work->size);

    return gp_result(work->job, text, (size_t)n);
}

static int count(gp_job *job)
{
    _cleanup_(work_clear) struct work work = {.job = job,
                                              .ctx = gc_go_ctx_new(gp_client(job), gp_context(job))};
    int r = work.ctx ? work_argument(&work) : -ENOMEM;

    if (r == 0)
        r = go_blocking(load_file, &work);
    if (r == 0)
        r = count_bytes(&work);
    if (r == 0 && *work.results)
        r = send_counts(&work);
    if (r == 0)
        r = give_result(&work);
    return r < 0 ? send_error(&work, r) : 0;
}

GP_PLUGIN("wordcount", "1.0", {"count", "words and lines of one file", count});
