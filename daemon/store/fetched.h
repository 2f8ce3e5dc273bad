/* What a fetch gives back: rows and bodies, copied to memory of their own. */
#pragma once

#include "store.h"

void fetched_init(struct fetched *fetched);
/* `size` bytes that live until fetched_clear; NULL: out of memory. */
void *fetched_memory(struct fetched *fetched, size_t size);
/* Appends a copy of the row; there is room for `limit` of them, made with the first. 0, -ENOMEM. */
int fetched_row(struct fetched *fetched, const struct job_row *row, size_t limit);
/* Sets the body to a copy. 0, -ENOMEM. */
int fetched_body(struct fetched *fetched, struct bytes body);
/* Appends a copy of the message; as fetched_row. */
int fetched_message(struct fetched *fetched, const struct message_row *row, struct bytes body, size_t limit);
/* The next message does not fit: the next fetch begins with it. */
void fetched_full(struct fetched *fetched);
/* Whether FETCH_MESSAGES asks for messages of this topic. */
bool fetch_wants(const struct fetch *what, uint64_t topic);
/* So many messages are looked at by one fetch: what follows is for the next one. */
enum { FETCH_LOOKS = 16384 };
