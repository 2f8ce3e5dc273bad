/*
 * pgz FILE: compresses a file to standard output, each block of 1 MiB as a gzip member of its own, as many at a time as
 * there are workers. What gunzip makes of it is the file; the bytes are the same for any number of workers.
 *
 * Pattern: worker pool with restored order and back-pressure. The reader takes a slot for each block, the writer gives
 * it back when the block is written: at most N + 2 blocks are in memory, whichever worker is slow. On standard error:
 * how many blocks there were, and how many at most at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "program.h"

enum { MEMBER_BYTES = 1 << 20, GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

struct block {
    unsigned char *plain, *packed;
    size_t plain_bytes, packed_bytes;
    int error;
};

struct pgz {
    go_fd in;
    go_semaphore slots;
    int blocks, blocks_now, blocks_most; /* the reader's, both, the reader's */
    go_mutex lock;                       /* of blocks_now and blocks_most */
};

/* ---- blocks in memory ---- */

static void block_begins(struct pgz *z)
{
    go_semaphore_acquire(&z->slots, 1, GO_FOREVER);
    go_mutex_lock(&z->lock);
    z->blocks_now++;
    if (z->blocks_now > z->blocks_most)
        z->blocks_most = z->blocks_now;
    go_mutex_unlock(&z->lock);
}

static void block_ends(struct pgz *z, struct block *b)
{
    free(b->plain);
    free(b->packed);
    go_mutex_lock(&z->lock);
    z->blocks_now--;
    go_mutex_unlock(&z->lock);
    go_semaphore_release(&z->slots, 1);
}

/* ---- the three steps ---- */

/* The next block of the file. The last is empty, or failed, and not counted. */
static struct block block_read(struct pgz *z)
{
    struct block b = {.plain = must_alloc(MEMBER_BYTES)};
    ssize_t n = 1;

    while (n > 0 && b.plain_bytes < MEMBER_BYTES) {
        n = go_read(z->in, b.plain + b.plain_bytes, MEMBER_BYTES - b.plain_bytes, GO_FOREVER);
        b.plain_bytes += n > 0 ? (size_t)n : 0;
    }
    b.error = n < 0 ? (int)n : 0;
    z->blocks += b.plain_bytes > 0;
    return b;
}

static void block_pack(struct block *b)
{
    z_stream stream = {.next_in = b->plain, .avail_in = (unsigned)b->plain_bytes};

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        go_panic("no memory to compress");
    b->packed_bytes = deflateBound(&stream, b->plain_bytes);
    b->packed = must_alloc(b->packed_bytes);
    stream.next_out = b->packed;
    stream.avail_out = (unsigned)b->packed_bytes;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        go_panic("a block became larger than zlib said");
    b->packed_bytes = stream.total_out;
    deflateEnd(&stream);
}

static int block_write(const struct block *b)
{
    if (b->error)
        return b->error;
    return fwrite(b->packed, 1, b->packed_bytes, program_out()) == b->packed_bytes ? 0 : -EIO;
}

/* Whether another block comes after it. A file without any becomes one empty member. */
static bool block_is_last(const struct pgz *z, const struct block *b)
{
    return b->plain_bytes == 0 && z->blocks > 0;
}

/* ---- in sequence, and with workers ---- */

static int pack_in_sequence(struct pgz *z)
{
    bool more = true;
    int r = 0;

    while (more && r == 0) {
        struct block b;

        block_begins(z);
        b = block_read(z);
        more = b.plain_bytes == MEMBER_BYTES;
        if (!block_is_last(z, &b)) {
            block_pack(&b);
            r = block_write(&b);
        }
        block_ends(z, &b);
    }
    return r;
}

static void read_blocks(go_emitter out, void *arg)
{
    struct pgz *z = *(struct pgz **)arg;
    bool more = true;

    while (more) {
        struct block b;

        block_begins(z);
        b = block_read(z);
        more = b.plain_bytes == MEMBER_BYTES;
        if (block_is_last(z, &b) || go_emit(out, &b) < 0) {
            block_ends(z, &b);
            break;
        }
    }
}

static int pack_stage(const void *in, void *out, void *unused)
{
    struct block *b = out;

    *b = *(const struct block *)in;
    if (!b->error)
        block_pack(b);
    return 1;
}

static int pack_with_workers(struct pgz *z, int workers)
{
    struct go_stage_options options = {.workers = workers, .ordered = true};
    go_receiver plain = go_generate(read_blocks, &z, sizeof z, sizeof(struct block), 0, NULL);
    go_receiver packed = go_stage(plain, pack_stage, NULL, sizeof(struct block), &options);
    struct block b;
    int r = 0;

    if (!packed.from)
        go_panic("no memory for %d workers", workers);
    while (go_receiver_range(packed, &b)) {
        r = r ? r : block_write(&b);
        block_ends(z, &b);
    }
    go_generate_stop(packed);
    return r;
}

static int pgz(const struct program *p)
{
    struct pgz z = {.in = file_open(p->operands[0]), .slots.size = p->workers + 2};
    int r = z.in < 0 ? (int)z.in : 0;

    if (r == 0)
        r = p->sequential ? pack_in_sequence(&z) : pack_with_workers(&z, p->workers);
    if (z.in >= 0)
        go_fd_close(z.in);
    if (r < 0) {
        program_error(p->operands[0], r);
        return STATUS_FAILED;
    }
    program_tell("%d blocks, at most %d at once", z.blocks, z.blocks_most);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    return program_main(argc, argv, "FILE >FILE.gz", NULL, pgz);
}
