/* The options of each command, with their help. */
#include "option_rows.h"

#define AT(member) offsetof(struct options, member)
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

/* clang-format off */
const struct option_row common_rows[] = {
    {"timeout", 't', OPTION_DURATION, AT(timeout_ns), "TIME", "give up after so long: 200ms, 2s, 1m30s"},
    {"json", 0, OPTION_FLAG, AT(json), NULL, "print JSON, one object a line"},
    {"endpoint", 0, OPTION_TEXT, AT(endpoint), "ADDRESS", "where the daemon is: ipc://PATH or tcp://HOST:PORT"},
    {"server-key", 0, OPTION_TEXT, AT(server_key), "KEY", "public key of a daemon behind tcp"},
    {"secret-file", 0, OPTION_TEXT, AT(secret_file), "FILE", "keys to come with over tcp; see goctl keygen",
     COMPLETES_FILE},
    {"connect-timeout", 0, OPTION_DURATION, AT(connect_ns), "TIME", "how long the daemon's first answer may take: 5s"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show this"},
    END,
};

#define TRY {"try", 0, OPTION_FLAG, AT(try_once), NULL, "do not wait"}
#define RECONNECT \
    {"reconnect", 0, OPTION_DURATION, AT(reconnect_ns), "TIME", "wait so long for a daemon that went away (default: until it is back)"}, \
    {"no-reconnect", 0, OPTION_FLAG, AT(no_reconnect), NULL, "end when the daemon goes away"}
#define RAW {"raw", 0, OPTION_FLAG, AT(raw), NULL, "print values as they are, without a newline behind each"}
#define CTX {"ctx", 0, OPTION_TEXT, AT(ctx), "NAME", "give up when this context ends; see goctl ctx", COMPLETES_CONTEXT}
#define CTX_COMMAND {"ctx", 0, OPTION_TEXT, AT(ctx), "NAME", "give up, and end the command, when this context ends", COMPLETES_CONTEXT}
#define QUEUE(help) {"queue", 'q', OPTION_TEXT, AT(queue), "NAME", help}
#define JOB_TERMS \
    {"backoff", 0, OPTION_DURATION, AT(backoff_ns), "TIME", "wait before the second run; doubles with each"}, \
    {"retry", 0, OPTION_TEXT, AT(retry), "HOW", "none, exponential (the default), or waits as a list: 1s,10s,5m"}, \
    {"jitter", 0, OPTION_COUNT, AT(jitter), "0..100", "each such wait is longer by up to so many percent"}, \
    {"limit", 0, OPTION_DURATION, AT(time_limit_ns), "TIME", "the longest a single run may take"}, \
    {"grace", 0, OPTION_DURATION, AT(grace_ns), "TIME", "to clean up in, between a cancel and the kill"}, \
    {"priority", 'p', OPTION_COUNT, AT(priority), "0..9", "higher is more urgent"}, \
    {"key", 0, OPTION_TEXT, AT(key), "TEXT", "jobs of one key are served in order and share fairly"}

const struct option_row make_rows[] = {
    {"cap", 'c', OPTION_COUNT, AT(capacity), "N", "capacity in values; 0, the default, is a rendezvous"},
    {"drop-oldest", 0, OPTION_FLAG, AT(drop_oldest), NULL, "a full channel drops its oldest value; sends never wait"},
    {"drop-newest", 0, OPTION_FLAG, AT(drop_newest), NULL, "a full channel drops the value being sent"},
    {"at-most-once", 0, OPTION_FLAG, AT(at_most_once), NULL, "a value dies with a receiver that had not finished it"},
    {"durable", 0, OPTION_FLAG, AT(durable), NULL, "keep it on disk: what is in it survives the daemon; needs --cap"},
    {"value-max", 0, OPTION_SIZE, AT(value_bytes_max), "BYTES", "the largest value it takes (default 1M)"},
    {"element", 0, OPTION_SIZE, AT(element_bytes), "BYTES", "every value has exactly this size"},
    {"type", 0, OPTION_TEXT, AT(type), "TAG", "a type that all who open it must name"},
    {"if-missing", 0, OPTION_FLAG, AT(if_missing), NULL, "no error when it is there already"},
    END,
};

const struct option_row send_rows[] = {
    TRY,
    CTX,
    {"lines", 'l', OPTION_FLAG, AT(lines), NULL, "send the lines of standard input; the same as -"},
    {"raw", 0, OPTION_FLAG, AT(raw), NULL, "send all of standard input as one value"},
    {"batch", 0, OPTION_COUNT, AT(batch), "N", "send at most N lines in one operation (default 1024)"},
    END,
};

const struct option_row recv_rows[] = {
    TRY,
    CTX,
    {"count", 'n', OPTION_COUNT, AT(count), "N", "receive N values"},
    {"follow", 'f', OPTION_FLAG, AT(follow), NULL, "go on until the channel is closed"},
    RAW,
    RECONNECT,
    END,
};

const struct option_row pub_rows[] = {
    {"lines", 'l', OPTION_FLAG, AT(lines), NULL, "publish the lines of standard input; the same as -"},
    {"raw", 0, OPTION_FLAG, AT(raw), NULL, "publish all of standard input as one message"},
    {"key", 'k', OPTION_TEXT, AT(key), "TEXT", "messages of one key keep their order in durable subscriptions"},
    {"header", 'H', OPTION_CASE_SEND, 0, "NAME=VALUE", "travels with each message"},
    {"count", 'n', OPTION_COUNT, AT(count), "N", "publish the values N times"},
    {"every", 0, OPTION_DURATION, AT(every_ns), "TIME", "wait so long between two messages"},
    {"batch", 0, OPTION_COUNT, AT(batch), "N", "publish at most N lines in one operation (default 1024)"},
    {"once", 0, OPTION_TEXT, AT(once_key), "ID", "durable topics: not if there was a message of this id before"},
    {"in", 0, OPTION_DURATION, AT(delay_ns), "TIME", "durable topics: publish them after so long, not now"},
    {"at", 0, OPTION_TEXT, AT(at), "TIME", "durable topics: publish them at this time, such as 2026-03-01T12:00:00Z"},
    {"expect", 0, OPTION_TEXT, AT(expected), "SEQ", "durable topics: only if the last message has this sequence; 0: if there is none"},
    TRY,
    CTX,
    END,
};

const struct option_row sub_rows[] = {
    {"count", 'n', OPTION_COUNT, AT(count), "N", "end after N messages"},
    {"topic", 'v', OPTION_FLAG, AT(topic), NULL, "print the topic in front of each value, as with a wildcard or several patterns"},
    {"bare", 'b', OPTION_FLAG, AT(bare), NULL, "print values alone, whatever the patterns are"},
    {"time", 'T', OPTION_FLAG, AT(times), NULL, "print when it was published in front of each message"},
    {"format", 'F', OPTION_TEXT, AT(format), "FORMAT", "print each so: %t topic, %p value, %k key, %s sequence, %T time, %l lost, %n tries, %h{NAME}"},
    {"headers", 'H', OPTION_FLAG, AT(headers), NULL, "print the headers of a message, and an empty line, above it"},
    RAW,
    {"capacity", 'c', OPTION_COUNT, AT(capacity), "N", "so many messages may wait to be printed (default 1024)"},
    {"policy", 'p', OPTION_TEXT, AT(policy), "HOW", "and of more: drop-newest (the default), drop-oldest, disconnect, or block who publishes"},
    {"block", 0, OPTION_DURATION, AT(block_ns), "TIME", "block: for so long, then disconnect (default 1s)"},
    {"value-max", 0, OPTION_SIZE, AT(value_bytes_max), "BYTES", "drop larger messages"},
    {"durable", 'd', OPTION_TEXT, AT(group), "NAME", "join this durable subscription, or make it: who is in it shares its messages"},
    {"set", 0, OPTION_CASE_SEND, 0, "SETTING=VALUE", "of a durable subscription that this makes: ack_wait, tries, dead, ordered, window"},
    {"from", 'f', OPTION_TEXT, AT(from), "WHERE", "begin with last, the last message of each topic; or, of durable topics, at start, a sequence, a time, so long ago; now is the default"},
    {"ack", 'a', OPTION_FLAG, AT(ack), NULL, "acknowledge each message when the reader of the pipe has taken it, not when it was written"},
    RECONNECT,
    TRY,
    CTX,
    END,
};

const struct option_row topic_rows[] = {
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "ls: list at most N"},
    {"keep", 0, OPTION_COUNT, AT(keep), "N", "purge: all but the last N messages"},
    {"until", 0, OPTION_COUNT, AT(up_to), "SEQ", "purge: only up to this sequence"},
    END,
};

const struct option_row range_rows[] = {RAW, RECONNECT, CTX, END};
const struct option_row wait_rows[] = {CTX, END};

const struct option_row ctx_rows[] = {
    {"parent", 'p', OPTION_TEXT, AT(parent), "NAME", "new: below this context, and ends with it", COMPLETES_CONTEXT},
    {"value", 0, OPTION_CASE_SEND, 0, "NAME=VALUE", "new: binds a value"},
    {"group", 'g', OPTION_TEXT, AT(group), "NAME", "new: that of an error group, ends with its first error"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "ls: list at most N"},
    END,
};

const struct option_row keygen_rows[] = {
    {"out", 'o', OPTION_TEXT, AT(output), "FILE", "where the secret key goes (default goroutined.keys)", COMPLETES_FILE},
    END,
};

const struct option_row select_rows[] = {
    {"recv", 'r', OPTION_CASE_RECV, 0, "NAME", "a case: receive a value from NAME", COMPLETES_CHANNEL},
    {"send", 's', OPTION_CASE_SEND, 0, "NAME=VALUE", "a case: send VALUE on NAME", COMPLETES_CHANNEL},
    {"job", 'j', OPTION_CASE_JOB, 0, "ID", "a case: the job has ended", COMPLETES_JOB},
    TRY,
    RAW,
    CTX,
    END,
};

const struct option_row feed_rows[] = {
    QUEUE("set: of its jobs; \"default\" if a new one has none"),
    {"from", 'f', OPTION_TEXT, AT(from), "WHERE", "set: go on at start, a sequence, a time, so long ago, or now, where a new one begins"},
    {"ahead", 0, OPTION_COUNT, AT(capacity), "N", "set: make no job while N wait in the queue (default 1000)"},
    {"message", 0, OPTION_FLAG, AT(headers), NULL, "set: the argument is lines that tell of the message, an empty one, and its body"},
    {"paused", 0, OPTION_FLAG, AT(paused), NULL, "set: it is held until resume"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "ls: list at most N"},
    END,
};

const struct option_row ls_rows[] = {
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    END,
};

const struct option_row submit_rows[] = {
    {"wait", 'w', OPTION_FLAG, AT(wait), NULL, "wait for the end and print the result"},
    {"bulk", 'b', OPTION_TEXT, AT(bulk), "FILE", "many jobs, all or none: a JSON object on each line of FILE, or of - for standard input", COMPLETES_FILE},
    {"ctx", 0, OPTION_TEXT, AT(job_ctx), "NAME", "the job is cancelled when this context ends", COMPLETES_CONTEXT},
    QUEUE("the queue; \"default\" if not given"),
    {"retries", 0, OPTION_COUNT, AT(retries), "N", "run it at most N times until it succeeds"},
    JOB_TERMS,
    {"deadline", 0, OPTION_DURATION, AT(deadline_ns), "TIME", "the longest the whole job may take, from now"},
    {"in", 0, OPTION_DURATION, AT(delay_ns), "TIME", "do not start it before"},
    {"after", 0, OPTION_TEXT, AT(after), "ID,…", "when these jobs are done; cancelled when one of them is not"},
    {"then", 0, OPTION_TEXT, AT(then), "FUNCTION", "--bulk: one more job, when all are done; cancelled when one is not"},
    {"any", 0, OPTION_FLAG, AT(any), NULL, "--after, --then: however those jobs end"},
    {"once-key", 0, OPTION_TEXT, AT(once_key), "KEY", "submit it once: only one job has this key"},
    {"once-scope", 0, OPTION_TEXT, AT(once_scope), "WITHIN", "of the function (the default), the queue or all"},
    {"once-policy", 0, OPTION_TEXT, AT(once_policy), "HOW", "else reject (the default), replace the one that waits, or join it"},
    {"once-for", 0, OPTION_TEXT, AT(once_for), "TIME", "it has the key until its end (the default), until deleted, or so long"},
    END,
};

const struct option_row work_rows[] = {
    TRY,
    {"functions", 'f', OPTION_TEXT, AT(functions), "NAMES", "only jobs of these functions, with a blank between two"},
    {"count", 'n', OPTION_COUNT, AT(count), "N", "end after N jobs"},
    {"lease", 0, OPTION_DURATION, AT(lease_ns), "TIME", "how long a job is ours when we are not heard of (default 30s)"},
    {"permanent", 0, OPTION_COUNT, AT(permanent), "STATUS", "with this exit status it would fail again: no further attempt"},
    RECONNECT,
    CTX,
    END,
};

const struct option_row jobs_rows[] = {
    {"state", 's', OPTION_STATES, AT(states), "LIST", "only jobs in these states: ready,running"},
    QUEUE("only jobs of this queue"),
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    END,
};

const struct option_row cron_rows[] = {
    {"zone", 'z', OPTION_TEXT, AT(zone), "ZONE", "set, next: the time zone, as Europe/Berlin; UTC if not given"},
    {"missed", 0, OPTION_TEXT, AT(missed), "HOW", "moments without a daemon: skip, one job for all (the default), all"},
    {"overlap", 0, OPTION_TEXT, AT(overlap), "HOW", "while the last job runs: allow (the default) or skip"},
    {"paused", 0, OPTION_FLAG, AT(paused), NULL, "set: it is held until resume"},
    {"count", 'n', OPTION_COUNT, AT(count), "N", "next: so many moments (default 5)"},
    QUEUE("of its jobs; \"default\" if not given"),
    {"retries", 0, OPTION_COUNT, AT(retries), "N", "run each job at most N times until it succeeds"},
    JOB_TERMS,
    {"in", 0, OPTION_DURATION, AT(delay_ns), "TIME", "start no job before, from its moment"},
    {"deadline", 0, OPTION_DURATION, AT(deadline_ns), "TIME", "the longest each job may take, from its submit"},
    END,
};

const struct option_row dead_rows[] = {
    {"all", 'a', OPTION_FLAG, AT(all), NULL, "retry: all of them"},
    QUEUE("only jobs of this queue"),
    {"state", 's', OPTION_STATES, AT(states), "LIST", "jobs in these states instead: failed,dead"},
    {"older", 0, OPTION_DURATION, AT(older_ns), "TIME", "purge: only jobs that ended so long ago"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "ls: list at most N"},
    END,
};

const struct option_row logs_rows[] = {
    {"follow", 'f', OPTION_FLAG, AT(follow), NULL, "go on until the job has ended"},
    END,
};

const struct option_row cancel_rows[] = {
    {"cause", 0, OPTION_TEXT, AT(cause), "TEXT", "why, kept with the job"},
    END,
};

const struct option_row lock_rows[] = {
    TRY,
    {"recover", 0, OPTION_FLAG, AT(recover), NULL, "take it even if nobody put right what a dead owner left"},
    CTX_COMMAND,
    END,
};

const struct option_row sem_rows[] = {
    TRY,
    {"size", 0, OPTION_COUNT, AT(size), "N", "how many units there are, the same from everybody"},
    {"units", 'n', OPTION_COUNT, AT(units), "N", "take N of them; 1 if not given"},
    CTX_COMMAND,
    END,
};

const struct option_row cond_rows[] = {
    TRY,
    {"until", 0, OPTION_TEXT, AT(until), "TEST", "wait: until this shell command, run with the lock, succeeds"},
    {"recover", 0, OPTION_FLAG, AT(recover), NULL, "take the lock even if nobody put right what a dead owner left"},
    CTX_COMMAND,
    END,
};

const struct option_row wait_for_rows[] = {TRY, CTX, END};

const struct option_row once_rows[] = {
    TRY,
    {"reset", 0, OPTION_FLAG, AT(reset), NULL, "let it run again"},
    CTX_COMMAND,
    END,
};

const struct option_row flight_rows[] = {
    TRY,
    {"reset", 0, OPTION_FLAG, AT(reset), NULL, "forget the one under way: the next begins anew"},
    CTX_COMMAND,
    END,
};

const struct option_row limit_rows[] = {
    TRY,
    {"every", 0, OPTION_DURATION, AT(every_ns), "TIME", "one token each TIME, the same from everybody"},
    {"burst", 0, OPTION_COUNT, AT(burst), "N", "keep at most N tokens; 1 if not given"},
    {"units", 'n', OPTION_COUNT, AT(units), "N", "take N tokens; 1 if not given"},
    {"reset", 0, OPTION_FLAG, AT(reset), NULL, "fill the bucket"},
    CTX_COMMAND,
    END,
};

const struct option_row errgroup_rows[] = {
    TRY,
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "run: at most N at once, the same from everybody"},
    CTX_COMMAND,
    END,
};

const struct option_row breaker_rows[] = {
    {"failures", 0, OPTION_COUNT, AT(failures), "N", "so many in a row open it, the same from everybody"},
    {"open", 0, OPTION_DURATION, AT(open_ns), "TIME", "how long it stays open, the same from everybody"},
    {"reset", 0, OPTION_FLAG, AT(reset), NULL, "close it"},
    CTX_COMMAND,
    END,
};

const struct option_row dump_rows[] = {
    {"session", 0, OPTION_COUNT, AT(session), "N", "only those of one session"},
    {"object", 0, OPTION_TEXT, AT(object), "NAME", "only those that wait for this channel or lock", COMPLETES_CHANNEL},
    {"age", 0, OPTION_DURATION, AT(age_ns), "TIME", "only those that have waited for so long"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    {"goroutines", 'g', OPTION_FLAG, AT(goroutines), NULL, "instead the goroutines of every host, with their stacks"},
    END,
};

const struct option_row report_rows[] = {
    {"age", 0, OPTION_DURATION, AT(age_ns), "TIME", "suspect what has waited for so long (default 10s)"},
    END,
};

const struct option_row stats_rows[] = {
    {"job", 'j', OPTION_COUNT, AT(job), "ID", "instead figures of a running job and its host", COMPLETES_JOB},
    END,
};

const struct option_row procs_rows[] = {
    {"set", 's', OPTION_COUNT, AT(set), "N", "set the number; the old one is printed"},
    END,
};

const struct option_row monitor_rows[] = {
    {"most", 'm', OPTION_COUNT, AT(most), "N", "warn of more than N goroutines"},
    {"every", 0, OPTION_DURATION, AT(every_ns), "TIME", "look so often (default 1s)"},
    {"count", 'n', OPTION_COUNT, AT(count), "N", "end after N looks"},
    END,
};

#define OUTPUT {"output", 'o', OPTION_TEXT, AT(output), "FILE", "write to FILE", COMPLETES_FILE}
#define RECORDING                                                                                                      \
    {"for", 0, OPTION_DURATION, AT(for_ns), "TIME", "record for so long (default 1s), or until the job ends"},         \
    {"start", 0, OPTION_FLAG, AT(start), NULL, "only begin"},                                                          \
    {"stop", 0, OPTION_FLAG, AT(stop), NULL, "only end what has begun, and print it"}

const struct option_row profile_rows[] = {
    RECORDING,
    {"rate", 0, OPTION_COUNT, AT(rate), "N", "cpu: samples per second of CPU time (default 100)"},
    {"pprof", 0, OPTION_FLAG, AT(pprof), NULL, "as profile.proto, for go tool pprof; else folded lines"},
    OUTPUT,
    END,
};

const struct option_row trace_rows[] = {
    RECORDING,
    {"rate", 0, OPTION_COUNT, AT(rate), "N", "keep at most N events per processor (default 4096)"},
    OUTPUT,
    END,
};

const struct option_row pool_rows[] = {
    {"end", 0, OPTION_FLAG, AT(end), NULL, "drain: start jobs again"},
    END,
};

const struct option_row queue_rows[] = {
    {"for", 0, OPTION_DURATION, AT(for_ns), "TIME", "pause: so long (default: until resume)"},
    {"submits", 0, OPTION_FLAG, AT(submits), NULL, "pause: take no job, either"},
    END,
};

const struct option_row drain_rows[] = {
    {"force", 0, OPTION_FLAG, AT(force), NULL, "kill the hosts of jobs that run; those are ready again"},
    {"end", 0, OPTION_FLAG, AT(end), NULL, "start and take jobs again"},
    END,
};

const struct option_row health_rows[] = {
    {"check", 0, OPTION_CASE_SEND, 0, "NAME=COMMAND", "one more check: the command must end well"},
    {"each", 0, OPTION_DURATION, AT(each_ns), "TIME", "the longest that a check may take (default 1s)"},
    {"most", 'm', OPTION_COUNT, AT(most), "N", "goroutine_count: more are not well (default 100000)"},
    {"every", 0, OPTION_DURATION, AT(every_ns), "TIME", "check again and again"},
    {"count", 'n', OPTION_COUNT, AT(count), "N", "end after N rounds"},
    END,
};

const struct option_row ping_rows[] = {
    {"count", 'n', OPTION_COUNT, AT(count), "N", "ask N times"},
    END,
};
/* clang-format on */
