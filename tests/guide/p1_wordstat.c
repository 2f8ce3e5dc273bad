/*
 * wordstat FILE...: lines, words and bytes of each file in the order of the arguments, and their total, as wc says.
 *
 * Pattern: a stage of N workers that keeps the order of its inputs. A file that cannot be read is told on standard
 * error, and the exit status is 1; the others are counted.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "program.h"

struct counts {
    const char *name;
    int error;
    uint64_t lines, words, bytes;
};

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

static struct counts count_file(const char *name)
{
    struct counts c = {.name = name};
    unsigned char *block = must_alloc(BLOCK_BYTES);
    go_fd fd = file_open(name);
    bool in_word = false;
    ssize_t n = fd < 0 ? fd : 1;

    while (n > 0 && (n = go_read(fd, block, BLOCK_BYTES, GO_FOREVER)) > 0)
        in_word = count_block(&c, block, (size_t)n, in_word);
    c.error = (int)n;
    if (fd >= 0)
        go_fd_close(fd);
    free(block);
    return c;
}

/* ---- output ---- */

struct report {
    struct counts total;
    int status;
};

static void report_add(struct report *r, const struct counts *c)
{
    if (c->error) {
        program_error(c->name, c->error);
        r->status = STATUS_FAILED;
        return;
    }
    fprintf(program_out(), "%lu %lu %lu %s\n", c->lines, c->words, c->bytes, c->name);
    r->total.lines += c->lines;
    r->total.words += c->words;
    r->total.bytes += c->bytes;
}

/* ---- the stages ---- */

static void name_files(go_emitter out, void *arg)
{
    for (char **name = *(char ***)arg; *name; name++)
        if (go_emit(out, name) < 0)
            break;
}

static int count_stage(const void *in, void *out, void *unused)
{
    *(struct counts *)out = count_file(*(char *const *)in);
    return 1;
}

static void count_with_workers(const struct program *p, struct report *r)
{
    struct go_stage_options options = {.workers = p->workers, .ordered = true};
    go_receiver names = go_generate(name_files, &p->operands, sizeof p->operands, sizeof(char *), 0, NULL);
    go_receiver counts = go_stage(names, count_stage, NULL, sizeof(struct counts), &options);
    struct counts c;

    if (!counts.from)
        go_panic("no memory for %d workers", p->workers);
    while (go_receiver_range(counts, &c))
        report_add(r, &c);
    go_generate_stop(counts);
}

static int wordstat(const struct program *p)
{
    struct report r = {.total.name = "total"};

    if (!p->sequential)
        count_with_workers(p, &r);
    for (int i = 0; p->sequential && i < p->operands_n; i++) {
        struct counts c = count_file(p->operands[i]);

        report_add(&r, &c);
    }
    if (p->operands_n > 1)
        fprintf(program_out(), "%lu %lu %lu %s\n", r.total.lines, r.total.words, r.total.bytes, r.total.name);
    return r.status;
}

int main(int argc, char **argv)
{
    return program_main(argc, argv, "FILE...", NULL, wordstat);
}
