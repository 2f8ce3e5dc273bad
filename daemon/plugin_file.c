/*
 * Plugin files: checks on the descriptor, the copy (plugin_file.h).
 *
 * Whoever can change the file, or swap it by changing a folder above it, could run code as the daemon's user. So the
 * checks are made on what was opened, by the real path of the descriptor, and the copy is read from that descriptor.
 */
#include "plugin_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "cleanup.h"
#include "fd.h"
#include "host_protocol.h"
#include "plugin_describe.h"
#include "plugin_seen.h"
#include "why.h"

#define UNFINISHED ".new-" /* how a copy is called until it is complete */

enum { COPY_CHUNK_BYTES = 1 << 16 };

struct plugin_files {
    struct plugin_files_options options;
    struct plugin_describer describer; /* its `stop` is an eventfd, ours */
    struct plugin_seen *seen;
};

static int refuse_mode(struct plugin_about *about, const char *path, const char *what, const struct stat *st)
{
    return why_set(
        &about->text, -EACCES,
        "plugin %s: %s belongs to user %u with mode %o; it must belong to you or root and be writable by "
        "nobody else: chmod go-w",
        path, what, st->st_uid, st->st_mode & 07777);
}

static bool owner_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* A folder with the sticky bit lets nobody replace what belongs to others. */
static bool folder_trusted(const struct stat *st)
{
    return owner_trusted(st) && (!(st->st_mode & 022) || (st->st_mode & S_ISVTX));
}

static int check_folders(struct plugin_about *about, const char *path, const char *real)
{
    char folder[PATH_MAX];
    struct stat st;

    snprintf(folder, sizeof(folder), "%s", real);
    do {
        dirname(folder);
        if (stat(folder, &st) < 0)
            return why_set(&about->text, -errno, "plugin %s: cannot look at %s: %s", path, folder,
                           strerror(errno));
        if (!folder_trusted(&st))
            return refuse_mode(about, path, folder, &st);
    } while (strcmp(folder, "/") != 0);
    return 0;
}

static int check_directories(const struct plugin_files *files, struct plugin_about *about, const char *path,
                             const char *real)
{
    const char *const *d = files->options.directories;

    if (!d)
        return 0;
    for (; *d; d++)
        if (strncmp(real, *d, strlen(*d)) == 0 && real[strlen(*d)] == '/')
            return 0;
    return why_set(&about->text, -EACCES,
                   "plugin %s lies outside the directories configured as plugin-directories", path);
}

/* The real path of an open file. */
static int real_path(int fd, char *real, size_t size)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, real, size - 1);
    if (n < 0)
        return -errno;
    real[n] = 0;
    return 0;
}

static int check_file(const struct plugin_files *files, struct plugin_about *about, const char *path, int fd,
                      struct stat *st)
{
    char real[PATH_MAX];
    int r;

    if (fstat(fd, st) < 0 || (r = real_path(fd, real, sizeof(real))) < 0)
        return why_set(&about->text, -EIO, "plugin %s: cannot look at it: %s", path, strerror(errno));
    if (!S_ISREG(st->st_mode))
        return why_set(&about->text, -ENOEXEC, "plugin %s is not a regular file", path);
    if (st->st_size > PLUGIN_FILE_BYTES_MAX)
        return why_set(&about->text, -E2BIG, "plugin %s has %lld bytes; %d are allowed", path,
                       (long long)st->st_size, PLUGIN_FILE_BYTES_MAX);
    if (!owner_trusted(st) || (st->st_mode & 022))
        return refuse_mode(about, path, "the file", st);
    r = check_folders(about, path, real);
    return r < 0 ? r : check_directories(files, about, path, real);
}

static void plugins_folder(const struct plugin_files *files, char *out, size_t size)
{
    snprintf(out, size, "%s/plugins", files->options.state);
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* Copies from one descriptor to the other, to < 0: nowhere; the hash of what went through, in hexadecimal. */
static int copy_and_hash(int from, int to, char hash[33])
{
    XXH3_state_t *state = XXH3_createState();
    char chunk[COPY_CHUNK_BYTES];
    XXH128_hash_t sum;
    ssize_t n;
    int r = 0;

    if (!state)
        return -ENOMEM;
    XXH3_128bits_reset(state);
    while (r == 0 && (n = read(from, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        r = n < 0 ? -errno : 0;
        if (r == 0 && to >= 0)
            r = write_all(to, chunk, (size_t)n);
        if (r == 0)
            XXH3_128bits_update(state, chunk, (size_t)n);
    }
    sum = XXH3_128bits_digest(state);
    snprintf(hash, 33, "%016llx%016llx", (unsigned long long)sum.high64, (unsigned long long)sum.low64);
    XXH3_freeState(state);
    return r;
}

static bool same_content(const char *a, const char *b)
{
    _cleanup_(cleanup_close) int fd_a = open(a, O_RDONLY | O_CLOEXEC), fd_b = open(b, O_RDONLY | O_CLOEXEC);
    char chunk_a[4096], chunk_b[4096];
    ssize_t n;

    do {
        n = read(fd_a, chunk_a, sizeof(chunk_a));
        if (n < 0 || n != read(fd_b, chunk_b, sizeof(chunk_b)) || memcmp(chunk_a, chunk_b, (size_t)n) != 0)
            return false;
    } while (n > 0);
    return true;
}

/* False also for a copy that was torn by a loss of power, or cannot be read. */
static bool holds_its_hash(const char *copy, const char *hash)
{
    _cleanup_(cleanup_close) int fd = open(copy, O_RDONLY | O_CLOEXEC);
    char found[33];

    return fd >= 0 && copy_and_hash(fd, -1, found) == 0 && strcmp(found, hash) == 0;
}

static int sync_folder(const struct plugin_files *files)
{
    char folder[PATH_MAX];
    _cleanup_(cleanup_close) int fd = -1;

    plugins_folder(files, folder, sizeof(folder));
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The hash names the file but is no proof: a whole copy that is there must hold the same bytes. The content is on the
 * disk before the name is, and the name before anybody hears of the generation. */
static int settle_copy(const struct plugin_files *files, int fd, const char *temporary, const char *copy,
                       const char *hash)
{
    if (same_content(temporary, copy))
        return 0;
    if (holds_its_hash(copy, hash))
        return -EEXIST;
    if (fchmod(fd, 0500) < 0 || fsync(fd) < 0 || rename(temporary, copy) < 0)
        return -errno;
    return sync_folder(files);
}

void plugin_files_copy_path(const struct plugin_files *files, struct bytes generation, char *out, size_t size)
{
    snprintf(out, size, "%s/plugins/%.*s.so", files->options.state, (int)generation.size,
             (const char *)generation.data);
}

static int make_copy(const struct plugin_files *files, int fd, struct plugin_about *about, char *copy,
                     size_t size)
{
    _cleanup_(cleanup_close) int to = -1;
    char temporary[PATH_MAX];
    int r;

    snprintf(temporary, sizeof(temporary), "%s/plugins/" UNFINISHED "XXXXXX", files->options.state);
    to = mkostemp(temporary, O_CLOEXEC);
    if (to < 0)
        return -errno;
    r = copy_and_hash(fd, to, about->generation);
    plugin_files_copy_path(files, (struct bytes){about->generation, strlen(about->generation)}, copy, size);
    if (r == 0)
        r = settle_copy(files, to, temporary, copy, about->generation);
    unlink(temporary);
    return r;
}

/* Reads a file that is new or has changed. 0 with its answer, else as plugin_files_look. */
static int read_file(struct plugin_files *files, const char *path, int fd, const struct stat *st,
                     struct plugin_about *about, char **answer)
{
    char copy[PATH_MAX];
    int r = make_copy(files, fd, about, copy, sizeof(copy));

    if (r < 0)
        return why_set(&about->text, r, "plugin %s: no copy could be made in %s/plugins: %s", path,
                       files->options.state, strerror(-r));
    r = plugin_describe_run(&files->describer, copy, path, answer, &about->text);
    if (r < 0)
        return r;
    r = plugin_describe_parse(path, *answer, about);
    if (r == 0)
        plugin_seen_put(files->seen, path, st, about->generation, *answer);
    return r;
}

/* The answer of an earlier look, if the copy it spoke of is still there; NULL: none. */
static char *known_answer(struct plugin_files *files, const char *path, const struct stat *st,
                          struct plugin_about *about)
{
    char *answer = plugin_seen_get(files->seen, path, st, about->generation), copy[PATH_MAX];

    if (!answer)
        return NULL;
    plugin_files_copy_path(files, (struct bytes){about->generation, strlen(about->generation)}, copy,
                           sizeof(copy));
    if (access(copy, R_OK) == 0)
        return answer;
    free(answer);
    return NULL;
}

static int look(struct plugin_files *files, const char *path, struct plugin_about *about)
{
    _cleanup_(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    _cleanup_(cleanup_free) char *answer = NULL;
    struct stat st;
    int r;

    if (fd < 0)
        return why_set(&about->text, -errno, "cannot open plugin %s: %s", path, strerror(errno));
    r = check_file(files, about, path, fd, &st);
    if (r < 0)
        return r;
    answer = known_answer(files, path, &st, about);
    return answer ? plugin_describe_parse(path, answer, about)
                  : read_file(files, path, fd, &st, about, &answer);
}

void plugin_files_look(struct plugin_files *files, const char *path, struct plugin_about *about)
{
    *about = (struct plugin_about){0};
    about->error = look(files, path, about);
}

void plugin_about_clear(struct plugin_about *about)
{
    free(about->text);
    free(about->functions);
    plugin_describe_free(about->memory);
    *about = (struct plugin_about){0};
}

/* What an earlier daemon has left: its hosts have ended, and nothing that is kept names a generation. */
static void remove_copies(const char *folder)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);

    while (dir && (entry = readdir(dir)))
        if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

int plugin_files_new(const struct plugin_files_options *options, struct plugin_files **out)
{
    struct plugin_files *files = calloc(1, sizeof(*files));
    char folder[PATH_MAX];
    int r = 0;

    if (!files)
        return -ENOMEM;
    files->options = *options;
    files->describer = (struct plugin_describer){.host_program = options->host_program,
                                                 .settings = options->settings,
                                                 .timeout_ms = HOST_DESCRIBE_TIMEOUT_MS,
                                                 .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (files->describer.stop < 0)
        r = -errno;
    files->seen = plugin_seen_new(options->plugins_max);
    if (r == 0 && !files->seen)
        r = -ENOMEM;
    plugins_folder(files, folder, sizeof(folder));
    if (r == 0 && mkdir(folder, 0700) < 0 && errno != EEXIST)
        r = -errno;
    if (r < 0) {
        plugin_files_delete(files);
        return r;
    }
    remove_copies(folder);
    *out = files;
    return 0;
}

void plugin_files_stop(struct plugin_files *files)
{
    eventfd_write(files->describer.stop, 1);
}

struct plugin_files *plugin_files_delete(struct plugin_files *files)
{
    if (!files)
        return NULL;
    plugin_seen_delete(files->seen);
    cleanup_close(&files->describer.stop);
    free(files);
    return NULL;
}
