/* Images of files: as the process sees them, and as the disk surely has them. */
#include "disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    unsigned char *bytes;
    size_t size, room;
};

enum { NOBODY = -1 };

/* Invariant: `now` is `kept` with all events of `pending` played. */
struct disk {
    struct image *now, *kept;                /* by inode */
    int inodes;                              /* how many there is room for */
    int now_names[NAMES], kept_names[NAMES]; /* inode, or NOBODY */
    const struct event **pending;
    size_t pending_n, pending_room;
};

uint64_t draw(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static bool chance(uint64_t *state, unsigned percent)
{
    return draw(state) % 100 < percent;
}

/* New bytes are 0. */
static void image_resize(struct image *image, size_t size)
{
    if (size > image->room) {
        image->room = size * 2;
        image->bytes = realloc(image->bytes, image->room);
        if (!image->bytes)
            abort();
    }
    if (size > image->size)
        memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

static void image_put(struct image *image, size_t offset, const unsigned char *bytes, size_t n)
{
    if (n == 0)
        return;
    if (offset + n > image->size)
        image_resize(image, offset + n);
    memcpy(image->bytes + offset, bytes, n);
}

static void image_play(struct image *image, const struct event *event)
{
    if (event->kind == EVENT_WRITE)
        image_put(image, (size_t)event->offset, event->bytes, event->size);
    else if (event->kind == EVENT_TRUNCATE)
        image_resize(image, (size_t)event->offset);
}

static void image_copy(struct image *to, const struct image *from)
{
    image_resize(to, from->size);
    if (from->size)
        memcpy(to->bytes, from->bytes, from->size);
}

static void path_of(const char *directory, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", directory, name);
}

/* False: there is no such file. */
static bool image_read(struct image *image, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0)
        abort();
    image_resize(image, (size_t)st.st_size);
    if (read(fd, image->bytes, image->size) != (ssize_t)image->size)
        abort();
    close(fd);
    return true;
}

static void image_write(const struct image *image, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)image->size) < 0 ||
        write(fd, image->bytes, image->size) != (ssize_t)image->size)
        abort();
    close(fd);
}

static void make_room(struct disk *disk, int inode)
{
    int n = inode + 1, before = disk->inodes;

    if (n <= before)
        return;
    disk->now = reallocarray(disk->now, (size_t)n, sizeof(*disk->now));
    disk->kept = reallocarray(disk->kept, (size_t)n, sizeof(*disk->kept));
    if (!disk->now || !disk->kept)
        abort();
    memset(disk->now + before, 0, (size_t)(n - before) * sizeof(*disk->now));
    memset(disk->kept + before, 0, (size_t)(n - before) * sizeof(*disk->kept));
    disk->inodes = n;
}

struct disk *disk_new(const char *directory)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    char path[512];

    if (!disk)
        abort();
    make_room(disk, NAMES - 1);
    for (int i = 0; i < NAMES; i++) {
        path_of(directory ? directory : "", file_names[i], path);
        bool there = directory && image_read(&disk->now[i], path);
        image_copy(&disk->kept[i], &disk->now[i]);
        disk->now_names[i] = disk->kept_names[i] = there ? i : NOBODY;
    }
    return disk;
}

struct disk *disk_delete(struct disk *disk)
{
    for (int i = 0; disk && i < disk->inodes; i++) {
        free(disk->now[i].bytes);
        free(disk->kept[i].bytes);
    }
    if (disk) {
        free(disk->now);
        free(disk->kept);
        free(disk->pending);
    }
    free(disk);
    return NULL;
}

static void play_name(int names[NAMES], const struct event *event)
{
    if (event->kind == EVENT_CREATE)
        names[event->name] = event->inode;
    else if (event->kind == EVENT_DELETE)
        names[event->name] = NOBODY;
}

static bool of_names(const struct event *event)
{
    return event->kind == EVENT_CREATE || event->kind == EVENT_DELETE;
}

static void settle(struct disk *disk, const struct event *sync)
{
    size_t left = 0;

    for (size_t i = 0; i < disk->pending_n; i++) {
        const struct event *event = disk->pending[i];
        if (of_names(event) && sync->directory)
            play_name(disk->kept_names, event);
        else if (!of_names(event) && sync->kind == EVENT_SYNC && event->inode == sync->inode)
            image_play(&disk->kept[event->inode], event);
        else
            disk->pending[left++] = event;
    }
    disk->pending_n = left;
}

void disk_play(struct disk *disk, const struct event *event)
{
    make_room(disk, event->inode);
    play_name(disk->now_names, event);
    image_play(&disk->now[event->inode], event);
    if (event->kind != EVENT_SYNC) {
        if (disk->pending_n == disk->pending_room) {
            disk->pending_room = disk->pending_room ? disk->pending_room * 2 : 64;
            disk->pending = reallocarray(disk->pending, disk->pending_room, sizeof(*disk->pending));
            if (!disk->pending)
                abort();
        }
        disk->pending[disk->pending_n++] = event;
    }
    if (event->kind == EVENT_SYNC || event->directory)
        settle(disk, event);
}

/* Some of its sectors; each stretch within one is there or not. */
static void play_torn(struct image *image, const struct event *event, size_t sector, uint64_t *seed)
{
    size_t at = (size_t)event->offset, end = at + event->size;

    for (size_t next; at < end; at = next) {
        next = (at / sector + 1) * sector;
        if (next > end)
            next = end;
        if (chance(seed, 50))
            image_put(image, at, event->bytes + (at - (size_t)event->offset), next - at);
    }
}

static void play_perhaps(struct image *images, int names[NAMES], const struct event *event,
                         const struct loss *loss, uint64_t *seed)
{
    if (!chance(seed, loss->kept))
        return;
    if (of_names(event))
        play_name(names, event);
    else if (event->kind == EVENT_WRITE && chance(seed, loss->torn))
        play_torn(&images[event->inode], event, loss->sector, seed);
    else
        image_play(&images[event->inode], event);
}

/* What the process had begun to write when it died: the first sectors. */
static void play_start(struct image *images, const struct event *event, const struct loss *loss,
                       uint64_t *seed)
{
    if (event->kind != EVENT_WRITE)
        return;
    size_t n = draw(seed) % (event->size / loss->sector + 1) * loss->sector;
    image_put(&images[event->inode], (size_t)event->offset, event->bytes, n);
}

void disk_leave(const struct disk *disk, const struct loss *loss, const char *directory)
{
    struct image *images = calloc((size_t)disk->inodes + 1, sizeof(*images));
    int names[NAMES];
    uint64_t seed = loss->seed;
    char path[512];

    if (!images)
        abort();
    for (int i = 0; i < disk->inodes; i++)
        image_copy(&images[i], loss->power ? &disk->kept[i] : &disk->now[i]);
    memcpy(names, loss->power ? disk->kept_names : disk->now_names, sizeof(names));
    for (size_t i = 0; loss->power && i < disk->pending_n; i++)
        play_perhaps(images, names, disk->pending[i], loss, &seed);
    bool begun = loss->underway && loss->underway->inode < disk->inodes;
    if (begun && loss->power)
        play_perhaps(images, names, loss->underway, loss, &seed);
    else if (begun)
        play_start(images, loss->underway, loss, &seed);
    for (int i = 0; i < NAMES; i++) {
        path_of(directory, file_names[i], path);
        if (names[i] == NOBODY)
            unlink(path);
        else
            image_write(&images[names[i]], path);
    }
    path_of(directory, "state.db-shm", path);
    unlink(path);
    for (int i = 0; i < disk->inodes; i++)
        free(images[i].bytes);
    free(images);
}
