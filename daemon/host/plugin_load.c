/*
 * Opening a plugin file and reading its manifest.
 *
 * What can be told from the bytes of the file is told before dlopen, so that the message names the cause and
 * not the loader's guess. Everything in the manifest is checked before it is used.
 */
#include "plugin_load.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "fd.h"
#include "message.h"

enum { FUNCTIONS_MAX = 4096 };

__attribute__((format(printf, 3, 4))) static int refuse(char *why, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, PLUGIN_WHY_BYTES, format, args);
    va_end(args);
    return error;
}

static int check_elf(const char *file, const char *path, char *why)
{
    _cleanup_(cleanup_close) int fd = open(file, O_RDONLY | O_CLOEXEC);
    Elf64_Ehdr head;

    if (fd < 0)
        return refuse(why, -errno, "cannot open plugin %s: %s", path, strerror(errno));
    if (read(fd, &head, sizeof head) != sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(why, -ENOEXEC, "%s is not an ELF file: build the plugin with cc -shared -fPIC", path);
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_type != ET_DYN)
        return refuse(why, -ENOEXEC,
                      "%s is not a 64-bit shared object: build the plugin with cc -shared -fPIC", path);
    return 0;
}

static bool name_ok(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

    return name && *name && strlen(name) <= NAME_BYTES_MAX && strspn(name, allowed) == strlen(name);
}

static int check_functions(const struct gp_manifest *m, const char *path, char *why)
{
    for (uint64_t i = 0; i < m->functions_n; i++) {
        const struct gp_function *f = &m->functions[i];

        if (!name_ok(f->name))
            return refuse(why, -EINVAL,
                          "function %llu of plugin %s has no valid name: use letters, digits and _.-",
                          (unsigned long long)i, path);
        if (!f->run)
            return refuse(why, -EINVAL, "function %s of plugin %s has no code: give it in GP_PLUGIN", f->name,
                          path);
        for (uint64_t j = 0; j < i; j++)
            if (strcmp(m->functions[j].name, f->name) == 0)
                return refuse(why, -EINVAL, "plugin %s names the function %s twice", path, f->name);
    }
    return 0;
}

static int check_manifest(const struct gp_manifest *m, const char *path, char *why)
{
    if (m->magic != GP_MAGIC)
        return refuse(why, -ENOEXEC, "gp_manifest of %s was not made by GP_PLUGIN of goplugin.h", path);
    if (m->abi != GP_ABI || m->size != sizeof *m)
        return refuse(why, -EPROTONOSUPPORT,
                      "plugin %s was built for ABI %u, this host speaks ABI %u: rebuild it with the "
                      "goplugin.h of this version",
                      path, m->abi, (unsigned)GP_ABI);
    if (!name_ok(m->name) || !m->version || strlen(m->version) > NAME_BYTES_MAX)
        return refuse(why, -EINVAL, "plugin %s has no valid name or version: use letters, digits and _.-",
                      path);
    if (m->functions_n == 0 || m->functions_n > FUNCTIONS_MAX || !m->functions)
        return refuse(why, -EINVAL, "plugin %s offers %llu functions: 1 to %d are possible", path,
                      (unsigned long long)m->functions_n, FUNCTIONS_MAX);
    return check_functions(m, path, why);
}

int plugin_open(const char *file, const char *path, struct plugin *plugin, char why[PLUGIN_WHY_BYTES])
{
    int r = check_elf(file, path, why);

    if (r < 0)
        return r;
    plugin->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!plugin->handle)
        return refuse(why, -ENOEXEC, "plugin %s cannot be loaded: %s", path, dlerror());
    plugin->manifest = dlsym(plugin->handle, "gp_manifest");
    if (!plugin->manifest)
        return refuse(why, -ENOEXEC, "%s has no manifest: a plugin needs one GP_PLUGIN(…) of goplugin.h",
                      path);
    return check_manifest(plugin->manifest, path, why);
}

const struct gp_function *plugin_function(const struct plugin *plugin, struct gp_bytes name)
{
    for (uint64_t i = 0; i < plugin->manifest->functions_n; i++) {
        const struct gp_function *f = &plugin->manifest->functions[i];

        if (strlen(f->name) == name.size && memcmp(f->name, name.data, name.size) == 0)
            return f;
    }
    return NULL;
}

static json_t *describe_function(const struct gp_function *f)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I}", "name", f->name, "help", f->help ? f->help : "",
                     "attempts_max", (json_int_t)f->policy.attempts_max, "backoff_ns",
                     (json_int_t)f->policy.backoff_ms * 1000000, "time_limit_ns",
                     (json_int_t)f->policy.time_limit_ms * 1000000);
}

static json_t *describe_manifest(const struct gp_manifest *m)
{
    json_t *functions = json_array();

    for (uint64_t i = 0; i < m->functions_n; i++)
        if (json_array_append_new(functions, describe_function(&m->functions[i])) < 0) {
            json_decref(functions);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:o}", "name", m->name, "version", m->version, "functions", functions);
}

int plugin_describe(const char *file, const char *path, int fd)
{
    char why[PLUGIN_WHY_BYTES];
    struct plugin plugin;
    json_t *answer;
    int r = plugin_open(file, path, &plugin, why), written;

    answer = r < 0 ? json_pack("{s:i, s:s}", "error", -r, "text", why) : describe_manifest(plugin.manifest);
    if (!answer) /* a name or help text that is not UTF-8 */
        answer = json_pack("{s:i, s:s}", "error", EINVAL, "text",
                           "a name or help text of the plugin is not UTF-8");
    written = json_dumpfd(answer, fd, JSON_COMPACT);
    json_decref(answer);
    return r < 0 || written < 0;
}
