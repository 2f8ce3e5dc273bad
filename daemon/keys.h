/*
 * Who may connect over tcp: a file of rows `NAME PUBLICKEY`, one key a row.
 *
 * The name is the identity: rights and charges go by it. Its account number is made from it, beyond the numbers of
 * users, so that jobs of a key are still its own after a restart.
 */
#pragma once

#include <stdint.h>

#include "core.h"
#include "keyfile.h"

enum { KEYS_MAX = 4096 };

struct key {
    char name[KEY_NAME_BYTES_MAX + 1];
    struct key_text public;
    uint32_t account; /* ACCOUNT_KEYS and above */
};

struct keys {
    struct key *keys;
    size_t n;
};

/* Reads the file. 0, or errors of table_file_read with *why (heap). */
int keys_read(const char *path, struct keys **keys, char **why);
/* Accepts NULL, returns NULL. */
struct keys *keys_delete(struct keys *keys);
/* Whose public key that is; NULL: nobody's. `keys` may be NULL. */
const struct key *keys_find(const struct keys *keys, const char *public);
/* One row, for keys_read and its tests: the words NAME and PUBLICKEY. 0, -EINVAL with *why, -ENOMEM. */
int keys_add(void *keys, const char *const *words, char **why);
