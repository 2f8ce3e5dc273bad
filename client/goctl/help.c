/* Texts made from the table of commands: help and completion. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "status.h"

static void help_option(const struct option_row *row, FILE *out)
{
    char left[64], letter[8] = "    ";

    if (row->letter)
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, row->name, row->value ? " " : "",
             row->value ? row->value : "");
    fprintf(out, "  %-24s %s\n", left, row->help);
}

static void help_options(const struct option_row *rows, FILE *out)
{
    for (; rows && rows->name; rows++)
        help_option(rows, out);
}

void help_command(const struct command *command, FILE *out)
{
    fprintf(out, "goctl %s: %s\n\nusage: goctl %s%s%s [OPTION…]\n", command->name, command->help,
            command->name, *command->operands ? " " : "", command->operands);
    if (command->more)
        fprintf(out, "\n%s\n", command->more);
    fputs("\noptions:\n", out);
    help_options(command->rows, out);
    help_options(common_rows, out);
    fputs("\nexamples:\n", out);
    for (const char *const *example = command->examples; *example; example++)
        fprintf(out, "  %s\n", *example);
}

void help_all(FILE *out)
{
    fputs("usage: goctl COMMAND [OPTION…] [ARGUMENT…]\n\n"
          "Channels, topics and jobs of a goroutined, for the shell.\n\ncommands:\n",
          out);
    for (const struct command *command = NULL; (command = command_after(command));)
        fprintf(out, "  %-12s %s\n", command->name, command->help);
    fputs("\noptions of every command:\n", out);
    help_options(common_rows, out);
    fputs("\nexit status:\n", out);
    status_help(out);
    fputs("\nThe daemon is looked for at --endpoint, else at $GOROUTINED_ENDPOINT, else in\n"
          "$XDG_RUNTIME_DIR/goroutined/socket, else in /run/goroutined/socket.\n"
          "`goctl COMMAND --help` has examples.\n",
          out);
}

/* What bash completes operands and values with, by enum completes. */
static const char *const completers[] = {
    [COMPLETES_NOTHING] = ":",
    [COMPLETES_CHANNEL] = "_goctl_words \"$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')\"",
    [COMPLETES_JOB] = "_goctl_words \"$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')\"",
    [COMPLETES_FILE] = "COMPREPLY=($(compgen -f -- \"$cur\"))",
    [COMPLETES_CONTEXT] = "_goctl_words \"$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')\"",
    [COMPLETES_TOPIC] = "_goctl_words \"$(goctl topic ls 2>/dev/null | awk 'NR > 1 { print $NF }')\"",
    [COMPLETES_PROGRAM] = "COMPREPLY=($(compgen -A command -A file -- \"$cur\"))",
    [COMPLETES_COMMAND] = "_goctl_words \"$_goctl_commands\"",
};

static void completion_options(const struct option_row *rows, FILE *out)
{
    for (; rows && rows->name; rows++)
        fprintf(out, " --%s", rows->name);
}

/* `--recv) complete the value;;` for each option of the command that takes one. */
static void completion_values(const struct option_row *rows, FILE *out)
{
    for (; rows && rows->name; rows++) {
        if (rows->value)
            fprintf(out, "            --%s) %s; return ;;\n", rows->name, completers[rows->completes]);
    }
}

static void completion_command(const struct command *command, FILE *out)
{
    fprintf(out, "    %s)\n        case $previous in\n", command->name);
    completion_values(command->rows, out);
    completion_values(common_rows, out);
    fputs("        esac\n        if [[ $cur == -* ]]; then\n            _goctl_words \"", out);
    completion_options(command->rows, out);
    completion_options(common_rows, out);
    fputs("\"\n", out);
    if (command->verbs)
        fprintf(out, "        elif ((COMP_CWORD == 2)); then\n            _goctl_words \"%s\"\n",
                command->verbs);
    fprintf(out, "        else\n            %s\n        fi\n        ;;\n", completers[command->completes]);
}

void completion_bash(FILE *out)
{
    fputs("# bash completion for goctl, made by `goctl completion bash` from its option tables.\n"
          "_goctl_commands=\"",
          out);
    for (const struct command *command = NULL; (command = command_after(command));)
        fprintf(out, "%s%s", command == command_after(NULL) ? "" : " ", command->name);
    fputs("\"\n\n"
          "# Names may hold a colon, at which readline breaks words.\n"
          "_goctl_words()\n{\n"
          "    COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
          "    if declare -F __ltrim_colon_completions >/dev/null; then\n"
          "        __ltrim_colon_completions \"$cur\"\n"
          "    fi\n}\n\n"
          "_goctl()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    COMPREPLY=()\n"
          "    if declare -F _get_comp_words_by_ref >/dev/null; then\n"
          "        _get_comp_words_by_ref -n : cur\n"
          "    fi\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        _goctl_words \"$_goctl_commands\"\n"
          "        return\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]} in\n",
          out);
    for (const struct command *command = NULL; (command = command_after(command));)
        completion_command(command, out);
    fputs("    esac\n}\ncomplete -F _goctl goctl\n", out);
}
