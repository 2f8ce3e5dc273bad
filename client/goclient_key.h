/*
 * goclient_key.h — keys for goroutined over tcp (CURVE).
 *
 * Daemon and client each have a pair of keys. The daemon's public key is what a client knows it by (server_key of struct
 * gc_options); the client's public key is what the daemon lets in (listen_keys_file of goroutined.conf(5)). Errors are as
 * goclient.h says.
 */
#pragma once

#include "goclient.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { GC_KEY_CHARS = 40 };

/* Both as text that ends with a zero byte. */
struct gc_keys {
    char public_key[GC_KEY_CHARS + 1];
    char secret_key[GC_KEY_CHARS + 1];
};

/* Draws a new pair. Does not block; any thread; speaks to no daemon. The caller keeps the secret key secret.
 *     -ENOTSUP  this libzmq has no CURVE */
GC_API int gc_keygen(struct gc_keys *out);

/* Draws a new pair and writes it to a new file that its owner alone may read and write, as secret_file and
 * listen_secret_file want it; its public key to `public_key`. Blocks as files do. On failure there is no file, and
 * gc_why() says what was wrong.
 *     -EEXIST   there is something of that name: it is left alone
 *     -ENOTSUP  this libzmq has no CURVE
 *     -ENOENT, -EACCES, -ENOSPC and other errors of open and write */
GC_API int gc_keygen_file(const char *path, char public_key[GC_KEY_CHARS + 1]);

#ifdef __cplusplus
}
#endif
