#include "rule.h"

/* In place of an operation: what has none. */
#define WHOLE_FRAME UINT64_MAX

/* The operation that the frame wants to end, or whose values it gives back; 0: the part is not there. */
static uint64_t part_of(const struct rule *rule, const struct client_frame *frame)
{
    switch ((int)rule->verb) {
    case PART_CANCEL:
        return frame->cancels_n ? frame->cancels[0] : 0;
    case PART_RETURN:
        return frame->returns_n ? frame->returns[0].op : 0;
    case PART_HELLO:
        return frame->hello ? WHOLE_FRAME : 0;
    case PART_RESUME:
        return frame->resume ? WHOLE_FRAME : 0;
    case PART_BYE:
        return frame->bye ? WHOLE_FRAME : 0;
    default:
        return 0;
    }
}

static bool binds(const struct rule *rule)
{
    return (int)rule->verb == PART_HELLO || (int)rule->verb == PART_RESUME;
}

/* Begins to follow the operation, if the frame asks for it. */
static bool asks(struct rule *rule, const struct client_frame *frame)
{
    if (!rule->op && (rule->op = part_of(rule, frame)))
        return true;
    for (size_t i = 0; !rule->op && i < frame->requests_n; i++)
        if (frame->requests[i].verb == rule->verb) {
            rule->op = frame->requests[i].id;
            return true;
        }
    return false;
}

static bool acknowledges(const struct rule *rule, const struct client_frame *frame)
{
    if (!rule->replied)
        return false;
    for (size_t i = 0; i < frame->acks_n; i++)
        if (frame->acks[i].op == rule->op)
            return true;
    return frame->ack_mark >= rule->op;
}

static bool answers(const struct rule *rule, const struct server_frame *frame)
{
    if (rule->op && binds(rule) && frame->welcome)
        return true;
    for (size_t i = 0; rule->op && i < frame->results_n; i++)
        if (frame->results[i].op == rule->op)
            return true;
    return false;
}

static enum fault strike(struct rule *rule, bool hit)
{
    if (!hit || rule->used)
        return FAULT_NONE;
    rule->used = true;
    return rule->fault;
}

enum fault rule_client(struct rule *rule, const struct client_frame *frame)
{
    bool asked = asks(rule, frame);

    if ((frame->hello || frame->resume) && !binds(rule))
        return FAULT_NONE;
    if (rule->step == STEP_REQUEST)
        return strike(rule, asked);
    if (rule->step == STEP_COMMITTED)
        return strike(rule, acknowledges(rule, frame));
    return strike(rule, rule->now && frame->requests_n);
}

enum fault rule_server(struct rule *rule, const struct server_frame *frame)
{
    bool answered = answers(rule, frame);

    rule->replied |= answered;
    return strike(rule, answered && rule->step == STEP_REPLY);
}
