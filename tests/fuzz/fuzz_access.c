/*
 * Any text as a file of keys and as one of rights. What is refused says where; what is taken holds: each row of rights
 * lets what it says, nobody else is let by it, and each key is found by itself alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "keys.h"
#include "rights_file.h"
#include "table_file.h"

#define PATH "file"

enum { NOBODY = 4000000 };

static void check_rights(const struct rights *rights)
{
    for (size_t i = 0; i < rights->n; i++) {
        const struct right_row *row = &rights->rows[i];
        struct right_want want = {.groups = row->groups, .name = row->prefix};

        assert(row->groups && !(row->groups & ~(uint32_t)GROUPS_ALL));
        assert(rights_let(rights, row->anybody ? NOBODY : row->account, &want));
        assert(rights_let(&(struct rights){(struct right_row *)row, 1}, NOBODY, &want) ==
               (row->anybody || row->account == NOBODY));
        assert(!(rights_of_channel(rights, row->account, row->prefix, RIGHT_ALL) & ~(uint32_t)RIGHT_ALL));
    }
}

static void check_keys(const struct keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        const struct key *key = &keys->keys[i];

        assert(keys_find(keys, key->public.text) == key);
        assert(key->account >= ACCOUNT_KEYS && key->account == key_account(key->name));
    }
}

/* The text is changed by reading it: each reader has a copy. */
static int read_text(const uint8_t *data, size_t size, const struct table_reader *reader)
{
    char *text = malloc(size + 1), *why = NULL;

    assert(text);
    memcpy(text, data, size);
    int r = table_text_read(PATH, text, size, reader, &why);
    assert((r < 0) == (why != NULL));
    assert(!why || !strncmp(why, PATH ":", strlen(PATH ":")));
    free(why);
    free(text);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rights *rights = calloc(1, sizeof(*rights));
    struct keys *keys = calloc(1, sizeof(*keys));

    assert(rights && keys);
    read_text(
        data, size,
        &(struct table_reader){.words = 3, .form = "WHO VERBS PREFIX", .row = rights_add, .context = rights});
    read_text(data, size,
              &(struct table_reader){.words = 2, .form = "NAME PUBLICKEY", .row = keys_add, .context = keys});
    check_rights(rights);
    check_keys(keys);
    rights_delete(rights);
    keys_delete(keys);
    return 0;
}
