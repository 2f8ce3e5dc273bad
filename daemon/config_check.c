#include "config_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "keys.h"
#include "paths.h"
#include "plugin_directories.h"
#include "rights_file.h"
#include "why.h"

enum { NODE_MAX = 1023, LINGER_US_MAX = 1000 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static int level_of(const char *name)
{
    for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
        if (!strcmp(name, level_names[i]))
            return i;
    return -EINVAL;
}

enum log_level config_log_level(const struct config *config)
{
    return (enum log_level)level_of(config->log_level);
}

static int mode_of(const char *text, unsigned *mode)
{
    char *end;
    unsigned long value = strtoul(text, &end, 8);

    if (!*text || *end || value > 0777 || !(value & 0200))
        return -EINVAL;
    *mode = (unsigned)value;
    return 0;
}

unsigned config_socket_mode(const struct config *config)
{
    unsigned mode = 0600;

    mode_of(config->socket_mode, &mode);
    return mode;
}

static bool starts_with(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

static int fill(char **member, char *text, const char *what, char **why)
{
    if (*member) {
        free(text);
        return 0;
    }
    *member = text;
    return text ? 0 : why_set(why, -EINVAL, "cannot tell %s", what);
}

static int fill_in(struct config *config, char **why)
{
    int r = fill(&config->endpoint, paths_endpoint(), "where to listen; set --endpoint", why);

    if (!r && !config->ephemeral)
        r = fill(&config->state, paths_state(), "the state directory: HOME is not set; set --state", why);
    if (!r)
        r = fill(&config->socket_mode, strdup(paths_service() ? "0660" : "0600"), "a mode", why);
    if (!r)
        r = fill(&config->host_program, paths_host_program(), "where goroutined-host is; set --host-program",
                 why);
    if (!r && paths_unit())
        r = fill(&config->plugin_directories, paths_plugins(), "where plugins are; set --plugin-directories",
                 why);
    return r;
}

/* Nobody listens openly by mistake. */
static int check_listen(const struct config *config, char **why)
{
    const char *secret = config->listen_secret_file, *keys = config->listen_keys_file;

    if (config->listen && !starts_with(config->listen, ENDPOINT_TCP))
        return why_set(why, -EINVAL, "listen: '%s' is not tcp://HOST:PORT", config->listen);
    if (config->listen_openly && (secret || keys))
        return why_set(why, -EINVAL,
                       "listen_openly: with listen_secret_file or listen_keys_file nobody can listen openly");
    if (!secret != !keys)
        return why_set(why, -EINVAL, "listen_%s_file: listen_%s_file is missing beside it",
                       secret ? "secret" : "keys", secret ? "keys" : "secret");
    if (!config->listen || config->listen_openly || secret)
        return 0;
    return why_set(
        why, -EINVAL,
        "listen: %s would be open to anybody who reaches it: set listen_secret_file, a file made by `goctl "
        "keygen --out FILE`, and listen_keys_file, with a row NAME PUBLICKEY for each client; or, behind a "
        "firewall, listen_openly",
        config->listen);
}

/* Files that the configuration names: read to see that they are good. */
static int check_files(const struct config *config, char **why)
{
    struct key_pair pair;
    struct keys *keys = NULL;
    struct rights *rights = NULL;
    char said[KEY_WHY_BYTES];
    int r = config->listen_secret_file ? key_file_read(config->listen_secret_file, &pair, said) : 0;

    if (r < 0)
        return why_set(why, r, "listen_secret_file: %s", said);
    explicit_bzero(&pair, sizeof(pair));
    if (config->listen_keys_file)
        r = keys_read(config->listen_keys_file, &keys, why);
    if (r == 0 && config->rights_file)
        r = rights_read(config->rights_file, &rights, why);
    keys_delete(keys);
    rights_delete(rights);
    return r;
}

int config_check(struct config *config, char **why)
{
    unsigned mode;
    int r = config->plugin_directories ? plugin_directories_check(config->plugin_directories, why) : 0;

    if (r == 0)
        r = fill_in(config, why);
    if (r < 0)
        return r;
    if (!starts_with(config->endpoint, ENDPOINT_IPC "/"))
        return why_set(why, -EINVAL, "endpoint: '%s' is not ipc:// with an absolute path", config->endpoint);
    if ((r = check_listen(config, why)) < 0)
        return r;
    if (config->node > NODE_MAX)
        return why_set(why, -EINVAL, "node: %llu is more than %d", (unsigned long long)config->node,
                       NODE_MAX);
    if (config->linger_us > LINGER_US_MAX)
        return why_set(why, -EINVAL, "linger_us: %llu is more than %d", (unsigned long long)config->linger_us,
                       LINGER_US_MAX);
    if (strcmp(config->durability, "full") && strcmp(config->durability, "process"))
        return why_set(why, -EINVAL, "durability: '%s' is neither full nor process", config->durability);
    if (strcmp(config->lane, LANE_AUTO) && strcmp(config->lane, LANE_ZMQ))
        return why_set(why, -EINVAL, "lane: '%s' is neither auto nor zmq", config->lane);
    if (level_of(config->log_level) < 0)
        return why_set(why, -EINVAL, "log_level: '%s' is not error, warning, info or debug",
                       config->log_level);
    if (mode_of(config->socket_mode, &mode) < 0)
        return why_set(why, -EINVAL,
                       "socket_mode: '%s' is not an octal mode that its owner may write, as 0600",
                       config->socket_mode);
    return check_files(config, why);
}
