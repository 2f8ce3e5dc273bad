#include "letter.h"

#include <errno.h>
#include <string.h>

static size_t headers_bytes(const struct outgoing *from)
{
    size_t bytes = 0;

    for (size_t i = 0; i < from->headers_n; i++)
        bytes += from->headers[i].name.size + from->headers[i].value.size;
    return bytes;
}

/* To the memory behind a letter, from front to back. */
static struct bytes put(char **room, struct bytes from)
{
    struct bytes copy = {*room, from.size};

    if (from.size)
        memcpy(*room, from.data, from.size);
    *room += from.size;
    return copy;
}

static void put_headers(struct letter *letter, const struct outgoing *from, char **room)
{
    struct header *header = (struct header *)*room;

    *room += from->headers_n * sizeof(*header);
    letter->headers = header;
    letter->headers_n = from->headers_n;
    for (size_t i = 0; i < from->headers_n; i++)
        header[i] = (struct header){put(room, from->headers[i].name), put(room, from->headers[i].value)};
}

size_t letter_memory(struct bytes topic, const struct outgoing *from)
{
    return sizeof(struct letter) + from->headers_n * sizeof(struct header) + topic.size + from->key.size +
           headers_bytes(from) + from->value.body.size;
}

struct letter *letter_new(struct core *core, struct bytes topic, const struct outgoing *from)
{
    size_t memory = letter_memory(topic, from);
    size_t size = memory - sizeof(struct letter) - from->headers_n * sizeof(struct header);
    struct letter *letter = core_take(core, memory);

    if (!letter)
        return NULL;
    char *room = (char *)(letter + 1);
    letter->refs = 1;
    letter->size = (uint32_t)size;
    letter->memory = memory;
    put_headers(letter, from, &room);
    letter->topic = put(&room, topic);
    letter->key = put(&room, from->key);
    letter->body = put(&room, from->value.body);
    return letter;
}

struct letter *letter_ref(struct letter *letter)
{
    letter->refs++;
    return letter;
}

struct letter *letter_drop(struct core *core, struct letter *letter)
{
    if (letter && !--letter->refs)
        core_give(core, letter, letter->memory);
    return NULL;
}

/* Member by member, as fill_value of effect.c. */
void letter_tell(const struct letter *letter, uint64_t lost, struct message *to)
{
    to->topic.data = letter->topic.data;
    to->topic.size = letter->topic.size;
    to->sequence = letter->sequence;
    to->time_us = letter->time_us;
    to->tries = 0;
    to->lost = lost;
    to->key.data = letter->key.data;
    to->key.size = letter->key.size;
    to->headers = letter->headers;
    to->headers_n = letter->headers_n;
    to->of = letter->of;
}

const struct message *letter_told(struct letter *letter)
{
    if (!letter->told.topic.size)
        letter_tell(letter, 0, &letter->told);
    return &letter->told;
}

bool letter_has_room(const struct core *core, const struct channel *channel, const struct letter *letter)
{
    return channel->bytes + letter->size <= core->limits.channel_bytes_max &&
           account_has_room(core, channel->account, SLOT_BYTES, sizeof(struct item) + letter->size);
}

int item_of_letter(struct core *core, struct channel *channel, struct letter *letter, struct item **out)
{
    if (!letter_has_room(core, channel, letter))
        return -ENOBUFS;
    *out = item_load_letter(core, channel, letter);
    return *out ? 0 : -ENOMEM;
}
