/*
 * What is asked about topics and waits for its turn with the last messages that are remembered (topic_last.h): its operation, and
 * what that said, in a publish that nobody gets. Whoever has it in a list goes on with it.
 */
#include <errno.h>

#include "topic.h"

int publish_turn(struct core *core, struct op *op, struct bytes topic, struct bytes text,
                 struct publish **out)
{
    const struct outgoing words = {.value.body = text};
    struct account *account = op->scope->account;
    uint64_t cost = sizeof(struct publish) + letter_memory(topic, &words);
    struct publish *p;

    if (op->try)
        return -EAGAIN;
    if (!account_has_room(core, account, SLOT_BYTES, cost) ||
        !account_has_room(core, account, SLOT_WAITERS, 1))
        return -ENOBUFS;
    p = publish_alone(core, account, topic, &words);
    if (!p)
        return -ENOMEM;
    p->charged = cost;
    account->used[SLOT_BYTES] += cost;
    account->used[SLOT_WAITERS]++;
    op->charged = true;
    p->op = op;
    op->publish = p;
    op_wait(core, op, WAIT_TURN);
    *out = p;
    return 0;
}

struct op *publish_turns(struct core *core, struct publish *p)
{
    struct op *op = p->op;

    list_remove(&p->link);
    if (op_gone(core, op))
        return NULL;
    if (op_late(core, op)) {
        op_interrupt(core, op, -ETIMEDOUT);
        return NULL;
    }
    publish_detach(p);
    return op;
}

void publish_turned(struct core *core, struct publish *p, struct op *op, int error)
{
    publish_free(core, p);
    if (op_waits(op))
        op_finish(core, op, error);
}
