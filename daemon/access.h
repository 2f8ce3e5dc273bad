/* Who may come in, and what he may do: files that are read at the start and again at SIGHUP. Hub thread. */
#pragma once

struct hub;

/* Reads what the configuration names. 0, or errors of table_file_read with *why (heap). */
int access_open(struct hub *hub, char **why);
/* Reads it again, logs how that went, and keeps what there was if it is not good. Connections of keys that are gone end at
 * once, and with the lease their sessions. */
void access_reload(struct hub *hub);
void access_close(struct hub *hub);
