/* Private to the store in memory: the log of durable topics. */
#pragma once

#include "store.h"

struct memory_log;

/* NULL: out of memory. */
struct memory_log *memory_log_new(void);
/* Accepts NULL; returns NULL. */
struct memory_log *memory_log_delete(struct memory_log *log);
/* Whether the record is one of the log's. */
bool memory_log_has(const struct record *record);
/* What a record of this kind may need, for memory_log_take: *fresh, or NULL where it needs nothing. 0, -ENOMEM. */
int memory_log_prepare(const struct record *record, void **fresh);
void memory_log_take(struct memory_log *log, struct record *record, void *fresh);
/* What a job of a feed says of that; nothing, where it is of none. */
void memory_log_step(struct memory_log *log, const struct feed_step *step);
/* 0, or what the callback said. */
int memory_log_load(const struct memory_log *log, const struct store_load *load);
/* FETCH_MESSAGES, FETCH_LATERS. */
int memory_log_fetch(const struct memory_log *log, const struct fetch *what, struct fetched *out);
