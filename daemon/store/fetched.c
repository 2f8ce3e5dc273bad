/* What a fetch gives back. One block of memory per row and body. */
#include "fetched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct list link;
    max_align_t bytes[];
};

void fetched_init(struct fetched *fetched)
{
    *fetched = (struct fetched){0};
    list_init(&fetched->memory);
}

void fetched_clear(struct fetched *fetched)
{
    struct block *block, *after;

    list_each_safe (block, after, &fetched->memory, link)
        free(block);
    fetched_init(fetched);
}

void *fetched_memory(struct fetched *fetched, size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);

    if (!block)
        return NULL;
    list_append(&fetched->memory, &block->link);
    return block->bytes;
}

static int copy(struct fetched *fetched, struct bytes *bytes)
{
    void *data = fetched_memory(fetched, bytes->size);

    if (!data)
        return -ENOMEM;
    if (bytes->size)
        memcpy(data, bytes->data, bytes->size);
    bytes->data = data;
    return 0;
}

int fetched_row(struct fetched *fetched, const struct job_row *row, size_t limit)
{
    if (!fetched->rows)
        fetched->rows = fetched_memory(fetched, limit * sizeof(*row));
    if (!fetched->rows)
        return -ENOMEM;
    struct job_row *kept = &fetched->rows[fetched->rows_n];
    *kept = *row;
    for (int i = 0; i < JOB_ROW_STRINGS; i++)
        if (copy(fetched, job_row_string(kept, i)) < 0)
            return -ENOMEM;
    fetched->rows_n++;
    return 0;
}

int fetched_body(struct fetched *fetched, struct bytes body)
{
    fetched->body = body;
    return copy(fetched, &fetched->body);
}

/* Moves the bytes to *tail and steps over them. */
static struct bytes laid(struct bytes bytes, char **tail)
{
    struct bytes kept = {*tail, bytes.size};

    if (bytes.size)
        memcpy(*tail, bytes.data, bytes.size);
    *tail += bytes.size;
    return kept;
}

int fetched_message(struct fetched *fetched, const struct message_row *row, struct bytes body, size_t limit)
{
    char *tail = fetched_memory(fetched, row->key.size + row->headers.size + body.size);

    if (!fetched->messages)
        fetched->messages = fetched_memory(fetched, limit * sizeof(*fetched->messages));
    if (!fetched->messages || !tail)
        return -ENOMEM;
    struct kept_message *kept = &fetched->messages[fetched->messages_n++];
    kept->row = *row;
    kept->row.key = laid(row->key, &tail);
    kept->row.headers = laid(row->headers, &tail);
    kept->row.once = (struct bytes){0};
    kept->body = laid(body, &tail);
    return 0;
}

void fetched_full(struct fetched *fetched)
{
    fetched->more = true;
    if (fetched->messages_n)
        fetched->offset = fetched->messages[fetched->messages_n - 1].row.sequence;
}

bool fetch_wants(const struct fetch *what, uint64_t topic)
{
    size_t from = 0, to = what->topics_n;

    while (what->topics && from < to) {
        size_t at = from + (to - from) / 2;
        if (what->topics[at] == topic)
            return true;
        *(what->topics[at] < topic ? &from : &to) = at + (what->topics[at] < topic);
    }
    return !what->topics;
}
