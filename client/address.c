#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "endpoint.h"

static bool begins(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

bool address_is_local(const char *endpoint)
{
    return begins(endpoint, ENDPOINT_IPC);
}

static int print_default(char *out, const char **from)
{
    const char *variable = getenv(ENDPOINT_VARIABLE), *directory = getenv(ENDPOINT_DIRECTORY);
    if (variable && *variable) {
        *from = "from $" ENDPOINT_VARIABLE;
        return snprintf(out, ADDRESS_BYTES, "%s", variable);
    }
    if (directory && *directory) {
        *from = "the default of a user, below $" ENDPOINT_DIRECTORY;
        return snprintf(out, ADDRESS_BYTES, ENDPOINT_IPC "%s" ENDPOINT_USER_PATH, directory);
    }
    *from = "the default where $" ENDPOINT_DIRECTORY " is not set";
    return snprintf(out, ADDRESS_BYTES, ENDPOINT_IPC ENDPOINT_SERVICE_PATH);
}

int address_resolve(const char *given, char *out, const char **from)
{
    *from = "as given";
    int size = given ? snprintf(out, ADDRESS_BYTES, "%s", given) : print_default(out, from);
    if (size >= ADDRESS_BYTES)
        return -ENAMETOOLONG;
    bool known = begins(out, ENDPOINT_IPC) || begins(out, ENDPOINT_TCP);
    return known && (size_t)size > strlen(ENDPOINT_IPC) ? 0 : -EINVAL;
}

int address_lifeline(const char *endpoint, char *out, size_t size)
{
    size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    size_t need = (size_t)snprintf(out, size, "%s" LIFELINE_SUFFIX, endpoint + strlen(ENDPOINT_IPC));
    return need < size && need < room ? 0 : -ENAMETOOLONG;
}
