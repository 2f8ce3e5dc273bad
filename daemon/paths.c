#include "paths.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "endpoint.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/libexec"
#endif

#ifndef LIBDIR
#define LIBDIR "/usr/lib"
#endif

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *print(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return text;
}

bool paths_unit(void)
{
    return variable("STATE_DIRECTORY") && !variable("XDG_RUNTIME_DIR");
}

bool paths_service(void)
{
    return !geteuid() || paths_unit();
}

/* The same order as in a client (endpoint.h), so that both meet. */
char *paths_endpoint(void)
{
    const char *made = variable("RUNTIME_DIRECTORY"), *user = variable(ENDPOINT_DIRECTORY);

    if (made)
        return print(ENDPOINT_IPC "%.*s/socket", (int)strcspn(made, ":"), made);
    if (user)
        return print(ENDPOINT_IPC "%s" ENDPOINT_USER_PATH, user);
    return print(ENDPOINT_IPC ENDPOINT_SERVICE_PATH);
}

char *paths_state(void)
{
    const char *made = variable("STATE_DIRECTORY"), *user = variable("XDG_STATE_HOME"),
               *home = variable("HOME");

    if (made)
        return print("%.*s", (int)strcspn(made, ":"), made);
    if (user)
        return print("%s/goroutined", user);
    if (paths_service())
        return print("/var/lib/goroutined");
    return home ? print("%s/.local/state/goroutined", home) : NULL;
}

char *paths_plugins(void)
{
    return print(LIBDIR "/goroutined/plugins");
}

char *paths_system_config(void)
{
    return print("/etc/goroutined/goroutined.conf");
}

char *paths_user_config(void)
{
    const char *user = variable("XDG_CONFIG_HOME"), *home = variable("HOME");

    if (paths_service())
        return NULL;
    if (user)
        return print("%s/goroutined/goroutined.conf", user);
    return home ? print("%s/.config/goroutined/goroutined.conf", home) : NULL;
}

char *paths_host_program(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    while (n > 0 && self[n - 1] != '/')
        n--;
    if (n > 0) {
        const char *const places[] = {"goroutined-host", "host/goroutined-host",
                                      "../libexec/goroutined/goroutined-host"};
        for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
            char *path = print("%.*s%s", (int)n, self, places[i]);
            if (path && !access(path, X_OK))
                return path;
            free(path);
        }
    }
    return print(LIBEXECDIR "/goroutined/goroutined-host");
}

int paths_make(const char *path)
{
    _cleanup_(cleanup_free) char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    for (char *at = copy + 1;; at++) {
        char c = *at;
        if (c && c != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, 0700) && errno != EEXIST)
            return -errno;
        *at = c;
        if (!c)
            return 0;
    }
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    remove(path);
    return 0;
}

void paths_remove(const char *directory)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
