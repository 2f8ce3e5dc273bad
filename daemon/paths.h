/*
 * Where things are when nobody says so: the XDG directories of a user, /run and /var/lib of a service, or what
 * systemd made for the unit (STATE_DIRECTORY, RUNTIME_DIRECTORY). All results are on the heap; NULL: it cannot
 * be told, or no memory.
 */
#pragma once

#include <stdbool.h>

/* A unit of the system's manager: it was given a state directory, and no login session's. */
bool paths_unit(void);
/* Root, or such a unit: not somebody's login session. */
bool paths_service(void);
char *paths_endpoint(void);
char *paths_state(void);
/* The one directory of a unit's plugins. */
char *paths_plugins(void);
/* /etc/goroutined/goroutined.conf */
char *paths_system_config(void);
/* NULL for a service. */
char *paths_user_config(void);
/* Beside this program, or in the build tree's or the installation's place for it. */
char *paths_host_program(void);
/* Makes the directories of `path` that are missing, with mode 0700. 0 or negative errno value. */
int paths_make(const char *path);
/* Removes a directory and all below it, as far as it can be. */
void paths_remove(const char *directory);
