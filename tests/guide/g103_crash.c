/*
 * G103 A goroutine reads through a NULL pointer: in C no recover can catch that.
 *
 * Pattern: isolation. What can crash runs in a process of its own: as a job it is charged with the crash, and everybody
 * else goes on.
 */
#include "guide.h"

struct settings {
    int limit;
};

static const struct settings *find_settings(const char *name)
{
    static const struct settings known = {10};

    return strcmp(name, "known") == 0 ? &known : NULL;
}

static void recover(void *unused)
{
    if (go_recover())
        say("recovered");
}

__attribute__((noinline, no_sanitize("undefined"))) static int read_limit(const char *name)
{
    const volatile struct settings *settings = find_settings(name);

    return settings->limit;
}

/* Wrong: nobody looked whether there are such settings. */
static void crash(void)
{
    go_defer(recover, NULL);
    say("limit: %d", read_limit("unknown"));
}

static void no_crash(void)
{
    say("limit: %d", read_limit("known"));
    /* "without the NULL it goes on" */
    must(said(LINES("limit: 10")));
}

GUIDE_ROW(G103, no_crash);
/* "no recover catches it" */
/* "the report names the signal" */
GUIDE_PART(G103, crash, .ends = ENDS_IN_FATAL, .says = {"SEGV"}, .never = {"recovered", "limit: "});
