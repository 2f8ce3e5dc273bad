/*
 * The state directory: one daemon at a time, and a ballast file.
 *
 * `lock` holds the pid of the daemon that has the directory, and its flock. The lock ends with the process,
 * however it ends. `ballast` is space set aside, given to the news of jobs when the disk is full.
 */
#pragma once

#include <stdbool.h>

enum { BALLAST_BYTES = 8 << 20 };

/* Makes the directory (its parent must be there) when it is missing and `create`, and locks it. *lock is to be
 * closed to let go. A lock that a dead process left to a child is waited for, up to 2 s. -EBUSY: a daemon has it, its pid in *why; -ENOENT, -ENOTDIR, -EROFS, -EACCES, ... */
int directory_lock(const char *path, bool create, int *lock, char **why);

/* 0 when the space is set aside, -ENOSPC, or another negative errno value. */
int ballast_take(const char *directory);
/* 0, also when there was none. */
int ballast_release(const char *directory);
