#include "outbox.h"

#include <errno.h>

void outbox_init(struct outbox *outbox, struct wire *wire, outbox_send *send, void *context)
{
    list_init(&outbox->ready);
    outbox->wire = wire;
    outbox->send = send;
    outbox->context = context;
}

void outbox_lane_init(struct outbox_lane *lane)
{
    list_init(&lane->link);
    list_init(&lane->effects);
    lane->number = 0;
}

void outbox_lane_clear(struct outbox_lane *lane, struct effects *home)
{
    list_remove(&lane->link);
    list_splice(&home->list, &lane->effects);
}

void outbox_add(struct outbox *outbox, struct outbox_lane *lane, struct effect *effect)
{
    list_remove(&effect->link);
    list_append(&lane->effects, &effect->link);
    if (!list_linked(&lane->link))
        list_append(&outbox->ready, &lane->link);
}

/* About what it adds to the first part of a frame; bodies that travel as parts cost it nothing. */
static size_t body_bytes(struct bytes body)
{
    return body.size < PAYLOAD_FRAME_BYTES ? body.size : 16;
}

static size_t result_bytes(const struct result *result)
{
    size_t bytes = 64 + result->text.size + body_bytes(result->output);

    for (size_t i = 0; i < result->values_n; i++)
        bytes += 8 + body_bytes(result->values[i].body);
    for (size_t i = 0; i < result->jobs_n; i++)
        bytes += 512 + body_bytes(result->jobs[i].result);
    return bytes + 256 * result->chans_n + 64 * result->stats_n + 512 * result->waits_n +
           (result->offer ? 256 + body_bytes(result->offer->argument) : 0);
}

static int send_frame(struct outbox *outbox, struct outbox_lane *lane, const struct server_frame *frame)
{
    struct wire_message message;

    wire_reset(outbox->wire);
    int r = wire_encode_server(outbox->wire, frame, &message);
    return r < 0 ? r : outbox->send(outbox->context, lane, frame, &message);
}

/* Moves the effects of one frame from `lane` to `done` and sets the frame. */
static void gather(struct outbox *outbox, struct outbox_lane *lane, struct server_frame *frame,
                   struct list *done)
{
    size_t bytes = 0, values = 0, n = 0;
    struct effect *effect = list_first(&lane->effects, struct effect, link);

    *frame = (struct server_frame){0};
    if (effect->kind == EFFECT_REPLY) {
        *frame = *effect->reply;
        list_remove(&effect->link);
        list_append(done, &effect->link);
    }
    while ((effect = list_first(&lane->effects, struct effect, link)) && effect->kind == EFFECT_RESULT &&
           n < OUTBOX_RESULTS) {
        bytes += result_bytes(effect->result);
        values += effect->result->values_n;
        if (n && (bytes > OUTBOX_BYTES || values > OUTBOX_VALUES))
            break;
        outbox->results[n++] = *effect->result;
        list_remove(&effect->link);
        list_append(done, &effect->link);
    }
    frame->results = outbox->results;
    frame->results_n = n;
    lane->number = frame->welcome ? 1 : lane->number + 1;
    frame->number = lane->number;
}

static void write_lane(struct outbox *outbox, struct outbox_lane *lane, struct effects *home)
{
    struct server_frame frame;
    int r = 0;

    while (!list_empty(&lane->effects) && r >= 0) {
        gather(outbox, lane, &frame, &home->list);
        r = send_frame(outbox, lane, &frame);
    }
    list_splice(&home->list, &lane->effects);
}

static bool several(const struct list *lanes)
{
    return lanes->next != lanes->prev;
}

/* What is told of a message lies where it is until its effects are freed: behind this. */
void outbox_write(struct outbox *outbox, struct effects *home)
{
    struct outbox_lane *lane;

    if (several(&outbox->ready))
        wire_share(outbox->wire);
    while ((lane = list_first(&outbox->ready, struct outbox_lane, link))) {
        list_remove(&lane->link);
        write_lane(outbox, lane, home);
    }
    wire_unshare(outbox->wire);
}

int outbox_say(struct outbox *outbox, struct outbox_lane *lane, struct server_frame head)
{
    head.number = ++lane->number;
    return send_frame(outbox, lane, &head);
}
