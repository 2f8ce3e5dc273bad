/*
 * The entries of long arrays, by hand. Frames are full of small values and messages, and protobuf-c takes several times as
 * long for one as all else that is done with it. So the schema that this folder is built with leaves the entries of some
 * arrays as bytes (fields.h, RAWS; the encoding is the same), and what is plain in them is read and written here: the
 * others, with handles, parts or headers, and all that is malformed, are left to protobuf-c.
 */
#pragma once

#include <stdbool.h>

#include "goroutined.pb-c.h"
#include "message.h"

/* What an entry points at, while it is looked at. */
struct plain_room {
    Goroutined__Value value;
    Goroutined__Message message;
};

/* What protobuf-c would read, without what it does not know; it points into `in`, and to `room`. False: it is not plain. */
bool plain_read_value(const ProtobufCBinaryData *in, Goroutined__Value *out, struct plain_room *room);
bool plain_read_outgoing(const ProtobufCBinaryData *in, Goroutined__Outgoing *out, struct plain_room *room);

/* Bytes that hold it for certain. 0: it is not plain. */
size_t plain_value_room(const struct value *in);
size_t plain_outgoing_room(const struct outgoing *in);

/* Writes what protobuf-c would write of the schema's structs, for a plain one; behind its end. A value that is empty is absent. */
uint8_t *plain_write_value(uint8_t *to, const struct value *in);
uint8_t *plain_write_outgoing(uint8_t *to, const struct outgoing *in);
