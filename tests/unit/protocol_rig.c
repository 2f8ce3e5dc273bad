#include "protocol_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void finish(struct protocol_op *op, const struct result *result, void *context)
{
    struct rig_op *mine = (struct rig_op *)op;
    mine->results++;
    mine->status = result->status;
    mine->flags = result->flags;
    mine->values_n = (uint32_t)result->values_n;
    mine->number = result->number;
}

static void leftover(struct protocol_op *op, const struct result *result, void *context)
{
    ((struct rig_op *)op)->leftovers++;
}

static void release(struct protocol_op *op, void *context)
{
    ((struct rig_op *)op)->released = true;
}

struct rig *rig_new_unbound(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig->now_ns = 1000000;
    rig->welcome = (struct welcome){.session_number = 1,
                                    .incarnation = 7,
                                    .window_ops = 4,
                                    .window_bytes = 1000,
                                    .absolute_deadlines = true};
    rig->p =
        protocol_new(&(struct protocol_user){finish, leftover, release, rig}, &(struct protocol_identity){0});
    assert_non_null(rig->p);
    return rig;
}

struct rig *rig_new(void)
{
    struct rig *rig = rig_new_unbound();
    protocol_session(rig->p, (struct secret){{1, 2, 3}});
    protocol_connected(rig->p, rig->now_ns);
    assert_non_null(rig_leaves(rig)->hello);
    rig_welcome(rig, NULL, 0);
    return rig;
}

void rig_delete(struct rig *rig)
{
    protocol_check(rig->p);
    protocol_delete(rig->p);
    free(rig);
}

struct rig_op *rig_start(struct rig *rig, struct request request, int64_t deadline_ns)
{
    struct rig_op *op = &rig->ops[rig->ops_n++];
    assert_true(rig->ops_n <= RIG_OPS);
    op->op.request = request;
    op->op.deadline_ns = deadline_ns;
    protocol_start(rig->p, &op->op, rig->now_ns);
    protocol_check(rig->p);
    return op;
}

struct rig_op *rig_verb(struct rig *rig, enum verb verb)
{
    return rig_start(rig, (struct request){.verb = verb}, PROTOCOL_DEADLINE_NONE);
}

struct rig_op *rig_recv(struct rig *rig)
{
    return rig_start(rig, (struct request){.verb = VERB_RECV, .recv = {.handle = 9, .max = 8}},
                     PROTOCOL_DEADLINE_NONE);
}

struct rig_op *rig_send(struct rig *rig, const char *text)
{
    static struct value values[RIG_OPS]; /* a request points at its values until it is released */
    struct value *value = &values[rig->ops_n];
    value->body = (struct bytes){text, strlen(text)};
    return rig_start(rig, (struct request){.verb = VERB_SEND, .send = {9, value, 1}}, PROTOCOL_DEADLINE_NONE);
}

const struct client_frame *rig_leaves(struct rig *rig)
{
    const struct client_frame *frame = protocol_output(rig->p, rig->now_ns);
    protocol_check(rig->p);
    assert_non_null(frame);
    if (frame->hello || frame->resume)
        rig->welcome.attempt = frame->hello ? frame->hello->attempt : frame->resume->attempt;
    return frame;
}

void rig_leaves_nothing(struct rig *rig)
{
    assert_null(protocol_output(rig->p, rig->now_ns));
}

static void comes(struct rig *rig, struct server_frame *frame)
{
    frame->number = ++rig->number;
    protocol_input(rig->p, frame, rig->now_ns);
    protocol_check(rig->p);
}

void rig_welcome(struct rig *rig, const struct op_state *states, size_t states_n)
{
    rig->number = 0;
    comes(rig, &(struct server_frame){.welcome = &rig->welcome, .states = states, .states_n = states_n});
}

static void result_comes(struct rig *rig, struct result result)
{
    comes(rig, &(struct server_frame){.results = &result, .results_n = 1});
}

void rig_result(struct rig *rig, const struct rig_op *of, int status)
{
    result_comes(rig, (struct result){.op = of->op.request.id, .status = status});
}

void rig_value(struct rig *rig, const struct rig_op *of, size_t values_n, uint32_t flags)
{
    struct value values[8] = {{.body = {"v", 1}}};
    result_comes(rig, (struct result){.op = of->op.request.id,
                                      .status = (int32_t)values_n,
                                      .flags = flags,
                                      .values = values,
                                      .values_n = values_n});
}

void rig_stream(struct rig *rig, const struct rig_op *of, uint64_t number, uint32_t flags)
{
    result_comes(rig, (struct result){.op = of->op.request.id, .number = number, .flags = flags});
}

void rig_ping_result(struct rig *rig, uint64_t id)
{
    result_comes(rig, (struct result){.op = id});
}

void rig_need_resume(struct rig *rig)
{
    struct server_frame frame = {.need_resume = true};
    protocol_input(rig->p, &frame, rig->now_ns);
    protocol_check(rig->p);
}

void rig_sleep(struct rig *rig, int64_t ns)
{
    rig->now_ns += ns;
    protocol_tick(rig->p, rig->now_ns);
    protocol_check(rig->p);
}
