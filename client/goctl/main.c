/*
 * goctl: channels and jobs of a goroutined, for the shell. Data goes to standard output, talk to standard
 * error; the exit status says how it went (status.h).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "output.h"
#include "status.h"

static int unknown_command(const char *name)
{
    fprintf(stderr, "goctl: there is no command \"%s\"; `goctl help` lists them\n", name);
    return STATUS_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options;
    int status;

    if (options_parse(command, argc, argv, &options, stderr) < 0)
        status = STATUS_USAGE;
    else if (options.help) {
        help_command(command, stdout);
        status = STATUS_OK;
    } else
        status = command->run(&options);
    options_release(&options);
    return status;
}

int main(int argc, char **argv)
{
    const struct command *command;
    int status, r;

    signal(SIGPIPE, SIG_IGN); /* a reader that left is an error of the write, which gives the value back */
    if (argc < 2) {
        help_all(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        argv[1] = "help";
    else if (!strcmp(argv[1], "--version"))
        argv[1] = "version";
    command = command_find(argv[1]);
    if (!command)
        return unknown_command(argv[1]);
    status = run(command, argc - 1, argv + 1);
    r = output_flush();
    if (r < 0 && status == STATUS_OK)
        status = output_fail(r);
    return status == STATUS_NO_READER ? STATUS_OK : status;
}
