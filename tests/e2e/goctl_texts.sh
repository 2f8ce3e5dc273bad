#!/usr/bin/env bash
# What needs no daemon: help, version, completion, and that the manual and the completion file keep up with them.
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
commands=$(goctl help | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')

test_every_command_has_help_with_examples() {
    local command
    [ "$(echo "$commands" | wc -l)" -ge 19 ] || failed "commands: $commands"
    for command in $commands; do
        expect 0 "$(goctl help "$command")" goctl "$command" --help
        goctl "$command" --help | grep -A1 '^examples:' | grep -q "goctl $command" || failed "$command has no example"
    done
}

test_the_manual_has_every_command_and_option() {
    local command option text
    text=$(man -l "$top/client/goctl/goctl.1" 2>/dev/null | col -bx || true)
    [ -n "$text" ] || text=$(mandoc -T ascii "$top/client/goctl/goctl.1" | col -bx)
    for command in $commands; do
        grep -qE "^ +$command( |$)" <<<"$text" || failed "the manual has no command $command"
        for option in $(goctl "$command" --help | grep -oE '^  .{4}--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
            grep -qF -- "$option" <<<"$text" || failed "the manual has no option $option of $command"
        done
    done
}

test_the_completion_file_is_the_one_goctl_prints() {
    goctl completion bash | diff - "$top/deploy/completion/goctl.bash" ||
        failed "run: goctl completion bash > deploy/completion/goctl.bash"
    bash -n "$top/deploy/completion/goctl.bash"
}

# completes WHAT WANTED WORD... completes the last word.
completes() {
    local what=$1 wanted=$2
    COMP_WORDS=("${@:3}") COMP_CWORD=$(($# - 3))
    _goctl
    same "$what" "${COMPREPLY[*]}" "$wanted"
}

test_completion_completes_commands_and_options() {
    . "$top/deploy/completion/goctl.bash"
    completes "commands" "recv" goctl re
    completes "options" "--follow" goctl recv --fo
    completes "operands" "sub submit" goctl help su
    completes "verbs" "write" goctl rwlock wr
    completes "verbs" "close" goctl topic cl
    completes "programs" "$top/deploy/completion/goctl.bash" goctl lock name -- "$top/deploy/completion/goctl.b"
}

test_version_is_a_number() {
    goctl version | grep -qE '^goctl [0-9]+\.[0-9]+\.[0-9]+$' || failed "$(goctl version)"
    goctl --version --json | grep -qE '^\{"goctl":"[0-9.]+","json_schema":[0-9]+\}$' || failed "$(goctl version --json)"
}

test_another_shell_than_bash_is_usage() {
    refuse 2 "fish" goctl completion fish
}

test_a_full_disk_is_told() {
    refuse 1 "standard output" eval "goctl help >/dev/full"
}

test_no_reader_is_no_error() {
    goctl help | true
    same "status" "${PIPESTATUS[0]}" 0
    mkfifo "$temporary/pipe"
    exec 7<>"$temporary/pipe" 8>"$temporary/pipe" 7<&- # nobody reads it any more
    goctl help >&8 || failed "status $? where nobody reads what is longer than a buffer"
}

run_tests
