/*
 * An online copy of the database, named by the time in the folder `backups` of the state directory. It has its name when it is
 * whole and on disk, and no sooner: what a death leaves behind ends in `.part`, and goes with the next backup.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "fault.h"
#include "fd.h"
#include "fetched.h"
#include "sqlite_store.h"

enum { TIME_BYTES = sizeof("20261122T101305.123Z") };

static void write_time(char *text, int64_t wall_ns)
{
    time_t seconds = wall_ns / 1000000000;
    struct tm tm;
    size_t n;

    gmtime_r(&seconds, &tm);
    n = strftime(text, TIME_BYTES, "%Y%m%dT%H%M%S", &tm);
    snprintf(text + n, TIME_BYTES - n, ".%03dZ", (int)(wall_ns / 1000000 % 1000));
}

static int sync_folder(const char *folder)
{
    _cleanup_(cleanup_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int make_folder(const char *directory, char **folder)
{
    if (asprintf(folder, "%s/backups", directory) < 0) {
        *folder = NULL;
        return -ENOMEM;
    }
    if (mkdir(*folder, 0700) == 0)
        return sync_folder(directory);
    return errno == EEXIST ? 0 : -errno;
}

/* Empty and for its owner alone, whatever a death has left there. */
static int make_part(const char *part)
{
    int fd = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static int copy(struct store *store, const char *part, const atomic_bool *stop)
{
    struct db *db = NULL;
    int r = db_open(store->path, DB_QUERY, &db);

    if (r == 0)
        r = db_copy(db, part, stop);
    db_close(db);
    return r;
}

/* `path` is NULL or heap. */
static int write_backup(struct store *store, int64_t wall_ns, const atomic_bool *stop, char **path)
{
    _cleanup_(cleanup_free) char *folder = NULL, *part = NULL;
    char name[TIME_BYTES];
    int r = make_folder(store->directory, &folder);

    if (r < 0)
        return r;
    write_time(name, wall_ns);
    if (asprintf(&part, "%s/copy.part", folder) < 0 || asprintf(path, "%s/%s.db", folder, name) < 0)
        return -ENOMEM;
    r = make_part(part);
    if (r == 0)
        r = copy(store, part, stop);
    if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, *path, RENAME_NOREPLACE) < 0)
        r = -errno;
    if (r < 0)
        unlink(part);
    return r < 0 ? r : sync_folder(folder);
}

static int say_path(struct fetched *out, const char *path)
{
    return fetched_body(out, (struct bytes){path, strlen(path)});
}

static void say_why(struct fetched *out, const char *path, int error)
{
    _cleanup_(cleanup_free) char *text = NULL;

    if (asprintf(&text, "cannot write the backup %s: %s", path ? path : "", strerror(-error)) >= 0)
        (void)say_path(out, text); /* then the number alone says it */
    else
        text = NULL;
}

int store_backup(struct store *store, int64_t wall_ns, const atomic_bool *stop, struct fetched *out)
{
    _cleanup_(cleanup_free) char *path = NULL;
    int r;

    fetched_init(out);
    r = fault_hit(FAULT_STORE_BACKUP);
    if (r == 0)
        r = write_backup(store, wall_ns, stop, &path);
    if (r == 0)
        r = say_path(out, path);
    else
        say_why(out, path, r);
    return r;
}
