/*
 * The command pub: values and lines become messages of a topic.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "goclient_topic.h"
#include "lines.h"
#include "options.h"
#include "output.h"
#include "quantity.h"
#include "session.h"
#include "status.h"

enum { ONCE_TEXT_BYTES = 256 };

struct publisher {
    struct session *session;
    const char *topic;
    struct gc_publish_options options; /* `expects` holds for the first operation */
    struct gc_header *headers;
    uint64_t published, wanted; /* messages; published, and begun */
    struct gc_published sum;
    struct gc_outgoing messages[GC_VALUES_MAX];
    char once[GC_VALUES_MAX][ONCE_TEXT_BYTES];
};

/* ---- publishing ---- */

static const char *publish_hint(int error)
{
    return error == -E2BIG    ? "the daemon's limits say how large a message may be"
           : error == -ESTALE ? "`goctl topic info` tells the last sequence"
                              : NULL;
}

static int publish_failed(const struct publisher *p, int error)
{
    if (!p->published)
        return session_fail_hint(error, publish_hint(error), "publish on %s", p->topic);
    return session_fail_hint(error, publish_hint(error), "publish on %s, after %" PRIu64 " messages",
                             p->topic, p->published);
}

static void add_published(struct publisher *p, uint64_t messages, const struct gc_published *more)
{
    p->published += messages;
    p->sum.receivers += more->receivers;
    p->sum.dropped += more->dropped;
    p->sum.repeated += more->repeated;
    if (more->sequence)
        p->sum.sequence = more->sequence;
}

/* The id of one message: that of --once, and behind the first its number, so that the same input gives the same ids. */
static const char *once_of(const char *id, uint64_t number, char text[ONCE_TEXT_BYTES])
{
    if (number == 1)
        return id;
    snprintf(text, ONCE_TEXT_BYTES, "%s.%" PRIu64, id, number);
    return text;
}

/* At most GC_VALUES_MAX. */
static int publish_messages(struct publisher *p, const struct gc_value *values, size_t n)
{
    const char *id = p->session->options->once_key;

    for (size_t i = 0; i < n; i++) {
        p->wanted++;
        p->messages[i] =
            (struct gc_outgoing){.value = values[i], .once = id ? once_of(id, p->wanted, p->once[i]) : NULL};
    }
    for (size_t at = 0; at < n;) {
        struct gc_published more;
        int r = gc_publish_many(p->session->client, p->topic, p->messages + at, n - at, &p->options, &more,
                                session_until(p->session));

        if (r < 0)
            return publish_failed(p, r);
        assert((size_t)r <= n - at);
        add_published(p, (uint64_t)r, &more);
        at += (size_t)r;
        p->options.expects = false;
    }
    return STATUS_OK;
}

/* --every: the wait in front of all messages but the first. STATUS_CANCELLED: the command has to end. */
static int await_turn(const struct publisher *p)
{
    int64_t ms = p->session->options->every_ns / 1000000;
    struct pollfd stop = {session_stop_fd(), POLLIN, 0};

    if (p->wanted && ms > 0)
        poll(&stop, 1, ms < INT32_MAX ? (int)ms : INT32_MAX);
    return session_stopped() ? STATUS_CANCELLED : STATUS_OK;
}

static int publish_values(struct publisher *p, const struct gc_value *values, size_t n)
{
    int status = STATUS_OK;

    if (p->session->options->every_ns <= 0)
        return publish_messages(p, values, n);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        status = await_turn(p);
        if (status == STATUS_OK)
            status = publish_messages(p, &values[i], 1);
    }
    return status;
}

/* ---- what is published ---- */

static int publish_lines(struct publisher *p, struct lines *lines)
{
    uint64_t batch = p->session->options->batch;
    size_t most = batch > 0 && batch < GC_VALUES_MAX ? (size_t)batch : GC_VALUES_MAX;
    struct gc_value values[GC_VALUES_MAX];
    int status = STATUS_OK, n;

    while (status == STATUS_OK && (n = lines_take(lines, values, most)) != 0)
        status =
            n < 0 ? session_fail_here(n, "reading standard input") : publish_values(p, values, (size_t)n);
    return status;
}

static int publish_rest(struct publisher *p, struct lines *lines)
{
    struct gc_value value;
    int r = lines_rest(lines, &value);

    return r < 0 ? session_fail_here(r, "reading standard input") : publish_values(p, &value, 1);
}

static int publish_input(struct publisher *p)
{
    struct lines lines = {.fd = STDIN_FILENO, .stop_fd = session_stop_fd()};
    int status = p->session->options->raw ? publish_rest(p, &lines) : publish_lines(p, &lines);

    lines_release(&lines);
    return status;
}

static int publish_operand(struct publisher *p, const char *operand)
{
    struct gc_value value = gc_string(operand);

    return strcmp(operand, "-") ? publish_values(p, &value, 1) : publish_input(p);
}

static int publish_operands(struct publisher *p)
{
    const struct options *options = p->session->options;
    uint64_t times = options->count ? options->count : 1;
    int status = STATUS_OK;

    if (options->operands_n == 1)
        return publish_input(p);
    for (; times > 0 && status == STATUS_OK; times--)
        for (int i = 1; i < options->operands_n && status == STATUS_OK; i++)
            status = publish_operand(p, options->operands[i]);
    return status;
}

/* ---- the command ---- */

static int report(const struct publisher *p)
{
    int r = output_json(json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "topic", p->topic, "published",
                                  (json_int_t)p->published, "receivers", (json_int_t)p->sum.receivers,
                                  "dropped", (json_int_t)p->sum.dropped, "repeated",
                                  (json_int_t)p->sum.repeated, "sequence", (json_int_t)p->sum.sequence));

    return r < 0 ? output_fail(r) : STATUS_OK;
}

/* What the command line says of every message. 0, or an exit status after the reason was told. */
static int publisher_options(struct publisher *p, const struct options *options)
{
    uint64_t expected = 0;
    int64_t at_us = 0;

    if (options->expected && parse_count(options->expected, &expected) < 0) {
        fprintf(stderr, "goctl pub: --expect: \"%s\" is not a sequence, a number\n", options->expected);
        return STATUS_USAGE;
    }
    if (options->at && parse_instant(options->at, &at_us) < 0) {
        fprintf(stderr, "goctl pub: --at: \"%s\" is not a time, such as 2026-03-01T12:00:00Z\n", options->at);
        return STATUS_USAGE;
    }
    if (options->at && options->delay_ns) {
        fputs("goctl pub: --in and --at both say when; give one of them\n", stderr);
        return STATUS_USAGE;
    }
    p->headers = calloc(options->cases_n + 1, sizeof *p->headers);
    if (!p->headers) {
        fputs("goctl: no memory\n", stderr);
        return STATUS_FAILURE;
    }
    for (size_t i = 0; i < options->cases_n; i++)
        p->headers[i] = gc_header(options->cases[i].name, options->cases[i].value);
    p->options = (struct gc_publish_options){.size = sizeof p->options,
                                             .key = options->key,
                                             .headers = p->headers,
                                             .headers_n = options->cases_n,
                                             .expects = options->expected != NULL,
                                             .expected = expected,
                                             .delay_ns = options->delay_ns,
                                             .at_us = at_us};
    return 0;
}

static int publish_all(struct publisher *p, const struct options *options)
{
    struct session session;
    int status = session_open(&session, options), reported;

    if (status != STATUS_OK)
        return status;
    p->session = &session;
    status = publish_operands(p);
    reported = options->json ? report(p) : STATUS_OK;
    return session_close(&session, status != STATUS_OK ? status : reported);
}

int command_pub(const struct options *options)
{
    struct publisher *p;
    int status;

    if (options->operands_n == 1 && !options->lines && !options->raw) {
        fputs("goctl pub: no message; give VALUE, or - for the lines of standard input\n", stderr);
        return STATUS_USAGE;
    }
    p = calloc(1, sizeof *p);
    if (!p) {
        fputs("goctl: no memory\n", stderr);
        return STATUS_FAILURE;
    }
    p->topic = options->operands[0];
    status = publisher_options(p, options);
    if (status == 0)
        status = publish_all(p, options);
    free(p->headers);
    free(p);
    return status;
}
