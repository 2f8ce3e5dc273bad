/* The table of commands, the command lines it accepts and refuses, and the texts made from it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands.h"
#include "goclient.h"
#include "options.h"
#include "status.h"

/* The table is the real one; what its commands do is tested with a daemon. */
#define COMMANDS(COMMAND)                                                                                    \
    COMMAND(make)                                                                                            \
    COMMAND(close)                                                                                           \
    COMMAND(rm)                                                                                              \
    COMMAND(ls)                                                                                              \
    COMMAND(info)                                                                                            \
    COMMAND(send)                                                                                            \
    COMMAND(recv)                                                                                            \
    COMMAND(range)                                                                                           \
    COMMAND(select)                                                                                          \
    COMMAND(pub)                                                                                             \
    COMMAND(sub)                                                                                             \
    COMMAND(durable)                                                                                         \
    COMMAND(feed)                                                                                            \
    COMMAND(topic)                                                                                           \
    COMMAND(submit)                                                                                          \
    COMMAND(work)                                                                                            \
    COMMAND(wait)                                                                                            \
    COMMAND(jobs)                                                                                            \
    COMMAND(job)                                                                                             \
    COMMAND(logs)                                                                                            \
    COMMAND(cancel)                                                                                          \
    COMMAND(ctx)                                                                                             \
    COMMAND(lock)                                                                                            \
    COMMAND(rwlock)                                                                                          \
    COMMAND(sem)                                                                                             \
    COMMAND(cond)                                                                                            \
    COMMAND(wg)                                                                                              \
    COMMAND(counter)                                                                                         \
    COMMAND(barrier)                                                                                         \
    COMMAND(once)                                                                                            \
    COMMAND(flight)                                                                                          \
    COMMAND(limit)                                                                                           \
    COMMAND(breaker)                                                                                         \
    COMMAND(errgroup)                                                                                        \
    COMMAND(dump)                                                                                            \
    COMMAND(deadlocks)                                                                                       \
    COMMAND(leaks)                                                                                           \
    COMMAND(keygen)                                                                                          \
    COMMAND(ping)                                                                                            \
    COMMAND(advance)                                                                                         \
    COMMAND(stats)                                                                                           \
    COMMAND(cron)                                                                                            \
    COMMAND(dead)                                                                                            \
    COMMAND(queue)                                                                                           \
    COMMAND(pool)                                                                                            \
    COMMAND(backup)                                                                                          \
    COMMAND(drain)                                                                                           \
    COMMAND(health)                                                                                          \
    COMMAND(stacks)                                                                                          \
    COMMAND(procs)                                                                                           \
    COMMAND(monitor)                                                                                         \
    COMMAND(metrics)                                                                                         \
    COMMAND(profile)                                                                                         \
    COMMAND(trace)                                                                                           \
    COMMAND(version)                                                                                         \
    COMMAND(help)                                                                                            \
    COMMAND(completion)
#define DEFINE_COMMAND(name)                                                                                 \
    int command_##name(const struct options *options)                                                        \
    {                                                                                                        \
        return options->operands_n;                                                                          \
    }
COMMANDS(DEFINE_COMMAND)

const char *gc_job_state_name(enum gc_job_state state)
{
    static const char *const names[] = {"none", "scheduled", "blocked",   "ready", "running",
                                        "done", "failed",    "cancelled", "dead"};

    return names[state];
}

/* ---- parsing ---- */

enum { WORDS_MAX = 32 };

/* A parsed command line, and what was said about it. */
struct line {
    char *text, **words; /* the options point into both */
    int words_n;
    struct options options;
    char *errors;
    int result;
};

/* Parses words separated by single spaces, the first being the command. */
static struct line parse(const char *text)
{
    struct line line = {.text = strdup(text), .words = calloc(WORDS_MAX + 1, sizeof(char *))};
    size_t errors_size;
    FILE *errors = open_memstream(&line.errors, &errors_size);
    char *rest = line.text;

    while (rest && *rest && line.words_n < WORDS_MAX)
        line.words[line.words_n++] = strsep(&rest, " ");
    line.result = options_parse(command_find(line.words[0]), line.words_n, line.words, &line.options, errors);
    fclose(errors);
    return line;
}

static void line_release(struct line *line)
{
    options_release(&line->options);
    free(line->text);
    free(line->words);
    free(line->errors);
}

static void assert_refused(const char *text, const char *because)
{
    struct line line = parse(text);

    assert_int_equal(line.result, -EINVAL);
    if (!strstr(line.errors, because))
        fail_msg("\"%s\" says \"%s\", not \"%s\"", text, line.errors, because);
    line_release(&line);
}

static void test_options_and_operands_mix(void **state)
{
    struct line line = parse("recv results --follow --timeout 2s --json --endpoint ipc:///x");

    assert_int_equal(line.result, 0);
    assert_true(line.options.follow && line.options.json);
    assert_int_equal(line.options.timeout_ns, 2000000000);
    assert_string_equal(line.options.endpoint, "ipc:///x");
    assert_int_equal(line.options.operands_n, 1);
    assert_string_equal(line.options.operands[0], "results");
    line_release(&line);
}

static void test_nothing_given_is_nothing_set(void **state)
{
    struct line line = parse("recv results");

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.timeout_ns, -1);
    assert_null(line.options.endpoint);
    assert_false(line.options.follow || line.options.json || line.options.try_once);
    line_release(&line);
}

static void test_letters(void **state)
{
    struct line line = parse("recv -n 9 -t 200ms results");

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.count, 9);
    assert_int_equal(line.options.timeout_ns, 200000000);
    line_release(&line);
}

static void test_a_dash_is_an_operand(void **state)
{
    struct line line = parse("send results -");

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.operands_n, 2);
    assert_string_equal(line.options.operands[1], "-");
    line_release(&line);
}

static void test_two_dashes_end_the_options(void **state)
{
    struct line line = parse("send results -- -1 --try");

    assert_int_equal(line.result, 0);
    assert_false(line.options.try_once);
    assert_int_equal(line.options.operands_n, 3);
    assert_string_equal(line.options.operands[1], "-1");
    line_release(&line);
}

static void test_S1_select_cases_keep_their_order(void **state)
{
    struct line line = parse("select --recv a --send c=v=w --recv b --job 42 --send d= --timeout 1s");
    const struct select_option *cases = line.options.cases;

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.cases_n, 5);
    assert_int_equal(cases[0].kind, SELECT_RECV);
    assert_string_equal(cases[0].name, "a");
    assert_int_equal(cases[1].kind, SELECT_SEND);
    assert_string_equal(cases[1].name, "c");
    assert_string_equal(cases[1].value, "v=w");
    assert_string_equal(cases[2].name, "b");
    assert_int_equal(cases[3].job, 42);
    assert_string_equal(cases[4].value, "");
    line_release(&line);
}

static void test_submit_policy(void **state)
{
    struct line line = parse("submit p.so:f a b --wait --retries 4 --backoff 100ms --limit 10s --deadline 1h "
                             "--in 5m -p 9");

    assert_int_equal(line.result, 0);
    assert_true(line.options.wait);
    assert_int_equal(line.options.retries, 4);
    assert_int_equal(line.options.backoff_ns, 100000000);
    assert_int_equal(line.options.time_limit_ns, 10000000000);
    assert_int_equal(line.options.deadline_ns, 3600000000000);
    assert_int_equal(line.options.delay_ns, 300000000000);
    assert_int_equal(line.options.priority, 9);
    assert_int_equal(line.options.operands_n, 3);
    line_release(&line);
}

static void test_job_states_become_bits(void **state)
{
    struct line line = parse("jobs --state ready,running,dead");

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.states, 1 << GC_JOB_READY | 1 << GC_JOB_RUNNING | 1 << GC_JOB_DEAD);
    line_release(&line);
}

static void test_sizes_and_counts_of_a_channel(void **state)
{
    struct line line = parse("make c --cap 16 --value-max 4M --drop-oldest");

    assert_int_equal(line.result, 0);
    assert_int_equal(line.options.capacity, 16);
    assert_int_equal(line.options.value_bytes_max, 4 << 20);
    assert_true(line.options.drop_oldest);
    line_release(&line);
}

static void test_refusals_name_the_word_and_the_way(void **state)
{
    assert_refused("recv c --timeout 2x", "--timeout: \"2x\" is not a duration, such as 200ms");
    assert_refused("recv c --timeout", "--timeout wants a value");
    assert_refused("recv c --timeout 99999999999999999999s", "out of range");
    assert_refused("recv c --nonsense", "no option --nonsense");
    assert_refused("recv c -z", "no option -z");
    assert_refused("recv c --json=yes", "--json=yes");
    assert_refused("send c -1", "put -- before values that begin with -");
    assert_refused("recv", "usage: goctl recv NAME");
    assert_refused("recv a b", "\"b\" is too much");
    assert_refused("recv c -n many", "\"many\" is not a number");
    assert_refused("make c --cap -3", "\"-3\" is not a number");
    assert_refused("make c --value-max 1X", "\"1X\" is not a number of bytes");
    assert_refused("select --send a", "\"a\" is not NAME=VALUE");
    assert_refused("select --job x", "\"x\" is not a job's number");
    assert_refused("jobs --state ready,asleep", "\"ready,asleep\" is not a list of job states");
    assert_refused("jobs --state ready,", "is not a list of job states");
}

static void test_help_needs_no_operands(void **state)
{
    struct line line = parse("recv --help");

    assert_int_equal(line.result, 0);
    assert_true(line.options.help);
    line_release(&line);
}

static void test_there_is_no_other_command(void **state)
{
    assert_null(command_find("receive"));
    assert_null(command_find(""));
    assert_non_null(command_find("recv"));
}

/* ---- the table ---- */

static void each_option(const struct command *command, void (*see)(const struct option_row *, int *, char *),
                        int *n, char *letters)
{
    for (const struct option_row *row = command->rows; row && row->name; row++)
        see(row, n, letters);
    for (const struct option_row *row = common_rows; row->name; row++)
        see(row, n, letters);
}

static void see_option(const struct option_row *row, int *n, char *letters)
{
    ++*n;
    assert_non_null(row->help);
    assert_true((row->kind == OPTION_FLAG) == !row->value);
    if (!row->letter)
        return;
    assert_null(strchr(letters, row->letter));
    letters[strlen(letters)] = row->letter;
}

static void test_every_command_is_complete(void **state)
{
    for (const struct command *command = NULL; (command = command_after(command));) {
        char letters[64] = "";
        int n = 0;

        assert_non_null(command->run);
        assert_non_null(command->help);
        assert_non_null(command->operands);
        assert_non_null(command->examples[0]);
        each_option(command, see_option, &n, letters);
        assert_in_range(n, 4, OPTIONS_MAX);
    }
}

/* Whether the line of an example, up to a pipe or redirection, is one its command accepts. */
static void check_example(const struct command *command, const char *example)
{
    const char *begin = strstr(example, "goctl ");
    char words[256];
    struct line line;

    assert_non_null(begin);
    begin += strlen("goctl ");
    snprintf(words, sizeof words, "%.*s", (int)strcspn(begin, "|<>;)\""), begin);
    line = parse(words);
    if (line.result < 0)
        fail_msg("the example \"%s\": %s", example, line.errors);
    assert_string_equal(line.words[0], command->name);
    line_release(&line);
}

static void test_every_example_is_accepted(void **state)
{
    for (const struct command *command = NULL; (command = command_after(command));) {
        for (const char *const *example = command->examples; *example; example++)
            check_example(command, *example);
    }
}

/* Not inlined: gcc 12 then takes the text for a pointer to the local variable that held it. */
__attribute__((noinline)) static char *text_of(void (*write)(FILE *), size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    write(out);
    fclose(out);
    return text;
}

static void test_help_lists_commands_and_exit_statuses(void **state)
{
    size_t size;
    char *text = text_of(help_all, &size);

    for (const struct command *command = NULL; (command = command_after(command));)
        assert_non_null(strstr(text, command->help));
    assert_non_null(strstr(text, "  9  the job failed"));
    assert_non_null(strstr(text, "GOROUTINED_ENDPOINT"));
    free(text);
}

static void test_completion_knows_every_option(void **state)
{
    size_t size;
    char *text = text_of(completion_bash, &size);

    for (const struct command *command = NULL; (command = command_after(command));) {
        const char *place = strstr(text, command->name);

        assert_non_null(place);
        for (const struct option_row *row = command->rows; row && row->name; row++)
            assert_non_null(strstr(place, row->name));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_operands_mix),
        cmocka_unit_test(test_nothing_given_is_nothing_set),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_a_dash_is_an_operand),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_S1_select_cases_keep_their_order),
        cmocka_unit_test(test_submit_policy),
        cmocka_unit_test(test_job_states_become_bits),
        cmocka_unit_test(test_sizes_and_counts_of_a_channel),
        cmocka_unit_test(test_refusals_name_the_word_and_the_way),
        cmocka_unit_test(test_help_needs_no_operands),
        cmocka_unit_test(test_there_is_no_other_command),
        cmocka_unit_test(test_every_command_is_complete),
        cmocka_unit_test(test_every_example_is_accepted),
        cmocka_unit_test(test_help_lists_commands_and_exit_statuses),
        cmocka_unit_test(test_completion_knows_every_option),
    };

    return cmocka_run_group_tests_name("goctl_options", tests, NULL, NULL);
}
