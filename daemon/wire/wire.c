#include "codec.h"

#include <stdlib.h>

struct wire *wire_new(const struct wire_bounds *bounds)
{
    struct wire *wire = malloc(sizeof(*wire));

    if (!wire)
        return NULL;
    wire->bounds = *bounds;
    arena_init(&wire->arena, bounds->memory_max);
    shared_init(&wire->shared);
    return wire;
}

struct wire *wire_delete(struct wire *wire)
{
    if (!wire)
        return NULL;
    arena_destroy(&wire->arena);
    shared_destroy(&wire->shared);
    free(wire);
    return NULL;
}

void wire_share(struct wire *wire)
{
    shared_begin(&wire->shared);
}

void wire_unshare(struct wire *wire)
{
    shared_end(&wire->shared);
}

void wire_reset(struct wire *wire)
{
    arena_reset(&wire->arena);
}

void wire_pack(const struct wire_message *message, void *head)
{
    protobuf_c_message_pack(message->head, head);
}

const ProtobufCFieldDescriptor *verb_field(uint32_t verb)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&goroutined__op__descriptor, verb);

    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field : NULL;
}

/* The schema numbers verbs as the table does. */
#define VERB_IS_FIELD(NAME, name, number, flags, help)                                                       \
    static_assert((int)GOROUTINED__OP__VERB_##NAME == number, "verb " #name " has another number");
VERBS(VERB_IS_FIELD)
