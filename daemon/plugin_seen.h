/* Plugin files seen before: a file whose identity has not changed need not be read again. Any thread. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

struct plugin_seen;

/* Remembers at most `most` files, and all are forgotten for a further one. NULL: out of memory. */
struct plugin_seen *plugin_seen_new(size_t most);
/* Accepts NULL. */
struct plugin_seen *plugin_seen_delete(struct plugin_seen *seen);

/* The answer of --describe when `path` was last seen with this identity, on the heap and the caller's, and its
 * generation; NULL: not seen, or changed. */
char *plugin_seen_get(struct plugin_seen *seen, const char *path, const struct stat *st, char generation[33]);

/* Remembers a copy of `answer`. Out of memory: the file is read again next time. */
void plugin_seen_put(struct plugin_seen *seen, const char *path, const struct stat *st,
                     const char *generation, const char *answer);
