# bash completion for goctl, made by `goctl completion bash` from its option tables.
_goctl_commands="make send recv range close select ls info rm pub sub topic durable feed submit work wait jobs job logs cancel dead queue pool cron ctx lock rwlock sem cond wg counter barrier once flight limit breaker errgroup dump deadlocks leaks keygen backup drain health ping stats stacks profile trace monitor metrics procs advance version examples completion help"

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
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --cap --drop-oldest --drop-newest --at-most-once --durable --value-max --element --type --if-missing --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    send)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --batch) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --lines --raw --batch --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    recv)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --count) :; return ;;
            --reconnect) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --count --follow --raw --reconnect --no-reconnect --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    range)
        case $previous in
            --reconnect) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --raw --reconnect --no-reconnect --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    close)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
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
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --recv --send --job --try --raw --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    ls)
        case $previous in
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    info)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    rm)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    pub)
        case $previous in
            --key) :; return ;;
            --header) :; return ;;
            --count) :; return ;;
            --every) :; return ;;
            --batch) :; return ;;
            --once) :; return ;;
            --in) :; return ;;
            --at) :; return ;;
            --expect) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --lines --raw --key --header --count --every --batch --once --in --at --expect --try --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl topic ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    sub)
        case $previous in
            --count) :; return ;;
            --format) :; return ;;
            --capacity) :; return ;;
            --policy) :; return ;;
            --block) :; return ;;
            --value-max) :; return ;;
            --durable) :; return ;;
            --set) :; return ;;
            --from) :; return ;;
            --reconnect) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --count --topic --bare --time --format --headers --raw --capacity --policy --block --value-max --durable --set --from --ack --reconnect --no-reconnect --try --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl topic ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    topic)
        case $previous in
            --limit) :; return ;;
            --keep) :; return ;;
            --until) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --limit --keep --until --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "ls info close set unset purge rm"
        else
            _goctl_words "$(goctl topic ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    durable)
        case $previous in
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "ls info set pause resume seek rm"
        else
            :
        fi
        ;;
    feed)
        case $previous in
            --queue) :; return ;;
            --from) :; return ;;
            --ahead) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --queue --from --ahead --message --paused --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "set ls rm pause resume"
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    submit)
        case $previous in
            --bulk) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --queue) :; return ;;
            --retries) :; return ;;
            --backoff) :; return ;;
            --retry) :; return ;;
            --jitter) :; return ;;
            --limit) :; return ;;
            --grace) :; return ;;
            --priority) :; return ;;
            --key) :; return ;;
            --deadline) :; return ;;
            --in) :; return ;;
            --after) :; return ;;
            --then) :; return ;;
            --once-key) :; return ;;
            --once-scope) :; return ;;
            --once-policy) :; return ;;
            --once-for) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --wait --bulk --ctx --queue --retries --backoff --retry --jitter --limit --grace --priority --key --deadline --in --after --then --any --once-key --once-scope --once-policy --once-for --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    work)
        case $previous in
            --functions) :; return ;;
            --count) :; return ;;
            --lease) :; return ;;
            --permanent) :; return ;;
            --reconnect) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --functions --count --lease --permanent --reconnect --no-reconnect --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    wait)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
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
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --state --queue --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    job)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    logs)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --follow --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    cancel)
        case $previous in
            --cause) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --cause --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    dead)
        case $previous in
            --queue) :; return ;;
            --state) :; return ;;
            --older) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --all --queue --state --older --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "ls show retry purge"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    queue)
        case $previous in
            --for) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --for --submits --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "set info pause resume purge rm ls"
        else
            :
        fi
        ;;
    pool)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --end --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "set scale info drain rm ls"
        else
            :
        fi
        ;;
    cron)
        case $previous in
            --zone) :; return ;;
            --missed) :; return ;;
            --overlap) :; return ;;
            --count) :; return ;;
            --queue) :; return ;;
            --retries) :; return ;;
            --backoff) :; return ;;
            --retry) :; return ;;
            --jitter) :; return ;;
            --limit) :; return ;;
            --grace) :; return ;;
            --priority) :; return ;;
            --key) :; return ;;
            --in) :; return ;;
            --deadline) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --zone --missed --overlap --paused --count --queue --retries --backoff --retry --jitter --limit --grace --priority --key --in --deadline --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "set ls rm pause resume next"
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    ctx)
        case $previous in
            --parent) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --value) :; return ;;
            --group) :; return ;;
            --limit) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --parent --value --group --limit --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "new cancel wait info value drop ls"
        else
            _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"
        fi
        ;;
    lock)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --recover --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    rwlock)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --recover --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "read write"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    sem)
        case $previous in
            --size) :; return ;;
            --units) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --size --units --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    cond)
        case $previous in
            --until) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --until --recover --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "wait signal broadcast"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    wg)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "add done wait"
        else
            :
        fi
        ;;
    counter)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "add get wait reset"
        else
            :
        fi
        ;;
    barrier)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    once)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --reset --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    flight)
        case $previous in
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --reset --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    limit)
        case $previous in
            --every) :; return ;;
            --burst) :; return ;;
            --units) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --every --burst --units --reset --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    breaker)
        case $previous in
            --failures) :; return ;;
            --open) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --failures --open --reset --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
        fi
        ;;
    errgroup)
        case $previous in
            --limit) :; return ;;
            --ctx) _goctl_words "$(goctl ctx ls 2>/dev/null | awk 'NR > 1 { print $NF }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --try --limit --ctx --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "run wait reset"
        else
            COMPREPLY=($(compgen -A command -A file -- "$cur"))
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
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --session --object --age --limit --goroutines --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    deadlocks)
        case $previous in
            --age) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --age --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    leaks)
        case $previous in
            --age) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --age --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    keygen)
        case $previous in
            --out) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --out --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    backup)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    drain)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --force --end --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    health)
        case $previous in
            --check) :; return ;;
            --each) :; return ;;
            --most) :; return ;;
            --every) :; return ;;
            --count) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --check --each --most --every --count --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    ping)
        case $previous in
            --count) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --count --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    stats)
        case $previous in
            --job) _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --job --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    stacks)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    profile)
        case $previous in
            --for) :; return ;;
            --rate) :; return ;;
            --output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --for --start --stop --rate --pprof --output --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    trace)
        case $previous in
            --for) :; return ;;
            --rate) :; return ;;
            --output) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --for --start --stop --rate --output --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    monitor)
        case $previous in
            --most) :; return ;;
            --every) :; return ;;
            --count) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --most --every --count --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    metrics)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    procs)
        case $previous in
            --set) :; return ;;
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --set --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$(goctl jobs 2>/dev/null | awk 'NR > 1 { print $1 }')"
        fi
        ;;
    advance)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    version)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    examples)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            :
        fi
        ;;
    completion)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        elif ((COMP_CWORD == 2)); then
            _goctl_words "bash"
        else
            :
        fi
        ;;
    help)
        case $previous in
            --timeout) :; return ;;
            --endpoint) :; return ;;
            --server-key) :; return ;;
            --secret-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
            --connect-timeout) :; return ;;
        esac
        if [[ $cur == -* ]]; then
            _goctl_words " --timeout --json --endpoint --server-key --secret-file --connect-timeout --help"
        else
            _goctl_words "$_goctl_commands"
        fi
        ;;
    esac
}
complete -F _goctl goctl
