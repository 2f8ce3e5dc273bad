/*
 * Plugin files seen before.
 *
 * Identity is device, inode, size and both times to the nanosecond: ctime changes with every write and cannot be set
 * back. A file that is one too many makes all of them be read anew.
 */
#include "plugin_seen.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct seen_file {
    UT_hash_handle hh;
    struct stat st;
    char generation[33];
    char *answer;
    char path[];
};

struct plugin_seen {
    pthread_mutex_t lock;
    struct seen_file *files;
    size_t most;
};

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

static void forget(struct plugin_seen *seen, struct seen_file *file)
{
    HASH_DEL(seen->files, file);
    free(file->answer);
    free(file);
}

static void forget_all(struct plugin_seen *seen)
{
    struct seen_file *file, *after;

    HASH_ITER (hh, seen->files, file, after)
        forget(seen, file);
}

struct plugin_seen *plugin_seen_new(size_t most)
{
    struct plugin_seen *seen = calloc(1, sizeof(*seen));

    if (!seen)
        return NULL;
    seen->most = most;
    pthread_mutex_init(&seen->lock, NULL);
    return seen;
}

struct plugin_seen *plugin_seen_delete(struct plugin_seen *seen)
{
    if (!seen)
        return NULL;
    forget_all(seen);
    pthread_mutex_destroy(&seen->lock);
    free(seen);
    return NULL;
}

char *plugin_seen_get(struct plugin_seen *seen, const char *path, const struct stat *st, char generation[33])
{
    struct seen_file *file;
    char *answer = NULL;

    pthread_mutex_lock(&seen->lock);
    HASH_FIND_STR(seen->files, path, file);
    if (file && same_file(&file->st, st)) {
        memcpy(generation, file->generation, sizeof(file->generation));
        answer = strdup(file->answer);
    }
    pthread_mutex_unlock(&seen->lock);
    return answer;
}

static struct seen_file *seen_file_new(const char *path, const struct stat *st, const char *generation,
                                       const char *answer)
{
    struct seen_file *file = calloc(1, sizeof(*file) + strlen(path) + 1);

    if (!file)
        return NULL;
    file->answer = strdup(answer);
    if (!file->answer) {
        free(file);
        return NULL;
    }
    file->st = *st;
    memcpy(file->generation, generation, sizeof(file->generation));
    memcpy(file->path, path, strlen(path) + 1);
    return file;
}

void plugin_seen_put(struct plugin_seen *seen, const char *path, const struct stat *st,
                     const char *generation, const char *answer)
{
    struct seen_file *file = seen_file_new(path, st, generation, answer), *old;

    if (!file)
        return;
    pthread_mutex_lock(&seen->lock);
    HASH_FIND_STR(seen->files, path, old);
    if (old)
        forget(seen, old);
    if (HASH_COUNT(seen->files) >= seen->most)
        forget_all(seen);
    HASH_ADD_STR(seen->files, path, file);
    pthread_mutex_unlock(&seen->lock);
}
