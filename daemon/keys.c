#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "table_file.h"
#include "why.h"

static int check(const struct keys *keys, const struct key *key, char **why)
{
    for (size_t i = 0; i < keys->n; i++) {
        const struct key *other = &keys->keys[i];
        if (!strcmp(other->name, key->name))
            return why_set(why, -EINVAL, "there is a key of the name %s already", key->name);
        if (!strcmp(other->public.text, key->public.text))
            return why_set(why, -EINVAL, "this key has the name %s already", other->name);
        if (other->account == key->account)
            return why_set(why, -EINVAL, "%s and %s have the same account number: give one another name",
                           key->name, other->name);
    }
    return keys->n < KEYS_MAX ? 0 : why_set(why, -EINVAL, "more than %d keys", KEYS_MAX);
}

int keys_add(void *context, const char *const *words, char **why)
{
    struct keys *keys = context;
    struct key key = {0};

    if (!key_name_good(words[0]))
        return why_set(why, -EINVAL, "'%s' is no name of a key: 1 to %d of the bytes A-Z a-z 0-9 _ . -",
                       words[0], KEY_NAME_BYTES_MAX);
    if (!key_text_good(words[1], strlen(words[1])))
        return why_set(why, -EINVAL, "'%s' is no public key: goctl keygen prints one, of %d characters",
                       words[1], KEY_CHARS);
    strcpy(key.name, words[0]);
    strcpy(key.public.text, words[1]);
    key.account = key_account(key.name);
    int r = check(keys, &key, why);
    struct key *more = r < 0 ? NULL : realloc(keys->keys, (keys->n + 1) * sizeof(key));
    if (!more)
        return r < 0 ? r : -ENOMEM;
    keys->keys = more;
    keys->keys[keys->n++] = key;
    return 0;
}

int keys_read(const char *path, struct keys **out, char **why)
{
    struct keys *keys = calloc(1, sizeof(*keys));
    struct table_reader reader = {.words = 2, .form = "NAME PUBLICKEY", .row = keys_add, .context = keys};
    int r = keys ? table_file_read(path, &reader, why) : -ENOMEM;

    if (r < 0)
        keys = keys_delete(keys);
    *out = keys;
    return r;
}

struct keys *keys_delete(struct keys *keys)
{
    if (keys)
        free(keys->keys);
    free(keys);
    return NULL;
}

const struct key *keys_find(const struct keys *keys, const char *public)
{
    for (size_t i = 0; keys && i < keys->n; i++)
        if (!strcmp(keys->keys[i].public.text, public))
            return &keys->keys[i];
    return NULL;
}
