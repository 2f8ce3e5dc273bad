#include "costs.h"

#include <stdio.h>

enum { ROWS_MAX = 160 };

static struct row rows[ROWS_MAX];
static int rows_n;
struct gc_about before;
static int64_t before_ns;

/* ---- the table ---- */

static void add_row(const char *key, unsigned sent, unsigned received)
{
    struct row *row = &rows[rows_n++];

    assert_true(rows_n < ROWS_MAX);
    *row = (struct row){.sent = sent, .received = received};
    for (size_t n = 0; *key && n + 1 < sizeof row->key; key++)
        if (*key != '`')
            row->key[n++] = *key;
}

/* `gc_send`, `gc_close` and nothing else. */
static bool is_list(const char *cell)
{
    bool inside = false;

    for (; *cell; cell++)
        if (*cell == '`')
            inside = !inside;
        else if (!inside && *cell != ',' && *cell != ' ')
            return false;
    return true;
}

static void add_rows(char *cell, unsigned sent, unsigned received)
{
    if (!is_list(cell)) {
        add_row(cell, sent, received);
        return;
    }
    for (char *next, *name = strtok_r(cell, "`, ", &next); name; name = strtok_r(NULL, "`, ", &next))
        add_row(name, sent, received);
}

static void read_rows(FILE *document)
{
    char line[1000], cell[900];
    unsigned sent, received;
    bool here = false;

    while (fgets(line, sizeof line, document)) {
        if (strncmp(line, "## ", 3) == 0)
            here = strcmp(line, "## Frames per call\n") == 0;
        else if (here && sscanf(line, "| %899[^|] | %u | %u |", cell, &sent, &received) == 3) {
            cell[strlen(cell) - 1] = '\0'; /* the blank before the bar */
            add_rows(cell, sent, received);
        }
    }
}

bool read_table(const char *path)
{
    FILE *document = fopen(path, "r");

    if (!document)
        return false;
    read_rows(document);
    fclose(document);
    return rows_n > 0;
}

struct row *find_row(const char *key)
{
    for (int i = 0; i < rows_n; i++)
        if (strcmp(rows[i].key, key) == 0)
            return &rows[i];
    print_error("PROTOCOL.md has no row '%s'\n", key);
    fail();
    return NULL;
}

/* ---- counting ---- */

void count_from(gc_client *g)
{
    gc_about(g, &before);
    before_ns = gc_after_ms(1).ns;
}

void assert_cost(gc_client *g, const char *key)
{
    struct row *row = find_row(key);
    struct gc_about now;

    gc_about(g, &now);
    row->proven = true;
    if (gc_after_ms(1).ns - before_ns > 900000000)
        return;
    if (now.frames_sent - before.frames_sent != row->sent ||
        now.frames_received - before.frames_received != row->received)
        print_error("%s\n", key);
    assert_int_equal(now.frames_sent - before.frames_sent, row->sent);
    assert_int_equal(now.frames_received - before.frames_received, row->received);
}

void let_ack_leave(gc_client *g)
{
    struct gc_about now;

    count_from(g);
    for (gc_about(g, &now); now.frames_sent == before.frames_sent; gc_about(g, &now))
        gc_dispatch(g, GC_FOREVER);
}

int64_t counted_ns(void)
{
    return gc_after_ms(1).ns - before_ns;
}

int unproven_rows(void)
{
    int missing = 0;

    for (int i = 0; i < rows_n; i++)
        if (!rows[i].proven) {
            print_error("no test proves the row '%s'\n", rows[i].key);
            missing++;
        }
    return missing;
}
