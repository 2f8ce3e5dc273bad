/* What the families of commands share about channels. */
#pragma once

#include "session.h"

/* Opens an existing channel with these rights. 0, or an exit status after the reason was told. */
int channel_open(struct session *session, const char *name, unsigned rights, gc_chan *out);
/* The same where the name is right, telling nothing. 0 or a negative errno value. */
int channel_open_until(struct session *session, const char *name, unsigned rights, gc_chan *out,
                       gc_until until);
