/*
 * Files of secret keys (CURVE): `goctl keygen` writes them, goroutined and clients read them.
 *
 * A line each, `public KEY` and `secret KEY`, where KEY is 40 characters of Z85; empty lines and those that begin
 * with # say nothing. Only its owner may read such a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    KEY_CHARS = 40, /* of a key as text */
    KEY_BYTES = 32, /* of the key itself */
    KEY_FILE_BYTES_MAX = 4096,
    KEY_WHY_BYTES = 384,
};

/* Z85 with the end of the string: what libzmq takes. */
struct key_text {
    char text[KEY_CHARS + 1];
};

struct key_pair {
    struct key_text public, secret;
};

/* Whether these characters are a key, as text. */
bool key_text_good(const char *text, size_t size);

/* Reads both keys of a file. On failure `why` (KEY_WHY_BYTES) says in words what is wrong with which file and line.
 * Blocks as files do. 0; -EACCES: somebody else may read or write it, or it is somebody else's; -EINVAL: not such a
 * file; errors of open. */
int key_file_read(const char *path, struct key_pair *keys, char *why);
