#include "credentials.h"

#include <stdio.h>
#include <string.h>

#include "keys.h"

struct credentials credentials_of_address(const char *address)
{
    struct credentials who = {0};
    const char *at = address + strlen(address);
    int colons = 0;

    while (at > address && colons < 3)
        colons += *--at == ':';
    if (colons == 3)
        who.known = sscanf(at, ":%u:%u:%d", &who.uid, &who.gid, &who.pid) == 3;
    return who;
}

struct credentials credentials_of_key(const struct key *key)
{
    struct credentials who = {0};

    if (!key)
        return who;
    who.uid = key->account;
    who.known = true;
    memcpy(who.key, key->name, sizeof(who.key));
    return who;
}
