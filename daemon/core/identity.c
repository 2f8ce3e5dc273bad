#include "identity.h"

#include <string.h>

static bool name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool key_name_good(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++)
        if (!name_byte(name[i]))
            return false;
    return size && size <= KEY_NAME_BYTES_MAX;
}

/* FNV-1a. Names are the administrator's, so nobody seeks collisions; keys.c refuses those that happen. */
uint32_t key_account(const char *name)
{
    uint32_t hash = 2166136261u;

    while (*name)
        hash = (hash ^ (uint8_t)*name++) * 16777619u;
    hash |= ACCOUNT_KEYS;
    return hash == ACCOUNT_UNKNOWN ? hash - 1 : hash;
}
