/*
 * Plugin files: who may offer one, the daemon's own copy of it, and what it says about itself.
 *
 * The daemon never opens a plugin as code. It checks the file on its descriptor, copies it to STATE/plugins/HASH.so, and
 * asks `goroutined-host --describe` what is in the copy. Any thread; calls for several files may run at once.
 */
#pragma once

#include "core.h"
#include "host_settings.h"

enum { PLUGIN_FILE_BYTES_MAX = 256 << 20, PLUGIN_FUNCTIONS_MAX = 4096 };

struct plugin_files_options {
    const char *state;              /* state directory; the copies live in its folder `plugins` */
    const char *host_program;       /* path of goroutined-host */
    const char *const *directories; /* real paths plugins must lie below, NULL-terminated; NULL: anywhere */
    struct plugin_sections settings;
    uint64_t plugins_max; /* whose answers are remembered */
};

struct plugin_files;

/* What IN_PLUGIN carries. `memory` keeps the strings. */
struct plugin_about {
    int error;
    char *text;          /* owned; when error < 0 */
    char generation[33]; /* hexadecimal */
    struct bytes name, version;
    struct plugin_function *functions; /* owned */
    size_t functions_n;
    void *memory; /* owned */
};

/* Makes the folder and clears it of the copies of an earlier daemon, whose hosts must have ended. 0, -ENOMEM, errors of mkdir and eventfd. The
 * options' strings must outlive it. */
int plugin_files_new(const struct plugin_files_options *options, struct plugin_files **files);
/* Accepts NULL. */
struct plugin_files *plugin_files_delete(struct plugin_files *files);

/* Every look, under way or to come, ends at once with -ECANCELED unless its plugin is known. Never blocks. */
void plugin_files_stop(struct plugin_files *files);

/*
 * Looks at `path` and fills *about, its error included: -ENOENT …: as open says; -EACCES: somebody else may write to the
 * file or a folder above it, or it lies outside the configured directories; -ENOEXEC, -EPROTONOSUPPORT, -EINVAL: no
 * good plugin; -ETIMEDOUT: its constructors do not end; -ECANCELED: plugin_files_stop; -E2BIG; -EIO, -ENOSPC: no copy could be made. A file that has
 * not changed since it was seen last is not read again. Blocks as long as a plugin's constructors, at most
 * HOST_DESCRIBE_TIMEOUT_MS.
 */
void plugin_files_look(struct plugin_files *files, const char *path, struct plugin_about *about);
void plugin_about_clear(struct plugin_about *about);

/* The copy of a generation: its path into `out`. */
void plugin_files_copy_path(const struct plugin_files *files, struct bytes generation, char *out,
                            size_t size);
