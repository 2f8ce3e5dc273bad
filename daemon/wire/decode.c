/*
 * Bytes to frames.
 *
 * protobuf-c checks lengths and copies into the arena, whose limit bounds what a small frame can unfold to.
 * Everything else is checked here. The first fault of an operation is kept and ends nothing; the first fault
 * of the frame itself refuses the frame. Part numbers are checked for the whole frame: each part is named
 * exactly once, so that no body can be multiplied.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "codec.h"
#include "fields.h"
#include "plain.h"
#include "status.h"

struct decoder {
    struct wire *wire;
    ProtobufCAllocator memory;
    const struct bytes *parts; /* those behind the first */
    size_t parts_n, parts_used;
    bool *used; /* per part */
    bool from_client;
    int error;       /* first fault that refuses the frame */
    const char *why; /* of error */
    int fault;       /* first fault of the operation being decoded */
    size_t fault_at; /* the entry of an array that has it, from 1; 0: none */
    const char *fault_why;
};

/* ---- faults ---- */

#define refuse(d, code, ...)                                                                                 \
    ((d)->error ? (void)0                                                                                    \
                : (void)((d)->error = (code), (d)->why = arena_print(&(d)->wire->arena, __VA_ARGS__)))

#define blame(d, code, ...)                                                                                  \
    ((d)->fault ? (void)0                                                                                    \
                : (void)((d)->fault = (code), (d)->fault_why = arena_print(&(d)->wire->arena, __VA_ARGS__)))

static void refuse_memory(struct decoder *d)
{
    if (d->wire->arena.refused)
        refuse(d, -E2BIG, "the frame unfolds to more than %llu bytes",
               (unsigned long long)d->wire->bounds.memory_max);
    else
        refuse(d, -ENOMEM, "out of memory");
}

/* A fault found outside every operation is one of the frame. */
static void refuse_fault(struct decoder *d)
{
    if (d->fault)
        refuse(d, -EBADMSG, "%s", d->fault_why);
    d->fault = 0;
    d->fault_at = 0;
}

/* An entry of an array was decoded: the fault is there, if there was none before. */
static void note_entry(struct decoder *d, bool clean, size_t entry)
{
    if (clean && d->fault)
        d->fault_at = entry;
}

static void *take(struct decoder *d, size_t n, size_t size)
{
    void *array = arena_take_array(&d->wire->arena, n, size);

    if (!array)
        refuse_memory(d);
    return array;
}

/* ---- fields ---- */

static struct bytes bytes_of(const ProtobufCBinaryData *in)
{
    return (struct bytes){in->data, in->len};
}

static uint32_t checked_enum(struct decoder *d, const char *name, uint32_t in, uint32_t first, uint32_t last)
{
    if (in < first || in > last)
        blame(d, -EINVAL, "%s is %u; it must be %u to %u", name, in, first, last);
    return in;
}

static uint32_t checked_flags(struct decoder *d, const char *name, uint32_t in, uint32_t all)
{
    if (in & ~all)
        blame(d, -EINVAL, "%s has bits 0x%x that this daemon does not know", name, in & ~all);
    return in;
}

static bool name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.:/-", c));
}

static struct bytes checked_name(struct decoder *d, const char *name, const ProtobufCBinaryData *in)
{
    if (in->len > NAME_BYTES_MAX)
        blame(d, -E2BIG, "%s has %zu bytes; at most %d are allowed", name, in->len, NAME_BYTES_MAX);
    for (size_t i = 0; i < in->len && !d->fault; i++)
        if (!name_byte(in->data[i]))
            blame(d, -EINVAL, "%s has byte 0x%02x at %zu; A-Z a-z 0-9 _ . : / - are allowed", name,
                  in->data[i], i);
    return bytes_of(in);
}

static struct bytes checked_text(struct decoder *d, const char *name, const ProtobufCBinaryData *in,
                                 size_t most)
{
    if (most && in->len > most)
        blame(d, -E2BIG, "%s has %zu bytes; at most %zu are allowed", name, in->len, most);
    return bytes_of(in);
}

static struct secret checked_secret(struct decoder *d, const char *name, const ProtobufCBinaryData *in)
{
    struct secret secret = {{0}};

    if (in->len == SECRET_BYTES)
        memcpy(&secret, in->data, SECRET_BYTES);
    else if (in->len)
        blame(d, -EINVAL, "%s has %zu bytes; it must have %d", name, in->len, SECRET_BYTES);
    return secret;
}

static struct bytes part(struct decoder *d, uint32_t number)
{
    if (number > d->parts_n) {
        refuse(d, -EBADMSG, "a value is said to be part %u of a message with %zu", number, d->parts_n);
        return (struct bytes){0};
    }
    if (d->used[number - 1]) {
        refuse(d, -EBADMSG, "part %u is said to be more than one value", number);
        return (struct bytes){0};
    }
    d->used[number - 1] = true;
    d->parts_used++;
    return d->parts[number - 1];
}

static struct passed *decode_each_passed(struct decoder *d, Goroutined__Passed *const *in, size_t n);
static struct message *decode_each_message(struct decoder *d, Goroutined__Message *const *in, size_t n);

static void decode_value(struct decoder *d, const Goroutined__Value *in, struct value *out)
{
    *out = (struct value){0};
    if (!in)
        return;
    out->flags = in->flags;
    out->body = in->part ? part(d, in->part) : bytes_of(&in->body);
    out->handles = in->n_handles ? decode_each_passed(d, in->handles, in->n_handles) : NULL;
    out->handles_n = out->handles ? in->n_handles : 0;
    out->message = in->message ? decode_each_message(d, &in->message, 1) : NULL;
    if (d->from_client && in->flags)
        blame(d, -EINVAL, "a value has flags 0x%x; only the daemon sets them", in->flags);
    if (d->from_client && in->message)
        blame(d, -EINVAL, "a value says what message it is; only the daemon does");
}

static struct bytes body_of(struct decoder *d, const Goroutined__Value *in)
{
    struct value value;

    decode_value(d, in, &value);
    if (value.handles_n)
        blame(d, -EINVAL, "only values of channels carry handles");
    return value.body;
}

static int32_t outcome_of(int status, uint32_t outcome)
{
    return status ? status_to_error(status) : (int32_t)(outcome & INT32_MAX);
}

static void checked_count(struct decoder *d, const char *name, size_t n, uint64_t first, uint64_t most)
{
    if (n < first || n > most)
        blame(d, n > most ? -E2BIG : -EINVAL, "%s has %zu entries; %llu to %llu are allowed", name, n,
              (unsigned long long)first, (unsigned long long)most);
}

static void *unpack_entry(struct decoder *d, const ProtobufCMessageDescriptor *descriptor,
                          const ProtobufCBinaryData *in)
{
    void *entry = protobuf_c_message_unpack(descriptor, &d->memory, in->len, in->data);

    if (!entry && d->wire->arena.refused)
        refuse_memory(d);
    else if (!entry)
        refuse(d, -EBADMSG, "an entry of %zu bytes is not a %s", in->len, descriptor->short_name);
    return entry;
}

/* ---- messages: one function each, and one for arrays of them ---- */

/* clang-format off */
#define DECODE_NUM(f, bound)     out->f = in->f;
#define DECODE_RANGE(f, bound)   out->f = checked_enum(d, #f, in->f, 1, bound);
#define DECODE_ENUM(f, bound)    out->f = checked_enum(d, #f, in->f, 0, bound);
#define DECODE_FLAGS(f, bound)   out->f = checked_flags(d, #f, in->f, bound);
#define DECODE_NAME(f, bound)    out->f = checked_name(d, #f, &in->f);
#define DECODE_TEXT(f, bound)    out->f = checked_text(d, #f, &in->f, bound);
#define DECODE_SECRET(f, bound)  out->f = checked_secret(d, #f, &in->f);
#define DECODE_BODY(f, bound)    out->f = body_of(d, in->f);
#define DECODE_VALUE(f, bound)   decode_value(d, in->f, &out->f);
#define DECODE_STATUS(f, bound)  out->f = status_to_error(in->f);
#define DECODE_OUTCOME(f, bound) out->f = outcome_of(in->f, in->outcome);
#define DECODE_NUMS(f, bound)    checked_count(d, #f, in->n_##f, 0, bound); out->f = in->f, out->f##_n = in->n_##f;
#define DECODE_ONE(f, name)      out->f = in->f ? decode_each_##name(d, &in->f, 1) : NULL;
#define DECODE_MANY(f, bound)    DECODE_COUNTED(f, 0, ITEM_OF bound, MOST_OF bound)
#define DECODE_SOME(f, bound)    DECODE_COUNTED(f, 1, ITEM_OF bound, MOST_OF bound)
#define DECODE_RAWS(f, bound)    DECODE_RAW(f, RAW_OF bound)
#define ITEM_OF(name, most)      name
#define MOST_OF(name, most)      most
#define RAW_OF(name, least, most) name, least, most
/* One more level, so that the bound is taken apart before names are joined. */
#define DECODE_COUNTED(...)      DECODE_COUNTED_(__VA_ARGS__)
#define DECODE_COUNTED_(f, least, name, most) \
    checked_count(d, #f, in->n_##f, least, most); \
    out->f = in->n_##f ? decode_each_##name(d, in->f, in->n_##f) : NULL; \
    out->f##_n = out->f ? in->n_##f : 0;
#define DECODE_RAW(...)          DECODE_RAW_(__VA_ARGS__)
#define DECODE_RAW_(f, name, least, most) \
    checked_count(d, #f, in->n_##f, least, most); \
    out->f = in->n_##f ? decode_each_raw_##name(d, in->f, in->n_##f) : NULL; \
    out->f##_n = out->f ? in->n_##f : 0;
#define DECODE_FIELD(kind, f, bound) DECODE_##kind(f, bound)
/* clang-format on */

#define DECODE_EACH(name, ctype, entry, at)                                                                  \
    static __attribute__((unused)) ctype *decode_each_##name(struct decoder *d, entry *in, size_t n)         \
    {                                                                                                        \
        ctype *out = n ? take(d, n, sizeof(*out)) : NULL;                                                    \
        for (size_t i = 0; out && i < n && !d->error; i++) {                                                 \
            bool clean = !d->fault;                                                                          \
            decode_##name(d, at in[i], &out[i]);                                                             \
            note_entry(d, clean, i + 1);                                                                     \
        }                                                                                                    \
        return out;                                                                                          \
    }

/* clang-format off */
#define DECODE_MESSAGE(NAME, name, ctype, schema) \
    static void decode_##name(struct decoder *d, const schema *in, ctype *out) \
    { \
        NAME##_FIELDS(DECODE_FIELD) \
    } \
    DECODE_EACH(name, ctype, schema *const, )

/* An entry of an array that protobuf-c left as bytes. */
#define DECODE_RAW_ENTRY(name, ctype, schema) \
    static void decode_raw_##name(struct decoder *d, const ProtobufCBinaryData *in, ctype *out) \
    { \
        struct plain_room room; \
        schema plain, *whole = &plain; \
        if (!plain_read_##name(in, &plain, &room)) \
            whole = unpack_entry(d, &goroutined__##name##__descriptor, in); \
        if (whole) \
            decode_##name(d, whole, out); \
    } \
    DECODE_EACH(raw_##name, ctype, const ProtobufCBinaryData, &)
/* clang-format on */

#define DECODE_VERB(NAME, name, number, flags, help)                                                         \
    static void decode_request_##name(struct decoder *d, const __typeof__(*((Goroutined__Op *)0)->name) *in, \
                                      struct request_##name *out)                                            \
    {                                                                                                        \
        REQUEST_##NAME(DECODE_FIELD)                                                                         \
    }

static struct value *decode_each_raw_value(struct decoder *d, const ProtobufCBinaryData *in, size_t n);
static struct outgoing *decode_each_raw_outgoing(struct decoder *d, const ProtobufCBinaryData *in, size_t n);

MESSAGES(DECODE_MESSAGE)
DECODE_RAW_ENTRY(value, struct value, Goroutined__Value)
DECODE_RAW_ENTRY(outgoing, struct outgoing, Goroutined__Outgoing)
VERBS(DECODE_VERB)

/* ---- operations ---- */

static void unknown_verb(struct decoder *d, const Goroutined__Op *in)
{
    unsigned number = in->base.n_unknown_fields ? in->base.unknown_fields[0].tag : 0;

    if (number)
        blame(d, -EOPNOTSUPP, "verb %u is not known to this daemon", number);
    else
        blame(d, -EINVAL, "the operation names no verb");
}

static void decode_verb(struct decoder *d, const Goroutined__Op *in, struct request *out)
{
    switch (in->verb_case) {
#define VERB_CASE(NAME, name, number, flags, help)                                                           \
    case GOROUTINED__OP__VERB_##NAME:                                                                        \
        out->verb = VERB_##NAME;                                                                             \
        decode_request_##name(d, in->name, &out->name);                                                      \
        break;
        VERBS(VERB_CASE)
#undef VERB_CASE
    default:
        unknown_verb(d, in);
    }
}

static void decode_request(struct decoder *d, const Goroutined__Op *in, struct request *out)
{
    refuse_fault(d);
    out->id = in->id;
    out->run = in->run;
    out->flags = in->flags;
    out->until.kind = checked_enum(d, "until", in->until, UNTIL_FOREVER, UNTIL_IN);
    out->until.ns = in->until_ns;
    out->context = in->context;
    decode_verb(d, in, out);
    if (d->fault) {
        out->verb = VERB_NONE;
        out->fault = d->fault;
        out->fault_text = (struct bytes){d->fault_why, strlen(d->fault_why)};
        out->fault_at = (uint32_t)d->fault_at;
        d->fault = 0;
        d->fault_at = 0;
    }
}

DECODE_EACH(request, struct request, Goroutined__Op *const, )

/* ---- frames ---- */

static void decode_client_frame(struct decoder *d, const Goroutined__ClientFrame *in,
                                struct client_frame *out)
{
    if (in->n_requests > d->wire->bounds.ops_max)
        refuse(d, -E2BIG, "the frame has %zu operations; at most %llu are allowed", in->n_requests,
               (unsigned long long)d->wire->bounds.ops_max);
    else if (in->hello && in->resume)
        refuse(d, -EBADMSG, "the frame says both HELLO and RESUME");
    else {
        CLIENT_FRAME_FIELDS(DECODE_FIELD)
    }
}

static void decode_server_frame(struct decoder *d, const Goroutined__ServerFrame *in,
                                struct server_frame *out)
{
    SERVER_FRAME_FIELDS(DECODE_FIELD)
}

static void *arena_alloc(void *arena, size_t size)
{
    return arena_take(arena, size);
}

static void arena_free(void *arena, void *piece)
{
}

static void decoder_init(struct decoder *d, struct wire *wire, const struct bytes *parts, size_t parts_n)
{
    *d = (struct decoder){.wire = wire, .memory = {arena_alloc, arena_free, &wire->arena}};
    if (!parts_n)
        refuse(d, -EBADMSG, "the message has no part");
    else if (parts_n > WIRE_PARTS_MAX)
        refuse(d, -E2BIG, "the message has %zu parts; at most %d are allowed", parts_n, WIRE_PARTS_MAX);
    else {
        d->parts = parts + 1;
        d->parts_n = parts_n - 1;
        d->used = take(d, d->parts_n, sizeof(*d->used));
    }
}

static void *unpack(struct decoder *d, const ProtobufCMessageDescriptor *descriptor, const struct bytes *head)
{
    if (d->error)
        return NULL;
    void *message = protobuf_c_message_unpack(descriptor, &d->memory, head->size, head->data);
    if (!message && d->wire->arena.refused)
        refuse_memory(d);
    else if (!message)
        refuse(d, -EBADMSG, "the first part (%zu bytes) is not a %s", head->size, descriptor->short_name);
    return message;
}

/* What holds for the frame as a whole; only now is it known that every part was named. */
static int finish(struct decoder *d, const char **why)
{
    refuse_fault(d);
    if (d->parts_used < d->parts_n)
        refuse(d, -EBADMSG, "%zu of %zu parts belong to no value", d->parts_n - d->parts_used, d->parts_n);
    *why = d->why;
    return d->error;
}

int wire_decode_client(struct wire *wire, const struct bytes *parts, size_t parts_n,
                       const struct client_frame **frame, const char **why)
{
    struct decoder d;

    decoder_init(&d, wire, parts, parts_n);
    d.from_client = true;
    Goroutined__ClientFrame *in = unpack(&d, &goroutined__client_frame__descriptor, parts);
    struct client_frame *out = in ? take(&d, 1, sizeof(*out)) : NULL;
    if (out)
        decode_client_frame(&d, in, out);
    *frame = out;
    return finish(&d, why);
}

int wire_decode_server(struct wire *wire, const struct bytes *parts, size_t parts_n,
                       const struct server_frame **frame, const char **why)
{
    struct decoder d;

    decoder_init(&d, wire, parts, parts_n);
    Goroutined__ServerFrame *in = unpack(&d, &goroutined__server_frame__descriptor, parts);
    struct server_frame *out = in ? take(&d, 1, sizeof(*out)) : NULL;
    if (out)
        decode_server_frame(&d, in, out);
    *frame = out;
    return finish(&d, why);
}
