/* What both directions of the codec share. Private to this folder. */
#pragma once

#include "arena.h"
#include "goroutined.pb-c.h"
#include "shared.h"
#include "wire.h"

/*
 * Invariant of an encoded message: part i + 1 of the transport is bodies[i], and exactly one Value names it.
 */
struct wire {
    struct wire_bounds bounds;
    struct arena arena;
    struct shared shared;
};

/* The field of an operation that has the message of this verb, or NULL. */
const ProtobufCFieldDescriptor *verb_field(uint32_t verb);
