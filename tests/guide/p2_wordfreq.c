/*
 * wordfreq FILE...: how often each word occurs in all files together, the most frequent first, ties by word. A word is a
 * run of A to Z and a to z, lower-cased.
 *
 * Pattern: map-reduce by fan-out and fan-in. N mappers take file names from one channel and each fills a table of its
 * own; the reducer merges the tables as they come. A file that cannot be read is told on standard error, and the exit
 * status is 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "program.h"

enum { WORD_BYTES_MAX = 1 << 20 }; /* a longer run of letters is cut there */

static int by_count_and_word(const struct count *a, const struct count *b)
{
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : strcmp(a->text, b->text);
}

/* ---- mapping: one file into a table ---- */

struct scan {
    struct count **table;
    char *word; /* the one that is not at its end */
    size_t bytes;
};

static void scan_end_word(struct scan *s)
{
    if (s->bytes > 0)
        counts_add(s->table, s->word, s->bytes, 1);
    s->bytes = 0;
}

static void scan_block(struct scan *s, const char *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)(block[i] | 0x20);

        if (c < 'a' || c > 'z' || s->bytes == WORD_BYTES_MAX)
            scan_end_word(s);
        if (c >= 'a' && c <= 'z')
            s->word[s->bytes++] = c;
    }
}

static int map_file(const char *name, struct count **table)
{
    struct scan s = {.table = table, .word = must_alloc(WORD_BYTES_MAX)};
    char *block = must_alloc(BLOCK_BYTES);
    go_fd fd = file_open(name);
    ssize_t n = fd < 0 ? fd : 1;

    while (n > 0 && (n = go_read(fd, block, BLOCK_BYTES, GO_FOREVER)) > 0)
        scan_block(&s, block, (size_t)n);
    scan_end_word(&s);
    if (fd >= 0)
        go_fd_close(fd);
    free(block);
    free(s.word);
    if (n < 0)
        program_error(name, (int)n);
    return (int)n;
}

/* ---- fan-out and fan-in ---- */

struct part {
    struct count *table;
    int status;
};

struct mapper {
    go_receiver names;
    go_sender parts;
};

static void mapper_run(void *arg)
{
    struct mapper *m = arg;
    struct part part = {0};
    char *name;

    while (go_receiver_range(m->names, &name))
        if (map_file(name, &part.table) < 0)
            part.status = STATUS_FAILED;
    go_sender_send(m->parts, &part, GO_FOREVER);
}

static void name_files(go_emitter out, void *arg)
{
    for (char **name = *(char ***)arg; *name; name++)
        if (go_emit(out, name) < 0)
            break;
}

static int map_with_workers(const struct program *p, struct count **table)
{
    go_receiver names = go_generate(name_files, &p->operands, sizeof p->operands, sizeof(char *), 0, NULL);
    go_chan *parts = go_chan_new(sizeof(struct part), 0);
    struct mapper mapper = {names, go_chan_sender(parts)};
    int status = STATUS_OK;

    if (!names.from || !parts)
        go_panic("no memory for %d workers", p->workers);
    for (int i = 0; i < p->workers; i++)
        if (go_spawn(mapper_run, &mapper, sizeof mapper) < 0)
            go_panic("cannot start worker %d", i);
    for (int i = 0; i < p->workers; i++) {
        struct part part;

        go_chan_recv(parts, &part, GO_FOREVER);
        counts_merge(table, part.table);
        status |= part.status;
    }
    go_chan_unref(parts);
    go_generate_stop(names);
    return status;
}

static int wordfreq(const struct program *p)
{
    struct count *table = NULL;
    int status = STATUS_OK;

    if (!p->sequential)
        status = map_with_workers(p, &table);
    for (int i = 0; p->sequential && i < p->operands_n; i++)
        if (map_file(p->operands[i], &table) < 0)
            status = STATUS_FAILED;
    counts_print(table, by_count_and_word);
    return status;
}

int main(int argc, char **argv)
{
    return program_main(argc, argv, "FILE...", NULL, wordfreq);
}
