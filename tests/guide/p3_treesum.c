/*
 * treesum [--dups] DIR: the SHA-256 of every regular file below DIR, sorted by path, as sha256sum prints it. --dups: only
 * files that have equals, in groups.
 *
 * Pattern: bounded parallelism. The paths are walked and sorted, N workers hash them, and the lines leave in order, each
 * as soon as it can. A file that cannot be read is told on standard error, and the exit status is 1. SIGINT cancels a
 * context: what is being hashed is given up, whole lines are all that was printed, and the exit status is 130.
 */
#include <errno.h>
#include <fts.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

enum { STATUS_INTERRUPTED = 128 + SIGINT };

struct sum {
    char *path; /* owned by the list of paths */
    int error;
    char hex[2 * SHA256_DIGEST_SIZE + 1];
};

/* Until the next run: whoever is cancelled may still look at it. */
static struct sums {
    struct sum *all;
    size_t n, room;
    int status;
} sums;

/* ---- the paths ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct sum *)a)->path, ((const struct sum *)b)->path);
}

static int by_hash_and_path(const void *a, const void *b)
{
    int order = strcmp(((const struct sum *)a)->hex, ((const struct sum *)b)->hex);

    return order ? order : by_path(a, b);
}

static void sums_clear(void)
{
    for (size_t i = 0; i < sums.n; i++)
        free(sums.all[i].path);
    free(sums.all);
    sums = (struct sums){0};
}

static void sums_add(const char *path)
{
    struct sums *s = &sums;

    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->all = must_realloc(s->all, s->room * sizeof *s->all);
    }
    s->all[s->n] = (struct sum){.path = strdup(path)};
    if (!s->all[s->n++].path)
        go_panic("no memory for a path");
}

static void sums_fail(const char *path, int error)
{
    program_error(path, error);
    sums.status = STATUS_FAILED;
}

/* On a spare thread. */
static int walk(void *dir)
{
    FTS *tree = fts_open((char *[]){dir, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *e;

    while (tree && (e = fts_read(tree))) {
        if (e->fts_info == FTS_F)
            sums_add(e->fts_path);
        else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
            sums_fail(e->fts_path, -e->fts_errno);
    }
    if (!tree || fts_close(tree) < 0)
        return -errno;
    if (sums.n > 0)
        qsort(sums.all, sums.n, sizeof *sums.all, by_path);
    return 0;
}

/* ---- hashing ---- */

static void hex_of(struct sha256_ctx *hash, char *hex)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
}

static int hash_file(struct sum *sum, go_ctx *ctx)
{
    unsigned char *block = must_alloc(BLOCK_BYTES);
    go_fd fd = file_open(sum->path);
    struct sha256_ctx hash;
    ssize_t n = fd < 0 ? fd : 1;

    sha256_init(&hash);
    while (n > 0 && (n = go_read(fd, block, BLOCK_BYTES, go_with(ctx))) > 0)
        sha256_update(&hash, (size_t)n, block);
    if (fd >= 0)
        go_fd_close(fd);
    free(block);
    hex_of(&hash, sum->hex);
    return (int)n;
}

static int hash_stage(const void *in, void *out, void *ctx)
{
    struct sum *sum = out;

    *sum = *(const struct sum *)in;
    sum->error = hash_file(sum, ctx);
    return 1;
}

/* ---- output ---- */

/* As sha256sum: a name with a backslash or a line feed is escaped, and its line begins with a backslash. */
static void print_sum(const struct sum *sum)
{
    bool escape = strpbrk(sum->path, "\\\n");
    FILE *out = program_out();

    fprintf(out, "%s%s  ", escape ? "\\" : "", sum->hex);
    for (const char *c = sum->path; *c; c++)
        fputs(*c == '\n' ? "\\n" : *c == '\\' ? "\\\\" : (char[]){*c, 0}, out);
    fputc('\n', out);
}

/* Takes one result, in order of the paths: printed at once, or for --dups kept. */
static void take_sum(const struct sum *sum, size_t at, bool dups)
{
    sums.all[at] = *sum;
    if (sum->error)
        sums_fail(sum->path, sum->error);
    else if (!dups)
        print_sum(sum);
}

static void print_groups(void)
{
    struct sums *s = &sums;
    bool first = true;

    qsort(s->all, s->n, sizeof *s->all, by_hash_and_path);
    for (size_t i = 0, end; i < s->n; i = end) {
        for (end = i + 1; end < s->n && strcmp(s->all[i].hex, s->all[end].hex) == 0;)
            end++;
        if (end - i == 1 || s->all[i].error)
            continue;
        if (!first)
            fputc('\n', program_out());
        for (size_t k = i; k < end; k++)
            print_sum(&s->all[k]);
        first = false;
    }
}

/* ---- the stages ---- */

static void emit_sums(go_emitter out, void *unused)
{
    for (size_t i = 0; i < sums.n; i++)
        if (go_emit(out, &sums.all[i]) < 0)
            break;
}

static void hash_with_workers(const struct program *p, go_ctx *ctx)
{
    struct go_stage_options options = {.workers = p->workers, .ordered = true, .ctx = ctx};
    go_receiver files = go_generate(emit_sums, NULL, 0, sizeof(struct sum), 0, ctx);
    go_receiver results = go_stage(files, hash_stage, ctx, sizeof(struct sum), &options);
    struct sum sum;

    if (!results.from)
        go_panic("no memory for %d workers", p->workers);
    for (size_t i = 0; go_receiver_recv(results, &sum, go_with(ctx)) == 1 && sum.error != -ECANCELED; i++)
        take_sum(&sum, i, p->flag);
    go_generate_stop(results);
}

static void hash_in_sequence(const struct program *p, go_ctx *ctx)
{
    for (size_t i = 0; i < sums.n && !go_ctx_err(ctx); i++) {
        struct sum sum = sums.all[i];

        sum.error = hash_file(&sum, ctx);
        if (sum.error != -ECANCELED)
            take_sum(&sum, i, p->flag);
    }
}

static int treesum(const struct program *p)
{
    go_ctx *ctx = signal_ctx(SIGINT);
    int r;

    sums_clear();
    r = go_blocking(walk, p->operands[0]);
    if (r < 0)
        sums_fail(p->operands[0], r);
    (p->sequential ? hash_in_sequence : hash_with_workers)(p, ctx);
    if (go_ctx_err(ctx))
        sums.status = STATUS_INTERRUPTED;
    else if (p->flag)
        print_groups();
    go_ctx_unref(ctx);
    return sums.status;
}

int main(int argc, char **argv)
{
    signal_block(SIGINT);
    return program_main(argc, argv, "DIR", "dups", treesum);
}
