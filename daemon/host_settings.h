/*
 * What may be set of the hosts of a plugin: one row, one home.
 *
 * HOST_SETTING(name, unit, default, least, most, help): a member of struct host_settings, a key of the section
 * `plugin PATH` in the configuration, a line of the manual. Units as in queue_policy.h. What the section of a plugin does
 * not say, the section `plugin default` says, else it is the default.
 */
#pragma once

#include "queue_policy.h"

#define HOST_SETTINGS(HOST_SETTING)                                                                          \
    HOST_SETTING(seccomp, "none|jobs", 0, 0, 1, "system calls that code of the plugin may not make")         \
    HOST_SETTING(memory_max, "bytes", 0, 0, 1000000000000000, "resident memory of one host; 0: no bound")    \
    HOST_SETTING(cpu_weight, "shares", 33, 1, 10000, "of the processors, where the daemon has 100")

struct host_settings {
#define HOST_SETTING_MEMBER(name, unit, value, least, most, help) uint64_t name;
    HOST_SETTINGS(HOST_SETTING_MEMBER)
#undef HOST_SETTING_MEMBER
};

enum host_setting {
#define HOST_SETTING_FIELD(name, unit, value, least, most, help) HOST_SETTING_##name,
    HOST_SETTINGS(HOST_SETTING_FIELD)
#undef HOST_SETTING_FIELD
        HOST_SETTING_FIELDS
};

enum seccomp_profile { SECCOMP_NONE, SECCOMP_JOBS }; /* words of `seccomp` */

extern const struct policy_row host_setting_rows[HOST_SETTING_FIELDS];

/* One section of the configuration. */
struct plugin_settings {
    char *path; /* real path of the file; "default": of all that have no section */
    struct host_settings values;
    uint64_t set; /* bit per enum host_setting; what is not set counts for nothing */
};

/* All of them; the strings must outlive who keeps it. */
struct plugin_sections {
    const struct plugin_settings *list;
    size_t n;
};

static inline uint64_t *host_setting(struct host_settings *settings, enum host_setting field)
{
    return (uint64_t *)settings + field;
}

/* The word for the profile, static. */
const char *host_settings_seccomp(const struct host_settings *settings);

/* What holds for the hosts of the plugin at `path`. Any thread. */
struct host_settings host_settings_of(struct plugin_sections sections, const char *path);
