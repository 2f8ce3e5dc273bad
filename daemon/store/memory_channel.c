/* Durable channels in the store in memory: the records themselves, values in the order in which they entered. */
#include "memory_channel.h"

#include <stdlib.h>

struct memory_channel {
    struct list link;
    struct record *row;
    struct list values; /* struct record */
};

struct memory_channel *memory_channel_new(void)
{
    struct memory_channel *channel = calloc(1, sizeof(*channel));

    if (!channel)
        return NULL;
    list_init(&channel->link);
    list_init(&channel->values);
    return channel;
}

struct memory_channel *memory_channel_delete(struct memory_channel *channel)
{
    struct record *value, *after;

    if (!channel)
        return NULL;
    list_each_safe (value, after, &channel->values, link)
        record_delete(value);
    list_remove(&channel->link);
    record_delete(channel->row);
    free(channel);
    return NULL;
}

void memory_channels_clear(struct list *channels)
{
    struct memory_channel *channel, *after;

    list_each_safe (channel, after, channels, link)
        memory_channel_delete(channel);
}

static struct memory_channel *find(struct list *channels, uint64_t id)
{
    struct memory_channel *channel;

    list_each (channel, channels, link)
        if (channel->row->channel.id == id)
            return channel;
    return NULL;
}

/* A new one, or one that has changed. */
static void take_row(struct list *channels, struct memory_channel *old, struct record *record,
                     struct memory_channel *fresh)
{
    struct memory_channel *channel = old ? old : fresh;

    if (old)
        memory_channel_delete(fresh);
    else
        list_append(channels, &channel->link);
    record_delete(channel->row);
    channel->row = record;
}

static void take_gone(struct memory_channel *channel, uint64_t sequence)
{
    struct record *value, *after;

    list_each_safe (value, after, &channel->values, link)
        if (value->value.sequence == sequence) {
            record_delete(value);
            return;
        }
}

void memory_channel_take(struct list *channels, struct record *record, struct memory_channel *fresh)
{
    bool of_value = record->kind >= RECORD_VALUE;
    struct memory_channel *channel = find(channels, of_value ? record->value.channel : record->channel.id);

    if (record->kind == RECORD_CHANNEL)
        return take_row(channels, channel, record, fresh);
    if (channel && of_value && record->kind != RECORD_VALUE_GONE) {
        list_append(&channel->values, &record->link);
        return;
    }
    if (channel && record->kind == RECORD_CHANNEL_SEEN)
        channel->row->channel.seen = record->channel.seen;
    else if (channel && record->kind == RECORD_VALUE_GONE)
        take_gone(channel, record->value.sequence);
    else if (channel)
        memory_channel_delete(channel);
    record_delete(record);
}

int memory_channels_load(const struct list *channels, const struct store_load *load)
{
    const struct memory_channel *channel;
    const struct record *value;
    int r = 0;

    list_each (channel, channels, link)
        if (r == 0 && load->channel)
            r = load->channel(load->context, &channel->row->channel);
    list_each (channel, channels, link)
        list_each (value, &channel->values, link)
            if (r == 0 && load->value)
                r = load->value(load->context, &value->value, value->body);
    return r;
}
