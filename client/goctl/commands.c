/*
 * The table of commands: what `goctl` can be asked, with every option, help and example. To add a command: its
 * row here, its function in the file of its family, its paragraph in goctl.1 (a test compares the two).
 */
#include "commands.h"

#include "options.h"

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
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show this"},
    END,
};

#define TRY {"try", 0, OPTION_FLAG, AT(try_once), NULL, "do not wait"}
#define RAW {"raw", 0, OPTION_FLAG, AT(raw), NULL, "print values as they are, without a newline behind each"}
#define CTX {"ctx", 0, OPTION_TEXT, AT(ctx), "NAME", "give up when this context ends; see goctl ctx", COMPLETES_CONTEXT}
#define QUEUE(help) {"queue", 'q', OPTION_TEXT, AT(queue), "NAME", help}

static const struct option_row make_rows[] = {
    {"cap", 'c', OPTION_COUNT, AT(capacity), "N", "capacity in values; 0, the default, is a rendezvous"},
    {"drop-oldest", 0, OPTION_FLAG, AT(drop_oldest), NULL, "a full channel drops its oldest value; sends never wait"},
    {"drop-newest", 0, OPTION_FLAG, AT(drop_newest), NULL, "a full channel drops the value being sent"},
    {"at-most-once", 0, OPTION_FLAG, AT(at_most_once), NULL, "a value dies with a receiver that had not finished it"},
    {"value-max", 0, OPTION_SIZE, AT(value_bytes_max), "BYTES", "the largest value it takes (default 1M)"},
    {"element", 0, OPTION_SIZE, AT(element_bytes), "BYTES", "every value has exactly this size"},
    {"type", 0, OPTION_TEXT, AT(type), "TAG", "a type that all who open it must name"},
    {"if-missing", 0, OPTION_FLAG, AT(if_missing), NULL, "no error when it is there already"},
    END,
};

static const struct option_row send_rows[] = {
    TRY,
    CTX,
    {"lines", 'l', OPTION_FLAG, AT(lines), NULL, "send the lines of standard input; the same as -"},
    {"raw", 0, OPTION_FLAG, AT(raw), NULL, "send all of standard input as one value"},
    END,
};

static const struct option_row recv_rows[] = {
    TRY,
    CTX,
    {"count", 'n', OPTION_COUNT, AT(count), "N", "receive N values"},
    {"follow", 'f', OPTION_FLAG, AT(follow), NULL, "go on until the channel is closed"},
    RAW,
    END,
};

static const struct option_row range_rows[] = {RAW, CTX, END};
static const struct option_row wait_rows[] = {CTX, END};

static const struct option_row ctx_rows[] = {
    {"parent", 'p', OPTION_TEXT, AT(parent), "NAME", "new: below this context, and ends with it", COMPLETES_CONTEXT},
    {"value", 0, OPTION_CASE_SEND, 0, "NAME=VALUE", "new: binds a value"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "ls: list at most N"},
    END,
};

static const struct option_row select_rows[] = {
    {"recv", 'r', OPTION_CASE_RECV, 0, "NAME", "a case: receive a value from NAME", COMPLETES_CHANNEL},
    {"send", 's', OPTION_CASE_SEND, 0, "NAME=VALUE", "a case: send VALUE on NAME", COMPLETES_CHANNEL},
    {"job", 'j', OPTION_CASE_JOB, 0, "ID", "a case: the job has ended", COMPLETES_JOB},
    TRY,
    RAW,
    CTX,
    END,
};

static const struct option_row ls_rows[] = {
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    END,
};

static const struct option_row submit_rows[] = {
    {"wait", 'w', OPTION_FLAG, AT(wait), NULL, "wait for the end and print the result"},
    {"ctx", 0, OPTION_TEXT, AT(job_ctx), "NAME", "the job is cancelled when this context ends", COMPLETES_CONTEXT},
    QUEUE("the queue; \"default\" if not given"),
    {"retries", 0, OPTION_COUNT, AT(retries), "N", "run it at most N times until it succeeds"},
    {"backoff", 0, OPTION_DURATION, AT(backoff_ns), "TIME", "wait before the second run; doubles with each"},
    {"limit", 0, OPTION_DURATION, AT(time_limit_ns), "TIME", "the longest a single run may take"},
    {"grace", 0, OPTION_DURATION, AT(grace_ns), "TIME", "to clean up in, between a cancel and the kill"},
    {"deadline", 0, OPTION_DURATION, AT(deadline_ns), "TIME", "the longest the whole job may take, from now"},
    {"in", 0, OPTION_DURATION, AT(delay_ns), "TIME", "do not start it before"},
    {"priority", 'p', OPTION_COUNT, AT(priority), "0..9", "higher is more urgent"},
    {"key", 0, OPTION_TEXT, AT(key), "TEXT", "jobs of one key are served in order and share fairly"},
    END,
};

static const struct option_row jobs_rows[] = {
    {"state", 's', OPTION_STATES, AT(states), "LIST", "only jobs in these states: ready,running"},
    QUEUE("only jobs of this queue"),
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    END,
};

static const struct option_row logs_rows[] = {
    {"follow", 'f', OPTION_FLAG, AT(follow), NULL, "go on until the job has ended"},
    END,
};

static const struct option_row cancel_rows[] = {
    {"cause", 0, OPTION_TEXT, AT(cause), "TEXT", "why, kept with the job"},
    END,
};

static const struct option_row lock_rows[] = {
    TRY,
    {"recover", 0, OPTION_FLAG, AT(recover), NULL, "take it even if nobody put right what a dead owner left"},
    END,
};

static const struct option_row sem_rows[] = {
    TRY,
    {"size", 0, OPTION_COUNT, AT(size), "N", "how many units there are, the same from everybody"},
    {"units", 'n', OPTION_COUNT, AT(units), "N", "take N of them; 1 if not given"},
    END,
};

static const struct option_row wg_rows[] = {TRY, END};

static const struct option_row once_rows[] = {
    TRY,
    {"reset", 0, OPTION_FLAG, AT(reset), NULL, "let it run again"},
    END,
};

static const struct option_row limit_rows[] = {
    TRY,
    {"every", 0, OPTION_DURATION, AT(every_ns), "TIME", "one token each TIME, the same from everybody"},
    {"burst", 0, OPTION_COUNT, AT(burst), "N", "keep at most N tokens; 1 if not given"},
    {"units", 'n', OPTION_COUNT, AT(units), "N", "take N tokens; 1 if not given"},
    END,
};

static const struct option_row dump_rows[] = {
    {"session", 0, OPTION_COUNT, AT(session), "N", "only those of one session"},
    {"object", 0, OPTION_TEXT, AT(object), "NAME", "only those that wait for this channel or lock", COMPLETES_CHANNEL},
    {"age", 0, OPTION_DURATION, AT(age_ns), "TIME", "only those that have waited for so long"},
    {"limit", 0, OPTION_COUNT, AT(limit), "N", "list at most N"},
    {"goroutines", 'g', OPTION_FLAG, AT(goroutines), NULL, "instead the goroutines of every host, with their stacks"},
    END,
};

static const struct option_row report_rows[] = {
    {"age", 0, OPTION_DURATION, AT(age_ns), "TIME", "suspect what has waited for so long (default 10s)"},
    END,
};

static const struct option_row ping_rows[] = {
    {"count", 'n', OPTION_COUNT, AT(count), "N", "ask N times"},
    END,
};
/* clang-format on */

#define EXAMPLES(...) ((const char *const[]){__VA_ARGS__, NULL})

const struct command commands[] = {
    {
        .name = "make",
        .operands = "NAME",
        .help = "make a channel",
        .more = "The channel stays until `goctl rm NAME`. Names are 1 to 255 of A-Z a-z 0-9 _ . : / -",
        .operands_min = 1,
        .operands_max = 1,
        .rows = make_rows,
        .examples = EXAMPLES("goctl make results --cap 16", "goctl make latest --cap 3 --drop-oldest"),
        .run = command_make,
    },
    {
        .name = "send",
        .operands = "NAME [VALUE…|-]",
        .help = "send values on a channel",
        .more = "With - or --lines each line of standard input is one value, without its newline.\n"
                "A rendezvous (capacity 0) is sent when a receiver has it; --timeout holds for each value.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_CHANNEL,
        .rows = send_rows,
        .examples = EXAMPLES("goctl send results hello", "echo hello | goctl send results -",
                             "seq 1000 | goctl send --lines results", "goctl send --try results -- -1"),
        .run = command_send,
    },
    {
        .name = "recv",
        .operands = "NAME",
        .help = "receive values from a channel",
        .more = "A value is acknowledged after it was written; with --follow, -n and range after the reader\n"
                "of a pipe has taken it. What was not acknowledged goes back to the head of the channel.\n"
                "--timeout holds for each value.",
        .operands_min = 1,
        .operands_max = 1,
        .completes = COMPLETES_CHANNEL,
        .rows = recv_rows,
        .examples = EXAMPLES("goctl recv results", "goctl recv results -n 9 --timeout 2s",
                             "goctl recv results --ctx deploy", "goctl recv results --follow --json",
                             "goctl recv --try results"),
        .run = command_recv,
    },
    {
        .name = "range",
        .operands = "NAME",
        .help = "receive until the channel is closed and drained",
        .more = "As recv --follow, but the close is a good end: exit status 0.",
        .operands_min = 1,
        .operands_max = 1,
        .completes = COMPLETES_CHANNEL,
        .rows = range_rows,
        .examples = EXAMPLES("goctl range results | sort | uniq -c"),
        .run = command_range,
    },
    {
        .name = "close",
        .operands = "NAME…",
        .help = "close a channel; receivers get what is left, then the end",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_CHANNEL,
        .examples = EXAMPLES("goctl close results"),
        .run = command_close,
    },
    {
        .name = "select",
        .operands = "",
        .help = "the first of several sends, receives and jobs that can go on",
        .more = "Exactly one case takes effect. Prints NAME VALUE for a receive, NAME for a send and\n"
                "ID STATE for a job.",
        .rows = select_rows,
        .examples = EXAMPLES("goctl select --recv a --recv b --send c=v --timeout 1s",
                             "goctl select --recv results --job 42", "goctl select --try --recv a --recv b"),
        .run = command_select,
    },
    {
        .name = "ls",
        .operands = "[PREFIX]",
        .help = "list the channels",
        .operands_max = 1,
        .completes = COMPLETES_CHANNEL,
        .rows = ls_rows,
        .examples = EXAMPLES("goctl ls", "goctl ls shop. --json"),
        .run = command_ls,
    },
    {
        .name = "info",
        .operands = "NAME…",
        .help = "everything about a channel",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_CHANNEL,
        .examples = EXAMPLES("goctl info results"),
        .run = command_info,
    },
    {
        .name = "rm",
        .operands = "NAME…",
        .help = "take the name off a channel; it lives on while somebody has it open",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_CHANNEL,
        .examples = EXAMPLES("goctl rm results"),
        .run = command_rm,
    },
    {
        .name = "submit",
        .operands = "PLUGIN.so:FUNCTION [ARG…|-]",
        .help = "submit a function of a plugin as a durable job",
        .more = "Prints the number of the job once it is on disk. ARG is the argument's bytes; several are\n"
                "joined with a zero byte between them; - is all of standard input.\n"
                "--wait prints the result, or the kept output when there is none.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_FILE,
        .rows = submit_rows,
        .examples = EXAMPLES("goctl submit ./wordcount.so:count README.md --wait",
                             "goctl submit ./mail.so:send - --retries 4 --backoff 1s < letter",
                             "goctl submit ./wordcount.so:count README.md --limit 10s --in 5m"),
        .run = command_submit,
    },
    {
        .name = "wait",
        .operands = "ID…",
        .help = "wait for jobs to end and print their results",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_JOB,
        .rows = wait_rows,
        .examples = EXAMPLES("goctl wait 42 --timeout 1m"),
        .run = command_wait,
    },
    {
        .name = "jobs",
        .operands = "",
        .help = "list the jobs",
        .rows = jobs_rows,
        .examples = EXAMPLES("goctl jobs", "goctl jobs --state ready,running --json"),
        .run = command_jobs,
    },
    {
        .name = "job",
        .operands = "ID…",
        .help = "everything about a job",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_JOB,
        .examples = EXAMPLES("goctl job 42"),
        .run = command_job,
    },
    {
        .name = "logs",
        .operands = "ID",
        .help = "what a job printed",
        .operands_min = 1,
        .operands_max = 1,
        .completes = COMPLETES_JOB,
        .rows = logs_rows,
        .examples = EXAMPLES("goctl logs 42", "goctl logs 42 --follow"),
        .run = command_logs,
    },
    {
        .name = "cancel",
        .operands = "ID…",
        .help = "cancel a job: its context ends now, its host after the grace",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_JOB,
        .rows = cancel_rows,
        .examples = EXAMPLES("goctl cancel 42 --cause superseded"),
        .run = command_cancel,
    },
    {
        .name = "ctx",
        .operands = "new|cancel|wait|info|value|drop NAME, or ls [PREFIX]",
        .help = "contexts: what ends waits and jobs of many processes at once",
        .more =
            "new NAME makes one, which ends after --timeout, with --parent, or by cancel NAME [CAUSE].\n"
            "wait NAME waits for the end and prints why; its exit status is 6 after a cancel and 3 after\n"
            "the deadline. info NAME tells what is known, value NAME KEY prints a value of it or of those\n"
            "above it, drop NAME ends and forgets it, ls lists them. One made here belongs to nobody and\n"
            "lives for a day at most. With --ctx other commands give up when it ends.",
        .operands_min = 1,
        .operands_max = 3,
        .completes = COMPLETES_CONTEXT,
        .rows = ctx_rows,
        .examples =
            EXAMPLES("goctl ctx new deploy --timeout 10m", "goctl ctx cancel deploy \"rolled back\"",
                     "goctl ctx wait deploy", "goctl ctx new canary --parent deploy --value host=web1",
                     "goctl ctx value canary host"),
        .run = command_ctx,
    },
    {
        .name = "lock",
        .operands = "NAME -- COMMAND…",
        .help = "run a command while holding a lock",
        .more = "The exit status is the command's. It finds the fencing token of the lock in "
                "GOROUTINED_TOKEN and,\n"
                "when the last owner died holding it, 1 in GOROUTINED_OWNER_DIED, else 0. After such a death "
                "the\n"
                "success of the command means that what the lock guards is in order again.",
        .operands_min = 2,
        .operands_max = -1,
        .rows = lock_rows,
        .examples =
            EXAMPLES("goctl lock backup -- rsync -a /srv /mnt", "goctl lock --try deploy -- make install",
                     "goctl lock deploy --timeout 5m -- sh -c 'echo $GOROUTINED_TOKEN'"),
        .run = command_lock,
    },
    {
        .name = "sem",
        .operands = "NAME -- COMMAND…",
        .help = "run a command while holding units of a semaphore",
        .more = "At most --size units are held at once, in all; who asks for more than are free waits, and "
                "nobody passes\n"
                "him. The exit status is the command's.",
        .operands_min = 2,
        .operands_max = -1,
        .rows = sem_rows,
        .examples = EXAMPLES("goctl sem encoders --size 4 -- ffmpeg -i a.wav a.ogg",
                             "goctl sem memory --size 64 --units 16 -- make"),
        .run = command_sem,
    },
    {
        .name = "wg",
        .operands = "add|done|wait NAME [N]",
        .help = "add units to a wait group, settle them, wait until none is left",
        .more = "Units added here belong to nobody, so that anybody may settle them; they live a day. 1 when "
                "N is\n"
                "not given. wait fails when units were settled because who had them died.",
        .operands_min = 2,
        .operands_max = 3,
        .rows = wg_rows,
        .examples =
            EXAMPLES("goctl wg add uploads 3", "goctl wg done uploads", "goctl wg wait uploads --timeout 1h"),
        .run = command_wg,
    },
    {
        .name = "once",
        .operands = "NAME -- COMMAND…",
        .help = "run a command unless somebody, anywhere, has",
        .more = "The exit status is the command's; 0 when it has run before, or has ended elsewhere "
                "meanwhile. When it\n"
                "failed, everybody else fails, until --reset.",
        .operands_min = 1,
        .operands_max = -1,
        .rows = once_rows,
        .examples = EXAMPLES("goctl once schema.7 -- psql -f schema7.sql", "goctl once --reset schema.7"),
        .run = command_once,
    },
    {
        .name = "limit",
        .operands = "NAME [-- COMMAND…]",
        .help = "wait for tokens of a bucket, then run a command",
        .more = "One token each --every, for all processes together, in the order of arrival; at most "
                "--burst are\n"
                "kept. Without a command it returns when it has them.",
        .operands_min = 1,
        .operands_max = -1,
        .rows = limit_rows,
        .examples = EXAMPLES("goctl limit mail --every 100ms --burst 10 -- sendmail -t",
                             "goctl limit api --every 1s --try"),
        .run = command_limit,
    },
    {
        .name = "dump",
        .operands = "",
        .help = "who waits for what: the waiting operations of all processes",
        .more = "The oldest of each page of a thousand come first. You see what your user waits for; root "
                "and the\nuser of the daemon see everything.",
        .rows = dump_rows,
        .examples = EXAMPLES("goctl dump", "goctl dump --object results", "goctl dump --age 1m --json",
                             "goctl dump --goroutines"),
        .run = command_dump,
    },
    {
        .name = "deadlocks",
        .operands = "",
        .help = "the waits that never end: proven, and apart from them those that only look so",
        .more =
            "Proven: each waits for what only others of its group could do, on the word of programs that\n"
            "said how many callers they have. Suspected: has waited for --age, without a deadline.",
        .rows = report_rows,
        .examples = EXAMPLES("goctl deadlocks", "goctl deadlocks --age 1m --json"),
        .run = command_deadlocks,
    },
    {
        .name = "leaks",
        .operands = "",
        .help = "waits and channels that nobody else knows of",
        .more =
            "Waits on channels that nobody else has open, proven or suspected; sessions that hold channels\n"
            "which are closed and drained; channels with a name that nobody has open.",
        .rows = report_rows,
        .examples = EXAMPLES("goctl leaks", "goctl leaks --age 1m --json"),
        .run = command_leaks,
    },
    {
        .name = "ping",
        .operands = "",
        .help = "one round trip to the daemon",
        .rows = ping_rows,
        .examples = EXAMPLES("goctl ping", "goctl ping -n 10"),
        .run = command_ping,
    },
    {
        .name = "stats",
        .operands = "[PREFIX]",
        .help = "counters of the daemon",
        .operands_max = 1,
        .examples = EXAMPLES("goctl stats", "goctl stats chan --json"),
        .run = command_stats,
    },
    {
        .name = "version",
        .operands = "",
        .help = "the version of goctl and of the schema of its JSON",
        .examples = EXAMPLES("goctl version"),
        .run = command_version,
    },
    {
        .name = "examples",
        .operands = "",
        .help = "list the example of each pattern of concurrent programs",
        .examples = EXAMPLES("goctl examples", "less $(goctl examples --json | jq -r .file)"),
        .run = command_examples,
    },
    {
        .name = "completion",
        .operands = "bash",
        .help = "print a completion script for the shell",
        .operands_min = 1,
        .operands_max = 1,
        .examples = EXAMPLES("source <(goctl completion bash)"),
        .run = command_completion,
    },
    {
        .name = "help",
        .operands = "[COMMAND]",
        .help = "show this, or the help of a command",
        .operands_max = 1,
        .completes = COMPLETES_COMMAND,
        .examples = EXAMPLES("goctl help recv"),
        .run = command_help,
    },
    {.name = NULL},
};
