/*
 * The configuration: a flag wins over the environment, that over the user's file, that over the system's, that
 * over the default.
 *
 * OPTION(kind, name, argument, default, help): the flag --name (with `-` for `_`), the variable
 * GOROUTINED_NAME, the key `name` of the file and a member of struct config. The section `limits` of the file
 * has a key for each row of LIMITS (core_limits.h); --limit NAME=VALUE sets the same. Each section `queue NAME` has a key
 * for each row of POLICIES (queue_policy.h); --queue NAME.SETTING=VALUE sets the same. Each section `pool NAME` has one for each
 * row of POOL_NUMBERS and POOL_LISTS (pool_settings.h); --pool NAME.SETTING=VALUE sets the same. Each section `plugin PATH` has one for each row of
 * HOST_SETTINGS (host_settings.h); --plugin PATH.SETTING=VALUE sets the same. Each section `topic PATTERN` has one for each row
 * of TOPIC_POLICIES (topic_policy.h); --topic PATTERN.SETTING=VALUE sets the same.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "config_plugin.h"
#include "config_pool.h"
#include "config_queue.h"
#include "config_topic.h"
#include "core_limits.h"

#define OPTIONS(OPTION)                                                                                      \
    OPTION(TEXT, endpoint, "ENDPOINT", NULL, "where clients of this machine connect: ipc://PATH")            \
    OPTION(TEXT, lane, "LANE", "auto",                                                                       \
           "auto: clients of this machine may send frames over their "                                       \
           "lifelines; zmq: over ZeroMQ only")                                                               \
    OPTION(TEXT, listen, "ENDPOINT", NULL, "listen here too: tcp://HOST:PORT")                               \
    OPTION(TEXT, listen_secret_file, "FILE", NULL, "secret key of that: goctl keygen makes it")              \
    OPTION(TEXT, listen_keys_file, "FILE", NULL, "who may connect there: rows of NAME PUBLICKEY")            \
    OPTION(FLAG, listen_openly, NULL, false,                                                                 \
           "listen there without keys, for anybody; keep it behind a firewall")                              \
    OPTION(TEXT, rights_file, "FILE", NULL, "who may do what: rows of WHO VERBS PREFIX")                     \
    OPTION(TEXT, state, "DIR", NULL, "state directory: database, copies of plugins, records of hosts")       \
    OPTION(TEXT, host_program, "FILE", NULL, "path of goroutined-host")                                      \
    OPTION(TEXT, plugin_directories, "DIR:...", NULL, "plugins must lie below one of these")                 \
    OPTION(TEXT, durability, "MODE", "full",                                                                 \
           "full: wait for the disk; process: survive crashes of the "                                       \
           "daemon, not of the machine")                                                                     \
    OPTION(NUMBER, pages_max, "PAGES", 0, "most pages of 4096 bytes in the database; 0: no bound")           \
    OPTION(NUMBER, linger_us, "US", 50,                                                                      \
           "look on so many microseconds for the next frame before sleeping; 0: none")                       \
    OPTION(NUMBER, node, "NUMBER", 0, "number of this daemon, 0 to 1023; part of every id")                  \
    OPTION(TEXT, socket_mode, "MODE", NULL, "of the sockets, octal; default 0600, as a service 0660")        \
    OPTION(TEXT, log_level, "LEVEL", "info", "error, warning, info or debug")                                \
    OPTION(FLAG, log_json, NULL, false, "log lines are JSON objects")                                        \
    OPTION(FLAG, ephemeral, NULL, false, "keep nothing on disk: jobs end with the daemon")                   \
    OPTION(FLAG, test_clock, NULL, false, "time stands still but for CLOCK_ADVANCE; for tests")

#define OPTION_TYPE_TEXT   char *
#define OPTION_TYPE_NUMBER uint64_t
#define OPTION_TYPE_FLAG   bool

struct config {
#define OPTION_MEMBER(kind, name, argument, value, help) OPTION_TYPE_##kind name;
    OPTIONS(OPTION_MEMBER)
#undef OPTION_MEMBER
    struct limits limits;
    struct queue_config *queues; /* by their place in files and flags */
    size_t queues_n;
    struct pool_config *pools; /* the same */
    size_t pools_n;
    struct plugin_settings *plugins;
    size_t plugins_n;
    struct topic_config *topics;
    size_t topics_n;
};

/* What the command line asks for besides options. */
enum config_command { COMMAND_RUN, COMMAND_CHECK, COMMAND_FSCK, COMMAND_HELP, COMMAND_VERSION };

struct command {
    enum config_command command;
    char *file;      /* --config: instead of the user's and the system's file */
    char *directory; /* --fsck */
};

/*
 * Reads everything there is and fills config and command. 0, or a negative errno value with *why (heap), which
 * begins with FILE:LINE: where a file is wrong. config_clear frees what was filled, also after a failure.
 * -EINVAL: a wrong flag, variable or key; errors of open for a file that was named; -ENOMEM.
 */
int config_load(int argc, char **argv, struct config *config, struct command *command, char **why);
void config_clear(struct config *config, struct command *command);
void config_help(FILE *out);
