/* What tests of the store share: a state directory of their own, rows, and batches in one line. */
#pragma once

#include "store.h"

struct store_fixture {
    const struct store_ops *ops;
    struct store *store;
    uint64_t incarnation, last_batch;
    char directory[64];
};

/* A fresh directory; the store is not open. */
struct store_fixture *store_fixture_new(const struct store_ops *ops);
/* Closes, and removes the directory. */
void store_fixture_free(struct store_fixture *fixture);
/* Opens with these options; fails the test when it does not open. */
void store_fixture_open(struct store_fixture *fixture, uint64_t pages_max);
void store_fixture_close(struct store_fixture *fixture);
/* Path of a file of the directory; lives until the next call. */
const char *store_fixture_path(const struct store_fixture *fixture, const char *name);

#define TEXT(text) ((struct bytes){(text), sizeof(text) - 1})

/* A ready job with every column different from 0. */
struct job_row row_ready(uint64_t id);
/* The same, ended. */
struct job_row row_done(uint64_t id);
/* A batch with one record. */
struct batch *batch_of(struct store_fixture *fixture, enum record_kind kind, const struct job_row *row,
                       struct bytes body);
/* Applies that batch alone. What apply gave. */
int apply_one(struct store_fixture *fixture, enum record_kind kind, const struct job_row *row,
              struct bytes body);
/* Applies and frees. */
int apply_list(struct store_fixture *fixture, struct list *batches);
/* Rows the store gives to load. */
int load_count(struct store_fixture *fixture);
void assert_bytes(struct bytes bytes, const char *text);
