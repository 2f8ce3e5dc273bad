/*
 * wordstat FILE... with workers in other processes: lines, words and bytes of each file in the order of the arguments, and
 * their total, as wc says.
 *
 * Pattern: a stage of N workers that keeps the order of its inputs. A file that cannot be read is told on standard
 * error, and the exit status is 1; the others are counted.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "workers.h"

enum { BLOCK_BYTES = 128 * 1024 };

/* What a worker has found out. */
struct counts {
    int error;
    uint64_t lines, words, bytes;
};

static struct {
    char **file; /* the next outcome is of this one */
    struct counts total;
    int status;
} report;

static bool count_block(struct counts *c, const unsigned char *block, size_t bytes, bool in_word)
{
    for (size_t i = 0; i < bytes; i++) {
        bool space = isspace(block[i]);

        c->lines += block[i] == '\n';
        c->words += !space && !in_word;
        in_word = !space;
    }
    c->bytes += bytes;
    return in_word;
}

/* The task is a name, with its end. */
static struct outcome count_file(const char *name, size_t unused)
{
    static unsigned char block[BLOCK_BYTES];
    struct counts *c = must_alloc(sizeof *c);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool in_word = false;
    ssize_t n = 1;

    (void)unused;
    *c = (struct counts){0};
    while (fd >= 0 && (n = read(fd, block, sizeof block)) > 0)
        in_word = count_block(c, block, (size_t)n, in_word);
    if (fd < 0 || n < 0)
        c->error = -errno;
    if (fd >= 0)
        close(fd);
    return (struct outcome){(char *)c, sizeof *c};
}

static void add_to_report(const char *data, size_t bytes)
{
    const char *name = *report.file++;
    struct counts c;

    memcpy(&c, data, bytes);
    if (c.error) {
        tell_error(name, c.error);
        report.status = STATUS_FAILED;
        return;
    }
    printf("%lu %lu %lu %s\n", c.lines, c.words, c.bytes, name);
    report.total.lines += c.lines;
    report.total.words += c.words;
    report.total.bytes += c.bytes;
}

static int wordstat(struct workers *w, char **files, bool unused)
{
    (void)unused;
    report.file = files;
    for (char **file = files; *file; file++)
        workers_give(w, *file, strlen(*file) + 1);
    workers_settle(w);
    if (files[1])
        printf("%lu %lu %lu total\n", report.total.lines, report.total.words, report.total.bytes);
    return report.status;
}

int main(int argc, char **argv)
{
    static const struct worker_program program = {
        .operands = "FILE...", .run = wordstat, .work = count_file, .take = add_to_report};

    return workers_main(argc, argv, &program);
}
