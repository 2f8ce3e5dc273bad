/* What both directions of the codec share. Private to this folder. */
#pragma once

#include "arena.h"
#include "goroutined.pb-c.h"
#include "wire.h"

/*
 * Invariant of an encoded message: part i + 1 of the transport is bodies[i], and exactly one Value names it.
 */
struct wire {
    struct wire_bounds bounds;
    struct arena arena;
};

/* The descriptor of the message of a verb, or NULL. */
const ProtobufCMessageDescriptor *verb_descriptor(uint32_t verb);
