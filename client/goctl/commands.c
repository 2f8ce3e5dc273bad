/* The table of commands, a part for each family. */
#include "commands.h"

static const struct command *const families[] = {channel_commands, topic_commands, job_commands,
                                                 sync_commands, daemon_commands};

enum { FAMILIES = sizeof families / sizeof *families };

/* Whether it is one of this family, or the end of that. */
static bool is_of(const struct command *command, const struct command *family)
{
    const struct command *row = family;

    while (row->name && row != command)
        row++;
    return row == command;
}

const struct command *command_after(const struct command *command)
{
    if (!command)
        return families[0];
    if (command[1].name)
        return command + 1;
    for (int i = 0; i + 1 < FAMILIES; i++)
        if (is_of(command, families[i]))
            return families[i + 1];
    return NULL;
}
