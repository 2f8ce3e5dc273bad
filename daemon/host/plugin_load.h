/* Opening a plugin file and reading its manifest. Only ever in a host process: constructors run here. */
#pragma once

#include "goplugin.h"

enum { PLUGIN_WHY_BYTES = 1024 };

struct plugin {
    void *handle; /* never closed: code of a plugin may be anywhere */
    const struct gp_manifest *manifest;
};

/*
 * Loads `file`, the daemon's copy of the plugin that people know as `path`, and checks its manifest. 0; -ENOENT and
 * other errors of open; -ENOEXEC: not a shared object, one that cannot be loaded, or one without a manifest;
 * -EPROTONOSUPPORT: built for another host; -EINVAL: a manifest that says nonsense. `why` then says what was wrong
 * and what to do.
 */
int plugin_open(const char *file, const char *path, struct plugin *plugin, char why[PLUGIN_WHY_BYTES]);

/* NULL when the plugin has no such function. */
const struct gp_function *plugin_function(const struct plugin *plugin, struct gp_bytes name);

/* --describe: writes the answer of host_protocol.h to `fd`. Returns the exit status. */
int plugin_describe(const char *file, const char *path, int fd);
