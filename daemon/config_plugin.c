#include "config_plugin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "why.h"

/* As the daemon will know the file. One that is not there yet may come with that very path. */
static char *path_of(const char *path)
{
    char *real = path[0] == '/' ? realpath(path, NULL) : NULL;

    return real ? real : strdup(path);
}

static struct plugin_settings *find(struct plugin_settings *plugins, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(plugins[i].path, path) == 0)
            return &plugins[i];
    return NULL;
}

/* The section of that path, made if need be; NULL with *error. */
static struct plugin_settings *section(struct plugin_settings **plugins, size_t *n, const char *name,
                                       int *error, char **why)
{
    _cleanup_(cleanup_free) char *path = path_of(name);
    struct plugin_settings *found = path ? find(*plugins, *n, path) : NULL, *more;

    *error = path ? 0 : -ENOMEM;
    if (!path || found)
        return found;
    if (name[0] != '/' && strcmp(name, "default") != 0) {
        *error = why_set(why, -EINVAL, "plugin '%s': neither an absolute path nor default", name);
        return NULL;
    }
    more = realloc(*plugins, (*n + 1) * sizeof(*more));
    if (!more) {
        *error = -ENOMEM;
        return NULL;
    }
    *plugins = more;
    more[*n] = (struct plugin_settings){.path = path};
    path = NULL;
    return &more[(*n)++];
}

int plugin_config_add(struct plugin_settings **plugins, size_t *n, const char *path, char **why)
{
    int r;

    section(plugins, n, path, &r, why);
    return r;
}

static int complain(const char *path, const struct policy_row *row, const char *value, char **why)
{
    if (strchr(row->unit, '|'))
        return why_set(why, -EINVAL, "plugin %s: %s: '%s' is not one of %s", path, row->name, value,
                       row->unit);
    return why_set(why, -EINVAL, "plugin %s: %s: '%s' is not a number of %s from %llu to %llu", path,
                   row->name, value, row->unit, (unsigned long long)row->least,
                   (unsigned long long)row->most);
}

int plugin_config_set(struct plugin_settings **plugins, size_t *n, const char *path, enum host_setting field,
                      const char *value, char **why)
{
    const struct policy_row *row = &host_setting_rows[field];
    int r;
    struct plugin_settings *plugin = section(plugins, n, path, &r, why);

    if (!plugin)
        return r;
    if (policy_row_read(row, (struct bytes){value, strlen(value)}, host_setting(&plugin->values, field)) < 0)
        return complain(path, row, value, why);
    plugin->set |= UINT64_C(1) << field;
    return 0;
}

static int field_of(const char *name, size_t size)
{
    for (int i = 0; i < HOST_SETTING_FIELDS; i++)
        if (strlen(host_setting_rows[i].name) == size && memcmp(host_setting_rows[i].name, name, size) == 0)
            return i;
    return -ENOENT;
}

int plugin_config_flag(struct plugin_settings **plugins, size_t *n, const char *text, char **why)
{
    size_t left = strcspn(text, "=");
    const char *dot = memrchr(text, '.', left);
    int field = dot ? field_of(dot + 1, (size_t)(text + left - dot - 1)) : -ENOENT;
    _cleanup_(cleanup_free) char *path = dot ? strndup(text, (size_t)(dot - text)) : NULL;

    if (field < 0 || !text[left])
        return why_set(why, -EINVAL,
                       "--plugin %s: write PATH.SETTING=VALUE; goroutined.conf(5) lists the settings", text);
    return path ? plugin_config_set(plugins, n, path, field, text + left + 1, why) : -ENOMEM;
}

void plugin_config_clear(struct plugin_settings *plugins, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(plugins[i].path);
    free(plugins);
}
