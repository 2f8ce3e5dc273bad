#include "plugin_directories.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "why.h"

static int check_one(const char *directory, char **why)
{
    struct stat st;
    int error = stat(directory, &st) < 0 ? errno : 0;

    if (!error && !S_ISDIR(st.st_mode))
        error = ENOTDIR;
    return error ? why_set(why, -EINVAL, "plugin_directories: '%s': %s; make it, or take it off the list",
                           directory, strerror(error))
                 : 0;
}

int plugin_directories_check(const char *list, char **why)
{
    _cleanup_(cleanup_free) char *text = strdup(list);
    char *rest = text;
    int r = text ? 0 : -ENOMEM;

    for (char *one; r == 0 && (one = strsep(&rest, ":"));)
        if (*one)
            r = check_one(one, why);
    return r;
}

static char *resolve(const char *directory)
{
    char *real = realpath(directory, NULL);

    if (real && !real[1])
        *real = 0; /* the root: every path begins with nothing and goes on with `/` */
    return real ? real : strdup(directory);
}

char **plugin_directories_read(const char *list)
{
    _cleanup_(cleanup_free) char *text = strdup(list);
    char **all = calloc(strlen(list) / 2 + 2, sizeof(*all)), *rest = text;
    bool enough = text && all;
    size_t n = 0;

    for (char *one; enough && (one = strsep(&rest, ":"));)
        if (*one)
            enough = (all[n++] = resolve(one));
    return enough ? all : plugin_directories_free(all);
}

char **plugin_directories_free(char **directories)
{
    for (size_t i = 0; directories && directories[i]; i++)
        free(directories[i]);
    free(directories);
    return NULL;
}
