/*
 * Any bytes through the decoder, both ways. What it takes must survive: encoded and decoded again it is the
 * same frame, that is, encodes to the same bytes.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire.h"

/* The bytes of an encoded frame, so that they can be compared and decoded again. */
struct encoded {
    struct bytes *parts; /* the first is owned */
    size_t parts_n;
};

static struct encoded encoded_of(const struct wire_message *message)
{
    struct encoded out = {malloc((message->bodies_n + 1) * sizeof(*out.parts)), message->bodies_n + 1};
    void *head = malloc(message->head_bytes + 1);

    assert(out.parts && head);
    wire_pack(message, head);
    out.parts[0] = (struct bytes){head, message->head_bytes};
    if (message->bodies_n)
        memcpy(&out.parts[1], message->bodies, message->bodies_n * sizeof(*out.parts));
    return out;
}

static void encoded_free(struct encoded *encoded)
{
    free((void *)(uintptr_t)encoded->parts[0].data);
    free(encoded->parts);
}

static bool encoded_equal(const struct encoded *a, const struct encoded *b)
{
    if (a->parts_n != b->parts_n)
        return false;
    for (size_t i = 0; i < a->parts_n; i++)
        if (a->parts[i].size != b->parts[i].size ||
            (a->parts[i].size && memcmp(a->parts[i].data, b->parts[i].data, a->parts[i].size) != 0))
            return false;
    return true;
}

/* Decodes and encodes once. False: refused, with words. */
static bool pass(struct wire *wire, bool client, const struct bytes *parts, size_t parts_n,
                 struct encoded *out)
{
    const struct client_frame *from_client;
    const struct server_frame *from_server;
    struct wire_message message;
    const char *why = NULL;
    int r = client ? wire_decode_client(wire, parts, parts_n, &from_client, &why)
                   : wire_decode_server(wire, parts, parts_n, &from_server, &why);

    if (r < 0) {
        assert(why && *why);
        return false;
    }
    r = client ? wire_encode_client(wire, from_client, &message)
               : wire_encode_server(wire, from_server, &message);
    if (r < 0)
        return false;
    *out = encoded_of(&message);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wire_bounds bounds = {.ops_max = 64, .memory_max = 1 << 20};
    struct wire *wire = wire_new(&bounds);
    struct feed feed = {data, size};
    struct bytes parts[FEED_PARTS_MAX];
    struct encoded once, twice;
    bool client = feed_byte(&feed) & 1;
    size_t parts_n = feed_message(&feed, parts);

    assert(wire);
    if (pass(wire, client, parts, parts_n, &once)) {
        bool again = pass(wire, client, once.parts, once.parts_n, &twice);
        if (again) {
            if (!encoded_equal(&once, &twice))
                abort();
            encoded_free(&twice);
        }
        encoded_free(&once);
    }
    wire_delete(wire);
    return 0;
}
