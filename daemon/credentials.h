/* Who is at the other end of a connection, from what libzmq says of each message. */
#pragma once

#include "core.h"

struct key;

/* Of ipc, from its Peer-Address: "HOST:UID:GID:PID". Anything else is somebody unknown. */
struct credentials credentials_of_address(const char *address);
/* Of tcp. NULL, where there are no keys: somebody unknown. */
struct credentials credentials_of_key(const struct key *key);
