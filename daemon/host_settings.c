#include "host_settings.h"

#include <string.h>

const struct policy_row host_setting_rows[HOST_SETTING_FIELDS] = {
#define HOST_SETTING_ROW(name, unit, value, least, most, help) {#name, unit, help, value, least, most},
    HOST_SETTINGS(HOST_SETTING_ROW)
#undef HOST_SETTING_ROW
};

_Static_assert(sizeof(struct host_settings) == HOST_SETTING_FIELDS * sizeof(uint64_t),
               "a member for each row");

static void lay_over(struct host_settings *sum, struct plugin_sections sections, const char *path)
{
    for (size_t i = 0; i < sections.n; i++) {
        struct plugin_settings section = sections.list[i];
        for (int field = 0; strcmp(section.path, path) == 0 && field < HOST_SETTING_FIELDS; field++)
            if (section.set >> field & 1)
                *host_setting(sum, field) = *host_setting(&section.values, field);
    }
}

struct host_settings host_settings_of(struct plugin_sections sections, const char *path)
{
    struct host_settings sum;

    for (int field = 0; field < HOST_SETTING_FIELDS; field++)
        *host_setting(&sum, field) = host_setting_rows[field].value;
    lay_over(&sum, sections, "default");
    lay_over(&sum, sections, path);
    return sum;
}

const char *host_settings_seccomp(const struct host_settings *settings)
{
    return settings->seccomp == SECCOMP_JOBS ? "jobs" : "none";
}
