/* A new pair of keys. The public one is data, and goes to standard output; where the other one is, and what both are for,
 * is talk. */
#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "goclient_key.h"
#include "options.h"
#include "output.h"
#include "status.h"

#define FILE_DEFAULT "goroutined.keys"

static int print_key(const struct options *options, const char *file, const char *key)
{
    if (options->json)
        return output_json(json_pack("{s:s, s:s}", "file", file, "public_key", key));
    printf("%s\n", key);
    return output_flush();
}

int command_keygen(const struct options *options)
{
    const char *file = options->output ? options->output : FILE_DEFAULT;
    char key[GC_KEY_CHARS + 1];
    int r = gc_keygen_file(file, key);

    if (r < 0) {
        fprintf(stderr, "goctl keygen: %s\n", gc_why());
        return status_of(r);
    }
    fprintf(stderr,
            "goctl keygen: the secret key is in %s, with mode 0600; the public one is printed\n"
            "  of a daemon: goroutined --listen-secret-file %s; clients say --server-key PUBLICKEY\n"
            "  of a client: goctl --secret-file %s; the daemon has NAME PUBLICKEY in its listen_keys_file\n",
            file, file, file);
    r = print_key(options, file, key);
    return r < 0 ? output_fail(r) : STATUS_OK;
}
