#include "reload.h"

#include "cleanup.h"
#include "config.h"
#include "log.h"
#include "notify.h"

static int arguments_n;
static char **arguments;

void reload_remember(int argc, char **argv)
{
    arguments_n = argc;
    arguments = argv;
}

void reload_check(void)
{
    _cleanup_(cleanup_free) char *why = NULL;
    struct config config;
    struct command command;

    if (config_load(arguments_n, arguments, &config, &command, &why) < 0)
        log_error("event=config good=no why=\"%s\"", why ? why : "out of memory");
    else
        log_info("event=config good=yes do=\"restart to apply it\"");
    config_clear(&config, &command);
}
