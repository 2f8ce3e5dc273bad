/* The commands about jobs, and what submits them. */
#include "commands.h"
#include "option_rows.h"

const struct command job_commands[] = {
    {
        .name = "submit",
        .operands = "[PLUGIN.so]:FUNCTION [ARG…|-]",
        .help = "submit a function of a plugin, or :FUNCTION for goctl work, as a durable job",
        .more =
            "Prints the number of the job once it is on disk. ARG is the argument's bytes; several are\n"
            "joined with a zero byte between them; - is all of standard input.\n"
            "--wait prints the result, or the kept output when there is none.\n"
            "A line of --bulk is a JSON object: \"function\", PLUGIN.so:FUNCTION, \"argument\", a text or a\n"
            "list of them, and the long options; what it lacks is that of the command line.",
        .operands_max = -1,
        .completes = COMPLETES_FILE,
        .rows = submit_rows,
        .examples = EXAMPLES("goctl submit ./wordcount.so:count README.md --wait",
                             "goctl submit ./mail.so:send - --retries 4 --backoff 1s < letter",
                             "goctl submit ./wordcount.so:count README.md --limit 10s --in 5m",
                             "goctl submit --bulk jobs.jsonl ./wordcount.so:count --queue mail"),
        .run = command_submit,
    },
    {
        .name = "work",
        .operands = "QUEUE COMMAND…",
        .help = "run a command for each job of a queue that was submitted without a plugin",
        .more =
            "The argument of the job is the input of the command, and its output is the result. Exit "
            "status 0\n"
            "is done, any other failed. A signal lets it finish the job at hand first.\n"
            "--timeout holds for each wait for a job. When the daemon goes away it waits, and works on when\n"
            "there is one again; --no-reconnect, --try and --ctx end it then.",
        .operands_min = 2,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = work_rows,
        .examples = EXAMPLES("goctl work mail -- ./send-mail",
                             "goctl work default --functions 'resize crop' -- ./image.sh",
                             "goctl work default --try -n 10 -- tr a-z A-Z"),
        .run = command_work,
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
        .name = "dead",
        .operands = "ls, show ID…, retry ID…|--all, or purge",
        .help = "jobs that are given up: look at them, let them run again, forget them",
        .operands_min = 1,
        .operands_max = -1,
        .verbs = "ls show retry purge",
        .completes = COMPLETES_JOB,
        .rows = dead_rows,
        .examples =
            EXAMPLES("goctl dead ls --queue mail", "goctl dead retry --all", "goctl dead purge --older 7d"),
        .run = command_dead,
    },
    {
        .name = "queue",
        .operands = "set NAME [SETTING=VALUE…], info|pause|resume|purge|rm NAME, or ls [PREFIX]",
        .help = "make queues; what they may do, what waits in them; pause and empty them",
        .more = "set makes a queue or changes its settings, from now on and over restarts; SETTING= takes\n"
                "that back. info tells what waits and runs, and each setting with its origin: default,\n"
                "config or set. pause lets no job start, for --for or until resume; with --submits none is\n"
                "taken, either. purge cancels all that wait; rm forgets a queue that set has made, once it\n"
                "has no jobs. goroutined.conf(5) lists the settings.",
        .operands_min = 1,
        .operands_max = -1,
        .verbs = "set info pause resume purge rm ls",
        .rows = queue_rows,
        .examples =
            EXAMPLES("goctl queue set mail concurrency=8 key_concurrency=1", "goctl queue info mail --json",
                     "goctl queue pause mail --for 5m --submits", "goctl queue purge mail"),
        .run = command_queue,
    },
    {
        .name = "pool",
        .operands =
            "set NAME SETTING=VALUE…, scale NAME HOSTS [GOROUTINES], info|drain|rm NAME, or ls [PREFIX]",
        .help = "pools of hosts: which jobs run in which processes, and how many",
        .more =
            "set makes a pool or changes it, from now on and over restarts; SETTING= takes that back. A\n"
            "new pool needs queues=NAME,… or functions=PLUGIN.so:FUNCTION,… (or PLUGIN.so alone; * is\n"
            "anything): their jobs run in its hosts and nowhere else. scale says how many hosts, and how\n"
            "many jobs at once in each; no job is lost or started anew. info tells hosts, jobs, and each\n"
            "setting with its origin. drain starts no job until drain --end, and waits until none runs.\n"
            "rm gives the jobs back to the hosts of no pool. goroutined.conf(5) lists the settings.",
        .operands_min = 1,
        .operands_max = -1,
        .verbs = "set scale info drain rm ls",
        .rows = pool_rows,
        .examples = EXAMPLES("goctl pool set mail queues=mail hosts=4 goroutines=8",
                             "goctl pool scale mail 8", "goctl pool drain mail --timeout 30s"),
        .run = command_pool,
    },
    {
        .name = "cron",
        .operands =
            "set NAME 'SPEC' PLUGIN.so:FUNCTION [ARG…], ls [PREFIX], rm|pause|resume NAME…, or next 'SPEC'",
        .help = "schedules: jobs that are submitted again and again",
        .more =
            "SPEC has five fields, minute hour day month weekday, or six with the second in front; or it is\n"
            "@hourly, @daily, @weekly, @monthly, @yearly or '@every 90s'. What clocks that go forward leave "
            "out is made\n"
            "up for once, and what comes twice counts once.\n"
            "set replaces one of that name. ls lists them, rm forgets some, whose jobs stay, pause holds "
            "some\n"
            "until resume, and next prints when SPEC is due, without a daemon.",
        .operands_min = 1,
        .operands_max = -1,
        .verbs = "set ls rm pause resume next",
        .completes = COMPLETES_FILE,
        .rows = cron_rows,
        .examples =
            EXAMPLES("goctl cron set report '30 2 * * mon-fri' --zone Europe/Berlin ./report.so:nightly",
                     "goctl cron set beat '@every 30s' --overlap skip --missed skip ./check.so:ping host1",
                     "goctl cron ls --json", "goctl cron next '0 0 L * ?' -n 12"),
        .run = command_cron,
    },
    {.name = NULL},
};
