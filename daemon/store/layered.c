/*
 * The store of a daemon with a disk: what is durable is in the SQLite store, and jobs of queues and topics with durability `none`
 * in one in memory beside it, which goes with the daemon.
 *
 * A batch may have records of both. The memory for its part of them is there before the disk is asked, and taken after: so all
 * of it happens or nothing. Each store passes over the records of the other (record_durability).
 */
#include "layered.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "fetched.h"
#include "memory.h"
#include "why.h"

struct store {
    struct store *disk, *memory;
};

static struct store *layered_close(struct store *store)
{
    if (!store)
        return NULL;
    store_sqlite.close(store->disk);
    store_memory.close(store->memory);
    free(store);
    return NULL;
}
DEFINE_CLEANUP(struct store *, layered_close)

static int layered_open(const struct store_options *options, struct store **out, uint64_t *incarnation,
                        char **why)
{
    _cleanup_(layered_closep) struct store *store = calloc(1, sizeof(*store));
    struct store_options beside = {.beside = true};
    uint64_t none;

    if (!store)
        return why_set(why, -ENOMEM, "out of memory");
    int r = store_sqlite.open(options, &store->disk, incarnation, why);
    if (r == 0)
        r = store_memory.open(&beside, &store->memory, &none, why);
    if (r < 0)
        return r;
    *out = store;
    store = NULL;
    return 0;
}

static int layered_load(struct store *store, const struct store_load *load, char **why)
{
    return store_sqlite.load(store->disk, load, why);
}

static bool in_memory(const struct list *batches)
{
    const struct batch *batch;

    list_each (batch, batches, link)
        if (batch->on_disk)
            return false;
    return true;
}

static int layered_apply(struct store *store, const struct list *batches)
{
    struct list changes = LIST_INIT(changes);
    int r = memory_prepare(store->memory, &changes, batches);

    if (r == 0 && !in_memory(batches))
        r = store_sqlite.apply(store->disk, batches);
    if (r == 0)
        memory_commit(store->memory, &changes);
    memory_forget(&changes);
    return r;
}

/* ---- fetches ---- */

/* The rows of both, by id, at most so many; what is behind the end of a page is not looked at yet. */
static int merge(const struct fetched *memory, struct fetched *disk, uint32_t limit)
{
    size_t n = 0, m = 0, d = 0, all = memory->rows_n + disk->rows_n;
    uint64_t end = UINT64_MAX;
    struct job_row *rows = fetched_memory(disk, (all + 1) * sizeof(*rows));

    if (!rows)
        return -ENOMEM;
    if (memory->more && memory->rows_n)
        end = memory->rows[memory->rows_n - 1].id;
    if (disk->more && disk->rows_n && disk->rows[disk->rows_n - 1].id < end)
        end = disk->rows[disk->rows_n - 1].id;
    while (n < limit && (m < memory->rows_n || d < disk->rows_n)) {
        bool first = d == disk->rows_n || (m < memory->rows_n && memory->rows[m].id < disk->rows[d].id);
        const struct job_row *row = first ? &memory->rows[m] : &disk->rows[d];
        if (row->id > end)
            break;
        rows[n++] = *row;
        *(first ? &m : &d) += 1;
    }
    disk->more = disk->more || memory->more || n < all;
    disk->rows = rows;
    disk->rows_n = n;
    return 0;
}

/* How far both have looked. One that has no more has looked as far as it was asked to. */
static uint64_t looked(const struct fetched *a, const struct fetched *b)
{
    bool either = a->more == b->more, least = a->more && b->more;

    if (!either)
        return a->more ? a->offset : b->offset;
    return (a->offset < b->offset) == least ? a->offset : b->offset;
}

/* The messages of both, by sequence, as far as both have looked. */
static int merge_messages(const struct fetched *memory, struct fetched *disk, const struct fetch *what)
{
    size_t n = 0, m = 0, d = 0, all = memory->messages_n + disk->messages_n;
    uint64_t bytes = 0, end = looked(memory, disk);
    struct kept_message *messages = fetched_memory(disk, all * sizeof(*messages));

    if (!messages)
        return -ENOMEM;
    disk->more = disk->more || memory->more;
    for (; m + d < all; n++) {
        bool first = d == disk->messages_n || (m < memory->messages_n && memory->messages[m].row.sequence <
                                                                             disk->messages[d].row.sequence);
        const struct kept_message *next = first ? &memory->messages[m++] : &disk->messages[d++];
        bytes += next->row.key.size + next->row.headers.size + next->body.size;
        if (next->row.sequence > end)
            break;
        if (n == what->limit || (n && bytes > what->bytes)) {
            disk->more = true;
            end = messages[n - 1].row.sequence;
            break;
        }
        messages[n] = *next;
    }
    disk->messages = messages;
    disk->messages_n = n;
    disk->offset = end;
    return 0;
}

/* Of both. */
static int fetch_list(struct store *store, const struct fetch *what, struct fetched *out)
{
    struct fetched memory;
    int r = store_memory.fetch(store->memory, what, &memory);

    if (r < 0)
        return r;
    r = store_sqlite.fetch(store->disk, what, out);
    if (r == 0 && memory.rows_n)
        r = merge(&memory, out, what->limit);
    if (r == 0 && what->kind != FETCH_JOBS)
        r = merge_messages(&memory, out, what);
    if (r < 0) {
        fetched_clear(&memory);
        return r;
    }
    list_splice(&out->memory, &memory.memory); /* the words of its rows */
    return 0;
}

/* Of one job, or the job of one operation: the disk is asked when memory does not have it. */
static int layered_fetch(struct store *store, const struct fetch *what, struct fetched *out)
{
    if (what->kind == FETCH_BACKUP)
        return store_sqlite.fetch(store->disk, what, out);
    if (what->kind == FETCH_JOBS || what->kind == FETCH_MESSAGES || what->kind == FETCH_LATERS)
        return fetch_list(store, what, out);
    int r = store_memory.fetch(store->memory, what, out);
    bool nothing = r == 0 && what->kind == FETCH_OUTPUT && out->body.size == 0;
    if (nothing)
        fetched_clear(out);
    return r == -ENOENT || nothing ? store_sqlite.fetch(store->disk, what, out) : r;
}

/* ---- what only a disk has ---- */

static const char *layered_warning(void)
{
    return store_sqlite.warning();
}

static int layered_backup(struct store *store, int64_t wall_ns, const atomic_bool *stop, struct fetched *out)
{
    return store_sqlite.backup(store->disk, wall_ns, stop, out);
}

static int layered_tidy(struct store *store, bool idle)
{
    return store_sqlite.tidy(store->disk, idle);
}

static int layered_ballast(struct store *store, bool keep)
{
    return store_sqlite.ballast(store->disk, keep);
}

static void layered_size(const struct store *store, uint64_t *file_bytes, uint64_t *log_bytes)
{
    store_sqlite.size(store->disk, file_bytes, log_bytes);
}

static int layered_fsck(const struct store_options *options, void (*say)(void *context, const char *line),
                        void *context)
{
    return store_sqlite.fsck(options, say, context);
}

const struct store_ops store_layered = {
    .name = "sqlite",
    .at_once = in_memory,
    .warning = layered_warning,
    .open = layered_open,
    .load = layered_load,
    .apply = layered_apply,
    .fetch = layered_fetch,
    .backup = layered_backup,
    .tidy = layered_tidy,
    .ballast = layered_ballast,
    .size = layered_size,
    .fsck = layered_fsck,
    .close = layered_close,
};
