/*
 * G32 between processes: a channel of structs, with their size and a tag for their type.
 *
 * Pattern: typed channel; messages are copied.
 */
#include "parts.h"

struct message {
    int id;
    char data[32];
    int err;
};

static const struct gc_chan_options of_messages = {.size = sizeof of_messages,
                                                   .capacity = 1,
                                                   .element_bytes = sizeof(struct message),
                                                   .type_tag = "message"};

static void sender(struct part *me)
{
    struct message message = {.id = 7, .data = "payload", .err = -5};
    gc_chan messages;

    step_wait(me, "refused");
    must(gc_open(me->g, "messages", &of_messages, &messages, GC_FOREVER) == 0);
    must(gc_send(me->g, messages, gc_bytes(&message, sizeof message), GC_FOREVER) == 0);
    message = (struct message){.id = 8, .data = "overwritten"};
    step_done(me, "overwritten");
}

/* "opening with another size or tag is an error before any value moves" */
static void stranger(struct part *me)
{
    struct gc_chan_options wrong = of_messages;
    struct gc_chan_info info;
    gc_chan c;

    wrong.element_bytes++;
    must(gc_open(me->g, "messages", &wrong, &c, GC_FOREVER) == -EEXIST);
    wrong = of_messages;
    wrong.type_tag = "massage";
    must(gc_open(me->g, "messages", &wrong, &c, GC_FOREVER) == -EEXIST);
    must(gc_chan_stat(me->g, "messages", &info, GC_FOREVER) == 0 && info.sent == 0);
    must(gc_send(me->g, chan_of(me, "messages"), gc_string("short"), GC_FOREVER) == -EMSGSIZE);
    step_done(me, "refused");
}

static void receiver(struct part *me)
{
    struct message message;
    struct gc_value v = {0};
    gc_chan messages;

    step_wait(me, "overwritten");
    must(gc_open(me->g, "messages", &of_messages, &messages, GC_FOREVER) == 0);
    must(gc_recv(me->g, messages, &v, 0, GC_FOREVER) == 1 && v.size == sizeof message);
    memcpy(&message, v.data, sizeof message);
    gc_value_clear(&v);
    say(me, "%d %s %d", message.id, message.data, message.err);
}

static void messages(void)
{
    /* "all fields arrive" */
    /* "what the sender changes in its struct afterwards is not seen" */
    must(said(LINES("7 payload -5")));
}

GUIDE_PARTS(G32, messages,
            .channels = {{"messages",
                          {.capacity = 1, .element_bytes = sizeof(struct message), .type_tag = "message"}},
                         {"refused"},
                         {"overwritten"}},
            .parts = {PART(sender), PART(stranger), PART(receiver)});
