/*
 * A file's parts are collected in a table of its own, and added to the sum when its last part has come: until
 * then a newer run of its job may start again from the first part.
 */
#include "tally.h"

#include <assert.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counts.h"

int tally_add(struct tally *tally, const char *path)
{
    char *copy;

    if (tally->files_n == tally->room) {
        size_t room = tally->room ? 2 * tally->room : 1024;
        struct file *files = realloc(tally->files, room * sizeof *files);

        if (!files)
            return -ENOMEM;
        tally->files = files;
        tally->room = room;
    }
    copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    tally->files[tally->files_n++] = (struct file){.path = copy};
    return 0;
}

/* The first line of a value. */
struct header {
    char mark;
    uint64_t tag, run, part, lines, bytes;
};

/* Reads the header; the length of its line, or -EBADMSG. */
static int header_read(const char *text, size_t size, struct header *header)
{
    char line[COUNTS_HEADER_BYTES];
    const char *end = memchr(text, '\n', size < sizeof line ? size : sizeof line);

    if (!end)
        return -EBADMSG;
    memcpy(line, text, (size_t)(end - text));
    line[end - text] = '\0';
    if (sscanf(line, "%c %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &header->mark,
               &header->tag, &header->run, &header->part, &header->lines, &header->bytes) != 6)
        return -EBADMSG;
    return (int)(end - text) + 1;
}

/* Adds the lines "COUNT WORD". */
static int add_lines(struct words *words, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        char *word = NULL;
        uint64_t times = newline && isdigit((unsigned char)*text) ? strtoull(text, &word, 10) : 0;
        int r;

        if (!word || word >= newline || *word != ' ')
            return -EBADMSG;
        r = words_add(words, word + 1, (size_t)(newline - word - 1), times);
        if (r < 0)
            return r;
        text = newline + 1;
    }
    return 0;
}

static int words_merge(struct words *to, const struct words *from)
{
    for (const struct word *word = from->table; word; word = word->hh.next) {
        int r = words_add(to, word->text, word->size, word->count);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Whether the part is the next of its run; the first part of a newer run throws the older run away. */
static bool part_wanted(struct file *file, const struct header *header)
{
    if (file->state != FILE_WAITING || header->run < file->run)
        return false;
    if (header->run > file->run) {
        words_clear(&file->words);
        file->run = header->run;
        file->parts = 0;
    }
    return header->part == file->parts;
}

static int file_counted(struct tally *tally, struct file *file, const struct header *header)
{
    int r;

    assert(file->state == FILE_WAITING && tally->counted + tally->failed < tally->files_n);
    r = words_merge(&tally->words, &file->words);
    words_clear(&file->words);
    file->state = FILE_COUNTED;
    tally->counted++;
    tally->lines += header->lines;
    tally->bytes += header->bytes;
    return r;
}

int tally_take(struct tally *tally, const char *text, size_t size)
{
    struct header header;
    struct file *file;
    int begin = header_read(text, size, &header);
    int r;

    if (begin < 0 || header.tag >= tally->files_n)
        return -EBADMSG;
    file = &tally->files[header.tag];
    if (!part_wanted(file, &header))
        return 0;
    file->parts++;
    r = add_lines(&file->words, text + begin, size - (size_t)begin);
    return r == 0 && header.mark == COUNTS_LAST ? file_counted(tally, file, &header) : r;
}

bool tally_fail(struct tally *tally, size_t tag)
{
    struct file *file = tag < tally->files_n ? &tally->files[tag] : NULL;

    if (!file || file->state != FILE_WAITING)
        return false;
    words_clear(&file->words);
    file->state = FILE_FAILED;
    tally->failed++;
    return true;
}

const char *tally_take_error(struct tally *tally, const char *text)
{
    char *reason;
    size_t tag = strtoull(text, &reason, 10);

    return *reason == ' ' && tally_fail(tally, tag) ? reason + 1 : NULL;
}

bool tally_complete(const struct tally *tally)
{
    return tally->counted + tally->failed == tally->files_n;
}

void tally_clear(struct tally *tally)
{
    for (size_t i = 0; i < tally->files_n; i++) {
        words_clear(&tally->files[i].words);
        free(tally->files[i].path);
    }
    free(tally->files);
    words_clear(&tally->words);
    *tally = (struct tally){0};
}
