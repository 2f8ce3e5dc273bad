/*
 * What a crash leaves of the files, made from a tape (vfs.h) up to one of its events.
 *
 * When the process dies, the files are as it saw them. When the power goes, a file has what its last sync settled, and of
 * what was written after that any part: each write whole, not at all, or torn at sectors; each new or removed name or not.
 * Later writes never lose to older ones at the same place: the kernel has but one copy of a page.
 */
#pragma once

#include "vfs.h"

struct disk;

/* The disk as the tape found it: with the files of `directory`; NULL: empty. */
struct disk *disk_new(const char *directory);
struct disk *disk_delete(struct disk *disk);
/* Plays the next event. The tape stays the caller's, and lives as long as the disk. */
void disk_play(struct disk *disk, const struct event *event);

struct loss {
    bool power;                   /* false: the process alone died */
    const struct event *underway; /* done in part when it happened; NULL: nothing was */
    unsigned kept;                /* power: percent of the unsettled writes that are there */
    unsigned torn;                /* and percent of those of which only some sectors are */
    size_t sector;                /* bytes */
    uint64_t seed;
};

/* Makes the files in `directory` what is left, and removes the index of the log. */
void disk_leave(const struct disk *disk, const struct loss *loss, const char *directory);
/* Pseudo-random numbers: the same from the same state. */
uint64_t draw(uint64_t *state);
