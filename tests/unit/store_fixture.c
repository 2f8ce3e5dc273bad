#include "store_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct store_fixture *store_fixture_new(const struct store_ops *ops)
{
    struct store_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->ops = ops;
    strcpy(fixture->directory, "/tmp/goroutined-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    return fixture;
}

void store_fixture_open(struct store_fixture *fixture, uint64_t pages_max)
{
    struct store_options options = {.directory = fixture->directory, .pages_max = pages_max, .sync = false};
    char *why = NULL;
    int r = fixture->ops->open(&options, &fixture->store, &fixture->incarnation, &why);

    if (r < 0)
        fail_msg("open: %d %s", r, why ? why : "");
}

void store_fixture_close(struct store_fixture *fixture)
{
    fixture->store = fixture->ops->close(fixture->store);
}

const char *store_fixture_path(const struct store_fixture *fixture, const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    return path;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    return remove(path);
}

void store_fixture_free(struct store_fixture *fixture)
{
    store_fixture_close(fixture);
    nftw(fixture->directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    free(fixture);
}

struct job_row row_ready(uint64_t id)
{
    struct job_row row = {.id = id,
                          .run = 17,
                          .state = JOB_READY,
                          .cause = CAUSE_ERROR,
                          .error = -5,
                          .attempt = 2,
                          .attempts_max = 3,
                          .crashes = 4,
                          .priority = 5,
                          .flags = 6,
                          .uid = 7,
                          .created_us = 8,
                          .due_us = 9,
                          .started_us = 10,
                          .deadline_us = 12,
                          .backoff_ns = 13,
                          .backoff_max_ns = 14,
                          .time_limit_ns = 15,
                          .grace_ns = 16,
                          .op = id + 100,
                          .jitter = 18,
                          .delays = TEXT("12345678"),
                          .plugin = TEXT("/p.so"),
                          .function = TEXT("f"),
                          .queue = TEXT("q"),
                          .key = TEXT("k"),
                          .text = TEXT("why")};

    memset(row.session.byte, 0x5a, sizeof(row.session.byte));
    return row;
}

struct job_row row_done(uint64_t id)
{
    struct job_row row = row_ready(id);

    row.state = JOB_DONE;
    row.ended_us = 99;
    row.text = TEXT("over");
    return row;
}

struct batch *batch_of(struct store_fixture *fixture, enum record_kind kind, const struct job_row *row,
                       struct bytes body)
{
    struct batch *batch = batch_new(++fixture->last_batch);
    struct record *record = record_new(kind, row, body);

    assert_non_null(batch);
    assert_non_null(record);
    batch_append(batch, record);
    return batch;
}

int apply_list(struct store_fixture *fixture, struct list *batches)
{
    struct batch *batch, *after;
    int r = fixture->ops->apply(fixture->store, batches);

    list_each_safe (batch, after, batches, link)
        batch_delete(batch);
    return r;
}

int apply_one(struct store_fixture *fixture, enum record_kind kind, const struct job_row *row,
              struct bytes body)
{
    struct list batches = LIST_INIT(batches);

    list_append(&batches, &batch_of(fixture, kind, row, body)->link);
    return apply_list(fixture, &batches);
}

static int count_job(void *context, const struct job_row *row)
{
    ++*(int *)context;
    return 0;
}

int load_count(struct store_fixture *fixture)
{
    int count = 0;
    struct store_load load = {count_job, &count};

    assert_int_equal(fixture->ops->load(fixture->store, &load, NULL), 0);
    return count;
}

void assert_bytes(struct bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
}
