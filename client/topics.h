/* Messages that are published, as requests have them. */
#pragma once

#include "goclient_topic.h"
#include "message.h"

/* Borrows what both point to; what the message does not have is that of all. */
struct outgoing outgoing_wire(const struct gc_outgoing *from, const struct gc_publish_options *all);
