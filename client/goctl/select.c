/* The command select: one of several cases, in one atomic step of the daemon. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "commands.h"
#include "options.h"
#include "output.h"
#include "status.h"
#include "values.h"

/* The cases as the library wants them, in the order of the options, and room for what the chosen one gives. */
struct choice {
    struct session *session;
    struct gc_case *cases;
    struct gc_value value;
    struct gc_result result;
};

static int case_fill(struct choice *choice, const struct select_option *from, struct gc_case *to)
{
    unsigned rights = from->kind == SELECT_SEND ? GC_MAY_SEND : GC_MAY_RECV;
    gc_chan channel;
    int status;

    if (from->kind == SELECT_JOB) {
        *to = gc_case_job(gc_job_of(from->job), &choice->result);
        return STATUS_OK;
    }
    status = channel_open(choice->session, from->name, rights, &channel);
    if (status == STATUS_OK)
        *to = from->kind == SELECT_SEND ? gc_case_send(channel, gc_string(from->value))
                                        : gc_case_recv(channel, &choice->value);
    return status;
}

static int choice_fill(struct choice *choice)
{
    const struct options *options = choice->session->options;
    int status = STATUS_OK;

    choice->cases = calloc(options->cases_n, sizeof *choice->cases);
    if (!choice->cases)
        return session_fail_here(-ENOMEM, "select");
    for (size_t i = 0; i < options->cases_n && status == STATUS_OK; i++)
        status = case_fill(choice, &options->cases[i], &choice->cases[i]);
    return status;
}

/* What each kind of case says when it took effect. */

static json_t *json_of_case(const struct choice *choice, const struct select_option *what)
{
    if (what->kind == SELECT_RECV)
        return value_json(what->name, &choice->value);
    if (what->kind == SELECT_SEND)
        return json_pack("{s:s, s:b}", "channel", what->name, "sent", 1);
    return json_pack("{s:I, s:s}", "job", (json_int_t)what->job, "state",
                     gc_job_state_name(choice->result.state));
}

static int print_case(const struct choice *choice, const struct select_option *what)
{
    switch (what->kind) {
    case SELECT_RECV:
        printf("%s ", what->name);
        return output_bytes(choice->session->options, choice->value.data, choice->value.size);
    case SELECT_SEND:
        printf("%s\n", what->name);
        break;
    case SELECT_JOB:
        printf("%s %s\n", what->name, gc_job_state_name(choice->result.state));
        break;
    }
    return output_flush();
}

static int print_json(json_t *object, size_t index)
{
    if (object)
        json_object_set_new(object, "case", json_integer((json_int_t)index));
    return output_json(object);
}

/* The chosen case met a closed channel: an outcome of its own, and in words no data. */
static int tell_closed(const struct choice *choice, const struct select_option *what, size_t index)
{
    int r = 0;

    if (choice->session->options->json)
        r = print_json(json_pack("{s:s, s:b}", "channel", what->name, "closed", 1), index);
    fprintf(stderr, "goctl: channel %s is closed%s\n", what->name,
            what->kind == SELECT_RECV ? " and drained" : "");
    return r < 0 ? output_fail(r) : STATUS_CLOSED;
}

/* A job that had ended before is told by its number alone; how it ended is asked for. */
static int fetch_end(struct choice *choice, const struct select_option *what)
{
    int r;

    if (what->kind != SELECT_JOB || choice->result.state != GC_JOB_NONE)
        return 0;
    gc_result_clear(&choice->result);
    r = gc_wait(choice->session->client, gc_job_of(what->job), &choice->result,
                session_patience(choice->session));
    return r < 0 ? r : 0;
}

static int tell(struct choice *choice, size_t index)
{
    const struct select_option *what = &choice->session->options->cases[index];
    int outcome = choice->cases[index].status, r;

    assert(index < choice->session->options->cases_n);
    if (what->kind == SELECT_RECV ? outcome == 0 : what->kind == SELECT_SEND && outcome == -EPIPE)
        return tell_closed(choice, what, index);
    r = outcome < 0 ? outcome : fetch_end(choice, what);
    if (r < 0)
        return session_fail(r, "select: %s", what->name);
    r = choice->session->options->json ? print_json(json_of_case(choice, what), index)
                                       : print_case(choice, what);
    if (r < 0)
        return output_fail(r);
    if (what->kind == SELECT_RECV)
        r = gc_ack(choice->session->client, &choice->value);
    return r < 0 ? session_fail(r, "receive from %s", what->name) : STATUS_OK;
}

static int choose(struct session *session)
{
    struct choice choice = {.session = session};
    int status = choice_fill(&choice);

    session_watch_output();
    if (status == STATUS_OK) {
        int r = gc_select(session->client, choice.cases, session->options->cases_n, GC_HOLD,
                          session_until(session));

        status = r < 0 ? session_fail(r, "select") : tell(&choice, (size_t)r);
    }
    gc_value_clear(&choice.value);
    gc_result_clear(&choice.result);
    free(choice.cases);
    return status;
}

int command_select(const struct options *options)
{
    struct session session;
    int status;

    if (!options->cases_n) {
        fputs("goctl select: no case; give --recv NAME, --send NAME=VALUE or --job ID\n", stderr);
        return STATUS_USAGE;
    }
    status = session_open(&session, options);
    return status == STATUS_OK ? session_close(&session, choose(&session)) : status;
}
