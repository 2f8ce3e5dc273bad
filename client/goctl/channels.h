/* What the families of commands share about channels. */
#pragma once

#include "session.h"

/* Opens an existing channel with these rights. 0, or an exit status after the reason was told. */
int channel_open(struct session *session, const char *name, unsigned rights, gc_chan *out);
