/* The commands about contexts, and what processes agree with. */
#include "commands.h"
#include "option_rows.h"

const struct command sync_commands[] = {
    {
        .name = "ctx",
        .operands = "new|cancel|wait|info|value|drop NAME, or ls [PREFIX]",
        .help = "contexts: what ends waits and jobs of many processes at once",
        .more =
            "new NAME makes one, which ends after --timeout, with --parent or the first error of --group,\n"
            "or by cancel NAME [CAUSE].\n"
            "wait NAME waits for the end and prints why; its exit status is 6 after a cancel and 3 after\n"
            "the deadline. info NAME tells what is known, value NAME KEY prints a value of it or of those\n"
            "above it, drop NAME ends and forgets it, ls lists them. One made here belongs to nobody and\n"
            "lives for a day at most. With --ctx other commands give up when it ends.",
        .operands_min = 1,
        .operands_max = 3,
        .verbs = "new cancel wait info value drop ls",
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
        .more = "The exit status is the command's. It finds the fencing token of the lock in\n"
                "GOROUTINED_TOKEN and, when the last owner died holding it, 1 in\n"
                "GOROUTINED_OWNER_DIED, else 0. After such a death the success of the command means that\n"
                "what the lock guards is in order again.",
        .operands_min = 2,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = lock_rows,
        .examples =
            EXAMPLES("goctl lock backup -- rsync -a /srv /mnt", "goctl lock --try deploy -- make install",
                     "goctl lock deploy --ctx release --timeout 5m -- sh -c 'echo $GOROUTINED_TOKEN'"),
        .run = command_lock,
    },
    {
        .name = "rwlock",
        .operands = "read|write NAME -- COMMAND…",
        .help = "run a command while holding a lock to read, with others, or to write, alone",
        .more =
            "write is as lock. Who waits to write stops new readers; when he is done, all who wait to read\n"
            "come before the next writer. The exit status is the command's.",
        .operands_min = 3,
        .operands_max = -1,
        .verbs = "read write",
        .completes = COMPLETES_PROGRAM,
        .rows = lock_rows,
        .examples = EXAMPLES("goctl rwlock read index -- grep word index",
                             "goctl rwlock write index --timeout 1m -- make index"),
        .run = command_rwlock,
    },
    {
        .name = "sem",
        .operands = "NAME -- COMMAND…",
        .help = "run a command while holding units of a semaphore",
        .more = "At most --size units are held at once, in all; who asks for more than are free waits,\n"
                "and nobody passes him. The exit status is the command's.",
        .operands_min = 2,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = sem_rows,
        .examples = EXAMPLES("goctl sem encoders --size 4 -- ffmpeg -i a.wav a.ogg",
                             "goctl sem memory --size 64 --units 16 -- make"),
        .run = command_sem,
    },
    {
        .name = "cond",
        .operands = "wait NAME LOCK [-- COMMAND…], or signal|broadcast NAME",
        .help = "conditions: wait for a signal, and run a command with the lock held",
        .more = "wait takes LOCK and gives it up while it waits. With --until it waits until that test\n"
                "succeeds: change what it looks at under `goctl lock LOCK`, then signal. Then the COMMAND\n"
                "runs, as under goctl lock. A signal wakes who has waited longest, a broadcast all; one\n"
                "for nobody is not kept. --timeout is for all of the wait. The exit status is the\n"
                "command's.",
        .operands_min = 2,
        .operands_max = -1,
        .verbs = "wait signal broadcast",
        .completes = COMPLETES_PROGRAM,
        .rows = cond_rows,
        .examples = EXAMPLES("goctl cond wait arrived inbox --until 'grep . inbox' -- mv inbox mine",
                             "goctl cond signal arrived"),
        .run = command_cond,
    },
    {
        .name = "wg",
        .operands = "add|done|wait NAME [N]",
        .help = "add units to a wait group, settle them, wait until none is left",
        .more = "Units added here belong to nobody, so that anybody may settle them; they live a day. N is\n"
                "1 when it is not given. wait fails when units were settled because who had them died.",
        .operands_min = 2,
        .operands_max = 3,
        .verbs = "add done wait",
        .rows = wait_for_rows,
        .examples =
            EXAMPLES("goctl wg add uploads 3", "goctl wg done uploads", "goctl wg wait uploads --timeout 1h"),
        .run = command_wg,
    },
    {
        .name = "counter",
        .operands = "add|get|wait|reset NAME [N]",
        .help = "add to a number, look at it, wait until it is large enough",
        .more = "add NAME N adds N, which may be negative (behind --); 1 when it is not given. wait NAME N\n"
                "waits for N or more. Each prints the number then. reset makes it 0, as it is where nobody\n"
                "has added.",
        .operands_min = 2,
        .operands_max = 3,
        .verbs = "add get wait reset",
        .rows = wait_for_rows,
        .examples = EXAMPLES("goctl counter add uploads", "goctl counter add uploads -- -1",
                             "goctl counter wait uploads 100 --timeout 1h"),
        .run = command_counter,
    },
    {
        .name = "barrier",
        .operands = "NAME N",
        .help = "wait until N wait, then all go on",
        .more = "N is the same from everybody. Who dies or gives up meanwhile does not count.",
        .operands_min = 2,
        .operands_max = 2,
        .rows = wait_for_rows,
        .examples = EXAMPLES("goctl barrier started 3 --timeout 1m", "goctl barrier started 3 --json"),
        .run = command_barrier,
    },
    {
        .name = "once",
        .operands = "NAME -- COMMAND…",
        .help = "run a command unless somebody, anywhere, has",
        .more =
            "The exit status is the command's; 0 when it has run before, or has ended elsewhere meanwhile.\n"
            "When it failed, everybody else fails, until --reset.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = once_rows,
        .examples = EXAMPLES("goctl once schema.7 -- psql -f schema7.sql", "goctl once --reset schema.7"),
        .run = command_once,
    },
    {
        .name = "flight",
        .operands = "KEY -- COMMAND…",
        .help = "run a command, and share its output with all who ask for the same meanwhile",
        .more =
            "One of them, anywhere, runs the command; all print its output, when it has ended, and have its\n"
            "exit status. The next call runs it again.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = flight_rows,
        .examples =
            EXAMPLES("goctl flight news -- curl -s https://example.org/news", "goctl flight --reset news"),
        .run = command_flight,
    },
    {
        .name = "limit",
        .operands = "NAME [-- COMMAND…]",
        .help = "wait for tokens of a bucket, then run a command",
        .more = "One token each --every, for all processes together, in the order of arrival; at most\n"
                "--burst are kept. Without a command it returns when it has them.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = limit_rows,
        .examples = EXAMPLES("goctl limit mail --every 100ms --burst 10 -- sendmail -t",
                             "goctl limit api --every 1s --try"),
        .run = command_limit,
    },
    {
        .name = "breaker",
        .operands = "NAME -- COMMAND…",
        .help = "run a command unless it has failed too often of late",
        .more = "So many --failures in a row, anywhere, --open the breaker for a time: then it refuses at\n"
                "once, with exit status 10. After that time one may try; its success closes the breaker,\n"
                "its failure opens it anew. Else the exit status is the command's.",
        .operands_min = 1,
        .operands_max = -1,
        .completes = COMPLETES_PROGRAM,
        .rows = breaker_rows,
        .examples = EXAMPLES("goctl breaker api --failures 3 --open 5s -- curl -sf https://example.org",
                             "goctl breaker --reset api"),
        .run = command_breaker,
    },
    {
        .name = "errgroup",
        .operands = "run NAME -- COMMAND…, or wait|reset NAME",
        .help = "run commands as members of a group, and wait for the first that fails",
        .more = "run has the exit status of the command. wait waits until none runs; its exit status is\n"
                "that of the first that failed, 0 when none has. The failure stays until reset, or until\n"
                "the first member starts after it was told.",
        .operands_min = 2,
        .operands_max = -1,
        .verbs = "run wait reset",
        .completes = COMPLETES_PROGRAM,
        .rows = errgroup_rows,
        .examples = EXAMPLES("goctl errgroup run build --limit 2 -- make -C lib &",
                             "goctl errgroup run build --ctx b -- make || goctl ctx cancel b",
                             "goctl errgroup wait build --timeout 1h"),
        .run = command_errgroup,
    },
    {.name = NULL},
};
