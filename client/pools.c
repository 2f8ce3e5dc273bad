/*
 * Pools of hosts: what is set of them, what they run. A plugin has one name at the daemon, that of its file: paths in
 * settings are made so, as those of submits are.
 */
#include "goclient_pool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "last.h"
#include "options.h"
#include "stats.h"

#define FUNCTIONS "functions="

/* Appends a word of `functions`, PATH or PATH:FUNCTION, with the real path if there is such a file. */
static void put_function(FILE *out, const char *word, size_t size)
{
    const char *slash = memrchr(word, '/', size), *colon = memrchr(word, ':', size);
    size_t path_size = colon && (!slash || colon > slash) ? (size_t)(colon - word) : size;
    char *path = strndup(word, path_size), real[PATH_MAX];
    const char *found = path && path_size && realpath(path, real) ? real : NULL;

    if (found)
        fputs(found, out);
    else
        fwrite(word, 1, path_size, out);
    fwrite(word + path_size, 1, size - path_size, out);
    free(path);
}

static void put_list(FILE *out, const char *list, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *comma = memchr(list + at, ',', size - at);
        size_t n = comma ? (size_t)(comma - list) - at : size - at;

        put_function(out, list + at, n);
        at += n;
        if (comma)
            putc(list[at++], out);
    }
}

/* To be freed. NULL: no memory. */
static char *with_real_paths(const char *settings)
{
    char *text = NULL;
    size_t size, skip = strlen(FUNCTIONS);
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (const char *at = settings; *at;) {
        size_t n = strcspn(at, " \n");

        if (n >= skip && strncmp(at, FUNCTIONS, skip) == 0) {
            fputs(FUNCTIONS, out);
            put_list(out, at + skip, n - skip);
        } else {
            fwrite(at, 1, n, out);
        }
        at += n;
        n = strspn(at, " \n");
        fwrite(at, 1, n, out);
        at += n;
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

GC_API int gc_pool_set(gc_client *g, const char *name, const char *settings, gc_until until)
{
    char *real = with_real_paths(settings ? settings : "");
    const struct request request = {.verb = VERB_POOL_SET, .pool_set = {text_bytes(name), text_bytes(real)}};
    int r = real ? call_plain(g, &request, until) : last_failed(-ENOMEM, "gc_pool_set", false);

    free(real);
    return r;
}

GC_API int gc_pool_remove(gc_client *g, const char *name, gc_until until)
{
    const struct request request = {.verb = VERB_POOL_REMOVE, .pool_remove = {text_bytes(name)}};
    return call_plain(g, &request, until);
}

GC_API int gc_pool_info(gc_client *g, const char *name, struct gc_stats *out, gc_until until)
{
    const struct request request = {.verb = VERB_POOL_INFO, .pool_info = {text_bytes(name)}};
    return stats_run(g, &request, out, until);
}

GC_API int gc_pools(gc_client *g, const char *prefix, const char *after, struct gc_stats *out, gc_until until)
{
    const struct request request = {.verb = VERB_POOL_LIST,
                                    .pool_list = {text_bytes(prefix), text_bytes(after), 0}};
    return stats_run(g, &request, out, until);
}

GC_API int gc_pool_drain(gc_client *g, const char *name, enum gc_pool_drain what, gc_until until)
{
    const struct request request = {.verb = VERB_POOL_DRAIN,
                                    .pool_drain = {text_bytes(name), (uint32_t)what}};
    return call_plain(g, &request, until);
}
