/*
 * A disk under SQLite that writes down what happens to it, and fails when told to: a VFS over the default one, which it
 * takes the place of.
 *
 * Three files are watched: the database, its log, its rollback journal. What SQLite does to them goes to the real files at
 * once, and onto the tape in the same order. Nothing is ever synced for real: a power cut is made from the tape (disk.h).
 * The index of the log (-shm) is not on it: whoever opens the files first makes it anew.
 * One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum name { NAME_DATABASE, NAME_LOG, NAME_JOURNAL, NAMES };

extern const char *const file_names[NAMES];

enum event_kind { EVENT_CREATE, EVENT_DELETE, EVENT_WRITE, EVENT_TRUNCATE, EVENT_SYNC };

/* `inode` is a file whatever its name: the one that had a name when the tape began is that name's number. */
struct event {
    enum event_kind kind;
    enum name name;
    int inode;
    int64_t offset; /* truncate: the size from then on */
    size_t size;
    unsigned char *bytes; /* owned */
    bool directory;       /* a sync or delete that makes names durable too */
};

struct tape {
    struct event *events;
    size_t n, room;
    int inode[NAMES], inodes;
    bool deaf; /* syncs are said to have happened, and have not: a fault planted on purpose */
};

/* Makes it the VFS of all that is opened from now on. Once, before anything is opened. */
void vfs_install(void);
/* All that happens from now on goes to the end of `tape`; NULL: nowhere. */
void vfs_record(struct tape *tape);
struct tape *tape_new(void);
struct tape *tape_delete(struct tape *tape);

enum call {
    CALL_OPEN,
    CALL_READ,
    CALL_WRITE,
    CALL_TRUNCATE,
    CALL_SYNC,
    CALL_SIZE,
    CALL_DELETE,
    CALL_ACCESS,
    CALL_LOCK,
    CALL_INDEX, /* xShmMap */
    CALLS
};
#define EVERY_CALL ((1u << CALLS) - 1)
/* Those that ask for room. */
#define FILLING_CALLS                                                                                        \
    (1u << CALL_OPEN | 1u << CALL_WRITE | 1u << CALL_TRUNCATE | 1u << CALL_SYNC | 1u << CALL_INDEX)

enum fault_kind {
    FAIL_EIO,
    FAIL_ENOSPC,
    FAIL_SHORT, /* half of the bytes are written, then there is no room; other calls: as FAIL_ENOSPC */
};

/* The first-th of `calls` (bits) from now, and `more` after it, fail; first 0: none. */
void vfs_fail(unsigned calls, uint64_t first, uint64_t more, enum fault_kind kind);
/* How many of the calls given to vfs_fail have been made since. */
uint64_t vfs_calls(void);
/* Which call the last failure met. */
const char *vfs_failed(void);
