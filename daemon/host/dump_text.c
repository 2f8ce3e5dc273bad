/*
 * The text of go_dump, bounded: as many goroutines as fit, and a line that says when there are more.
 */
#include "dump_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "goroutine_host.h"

enum { DUMP_BYTES_MAX = 4 << 20, PIECE_BYTES = 256 << 10, ENTRY_BYTES = 8192 };

struct text {
    char *bytes;
    size_t used, room;
    bool cut;
};

struct asked {
    gc_client *client;
    uint64_t number;
};

static bool more_room(struct text *text)
{
    size_t room = text->room ? 2 * text->room : 4 * ENTRY_BYTES;

    if (text->used + ENTRY_BYTES <= text->room)
        return true;
    char *bytes = realloc(text->bytes, room);
    if (!bytes)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

static int add(const struct go_info *info, void *arg)
{
    struct text *text = arg;

    text->cut = text->used + ENTRY_BYTES > DUMP_BYTES_MAX || !more_room(text);
    if (text->cut)
        return 1;
    int n = go_info_format(info, text->bytes + text->used, ENTRY_BYTES);
    text->used += n < ENTRY_BYTES ? (size_t)n : ENTRY_BYTES - 1;
    return 0;
}

static void answer(gc_client *client, uint64_t number, const struct text *text)
{
    for (size_t at = 0; at < text->used; at += PIECE_BYTES) {
        size_t size = text->used - at < PIECE_BYTES ? text->used - at : PIECE_BYTES;

        gc_host_dumped(client, number, text->bytes + at, size, false);
    }
    static const char cut[] = "... and others: there are too many for one dump\n";
    gc_host_dumped(client, number, cut, text->cut ? sizeof cut - 1 : 0, true);
}

static void dump(void *arg)
{
    const struct asked *asked = arg;
    struct text text = {.bytes = NULL};

    go_each(NULL, add, &text);
    answer(asked->client, asked->number, &text);
    free(text.bytes);
}

void dump_goroutines(gc_client *client, uint64_t number)
{
    struct asked asked = {client, number};

    if (go_spawn(dump, &asked, sizeof asked) < 0)
        gc_host_dumped(client, number, NULL, 0, true);
}
