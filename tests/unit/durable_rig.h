/* A rig whose batches wait until the test has them stored, in a store that outlives its core. */
#pragma once

#include "core_fixture.h"

struct durable_rig {
    struct rig *rig;
    struct store *store;
    struct list waiting; /* struct batch */
};

struct durable_rig *durable_rig_new(const struct limits *limits);
void durable_rig_delete(struct durable_rig *self);
/* All that waits is stored and reported, what is asked of the log answered, and what comes of that, until nothing waits. */
void stored(struct durable_rig *self);
/* The first question to the log that nobody has answered is. */
void fetched(struct durable_rig *self);
/* The first `n` batches that wait are stored and reported together. */
void stored_some(struct durable_rig *self, size_t n);
/* The store is full: admissions fail, news is stored. */
void store_full(struct durable_rig *self);
size_t waiting(const struct durable_rig *self);
/* The daemon dies and starts again: the first `n` batches that wait were stored, nobody was told. */
void crash(struct durable_rig *self, size_t n);

/* ---- two clients of one channel ---- */

extern struct durable_rig *d; /* of the test that runs */
extern struct client *a, *b;
extern uint64_t ha, hb; /* their handles of it */

/* A fresh rig, and a channel "d" of capacity 4. */
int durable_setup(void **state);
int durable_teardown(void **state);
/* Two new clients. */
void meet(void);
void open_both(uint64_t capacity, uint32_t flags);
/* Opens or finds; waits for the store. Its handle; 0: refused. */
uint64_t durable(struct client *c, const char *name, uint64_t capacity, uint32_t flags);
/* Values by a, one per blank, which are stored. */
void send_stored(const char *values);
/* A receive whose result has come, or that waits. */
uint64_t receive(struct client *c, uint64_t handle, uint32_t max);
/* A crash that loses what waits, two new clients, and the channel opened again. */
void restart(void);
