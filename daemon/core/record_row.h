/* Private to the records: those of the log, of which each kind has a row of one shape. */
#pragma once

#include "record.h"

/* Of so many bytes, without schedule and body. NULL: out of memory. */
struct record *record_alloc(enum record_kind kind, size_t size);
/* Moves *bytes to *tail and steps over it. */
void record_keep(struct bytes *bytes, char **tail);
/* Whether its row is one of record_topic.h. */
bool record_of_topics(enum record_kind kind);
/* Copies the row, which is that of the kind, and the body. NULL: out of memory. */
struct record *record_new_row(enum record_kind kind, const void *row, struct bytes body);
/* The flags of its row; 0: it has none. */
uint32_t record_row_flags(const struct record *record);
