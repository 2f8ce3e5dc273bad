/* Private to the store in memory: durable channels. */
#pragma once

#include "store.h"

struct memory_channel;

/* NULL: out of memory. */
struct memory_channel *memory_channel_new(void);
/* Accepts NULL; returns NULL. */
struct memory_channel *memory_channel_delete(struct memory_channel *channel);
void memory_channels_clear(struct list *channels);
/* Takes a record of a channel or of a value; `fresh` is memory for the channel that a RECORD_CHANNEL makes, and taken too. */
void memory_channel_take(struct list *channels, struct record *record, struct memory_channel *fresh);
/* Channels, then values. 0, or what the callback said. */
int memory_channels_load(const struct list *channels, const struct store_load *load);
