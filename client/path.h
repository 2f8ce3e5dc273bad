/* Names of files. */
#pragma once

#include <limits.h>

/* As realpath: the one name of that file. It is in `room`, or `path` itself. NULL: errno says why. */
const char *path_real(const char *path, char room[PATH_MAX]);
