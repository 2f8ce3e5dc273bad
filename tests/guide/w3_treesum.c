/*
 * treesum [--dups] DIR with workers in other processes: the SHA-256 of every regular file below DIR, sorted by path, as
 * sha256sum prints it. --dups: only files that have equals, in groups.
 *
 * Pattern: bounded parallelism. A file that cannot be read is told on standard error, and the exit status is 1. SIGINT
 * cancels a context: whole lines are all that was printed, and the exit status is 130.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workers.h"

enum { STATUS_INTERRUPTED = 128 + SIGINT, BLOCK_BYTES = 128 * 1024 };

/* What a worker has found out. */
struct sum {
    int error;
    char hex[2 * SHA256_DIGEST_SIZE + 1];
};

static struct file {
    char *path;
    struct sum sum;
} * files;
static size_t files_n, taken;
static bool dups;
static int status;

/* ---- in a worker ---- */

static void hex_of(struct sha256_ctx *hash, char *hex)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* The task is a path, with its end. */
static struct outcome hash_file(const char *path, size_t unused)
{
    static unsigned char block[BLOCK_BYTES];
    struct sum *sum = must_alloc(sizeof *sum);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct sha256_ctx hash;
    ssize_t n = 1;

    (void)unused;
    *sum = (struct sum){0};
    sha256_init(&hash);
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0)
        sha256_update(&hash, (size_t)n, block);
    if (fd < 0 || n < 0)
        sum->error = -errno;
    if (fd >= 0)
        close(fd);
    hex_of(&hash, sum->hex);
    return (struct outcome){(char *)sum, sizeof *sum};
}

/* ---- the paths ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static int by_hash_and_path(const void *a, const void *b)
{
    int order = strcmp(((const struct file *)a)->sum.hex, ((const struct file *)b)->sum.hex);

    return order ? order : by_path(a, b);
}

static void fail(const char *path, int error)
{
    tell_error(path, error);
    status = STATUS_FAILED;
}

static void add_file(const char *path)
{
    if ((files_n & (files_n - 1)) == 0) { /* a power of two: room for twice as many */
        files = realloc(files, (files_n ? 2 * files_n : 1) * sizeof *files);
        if (!files)
            abort();
    }
    files[files_n++] = (struct file){.path = strcpy(must_alloc(strlen(path) + 1), path)};
}

static void walk(char *dir)
{
    FTS *tree = fts_open((char *[]){dir, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *e;

    while (tree && (e = fts_read(tree))) {
        if (e->fts_info == FTS_F)
            add_file(e->fts_path);
        else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
            fail(e->fts_path, -e->fts_errno);
    }
    if (!tree || fts_close(tree) < 0)
        fail(dir, -errno);
    if (files_n > 0)
        qsort(files, files_n, sizeof *files, by_path);
}

/* ---- output ---- */

/* As sha256sum: a name with a backslash or a line feed is escaped, and its line begins with a backslash. */
static void print_sum(const struct file *file)
{
    printf("%s%s  ", strpbrk(file->path, "\\\n") ? "\\" : "", file->sum.hex);
    for (const char *c = file->path; *c; c++)
        if (*c == '\n')
            fputs("\\n", stdout);
        else if (*c == '\\')
            fputs("\\\\", stdout);
        else
            putchar(*c);
    putchar('\n');
}

static void take_sum(const char *data, size_t bytes)
{
    struct file *file = &files[taken++];

    memcpy(&file->sum, data, bytes);
    if (file->sum.error)
        fail(file->path, file->sum.error);
    else if (!dups)
        print_sum(file);
}

static void print_groups(void)
{
    bool first = true;

    qsort(files, files_n, sizeof *files, by_hash_and_path);
    for (size_t i = 0, end; i < files_n; i = end) {
        for (end = i + 1; end < files_n && strcmp(files[end].sum.hex, files[i].sum.hex) == 0;)
            end++;
        if (end - i == 1 || files[i].sum.error)
            continue;
        if (!first)
            putchar('\n');
        for (size_t k = i; k < end; k++)
            print_sum(&files[k]);
        first = false;
    }
}

static int treesum(struct workers *w, char **dir, bool only_dups)
{
    dups = only_dups;
    workers_interrupt(w, SIGINT);
    walk(dir[0]);
    for (size_t i = 0; i < files_n && workers_give(w, files[i].path, strlen(files[i].path) + 1); i++)
        continue;
    if (!workers_settle(w))
        status = STATUS_INTERRUPTED;
    else if (dups && files_n > 0)
        print_groups();
    for (size_t i = 0; i < files_n; i++)
        free(files[i].path);
    free(files);
    return status;
}

int main(int argc, char **argv)
{
    static const struct worker_program program = {
        .operands = "DIR", .flag = "dups", .run = treesum, .work = hash_file, .take = take_sum};

    return workers_main(argc, argv, &program);
}
