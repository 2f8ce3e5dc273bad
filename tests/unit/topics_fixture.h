/* What tests of the log in the store share: a store, and records of topics, messages and groups in one line. */
#pragma once

#include "store_fixture.h"

/* *state is the store_ops before, a store_fixture with an open store after. */
int topics_set_up(void **state);
/* Whatever a test has done: the file must be sound. */
int topics_tear_down(void **state);
int apply_record(struct store_fixture *fixture, struct record *record);
void put(struct store_fixture *fixture, struct record *record);
struct bytes bytes(const char *text);
void topic(struct store_fixture *fixture, uint64_t id, const char *name);
/* At time sequence + 100. */
struct record *message(uint64_t topic, uint64_t sequence, const char *body);
void publish(struct store_fixture *fixture, uint64_t topic, uint64_t sequence);
void publish_once(struct store_fixture *fixture, uint64_t topic, uint64_t sequence, const char *once);
/* RECORD_MESSAGES_GONE, RECORD_ONCE_GONE, RECORD_SEQUENCE. */
void up_to(struct store_fixture *fixture, enum record_kind kind, uint64_t topic, uint64_t sequence);
/* With so many messages. */
void block(struct store_fixture *fixture, uint64_t topic, uint64_t first, uint64_t last, uint64_t n);
void later(struct store_fixture *fixture, enum record_kind kind, struct later_row row);
void group(struct store_fixture *fixture, enum record_kind kind, struct group_row row);
void ack(struct store_fixture *fixture, enum record_kind kind, struct ack_row row);
