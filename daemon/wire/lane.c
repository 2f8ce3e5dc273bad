#include "lane.h"

#include <errno.h>
#include <string.h>

/* The words of a frame may lie anywhere. */
static uint32_t word_at(const char *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

static char *put_word(char *at, size_t value)
{
    uint32_t word = (uint32_t)value;

    memcpy(at, &word, sizeof(word));
    return at + sizeof(word);
}

ssize_t lane_frame_bytes(const void *data, size_t size, size_t most)
{
    size_t bytes = size < LANE_WORD_BYTES ? 0 : (size_t)word_at(data) + LANE_WORD_BYTES;

    if (size < LANE_WORD_BYTES)
        return 0;
    if (most > LANE_FRAME_BYTES_MAX)
        most = LANE_FRAME_BYTES_MAX;
    return bytes < 2 * LANE_WORD_BYTES || bytes > most ? -EBADMSG : (ssize_t)bytes;
}

ssize_t lane_split(const void *frame, size_t bytes, struct bytes *parts, size_t parts_max)
{
    const char *words = (const char *)frame + LANE_WORD_BYTES, *at = words;
    size_t parts_n = word_at(words), left = bytes - LANE_WORD_BYTES, bodies = 0;

    if (!parts_n || parts_n > left / LANE_WORD_BYTES)
        return -EBADMSG;
    at += parts_n * LANE_WORD_BYTES;
    left -= parts_n * LANE_WORD_BYTES;
    for (size_t i = 1; i < parts_n; i++)
        bodies += word_at(words + i * LANE_WORD_BYTES);
    if (bodies > left)
        return -EBADMSG;
    parts[0] = (struct bytes){at, left - bodies};
    at += left - bodies;
    for (size_t i = 1; i < parts_n && i < parts_max; i++) {
        parts[i] = (struct bytes){at, word_at(words + i * LANE_WORD_BYTES)};
        at += parts[i].size;
    }
    return (ssize_t)(parts_n < parts_max ? parts_n : parts_max);
}

size_t lane_begin_bytes(const struct wire_message *message)
{
    return (2 + message->bodies_n) * LANE_WORD_BYTES + message->head_bytes;
}

size_t lane_message_bytes(const struct wire_message *message)
{
    size_t bytes = lane_begin_bytes(message);

    for (size_t i = 0; i < message->bodies_n; i++)
        bytes += message->bodies[i].size;
    return bytes;
}

void lane_begin(const struct wire_message *message, void *out)
{
    char *at = put_word(out, lane_message_bytes(message) - LANE_WORD_BYTES);

    at = put_word(at, 1 + message->bodies_n);
    for (size_t i = 0; i < message->bodies_n; i++)
        at = put_word(at, message->bodies[i].size);
    wire_pack(message, at);
}

void lane_pack(const struct wire_message *message, void *out)
{
    char *at = (char *)out + lane_begin_bytes(message);

    lane_begin(message, out);
    for (size_t i = 0; i < message->bodies_n; i++) {
        if (message->bodies[i].size)
            memcpy(at, message->bodies[i].data, message->bodies[i].size);
        at += message->bodies[i].size;
    }
}
