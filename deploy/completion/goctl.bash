# bash completion for goctl, made by `goctl completion bash` from its option tables.
_goctl_commands="make send recv range close select ls info rm submit wait jobs job logs cancel ctx lock sem wg once limit dump deadlocks leaks ping stats version examples completion help"

# Names may hold a colon, at which readline breaks words.
_goctl_words()
{
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
    if declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

_goctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n : cur
    fi
    if ((COMP_CWORD == 1)); then
        _goctl_words "$_goctl_commands"
        return
    fi
    case ${COMP_WORDS[1]} in
    make)
        case $previous in
            --cap) :; return ;;
            --value-max) :; return ;;
            --element) :; return ;;
            --type) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --cap --drop-oldest --drop-newest --at-most-once --value-max --element --type --if-missing --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    send)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --lines --raw --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    recv)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --count) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --count --follow --raw --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    range)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --raw --ctx --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    close)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    select)
        case $previous in
            --recv) _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --send) _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --job) _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --recv --send --job --try --raw --ctx --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    ls)
        case $previous in
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --limit --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    info)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    rm)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    submit)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --queue) :; return ;;
            --retries) :; return ;;
            --backoff) :; return ;;
            --limit) :; return ;;
            --grace) :; return ;;
            --deadline) :; return ;;
            --in) :; return ;;
            --priority) :; return ;;
            --key) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --wait --ctx --queue --retries --backoff --limit --grace --deadline --in --priority --key --timeout --json --endpoint --help"
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    wait)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --ctx --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    jobs)
        case $previous in
            --state) :; return ;;
            --queue) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --state --queue --limit --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    job)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    logs)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --follow --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    cancel)
        case $previous in
            --cause) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --cause --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    ctx)
        case $previous in
            --parent) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --value) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --parent --value --limit --timeout --json --endpoint --help"
        else
            _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    lock)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --recover --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    sem)
        case $previous in
            --size) :; return ;;
            --units) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --size --units --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    wg)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    once)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --reset --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    limit)
        case $previous in
            --every) :; return ;;
            --burst) :; return ;;
            --units) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --every --burst --units --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    dump)
        case $previous in
            --session) :; return ;;
            --object) _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --age) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --session --object --age --limit --goroutines --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    deadlocks)
        case $previous in
            --age) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --age --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    leaks)
        case $previous in
            --age) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --age --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    ping)
        case $previous in
            --count) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --count --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    stats)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    version)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    examples)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    completion)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            :
        fi
        ;;
    help)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --help"
        else
            _goctl_words "$_goctl_commands"
        fi
        ;;
    esac
}
complete -F _goctl goctl
