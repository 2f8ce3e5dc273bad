/*
 * One parser for all sources: each option is set by its name and a text, where the source is named in errors.
 * Files go through libconfuse, which knows their lines.
 */
#include "config.h"

#include <confuse.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "config_check.h"
#include "paths.h"
#include "why.h"

enum option_kind { TEXT, NUMBER, FLAG };

struct option_row {
    enum option_kind kind;
    const char *name, *argument, *help;
    size_t offset; /* in struct config */
};

struct limit_row {
    const char *name, *unit, *help;
    uint64_t value;
    size_t offset; /* in struct limits */
};

static const struct option_row option_rows[] = {
#define OPTION_ROW(kind, name, argument, value, help)                                                        \
    {kind, #name, argument, help, offsetof(struct config, name)},
    OPTIONS(OPTION_ROW)
#undef OPTION_ROW
};

static const struct limit_row limit_rows[] = {
#define LIMIT_ROW(name, unit, value, help) {#name, unit, help, value, offsetof(struct limits, name)},
    LIMITS(LIMIT_ROW)
#undef LIMIT_ROW
};

enum {
    OPTION_ROWS = sizeof(option_rows) / sizeof(*option_rows),
    LIMIT_ROWS = sizeof(limit_rows) / sizeof(*limit_rows),
};

/* ---- one value ---- */

static int parse_number(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno || !*text || *end || *text == '-' ? -EINVAL : 0;
}

static int parse_flag(const char *text, bool *flag)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcasecmp(text, words[i])) {
            *flag = i % 2;
            return 0;
        }
    return -EINVAL;
}

static int set_text(char **member, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

/* `source` names where the text stands: a flag or a variable. */
static int set_option(struct config *config, const struct option_row *row, const char *text,
                      const char *source, char **why)
{
    void *member = (char *)config + row->offset;
    int r;

    if (row->kind == TEXT)
        r = set_text(member, text);
    else if (row->kind == NUMBER)
        r = parse_number(text, member);
    else
        r = parse_flag(text, member);
    if (r != -EINVAL)
        return r;
    return why_set(why, r, "%s: '%s' is not %s", source, text,
                   row->kind == NUMBER ? "a number" : "true or false");
}

static uint64_t *limit_member(struct config *config, const struct limit_row *row)
{
    return (uint64_t *)((char *)&config->limits + row->offset);
}

/* --limit NAME=VALUE */
static int set_limit(struct config *config, const char *text, char **why)
{
    size_t name = strcspn(text, "=");

    for (int i = 0; i < LIMIT_ROWS; i++) {
        if (strlen(limit_rows[i].name) != name || strncmp(limit_rows[i].name, text, name))
            continue;
        if (text[name] && !parse_number(text + name + 1, limit_member(config, &limit_rows[i])))
            return 0;
        return why_set(why, -EINVAL, "--limit %s: write %s=NUMBER, in %s", text, limit_rows[i].name,
                       limit_rows[i].unit);
    }
    return why_set(why, -EINVAL, "--limit %s: there is no such limit; goroutined.conf(5) lists them", text);
}

/* ---- files ---- */

/* libconfuse reports through a function without context, and a section does not know its file. */
static char **file_why;
static const char *file_path;

static void file_error(cfg_t *file, const char *format, va_list arguments)
{
    _cleanup_(cleanup_free) char *text = NULL;

    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    why_set(file_why, -EINVAL, "%s:%d: %s", file_path, file->line, text ? text : "out of memory");
}

static int reject_negative(cfg_t *file, cfg_opt_t *option)
{
    if (cfg_opt_getnint(option, cfg_opt_size(option) - 1) >= 0)
        return 0;
    cfg_error(file, "%s must not be negative", cfg_opt_name(option));
    return -1;
}

static cfg_opt_t key(const char *name, cfg_type_t type)
{
    return (cfg_opt_t){.name = name, .type = type, .flags = CFGF_NODEFAULT};
}

/* Numbers stand bare, words too: all are read as text. */
static void queue_keys(cfg_opt_t keys[POLICY_FIELDS + 1])
{
    for (int i = 0; i < POLICY_FIELDS; i++)
        keys[i] = key(policy_rows[i].name, CFGT_STR);
    keys[POLICY_FIELDS] = (cfg_opt_t)CFG_END();
}

static void pool_keys(cfg_opt_t keys[POOL_FIELDS + 1])
{
    for (int i = 0; i < POOL_FIELDS; i++)
        keys[i] = key(pool_rows[i].name, CFGT_STR);
    keys[POOL_FIELDS] = (cfg_opt_t)CFG_END();
}

static void plugin_keys(cfg_opt_t keys[HOST_SETTING_FIELDS + 1])
{
    for (int i = 0; i < HOST_SETTING_FIELDS; i++)
        keys[i] = key(host_setting_rows[i].name, CFGT_STR);
    keys[HOST_SETTING_FIELDS] = (cfg_opt_t)CFG_END();
}

static void topic_keys(cfg_opt_t keys[TOPIC_FIELDS + 1])
{
    for (int i = 0; i < TOPIC_FIELDS; i++)
        keys[i] = key(topic_rows[i].name, CFGT_STR);
    keys[TOPIC_FIELDS] = (cfg_opt_t)CFG_END();
}

static cfg_t *file_new(void)
{
    const cfg_flag_t many = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
    static const cfg_type_t types[] = {[TEXT] = CFGT_STR, [NUMBER] = CFGT_INT, [FLAG] = CFGT_BOOL};
    cfg_opt_t limits[LIMIT_ROWS + 1], queue[POLICY_FIELDS + 1], keys[OPTION_ROWS + 6];
    cfg_opt_t plugin[HOST_SETTING_FIELDS + 1], pool[POOL_FIELDS + 1], topic[TOPIC_FIELDS + 1];
    char path[64];

    for (int i = 0; i < LIMIT_ROWS; i++)
        limits[i] = key(limit_rows[i].name, CFGT_INT);
    limits[LIMIT_ROWS] = (cfg_opt_t)CFG_END();
    for (int i = 0; i < OPTION_ROWS; i++)
        keys[i] = key(option_rows[i].name, types[option_rows[i].kind]);
    keys[OPTION_ROWS] = (cfg_opt_t)CFG_SEC("limits", limits, CFGF_NONE);
    queue_keys(queue);
    keys[OPTION_ROWS + 1] = (cfg_opt_t)CFG_SEC("queue", queue, many);
    plugin_keys(plugin);
    keys[OPTION_ROWS + 2] = (cfg_opt_t)CFG_SEC("plugin", plugin, many);
    pool_keys(pool);
    keys[OPTION_ROWS + 3] = (cfg_opt_t)CFG_SEC("pool", pool, many);
    topic_keys(topic);
    keys[OPTION_ROWS + 4] = (cfg_opt_t)CFG_SEC("topic", topic, many);
    keys[OPTION_ROWS + 5] = (cfg_opt_t)CFG_END();
    cfg_t *file = cfg_init(keys, CFGF_NONE);
    if (!file)
        return NULL;
    cfg_set_error_function(file, file_error);
    for (int i = 0; i < OPTION_ROWS; i++)
        if (option_rows[i].kind == NUMBER)
            cfg_set_validate_func(file, option_rows[i].name, reject_negative);
    for (int i = 0; i < LIMIT_ROWS; i++) {
        snprintf(path, sizeof(path), "limits|%s", limit_rows[i].name);
        cfg_set_validate_func(file, path, reject_negative);
    }
    return file;
}

static int copy_option(cfg_t *file, const struct option_row *row, struct config *config)
{
    void *member = (char *)config + row->offset;

    if (!cfg_size(file, row->name))
        return 0;
    if (row->kind == TEXT)
        return set_text(member, cfg_getstr(file, row->name));
    if (row->kind == NUMBER)
        *(uint64_t *)member = (uint64_t)cfg_getint(file, row->name);
    else
        *(bool *)member = cfg_getbool(file, row->name) == cfg_true;
    return 0;
}

static int copy_queue(cfg_t *section, struct config *config, char **why)
{
    struct bytes name = {cfg_title(section), strlen(cfg_title(section))};
    int r = queue_config_add(&config->queues, &config->queues_n, name, why);

    for (int i = 0; r == 0 && i < POLICY_FIELDS; i++)
        if (cfg_size(section, policy_rows[i].name))
            r = queue_config_set(&config->queues, &config->queues_n, name, i,
                                 cfg_getstr(section, policy_rows[i].name), why);
    return r;
}

static int copy_pool(cfg_t *section, struct config *config, char **why)
{
    struct bytes name = {cfg_title(section), strlen(cfg_title(section))};
    int r = pool_config_add(&config->pools, &config->pools_n, name, why);

    for (int i = 0; r == 0 && i < POOL_FIELDS; i++)
        if (cfg_size(section, pool_rows[i].name))
            r = pool_config_set(&config->pools, &config->pools_n, name, pool_rows[i].name,
                                cfg_getstr(section, pool_rows[i].name), why);
    return r;
}

static int copy_topic(cfg_t *section, struct config *config, char **why)
{
    struct bytes pattern = {cfg_title(section), strlen(cfg_title(section))};
    int r = topic_config_add(&config->topics, &config->topics_n, pattern, why);

    for (int i = 0; r == 0 && i < TOPIC_FIELDS; i++)
        if (cfg_size(section, topic_rows[i].name))
            r = topic_config_set(&config->topics, &config->topics_n, pattern, topic_rows[i].name,
                                 cfg_getstr(section, topic_rows[i].name), why);
    return r;
}

static int copy_plugin(cfg_t *section, struct config *config, char **why)
{
    const char *path = cfg_title(section);
    int r = plugin_config_add(&config->plugins, &config->plugins_n, path, why);

    for (int i = 0; r == 0 && i < HOST_SETTING_FIELDS; i++)
        if (cfg_size(section, host_setting_rows[i].name))
            r = plugin_config_set(&config->plugins, &config->plugins_n, path, i,
                                  cfg_getstr(section, host_setting_rows[i].name), why);
    return r;
}

static int copy_sections(cfg_t *file, const char *name,
                         int (*copy)(cfg_t *section, struct config *config, char **why),
                         struct config *config, char **why)
{
    char *said = NULL;
    int r = 0;

    for (unsigned i = 0; r == 0 && i < cfg_size(file, name); i++) {
        r = copy(cfg_getnsec(file, name, i), config, &said);
        if (r < 0)
            why_set(why, r, "%s: %s", file_path, said ? said : "out of memory");
        free(said);
    }
    return r;
}

static int copy_file(cfg_t *file, struct config *config, char **why)
{
    cfg_t *limits = cfg_getsec(file, "limits");
    int r = 0;

    for (int i = 0; !r && i < OPTION_ROWS; i++)
        r = copy_option(file, &option_rows[i], config);
    for (int i = 0; limits && i < LIMIT_ROWS; i++)
        if (cfg_size(limits, limit_rows[i].name))
            *limit_member(config, &limit_rows[i]) = (uint64_t)cfg_getint(limits, limit_rows[i].name);
    if (r == 0)
        r = copy_sections(file, "queue", copy_queue, config, why);
    if (r == 0)
        r = copy_sections(file, "pool", copy_pool, config, why);
    if (r == 0)
        r = copy_sections(file, "topic", copy_topic, config, why);
    return r ? r : copy_sections(file, "plugin", copy_plugin, config, why);
}

static int read_file(const char *path, bool must_exist, struct config *config, char **why)
{
    cfg_t *file = file_new();
    int r;

    if (!file)
        return why_set(why, -ENOMEM, "out of memory");
    file_why = why;
    file_path = path;
    errno = 0;
    int outcome = cfg_parse(file, path);
    if (outcome == CFG_SUCCESS)
        r = copy_file(file, config, why);
    else if (outcome == CFG_FILE_ERROR && errno == ENOENT && !must_exist)
        r = 0;
    else if (outcome == CFG_FILE_ERROR)
        r = why_set(why, errno ? -errno : -EIO, "cannot read %s: %s", path, strerror(errno));
    else
        r = -EINVAL;
    cfg_free(file);
    return r;
}

static int read_files(const struct command *command, struct config *config, char **why)
{
    char *paths[] = {paths_system_config(), paths_user_config()};
    int r = 0;

    if (command->file)
        r = read_file(command->file, true, config, why);
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        if (!r && !command->file && paths[i])
            r = read_file(paths[i], false, config, why);
        free(paths[i]);
    }
    return r;
}

/* ---- environment and command line ---- */

/* NAME of a flag or variable: `_` becomes `-` for a flag, letters are raised for a variable. */
static void flag_name(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s", name);
    for (; *out; out++)
        if (*out == '_')
            *out = '-';
}

static void variable_name(const char *name, char *out, size_t size)
{
    snprintf(out, size, "GOROUTINED_%s", name);
    for (; *out; out++)
        if (*out >= 'a' && *out <= 'z')
            *out -= 'a' - 'A';
}

static int read_environment(struct config *config, char **why)
{
    char name[64];
    int r = 0;

    for (int i = 0; !r && i < OPTION_ROWS; i++) {
        variable_name(option_rows[i].name, name, sizeof(name));
        const char *text = getenv(name);
        if (text && *text)
            r = set_option(config, &option_rows[i], text, name, why);
    }
    return r;
}

enum {
    FLAG_CONFIG = OPTION_ROWS,
    FLAG_CHECK,
    FLAG_FSCK,
    FLAG_LIMIT,
    FLAG_QUEUE,
    FLAG_POOL,
    FLAG_PLUGIN,
    FLAG_TOPIC,
    FLAG_HELP,
    FLAG_VERSION,
    FLAGS
};

struct flags {
    struct option options[FLAGS + 1];
    char names[OPTION_ROWS][32];
};

static void flags_init(struct flags *flags)
{
    static const struct option others[] = {
        {"config", required_argument, NULL, FLAG_CONFIG},
        {"check-config", no_argument, NULL, FLAG_CHECK},
        {"fsck", required_argument, NULL, FLAG_FSCK},
        {"limit", required_argument, NULL, FLAG_LIMIT},
        {"queue", required_argument, NULL, FLAG_QUEUE},
        {"pool", required_argument, NULL, FLAG_POOL},
        {"plugin", required_argument, NULL, FLAG_PLUGIN},
        {"topic", required_argument, NULL, FLAG_TOPIC},
        {"help", no_argument, NULL, FLAG_HELP},
        {"version", no_argument, NULL, FLAG_VERSION},
        {0},
    };

    for (int i = 0; i < OPTION_ROWS; i++) {
        flag_name(option_rows[i].name, flags->names[i], sizeof(flags->names[i]));
        int argument = option_rows[i].kind == FLAG ? optional_argument : required_argument;
        flags->options[i] = (struct option){flags->names[i], argument, NULL, i};
    }
    memcpy(&flags->options[OPTION_ROWS], others, sizeof(others));
}

/* Those that decide what happens and which file is read. */
static int take_command(int flag, struct command *command, char **why)
{
    static const enum config_command commands[] = {
        [FLAG_CHECK] = COMMAND_CHECK,
        [FLAG_FSCK] = COMMAND_FSCK,
        [FLAG_HELP] = COMMAND_HELP,
        [FLAG_VERSION] = COMMAND_VERSION,
    };

    if (flag == '?' || flag == ':')
        return why_set(why, -EINVAL, "unknown or incomplete flag; see goroutined --help");
    if (flag == FLAG_CONFIG)
        return set_text(&command->file, optarg);
    if (flag >= FLAG_CHECK && flag != FLAG_LIMIT && flag != FLAG_QUEUE && flag != FLAG_POOL &&
        flag != FLAG_PLUGIN && flag != FLAG_TOPIC)
        command->command = commands[flag];
    return flag == FLAG_FSCK ? set_text(&command->directory, optarg) : 0;
}

static int take_option(int flag, struct config *config, char **why)
{
    char source[64] = "--";

    if (flag == FLAG_LIMIT)
        return set_limit(config, optarg, why);
    if (flag == FLAG_QUEUE)
        return queue_config_flag(&config->queues, &config->queues_n, optarg, why);
    if (flag == FLAG_POOL)
        return pool_config_flag(&config->pools, &config->pools_n, optarg, why);
    if (flag == FLAG_PLUGIN)
        return plugin_config_flag(&config->plugins, &config->plugins_n, optarg, why);
    if (flag == FLAG_TOPIC)
        return topic_config_flag(&config->topics, &config->topics_n, optarg, why);
    if (flag >= OPTION_ROWS)
        return 0;
    flag_name(option_rows[flag].name, source + 2, sizeof(source) - 2);
    return set_option(config, &option_rows[flag], optarg ? optarg : "true", source, why);
}

/* Goes through the flags once: with `config` NULL for commands, else for options. */
static int read_flags(int argc, char **argv, struct config *config, struct command *command, char **why)
{
    struct flags flags;
    int flag, r = 0;

    flags_init(&flags);
    optind = 0; /* GNU: begin anew */
    opterr = config == NULL;
    while (!r && (flag = getopt_long(argc, argv, "", flags.options, NULL)) != -1)
        r = config ? take_option(flag, config, why) : take_command(flag, command, why);
    if (!r && optind < argc)
        r = why_set(why, -EINVAL, "'%s' is not a flag; see goroutined --help", argv[optind]);
    return r;
}

/* ---- all together ---- */

static int set_defaults(struct config *config)
{
    int r = 0;

    *config = (struct config){.limits = LIMITS_DEFAULT};
#define DEFAULT_TEXT(name, value)                         r = r || !(value) ? r : set_text(&config->name, value);
#define DEFAULT_NUMBER(name, value)                       config->name = value;
#define DEFAULT_FLAG(name, value)                         config->name = value;
#define OPTION_DEFAULT(kind, name, argument, value, help) DEFAULT_##kind(name, value)
    OPTIONS(OPTION_DEFAULT)
    return r;
}

int config_load(int argc, char **argv, struct config *config, struct command *command, char **why)
{
    *command = (struct command){0};
    int r = set_defaults(config);
    if (!r)
        r = read_flags(argc, argv, NULL, command, why);
    if (r || command->command == COMMAND_HELP || command->command == COMMAND_VERSION)
        return r;
    r = read_files(command, config, why);
    if (!r)
        r = read_environment(config, why);
    if (!r)
        r = read_flags(argc, argv, config, command, why);
    return r ? r : config_check(config, why);
}

void config_clear(struct config *config, struct command *command)
{
    for (int i = 0; i < OPTION_ROWS; i++)
        if (option_rows[i].kind == TEXT)
            free(*(char **)((char *)config + option_rows[i].offset));
    queue_config_clear(config->queues, config->queues_n);
    pool_config_clear(config->pools, config->pools_n);
    plugin_config_clear(config->plugins, config->plugins_n);
    topic_config_clear(config->topics, config->topics_n);
    free(command->file);
    free(command->directory);
    *config = (struct config){0};
    *command = (struct command){0};
}

void config_help(FILE *out)
{
    char name[64];

    fputs("usage: goroutined [FLAG]...\n"
          "The service of jobs, channels and contexts. Runs in the foreground until SIGTERM.\n\n",
          out);
    for (int i = 0; i < OPTION_ROWS; i++) {
        const struct option_row *row = &option_rows[i];
        flag_name(row->name, name, sizeof(name));
        int n =
            fprintf(out, "  --%s%s%s", name, row->argument ? " " : "", row->argument ? row->argument : "");
        fprintf(out, "%*s %s\n", n < 28 ? 28 - n : 0, "", row->help);
    }
    fputs("  --limit NAME=VALUE         one of the limits of goroutined.conf(5)\n"
          "  --queue NAME.SETTING=VALUE one of the settings of a queue, see there\n"
          "  --pool NAME.SETTING=VALUE one of the settings of a pool of hosts, see there\n"
          "  --plugin PATH.SETTING=VALUE one of the settings of a plugin's hosts, see there\n"
          "  --topic PATTERN.SETTING=VALUE one of the settings of topics, see there\n"
          "  --config FILE              read this file only\n"
          "  --check-config             check the configuration and exit\n"
          "  --fsck DIR                 check a state directory that no daemon has, and exit\n"
          "  --help, --version\n\n"
          "A flag wins over the variable GOROUTINED_FLAG, that over the configuration file.\n\n"
          "  goroutined &                                  as yourself, in your XDG directories\n"
          "  goroutined --ephemeral --log-level debug      to try something\n"
          "  goroutined --check-config --config FILE       before a restart\n",
          out);
}
