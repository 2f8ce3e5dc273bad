/* The reference of model.h. Every rule it keeps is one sentence of U, B, C, S or F. */
#include "model.h"

#include <errno.h>
#include <string.h>

void model_init(struct model *model, const int *capacities)
{
    memset(model, 0, sizeof(*model));
    for (int i = 0; i < MODEL_CHANNELS; i++)
        model->chan[i].capacity = capacities[i];
}

/* The first parked operation with a case of this way on the channel, or -1 (F1). */
static int first_waiter(const struct model *model, int chan, enum way way, int *index)
{
    for (int i = 0; i < model->parked_n; i++)
        for (int k = 0; k < model->parked[i].cases_n; k++)
            if (model->parked[i].cases[k].chan == chan && model->parked[i].cases[k].way == way) {
                *index = k;
                return i;
            }
    return -1;
}

static bool case_ready(const struct model *model, const struct model_case *what)
{
    int index, length;

    if (what->chan == NIL)
        return false;
    length = model->chan[what->chan].length;
    if (model->chan[what->chan].closed)
        return true;
    if (what->way == WAY_SEND)
        return length < model->chan[what->chan].capacity ||
               first_waiter(model, what->chan, WAY_RECV, &index) >= 0;
    return length > 0 || first_waiter(model, what->chan, WAY_SEND, &index) >= 0;
}

uint32_t model_ready(const struct model *model, const struct model_op *op)
{
    uint32_t ready = 0;

    for (int i = 0; i < op->cases_n; i++)
        ready |= (uint32_t)case_ready(model, &op->cases[i]) << i;
    return ready;
}

void model_remove(struct model *model, int i)
{
    model->parked_n--;
    memmove(&model->parked[i], &model->parked[i + 1], sizeof(*model->parked) * (size_t)(model->parked_n - i));
}

static void end(struct model *model, int i, struct model_end how)
{
    how.user = model->parked[i].user;
    model->ended[model->ended_n++] = how;
    model_remove(model, i);
}

static void push(struct model *model, int chan, uint64_t value)
{
    model->chan[chan].buffer[model->chan[chan].length++] = value;
}

static uint64_t pop(struct model *model, int chan)
{
    uint64_t head = model->chan[chan].buffer[0];

    memmove(&model->chan[chan].buffer[0], &model->chan[chan].buffer[1],
            sizeof(uint64_t) * (size_t)--model->chan[chan].length);
    return head;
}

static int apply_send(struct model *model, const struct model_case *what)
{
    int index = 0;

    if (model->chan[what->chan].closed)
        return -EPIPE;
    int receiver = first_waiter(model, what->chan, WAY_RECV, &index);
    if (receiver >= 0)
        end(model, receiver, (struct model_end){.indexes = 1u << index, .status = 1, .value = what->value});
    else
        push(model, what->chan, what->value);
    return 0;
}

static int apply_recv(struct model *model, const struct model_case *what, uint64_t *value)
{
    int index = 0, sender = first_waiter(model, what->chan, WAY_SEND, &index);
    bool buffered = model->chan[what->chan].length > 0;

    *value = 0;
    if (!buffered && sender < 0)
        return 0;
    uint64_t sent = sender < 0 ? 0 : model->parked[sender].cases[index].value;
    *value = buffered ? pop(model, what->chan) : sent;
    if (sender >= 0) {
        if (buffered) /* B3 */
            push(model, what->chan, sent);
        end(model, sender, (struct model_end){.indexes = 1u << index});
    }
    return 1;
}

int model_apply(struct model *model, const struct model_case *what, uint64_t *value)
{
    model->ended_n = 0;
    return what->way == WAY_SEND ? apply_send(model, what) : apply_recv(model, what, value);
}

void model_park(struct model *model, const struct model_op *op)
{
    model->ended_n = 0;
    model->parked[model->parked_n++] = *op;
}

int model_close(struct model *model, int chan)
{
    model->ended_n = 0;
    if (model->chan[chan].closed)
        return -EPIPE;
    model->chan[chan].closed = true;
    for (int i = 0; i < model->parked_n;) {
        struct model_op *op = &model->parked[i];
        uint32_t indexes = 0;
        for (int k = 0; k < op->cases_n; k++)
            indexes |= (uint32_t)(op->cases[k].chan == chan) << k;
        if (indexes)
            end(model, i, (struct model_end){.indexes = indexes, .status = -EPIPE});
        else
            i++;
    }
    return 0;
}
