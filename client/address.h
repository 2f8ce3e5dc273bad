/* Endpoints as strings: the default one, and the path of the lifeline that belongs to one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_BYTES = 256 };

/* Writes the endpoint to use to `out` (ADDRESS_BYTES): `given` if not NULL, else the default; `*from` says in
 * words where it came from (static). 0; -EINVAL: neither ipc:// nor tcp://, or empty behind it; -ENAMETOOLONG. */
int address_resolve(const char *given, char *out, const char **from);

bool address_is_local(const char *endpoint);

/* The path of the lifeline of an ipc endpoint. 0; -ENAMETOOLONG: no such socket address. */
int address_lifeline(const char *endpoint, char *out, size_t size);
