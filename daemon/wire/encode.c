/*
 * Frames to bytes: a tree of the schema's structs in the arena, which wire_pack then writes. Bodies are
 * borrowed all the way, never copied but by wire_pack, and not even by it when they travel as parts.
 */
#include <errno.h>
#include <stdbool.h>

#include "codec.h"
#include "fields.h"
#include "plain.h"
#include "status.h"

/* What is written of an operation. The library looks at every field of a message twice, and an operation has one for each
 * verb: this one has those of all operations, and that of one verb. */
struct op_descriptor {
    ProtobufCMessageDescriptor message;
    ProtobufCFieldDescriptor fields[]; /* of `message`; the last one is the verb's */
};

struct encoder {
    struct wire *wire;
    struct bytes *bodies;
    size_t bodies_n, bodies_room;
    const struct op_descriptor *op; /* of the last operation; or NULL */
    int error;                      /* first that happened */
};

static void *take(struct encoder *e, size_t n, size_t size)
{
    void *array = arena_take_array(&e->wire->arena, n, size);

    if (!array)
        e->error = -ENOMEM;
    return array;
}

static void *take_room(struct encoder *e, size_t size)
{
    void *room = arena_take(&e->wire->arena, size);

    if (!room)
        e->error = -ENOMEM;
    return room;
}

static void pack_entry(struct encoder *e, const ProtobufCMessage *entry, ProtobufCBinaryData *out)
{
    size_t size = protobuf_c_message_get_packed_size(entry);

    out->data = take_room(e, size ? size : 1);
    if (out->data)
        out->len = protobuf_c_message_pack(entry, out->data);
}

/* A message with its descriptor set and its fields zero. */
static void *take_message(struct encoder *e, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = take(e, 1, descriptor->sizeof_message);

    if (message)
        protobuf_c_message_init(descriptor, message);
    return message;
}

static ProtobufCBinaryData data_of(struct bytes in)
{
    return (ProtobufCBinaryData){in.size, (uint8_t *)in.data};
}

static const struct secret no_secret;

static ProtobufCBinaryData data_of_secret(const struct secret *in)
{
    bool absent = !__builtin_memcmp(in, &no_secret, sizeof(*in));

    return (ProtobufCBinaryData){absent ? 0 : sizeof(*in), (uint8_t *)in->byte};
}

/* Number of the part that `body` becomes; 0 when there can be no more, with the error set. */
static uint32_t add_part(struct encoder *e, struct bytes body)
{
    if (e->bodies_n + 1 >= WIRE_PARTS_MAX) {
        e->error = -E2BIG;
        return 0;
    }
    if (e->bodies_n == e->bodies_room) {
        size_t room = e->bodies_room ? 2 * e->bodies_room : 16;
        struct bytes *bodies = take(e, room, sizeof(*bodies));
        if (!bodies)
            return 0;
        if (e->bodies_n)
            __builtin_memcpy(bodies, e->bodies, e->bodies_n * sizeof(*bodies));
        e->bodies = bodies;
        e->bodies_room = room;
    }
    e->bodies[e->bodies_n++] = body;
    return e->bodies_n;
}

static Goroutined__Passed **encode_each_passed(struct encoder *e, const struct passed *in, size_t n);
static void encode_message(struct encoder *e, const struct message *in, Goroutined__Message *out);

/* One for each value: it costs less than an array of one. */
static Goroutined__Message *encode_message_of_value(struct encoder *e, const struct message *in)
{
    Goroutined__Message *out = take_room(e, sizeof(*out));

    if (!out)
        return NULL;
    goroutined__message__init(out);
    encode_message(e, in, out);
    return out;
}

static void encode_value(struct encoder *e, const struct value *in, Goroutined__Value *out)
{
    out->flags = in->flags;
    if (in->handles_n)
        out->handles = encode_each_passed(e, in->handles, in->handles_n);
    out->n_handles = out->handles ? in->handles_n : 0;
    out->message = in->message ? encode_message_of_value(e, in->message) : NULL;
    if (in->body.size < PAYLOAD_FRAME_BYTES)
        out->body = data_of(in->body);
    else
        out->part = add_part(e, in->body);
}

/* NULL, an absent field, for an empty value. */
static Goroutined__Value *value_of(struct encoder *e, struct value in)
{
    if (!in.body.size && !in.flags && !in.handles_n && !in.message)
        return NULL;
    Goroutined__Value *out = take_message(e, &goroutined__value__descriptor);
    if (out)
        encode_value(e, &in, out);
    return out;
}

/* clang-format off */
#define ENCODE_NUM(f, bound)     out->f = in->f;
#define ENCODE_RANGE(f, bound)   out->f = in->f;
#define ENCODE_ENUM(f, bound)    out->f = in->f;
#define ENCODE_FLAGS(f, bound)   out->f = in->f;
#define ENCODE_NAME(f, bound)    out->f = data_of(in->f);
#define ENCODE_TEXT(f, bound)    out->f = data_of(in->f);
#define ENCODE_SECRET(f, bound)  out->f = data_of_secret(&in->f);
#define ENCODE_BODY(f, bound)    out->f = value_of(e, (struct value){.body = in->f});
#define ENCODE_VALUE(f, bound)   out->f = value_of(e, in->f);
#define ENCODE_STATUS(f, bound)  out->f = status_of_error(in->f);
#define ENCODE_OUTCOME(f, bound) out->f = status_of_error(in->f); out->outcome = in->f < 0 ? 0 : in->f;
#define ENCODE_NUMS(f, bound)    out->f = (void *)in->f, out->n_##f = in->f##_n;
#define ENCODE_ONE(f, name)      out->f = in->f ? encode_one_##name(e, in->f) : NULL;
#define ENCODE_MANY(f, bound)    ENCODE_ARRAY(f, ITEM_OF bound)
#define ENCODE_SOME(f, bound)    ENCODE_ARRAY(f, ITEM_OF bound)
#define ENCODE_RAWS(f, bound)    ENCODE_ARRAY(f, RAW_OF bound)
#define ITEM_OF(name, most)      name
#define RAW_OF(name, least, most) raw_##name
/* One more level, so that the bound is taken apart before names are joined. */
#define ENCODE_ARRAY(...)        ENCODE_ARRAY_(__VA_ARGS__)
#define ENCODE_ARRAY_(f, name) \
    out->f = in->f##_n ? encode_each_##name(e, in->f, in->f##_n) : NULL; \
    out->n_##f = out->f ? in->f##_n : 0;
#define ENCODE_FIELD(kind, f, bound) ENCODE_##kind(f, bound)
/* clang-format on */

#define ENCODE_EACH(name, ctype, schema, init)                                                               \
    static schema **encode_each_##name(struct encoder *e, const ctype *in, size_t n)                         \
    {                                                                                                        \
        schema **list = n ? take(e, n, sizeof(*list)) : NULL, *out = list ? take(e, n, sizeof(*out)) : NULL; \
        for (size_t i = 0; out && i < n; i++) {                                                              \
            init(&out[i]);                                                                                   \
            encode_##name(e, &in[i], &out[i]);                                                               \
            list[i] = &out[i];                                                                               \
        }                                                                                                    \
        return out ? list : NULL;                                                                            \
    }

/* clang-format off */
#define ENCODE_MESSAGE(NAME, name, ctype, schema) \
    static void encode_##name(struct encoder *e, const ctype *in, schema *out) \
    { \
        NAME##_FIELDS(ENCODE_FIELD) \
    } \
    ENCODE_EACH(name, ctype, schema, goroutined__##name##__init) \
    static __attribute__((unused)) schema *encode_one_##name(struct encoder *e, const ctype *in) \
    { \
        schema **list = encode_each_##name(e, in, 1); \
        return list ? *list : NULL; \
    }
/* clang-format on */

/* An array that protobuf-c is given as bytes: its entries are written here. */
/* clang-format off */
#define ENCODE_RAW(name, ctype, schema) \
    static void encode_raw_##name(struct encoder *e, const ctype *in, ProtobufCBinaryData *out) \
    { \
        size_t room = plain_##name##_room(in); \
        schema entry; \
        if (room) { \
            out->data = take_room(e, room); \
            out->len = out->data ? (size_t)(plain_write_##name(out->data, in) - out->data) : 0; \
            return; \
        } \
        goroutined__##name##__init(&entry); \
        encode_##name(e, in, &entry); \
        pack_entry(e, &entry.base, out); \
    }
/* clang-format on */

#define ENCODE_VERB(NAME, name, number, flags, help)                                                         \
    static void encode_request_##name(struct encoder *e, const struct request_##name *in,                    \
                                      __typeof__(*((Goroutined__Op *)0)->name) *out)                         \
    {                                                                                                        \
        REQUEST_##NAME(ENCODE_FIELD)                                                                         \
    }

static ProtobufCBinaryData *encode_each_raw_value(struct encoder *e, const struct value *in, size_t n);
static ProtobufCBinaryData *encode_each_raw_outgoing(struct encoder *e, const struct outgoing *in, size_t n);

MESSAGES(ENCODE_MESSAGE)
ENCODE_RAW(value, struct value, Goroutined__Value)
ENCODE_RAW(outgoing, struct outgoing, Goroutined__Outgoing)

/* Others may get the same message. */
static void encode_shared_value(struct encoder *e, const struct value *in, ProtobufCBinaryData *out)
{
    struct shared *shared = &e->wire->shared;
    struct shared_value *place = in->body.size < PAYLOAD_FRAME_BYTES ? shared_place(shared, in) : NULL;

    if (place && shared_has(shared, place, in)) {
        *out = place->bytes;
        return;
    }
    encode_raw_value(e, in, out);
    if (place && !e->error)
        shared_keep(shared, place, in, *out);
}

static ProtobufCBinaryData *encode_each_raw_value(struct encoder *e, const struct value *in, size_t n)
{
    ProtobufCBinaryData *out = take(e, n, sizeof(*out));

    for (size_t i = 0; out && i < n && !e->error; i++)
        encode_shared_value(e, &in[i], &out[i]);
    return out;
}

static ProtobufCBinaryData *encode_each_raw_outgoing(struct encoder *e, const struct outgoing *in, size_t n)
{
    ProtobufCBinaryData *out = take(e, n, sizeof(*out));

    for (size_t i = 0; out && i < n && !e->error; i++)
        encode_raw_outgoing(e, &in[i], &out[i]);
    return out;
}

VERBS(ENCODE_VERB)

/* Those that are no verb's stand first. */
static unsigned common_fields(const ProtobufCMessageDescriptor *op)
{
    unsigned n = 0;

    while (n < op->n_fields && !(op->fields[n].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        n++;
    return n;
}

/* Requests of one verb often follow one another. NULL: no memory. */
static const struct op_descriptor *op_descriptor(struct encoder *e, const ProtobufCFieldDescriptor *verb)
{
    const ProtobufCMessageDescriptor *all = &goroutined__op__descriptor;
    unsigned n = common_fields(all);

    if (e->op && e->op->fields[n].id == verb->id)
        return e->op;
    struct op_descriptor *op = take(e, 1, sizeof(*op) + (n + 1) * sizeof(*op->fields));
    if (!op)
        return NULL;
    op->message = *all;
    op->message.fields = op->fields;
    op->message.n_fields = n + 1;
    __builtin_memcpy(op->fields, all->fields, n * sizeof(*op->fields));
    op->fields[n] = *verb;
    return e->op = op;
}

/* The message of its verb, which is made a part of it; NULL: none, or no memory. */
static void *add_verb(struct encoder *e, uint32_t number, Goroutined__Op *out)
{
    const ProtobufCFieldDescriptor *field = verb_field(number);
    void *verb = field ? take_message(e, field->descriptor) : NULL;
    const struct op_descriptor *op = verb ? op_descriptor(e, field) : NULL;

    if (!op)
        return NULL;
    out->base.descriptor = &op->message;
    out->verb_case = (Goroutined__Op__VerbCase)number;
    out->chan_open = verb; /* one pointer for all members of the union */
    return verb;
}

static void encode_request(struct encoder *e, const struct request *in, Goroutined__Op *out)
{
    void *verb = add_verb(e, in->verb, out);

    out->id = in->id;
    out->run = in->run;
    out->flags = in->flags;
    out->until = (Goroutined__UntilKind)in->until.kind;
    out->until_ns = in->until.ns;
    out->context = in->context;
    if (!verb)
        return;
    switch (in->verb) {
#define VERB_CASE(NAME, name, number, flags, help)                                                           \
    case VERB_##NAME:                                                                                        \
        encode_request_##name(e, &in->name, verb);                                                           \
        break;
        VERBS(VERB_CASE)
#undef VERB_CASE
    default:
        break;
    }
}

ENCODE_EACH(request, struct request, Goroutined__Op, goroutined__op__init)

static int finish(const struct encoder *e, const ProtobufCMessage *head, struct wire_message *out)
{
    if (e->error)
        return e->error;
    *out = (struct wire_message){protobuf_c_message_get_packed_size(head), e->bodies, e->bodies_n, head};
    return 0;
}

int wire_encode_client(struct wire *wire, const struct client_frame *in, struct wire_message *message)
{
    struct encoder encoder = {.wire = wire}, *e = &encoder;
    Goroutined__ClientFrame *out = take_message(e, &goroutined__client_frame__descriptor);

    if (out) {
        CLIENT_FRAME_FIELDS(ENCODE_FIELD)
    }
    return finish(e, out ? &out->base : NULL, message);
}

int wire_encode_server(struct wire *wire, const struct server_frame *in, struct wire_message *message)
{
    struct encoder encoder = {.wire = wire}, *e = &encoder;
    Goroutined__ServerFrame *out = take_message(e, &goroutined__server_frame__descriptor);

    if (out) {
        SERVER_FRAME_FIELDS(ENCODE_FIELD)
    }
    return finish(e, out ? &out->base : NULL, message);
}
