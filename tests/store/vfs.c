/* The recording VFS. The real file lies behind ours in the memory that SQLite gives. */
#include "vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

struct file {
    sqlite3_file base;
    sqlite3_file *real;
    int inode; /* -1: not watched */
    enum name name;
    bool enters; /* its first sync makes names durable too, as the default VFS does with logs and journals */
};

const char *const file_names[NAMES] = {"state.db", "state.db-wal", "state.db-journal"};

static const char *const call_names[CALLS] = {"open", "read",   "write",  "truncate", "sync",
                                              "size", "delete", "access", "lock",     "index"};

/* What the default VFS says of each call that failed. */
static const int codes[CALLS] = {
    SQLITE_CANTOPEN,    SQLITE_IOERR_READ,   SQLITE_IOERR_WRITE,  SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_FSYNC,
    SQLITE_IOERR_FSTAT, SQLITE_IOERR_DELETE, SQLITE_IOERR_ACCESS, SQLITE_IOERR_LOCK,     SQLITE_IOERR_SHMMAP};

static sqlite3_vfs *real_vfs;
static struct tape *tape;
static struct {
    unsigned calls;
    uint64_t first, last, passed;
    enum fault_kind kind;
    enum call met;
} fault;

void vfs_fail(unsigned calls, uint64_t first, uint64_t more, enum fault_kind kind)
{
    fault.calls = calls;
    fault.first = first;
    fault.last = first + more;
    fault.passed = 0;
    fault.kind = kind;
}

uint64_t vfs_calls(void)
{
    return fault.passed;
}

const char *vfs_failed(void)
{
    return call_names[fault.met];
}

/* SQLITE_OK, or what the call has to fail with. */
static int passing(enum call call)
{
    if (!(fault.calls >> call & 1))
        return SQLITE_OK;
    uint64_t n = ++fault.passed;
    if (fault.first == 0 || n < fault.first || n > fault.last)
        return SQLITE_OK;
    fault.met = call;
    errno = fault.kind == FAIL_EIO ? EIO : ENOSPC;
    return call == CALL_WRITE && fault.kind != FAIL_EIO ? SQLITE_FULL : codes[call];
}

struct tape *tape_new(void)
{
    struct tape *made = calloc(1, sizeof(*made));

    if (!made)
        abort();
    for (int i = 0; i < NAMES; i++)
        made->inode[i] = i;
    made->inodes = NAMES;
    return made;
}

struct tape *tape_delete(struct tape *old)
{
    for (size_t i = 0; old && i < old->n; i++)
        free(old->events[i].bytes);
    if (old)
        free(old->events);
    free(old);
    return NULL;
}

void vfs_record(struct tape *to)
{
    tape = to;
}

static void note(struct event event, const void *bytes)
{
    if (!tape || (event.kind == EVENT_SYNC && tape->deaf))
        return;
    if (tape->n == tape->room) {
        tape->room = tape->room ? tape->room * 2 : 64;
        tape->events = reallocarray(tape->events, tape->room, sizeof(*tape->events));
    }
    event.bytes = bytes ? reallocarray(NULL, event.size, 1)
                        : NULL; /* not malloc, which may be told to fail (memory.h) */
    if (!tape->events || (bytes && !event.bytes))
        abort();
    if (bytes)
        memcpy(event.bytes, bytes, event.size);
    tape->events[tape->n++] = event;
}

static void note_of(struct file *file, enum event_kind kind, int64_t offset, size_t size, const void *bytes)
{
    if (file->inode >= 0)
        note(
            (struct event){
                .kind = kind, .name = file->name, .inode = file->inode, .offset = offset, .size = size},
            bytes);
}

static int name_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    for (int i = 0; slash && i < NAMES; i++)
        if (!strcmp(slash + 1, file_names[i]))
            return i;
    return -1;
}

static struct file *ours(sqlite3_file *file)
{
    return (struct file *)file;
}

static int file_close(sqlite3_file *file)
{
    return ours(file)->real->pMethods->xClose(ours(file)->real);
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 offset)
{
    int code = passing(CALL_READ);

    return code ? code : ours(file)->real->pMethods->xRead(ours(file)->real, to, n, offset);
}

static int file_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 offset)
{
    int failed = passing(CALL_WRITE);

    if (failed && fault.kind != FAIL_SHORT)
        return failed;
    if (failed)
        n /= 2;
    int code = ours(file)->real->pMethods->xWrite(ours(file)->real, from, n, offset);
    if (code == SQLITE_OK && n > 0)
        note_of(ours(file), EVENT_WRITE, offset, (size_t)n, from);
    return code ? code : failed;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = passing(CALL_TRUNCATE);

    if (code == SQLITE_OK)
        code = ours(file)->real->pMethods->xTruncate(ours(file)->real, size);
    if (code == SQLITE_OK)
        note_of(ours(file), EVENT_TRUNCATE, size, 0, NULL);
    return code;
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct file *of = ours(file);
    int code = passing(CALL_SYNC);

    if (code || of->inode < 0)
        return code;
    note((struct event){.kind = EVENT_SYNC, .name = of->name, .inode = of->inode, .directory = of->enters},
         NULL);
    of->enters = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = passing(CALL_SIZE);

    return code ? code : ours(file)->real->pMethods->xFileSize(ours(file)->real, size);
}

static int file_lock(sqlite3_file *file, int level)
{
    int code = passing(CALL_LOCK);

    return code ? code : ours(file)->real->pMethods->xLock(ours(file)->real, level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return ours(file)->real->pMethods->xUnlock(ours(file)->real, level);
}

static int file_reserved(sqlite3_file *file, int *yes)
{
    return ours(file)->real->pMethods->xCheckReservedLock(ours(file)->real, yes);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return ours(file)->real->pMethods->xFileControl(ours(file)->real, what, argument);
}

static int file_sector(sqlite3_file *file)
{
    return ours(file)->real->pMethods->xSectorSize(ours(file)->real);
}

static int file_traits(sqlite3_file *file)
{
    return ours(file)->real->pMethods->xDeviceCharacteristics(ours(file)->real);
}

static int file_index(sqlite3_file *file, int region, int size, int extend, void volatile **at)
{
    int code = passing(CALL_INDEX);

    return code ? code : ours(file)->real->pMethods->xShmMap(ours(file)->real, region, size, extend, at);
}

static int file_index_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return ours(file)->real->pMethods->xShmLock(ours(file)->real, offset, n, flags);
}

static void file_barrier(sqlite3_file *file)
{
    ours(file)->real->pMethods->xShmBarrier(ours(file)->real);
}

static int file_unmap(sqlite3_file *file, int remove)
{
    return ours(file)->real->pMethods->xShmUnmap(ours(file)->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_index,
    .xShmLock = file_index_lock,
    .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap,
};

/* The file behind `name` from now on; a new one when there was none. */
static int inode_of(enum name name, bool there)
{
    if (there)
        return tape->inode[name];
    tape->inode[name] = tape->inodes++;
    note((struct event){.kind = EVENT_CREATE, .name = name, .inode = tape->inode[name]}, NULL);
    return tape->inode[name];
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out)
{
    struct file *of = ours(file);
    int name = name_of(path), there = 0, code = passing(CALL_OPEN);

    of->base.pMethods = NULL;
    if (code)
        return code;
    if (name >= 0)
        real_vfs->xAccess(real_vfs, path, SQLITE_ACCESS_EXISTS, &there);
    *of = (struct file){.real = (sqlite3_file *)(of + 1), .inode = -1};
    code = real_vfs->xOpen(real_vfs, path, of->real, flags, flags_out);
    if (of->real->pMethods)
        of->base.pMethods = &methods;
    if (code || !tape || name < 0)
        return code;
    of->name = (enum name)name;
    of->inode = inode_of(of->name, there);
    of->enters = name != NAME_DATABASE && flags & SQLITE_OPEN_CREATE;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int directory)
{
    int name = name_of(path), code = passing(CALL_DELETE);

    if (code == SQLITE_OK)
        code = real_vfs->xDelete(real_vfs, path, 0);
    if (code == SQLITE_OK && name >= 0 && tape)
        note((struct event){.kind = EVENT_DELETE,
                            .name = (enum name)name,
                            .inode = tape->inode[name],
                            .directory = directory},
             NULL);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *yes)
{
    int code = passing(CALL_ACCESS);

    return code ? code : real_vfs->xAccess(real_vfs, path, flags, yes);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
    return real_vfs->xFullPathname(real_vfs, path, n, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    return real_vfs->xRandomness(real_vfs, n, out);
}

/* Whoever is busy will not be less so: there is one thread. */
static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, double *time)
{
    return real_vfs->xCurrentTime(real_vfs, time);
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *text)
{
    return real_vfs->xGetLastError(real_vfs, n, text);
}

void vfs_install(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .zName = "recording",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
    };

    real_vfs = sqlite3_vfs_find(NULL);
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.mxPathname = real_vfs->mxPathname;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}
