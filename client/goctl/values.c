/*
 * Commands that move values one way: send, recv, range.
 *
 * A received value is held until it was written and, when more will follow, taken by the reader. At most one is
 * held at a time: whatever ends the command before gives back just that one, to the head of the channel.
 */
#include "values.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "channels.h"
#include "commands.h"
#include "lines.h"
#include "options.h"
#include "output.h"
#include "status.h"

/* ---- send ---- */

struct sender {
    struct session *session;
    const char *name;
    gc_chan channel;
    uint64_t sent;
};

static const char *send_hint(int error)
{
    return error == -E2BIG      ? "`goctl make --value-max` sets the limit of a channel"
           : error == -EMSGSIZE ? "made with --element, a channel takes values of that size"
                                : NULL;
}

static int send_failed(const struct sender *sender, int error)
{
    if (!sender->sent)
        return session_fail_hint(error, send_hint(error), "send on %s", sender->name);
    return session_fail_hint(error, send_hint(error), "send on %s, after %" PRIu64 " values were sent",
                             sender->name, sender->sent);
}

static int send_values(struct sender *sender, const struct gc_value *values, size_t n)
{
    while (n) {
        int r =
            gc_send_many(sender->session->client, sender->channel, values, n, session_until(sender->session));

        if (r < 0)
            return send_failed(sender, r);
        assert((size_t)r <= n);
        values += r;
        n -= (size_t)r;
        sender->sent += (uint64_t)r;
    }
    return STATUS_OK;
}

static int send_lines(struct sender *sender, struct lines *lines)
{
    uint64_t batch = sender->session->options->batch;
    size_t most = batch > 0 && batch < GC_VALUES_MAX ? (size_t)batch : GC_VALUES_MAX;
    struct gc_value values[GC_VALUES_MAX];

    for (;;) {
        int n = lines_take(lines, values, most);
        int status;

        if (n < 0)
            return session_fail_here(n, "reading standard input");
        if (n == 0)
            return STATUS_OK;
        status = send_values(sender, values, (size_t)n);
        if (status != STATUS_OK)
            return status;
    }
}

static int send_rest(struct sender *sender, struct lines *lines)
{
    struct gc_value value;
    int r = lines_rest(lines, &value);

    return r < 0 ? session_fail_here(r, "reading standard input") : send_values(sender, &value, 1);
}

static int send_input(struct sender *sender)
{
    struct lines lines = {.fd = STDIN_FILENO, .stop_fd = session_stop_fd()};
    int status = sender->session->options->raw ? send_rest(sender, &lines) : send_lines(sender, &lines);

    lines_release(&lines);
    return status;
}

static int send_operand(struct sender *sender, const char *operand)
{
    struct gc_value value = gc_string(operand);

    return strcmp(operand, "-") ? send_values(sender, &value, 1) : send_input(sender);
}

static int send_operands(struct sender *sender)
{
    const struct options *options = sender->session->options;
    int status = STATUS_OK;

    for (int i = 1; i < options->operands_n && status == STATUS_OK; i++)
        status = send_operand(sender, options->operands[i]);
    if (status == STATUS_OK && options->operands_n == 1)
        status = send_input(sender);
    return status;
}

static int send_report(const struct sender *sender)
{
    int r = output_json(json_pack("{s:s, s:I}", "channel", sender->name, "sent", (json_int_t)sender->sent));

    return r < 0 ? output_fail(r) : STATUS_OK;
}

int command_send(const struct options *options)
{
    struct session session;
    struct sender sender = {.session = &session, .name = options->operands[0]};
    int status, reported;

    if (options->operands_n == 1 && !options->lines && !options->raw) {
        fprintf(stderr, "goctl send: no value; give VALUE, or - for the lines of standard input\n");
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    if (status != STATUS_OK)
        return status;
    status = channel_open(&session, sender.name, GC_MAY_SEND, &sender.channel);
    if (status == STATUS_OK)
        status = send_operands(&sender);
    reported = options->json ? send_report(&sender) : STATUS_OK;
    return session_close(&session, status != STATUS_OK ? status : reported);
}

/* ---- recv and range ---- */

json_t *value_json(const char *name, const struct gc_value *value)
{
    json_t *object = json_pack("{s:s}", "channel", name);

    if (object && json_set_bytes(object, "value", value->data, value->size) < 0) {
        json_decref(object);
        return NULL;
    }
    if (object && value->flags & GC_REDELIVERED)
        json_object_set_new(object, "redelivered", json_true());
    return object;
}

static int print_value(const struct options *options, const char *name, const struct gc_value *value)
{
    return options->json ? output_json(value_json(name, value))
                         : output_bytes(options, value->data, value->size);
}

/* What a command receives from. */
struct receiver {
    struct session *session;
    const char *name;
    gc_chan channel;
    bool comes_back; /* goes on with the channel when the daemon does */
};

/* The session ended with its daemon, and the channel outlives both. */
static bool comes_back(const struct receiver *receiver, int error)
{
    return receiver->comes_back && session_comes_back(receiver->session, error);
}

static int open_again(void *arg, gc_until until)
{
    struct receiver *receiver = arg;

    return channel_open_until(receiver->session, receiver->name, GC_MAY_RECV, &receiver->channel, until);
}

/* STATUS_OK: it goes on. */
static int come_back(struct receiver *receiver)
{
    int r = session_come_back(receiver->session, open_again, receiver);

    if (r < 0)
        return session_fail(r, "open channel %s again", receiver->name);
    fprintf(stderr, "goctl: channel %s is open again: what was not acknowledged comes again\n",
            receiver->name);
    return STATUS_OK;
}

static int start(struct receiver *receiver, bool follows)
{
    struct session *session = receiver->session;
    struct gc_chan_info info;
    int status = channel_open(session, receiver->name, GC_MAY_RECV, &receiver->channel);

    if (status == STATUS_OK && follows)
        receiver->comes_back =
            gc_chan_info(session->client, receiver->channel, &info, session_patience(session)) == 0 &&
            info.durable;
    return status;
}

/*
 * Prints a held value and acknowledges it. When others will follow it first waits for the reader to take it,
 * so that `| head -1` leaves all but one value in the channel. An exit status, or STATUS_OK.
 */
static int hand_over(const struct receiver *receiver, struct gc_value *value, bool more)
{
    int r = print_value(receiver->session->options, receiver->name, value);

    if (r == 0 && more)
        r = output_taken(session_stop_fd());
    if (r < 0 && r != -ECANCELED)
        return output_fail(r);
    if (r == 0)
        r = gc_ack(receiver->session->client, value);
    if (r < 0 && !comes_back(receiver, r)) /* else the next receive says so again */
        return session_fail(r, "receive from %s", receiver->name);
    return STATUS_OK;
}

/* Receives at most `most` values; UINT64_MAX: all. STATUS_CLOSED, told to nobody, when the channel ends before. */
static int receive(struct session *session, const char *name, uint64_t most)
{
    struct receiver receiver = {.session = session, .name = name};
    int status = start(&receiver, most == UINT64_MAX);

    session_watch_output();
    for (uint64_t n = 1; n <= most && status == STATUS_OK; n++) {
        struct gc_value value = {0};
        int r = gc_recv(session->client, receiver.channel, &value, GC_HOLD, session_until(session));

        if (comes_back(&receiver, r)) {
            status = come_back(&receiver);
            continue;
        }
        if (r < 0)
            return session_fail(r, "receive from %s", name);
        if (r == 0)
            return STATUS_CLOSED;
        status = hand_over(&receiver, &value, n < most);
        gc_value_clear(&value);
    }
    return status;
}

/* Opens the session, receives, and closes it; `closed`: the status when the channel has been closed. */
static int receive_all(const struct options *options, const char *command, uint64_t most, int closed)
{
    const char *name = options->operands[0];
    struct session session;
    int status = session_check_options(options, command);

    if (status == STATUS_OK)
        status = session_open(&session, options);
    if (status != STATUS_OK)
        return status;
    status = receive(&session, name, most);
    if (status == STATUS_CLOSED && closed == STATUS_CLOSED)
        fprintf(stderr, "goctl: channel %s is closed and drained\n", name);
    return session_close(&session, status == STATUS_CLOSED ? closed : status);
}

int command_recv(const struct options *options)
{
    uint64_t most = options->follow ? UINT64_MAX : options->count ? options->count : 1;

    if (options->reconnect_ns >= 0 && !options->follow) {
        fputs("goctl recv: --reconnect goes with --follow: other receives end with the daemon\n", stderr);
        return STATUS_USAGE;
    }
    return receive_all(options, "recv", most, STATUS_CLOSED);
}

int command_range(const struct options *options)
{
    return receive_all(options, "range", UINT64_MAX, STATUS_OK);
}
