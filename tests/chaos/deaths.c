/*
 * kill -9 and SIGSTOP of a client, of a host and of the daemon, while an operation is PARKED, COMMITTED and ACKED
 * (IP4, IP6.3, IP11): a witness outside of all of them judges what came of each value, and afterwards the daemon is as it
 * was (IP11.4).
 *
 *     deaths PLUGIN
 *
 * The victim is a process of its own (this program again) or a job. That it is PARKED the daemon says; that it has come
 * further it says itself. g and h are clients of the tester: g looks and drains, h is the partner.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon_node.h"
#include "guards.h"
#include "probe.h"
#include "victims.h"

enum { NUMBER_FILL = NUMBER_PASSING + 1, PARTNERS_MAX = 2 };

#define YEARS_NS (10LL * 365 * 86400 * 1000000000LL)
#define MUST(what)                                                                                           \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            errx(1, "%s: %s:%d: %s (%s)", title, __FILE__, __LINE__, #what, gc_why());                       \
    } while (0)

static const char *const state_names[] = {"PARKED", "COMMITTED", "ACKED"};
static const char *const counters[] = {"sessions", "ops.parked", "results.kept", "handles", "channels",
                                       "syncs",    "contexts",   "fetches",      "bytes"};
enum { COUNTERS_N = sizeof(counters) / sizeof(*counters) };

struct partner {
    pthread_t thread;
    bool sends;
    int number;
    bool runs;
};

static struct node node;
static char *const daemon_flags[] = {"--limit", "host_restart_ms=1", NULL}; /* hosts die often here */
static const char *plugin;
static char title[128], witness_path[96];
static gc_client *g, *h;
static struct witness *witness;
static gc_chan channel_g, channel_h, other;
static uint64_t baseline[COUNTERS_N], token;
static gc_job job;
static struct partner partners[PARTNERS_MAX];

/* ---- the victim ---- */

static struct child start_victim(const struct act *act, enum state state)
{
    char number[8], id[24];

    snprintf(number, sizeof(number), "%d", state);
    snprintf(id, sizeof(id), "%" PRIu64, job.id);
    return child_start((char *[]){"deaths", "--victim", (char *)(uintptr_t)act->name, number, node.endpoint,
                                  witness_path, id, NULL});
}

/* ---- what the daemon says ---- */

static void note_baseline(void)
{
    MUST(gc_ping(h, GC_FOREVER) == 0);
    for (int i = 0; i < COUNTERS_N; i++)
        baseline[i] = strcmp(counters[i], "results.kept") == 0 ? 0 : probe_says(g, counters[i]);
}

static void await_baseline(void)
{
    for (int i = 0; i < COUNTERS_N; i++)
        probe_await(g, counters[i], baseline[i]);
}

/* ---- partners and draining ---- */

static void put(gc_client *client, gc_chan c, int number)
{
    witness_send(witness, number);
    int r = gc_send(client, c, gc_bytes(&number, sizeof(number)), GC_FOREVER);
    witness_sent(witness, number, r, gc_in_doubt());
}

/* What gc_recv returned; what was received is noted. */
static int get(gc_client *client, gc_chan c, gc_until until)
{
    struct gc_value v;
    int number, r = gc_recv(client, c, &v, 0, until);

    if (r != 1)
        return r;
    MUST(v.size == sizeof(number));
    memcpy(&number, v.data, sizeof(number));
    witness_received(witness, number, v.flags & GC_REDELIVERED);
    witness_acked(witness, number); /* the note of somebody who died with it stays */
    gc_value_clear(&v);
    return r;
}

static void *run_partner(void *arg)
{
    struct partner *partner = arg;

    if (partner->sends)
        put(h, channel_h, partner->number);
    else
        get(h, channel_h, GC_FOREVER);
    return NULL;
}

static void start_partner(int i, bool sends, int number)
{
    partners[i] = (struct partner){.sends = sends, .number = number, .runs = true};
    MUST(pthread_create(&partners[i].thread, NULL, run_partner, &partners[i]) == 0);
}

static void join_partners(bool sending)
{
    for (int i = 0; i < PARTNERS_MAX; i++)
        if (partners[i].runs && partners[i].sends == sending) {
            pthread_join(partners[i].thread, NULL);
            partners[i].runs = false;
        }
}

static void take_all(void)
{
    int r;

    while ((r = get(g, channel_g, GC_NOW)) == 1)
        ;
    MUST(r == -EAGAIN);
}

/* Whoever receives has his value first. What came back lets its sender go; one that is late leaves his in the buffer. */
static void drain(void)
{
    join_partners(false);
    take_all();
    join_partners(true);
    take_all();
}

static void judge(bool drained)
{
    const char *wrong = witness_judge(witness, drained);

    if (wrong)
        errx(1, "%s: %s", title, wrong);
}

/* ---- a stage ---- */

static bool is(const struct act *act, const char *name)
{
    return strcmp(act->name, name) == 0;
}

static bool fills(const struct act *act, enum state state)
{
    return act->sends && act->capacity && state == STATE_PARKED;
}

static void set_stage(const struct act *act, enum state state)
{
    struct gc_submit later = {
        .size = sizeof(later), .plugin = plugin, .function = "idle", .delay_ns = YEARS_NS};

    witness_clear(witness);
    MUST(gc_make(g, VICTIM_CHANNEL, act->capacity, &channel_g, GC_FOREVER) == 0);
    MUST(gc_make(h, VICTIM_CHANNEL, act->capacity, &channel_h, GC_FOREVER) == 0);
    MUST(gc_make(g, VICTIM_OTHER, 0, &other, GC_FOREVER) == 0);
    if (fills(act, state))
        put(g, channel_g, NUMBER_FILL);
    token = 0;
    const struct guard *guard = guard_of(act->name);
    if (guard && state == STATE_PARKED)
        MUST(guard->take(g, &token) == 0);
    if (cause_of(act->name) && cause_of(act->name)->set)
        MUST(cause_of(act->name)->set(g) == 0);
    if (is(act, "wait"))
        MUST(gc_submit(g, &later, &job, GC_FOREVER) == 0);
}

/* The partner goes with its session: the answer to a drop of an idle client is read a second later. */
static void clear_stage(void)
{
    gc_disconnect(h);
    h = probe_client(node.endpoint, 0);
    MUST(gc_drop(g, channel_g) == 0 && gc_drop(g, other) == 0);
    MUST(gc_unlink(g, VICTIM_CHANNEL, GC_FOREVER) == 0 && gc_unlink(g, VICTIM_OTHER, GC_FOREVER) == 0);
    await_baseline();
}

/* What lets the operation end. */
static void let(const struct act *act, enum state state)
{
    if (act->receives)
        start_partner(0, true, NUMBER_PARTNER);
    else if (act->sends && (!act->capacity || fills(act, state)))
        start_partner(0, false, 0);
    else if (guard_of(act->name) && state == STATE_PARKED)
        MUST(guard_of(act->name)->give(g, token) == 0);
    else if (cause_of(act->name))
        MUST(cause_of(act->name)->bring(g) == 0);
    else if (is(act, "wait"))
        MUST(gc_job_cancel(g, job, NULL, GC_FOREVER) == 0);
}

static void await_waiting(const struct act *act)
{
    const struct cause *cause = cause_of(act->name);

    probe_await(g, "ops.parked", baseline[1] + (cause && cause->parked ? cause->parked : 1));
}

static struct child reach(const struct act *act, enum state state)
{
    set_stage(act, state);
    struct child victim = start_victim(act, state);
    if (state == STATE_PARKED || act->parks == PARKS_ALWAYS)
        await_waiting(act);
    if (state != STATE_PARKED) {
        let(act, state);
        child_hear(&victim);
    }
    return victim;
}

/* ---- judging the dead ---- */

/* A waiter that died is no heir. What a holder had is free at once, and the word of his death is said once. */
static void check_guard_of_dead(const struct guard *guard, enum state state)
{
    bool held = state != STATE_PARKED;

    if (!held)
        MUST(guard->give(g, token) == 0);
    MUST(guard->take(g, &token) == (held ? guard->after_death : 0));
    if (!held || guard->after_death >= 0)
        MUST(guard->give(g, token) == 0);
    if (held && guard->mend)
        MUST(guard->mend(g) == 0);
    MUST(guard->take(g, &token) == 0);
    MUST(guard->give(g, token) == 0);
}

static void check_cause_of_dead(const struct cause *cause, enum state state)
{
    if (state == STATE_PARKED)
        MUST((cause->alone ? cause->alone : cause->bring)(g) == 0);
    if (cause->clear)
        MUST(cause->clear(g, state != STATE_PARKED) == 0);
}

/* IP4, line by line. */
static void check_dead(const struct act *act, enum state state)
{
    const int nobody = NUMBER_PASSING;

    if (act->receives && state == STATE_PARKED && !act->capacity)
        MUST(gc_send(g, channel_g, gc_bytes(&nobody, sizeof(nobody)), GC_NOW) == -EAGAIN);
    drain();
    if (act->receives)
        MUST(witness->value[NUMBER_PARTNER].flagged == (state == STATE_COMMITTED));
    if (act->sends)
        MUST(witness->value[NUMBER_VICTIM].received == (state != STATE_PARKED));
    if (guard_of(act->name))
        check_guard_of_dead(guard_of(act->name), state);
    if (cause_of(act->name))
        check_cause_of_dead(cause_of(act->name), state);
    if (is(act, "wait") && state == STATE_PARKED)
        MUST(gc_job_cancel(g, job, NULL, GC_FOREVER) == 0);
    judge(true);
}

/* ---- judging the stopped ---- */

/* While it stands still, others go on with the same object. One that was let through holds nothing that it would run. */
static void check_others(const struct act *act, enum state state)
{
    const struct guard *guard = act->stays && state == STATE_PARKED ? NULL : guard_of(act->name);

    if (act->receives || act->sends) {
        start_partner(1, true, NUMBER_PASSING);
        MUST(get(g, channel_g, GC_FOREVER) == 1);
    }
    if (guard)
        MUST(guard->take(g, &token) == guard->busy);
    MUST(gc_ping(g, GC_FOREVER) == 0);
}

/* It lived, so all is as if it had never stopped. */
static void check_alive(const struct act *act)
{
    drain();
    if (act->sends)
        MUST(witness->value[NUMBER_VICTIM].received == 1);
    const struct guard *guard = guard_of(act->name);
    if (guard && act->stays && guard->mend)
        MUST(guard->mend(g) == 0); /* what has run is not run again */
    if (guard)
        MUST(guard->take(g, &token) == 0 && guard->give(g, token) == 0);
    if (cause_of(act->name) && cause_of(act->name)->clear)
        MUST(cause_of(act->name)->clear(g, false) == 0);
    judge(true);
}

/* ---- a client ---- */

static void name_stage(const char *who, const char *what, const struct act *act, enum state state)
{
    snprintf(title, sizeof(title), "%s %s, %s %s", who, what, act->name, state_names[state]);
    puts(title);
    fflush(stdout);
}

static void kill_client(const struct act *act, enum state state)
{
    name_stage("client", "killed", act, state);
    struct child victim = reach(act, state);
    MUST(kill(victim.pid, SIGKILL) == 0);
    MUST(child_wait(&victim) == 128 + SIGKILL);
    probe_await(g, "sessions", baseline[0]);
    check_dead(act, state);
    clear_stage();
}

static void stop_client(const struct act *act, enum state state)
{
    name_stage("client", "stopped", act, state);
    struct child victim = reach(act, state);
    child_stop(victim.pid);
    if (state == STATE_PARKED)
        let(act, state);
    check_others(act, state);
    MUST(kill(victim.pid, SIGCONT) == 0);
    if (state != STATE_PARKED)
        child_tell(&victim);
    MUST(child_wait(&victim) == EXIT_LIVED);
    check_alive(act);
    clear_stage();
}

/* ---- the daemon ---- */

/* The next call after the news opens a session with the new daemon. */
static void reconnect(gc_client *client)
{
    int r;

    do
        r = gc_ping(client, GC_FOREVER);
    while (r == -ENETRESET || r == -ECONNRESET);
    MUST(r == 0);
}

/* IP4: what a PARKED one is told of the restart. A wait for a job goes on with the new daemon; a lock had been given up to
 * wait for a signal, which may have come. */
static int told(const struct act *act)
{
    return act->sends || is(act, "cond") || is(act, "publish") ? EXIT_RESET_DOUBT
           : is(act, "wait")                                   ? EXIT_LIVED
                                                               : EXIT_RESET;
}

static void kill_daemon(const struct act *act, enum state state)
{
    name_stage("daemon", "killed", act, state);
    struct child victim = reach(act, state);
    node_signal(&node, SIGKILL);
    node_wait(&node);
    node_start(&node, daemon_flags);
    reconnect(g);
    reconnect(h);
    if (is(act, "wait") && state == STATE_PARKED)
        let(act, state);
    if (state != STATE_PARKED)
        child_tell(&victim);
    int status = child_wait(&victim);
    if (state == STATE_PARKED)
        MUST(status == told(act));
    else
        MUST(status == EXIT_RESET_LATER ||
             (!act->after_restart && (status == EXIT_LIVED || status == EXIT_RESET)));
    join_partners(false);
    join_partners(true);
    judge(false);
    if (guard_of(act->name) && state == STATE_PARKED)
        MUST(guard_of(act->name)->give(g, token) < 0);                           /* what we had is void too */
    MUST(gc_recv(g, channel_g, &(struct gc_value){0}, 0, GC_NOW) == -ENETRESET); /* old handles are void */
    await_baseline();
}

static void stop_daemon(const struct act *act, enum state state)
{
    name_stage("daemon", "stopped", act, state);
    struct child victim = reach(act, state);
    child_stop(node.pid);
    if (state != STATE_PARKED)
        child_tell(&victim); /* what it says lies in the socket */
    node_signal(&node, SIGCONT);
    if (state == STATE_PARKED)
        let(act, state);
    MUST(child_wait(&victim) == EXIT_LIVED);
    check_alive(act);
    clear_stage();
}

/* ---- a host ---- */

/* The only child of the daemon. */
static pid_t host_pid(void)
{
    char path[64];
    pid_t pid = 0;

    snprintf(path, sizeof(path), "pgrep -P %d", node.pid);
    FILE *children = popen(path, "re");
    MUST(children && fscanf(children, "%d", &pid) == 1 && pid > 0);
    pclose(children);
    return pid;
}

static gc_job submit_act(const struct act *act, enum state state)
{
    char argument[192];
    struct gc_submit what = {.size = sizeof(what), .plugin = plugin, .function = act ? "act" : "idle"};
    gc_job made;

    if (act) {
        snprintf(argument, sizeof(argument), "%s %d %s", act->name, state, witness_path);
        what.argument = argument;
        what.argument_bytes = strlen(argument);
    }
    MUST(gc_submit(g, &what, &made, GC_FOREVER) == 0);
    return made;
}

static gc_job reach_in_host(const struct act *act, enum state state)
{
    set_stage(act, state);
    gc_job made = submit_act(act, state);
    if (state == STATE_PARKED || act->parks == PARKS_ALWAYS)
        await_waiting(act);
    if (state == STATE_PARKED)
        return made;
    let(act, state);
    while (!witness->ready)
        MUST(gc_ping(g, GC_FOREVER) == 0);
    return made;
}

static void kill_host(const struct act *act, enum state state)
{
    name_stage("host", "killed", act, state);
    gc_job made = reach_in_host(act, state);
    MUST(kill(host_pid(), SIGKILL) == 0);
    MUST(gc_wait(g, made, NULL, GC_FOREVER) >= 0); /* its second run, or its end, is of another host */
    check_dead(act, state);
    MUST(gc_wait(g, submit_act(NULL, state), NULL, GC_FOREVER) == 1);
    clear_stage();
}

static void stop_host(const struct act *act, enum state state)
{
    name_stage("host", "stopped", act, state);
    gc_job made = reach_in_host(act, state);
    pid_t pid = host_pid();
    stranger_stop(pid);
    let(act, state);
    check_others(act, state);
    MUST(kill(pid, SIGCONT) == 0);
    MUST(gc_wait(g, made, NULL, GC_FOREVER) == 1);
    check_alive(act);
    clear_stage();
}

/* ---- all of it ---- */

static unsigned long stages_n;

static void each(void (*stage)(const struct act *act, enum state state), enum state last, bool in_host)
{
    const struct act *act;

    for (int i = 0; (act = act_at(i)); i++)
        for (enum state state = 0; state <= last; state++) {
            if (in_host && is(act, "wait"))
                continue; /* a job that waits for a job: no object of a client's */
            if (act->parks == PARKS_NEVER && state == STATE_PARKED)
                continue;
            stage(act, state);
            stages_n++;
        }
}

static void run_all(void)
{
    note_baseline();
    each(kill_client, STATE_ACKED, false);
    each(stop_client, STATE_ACKED, false);
    each(stop_daemon, STATE_ACKED, false);
    each(kill_daemon, STATE_ACKED, false);
    MUST(gc_wait(g, submit_act(NULL, 0), NULL, GC_FOREVER) == 1); /* a host that is there to die */
    note_baseline();
    each(kill_host, STATE_ACKED, true);
    each(stop_host, STATE_PARKED, true);
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "--victim") == 0)
        return victim_process(argv + 2);
    if (argc != 2)
        errx(2, "usage: deaths PLUGIN");
    plugin = argv[1];
    node_make(&node);
    snprintf(witness_path, sizeof(witness_path), "%s/witness", node.directory);
    int fd = open(witness_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    witness = witness_map(fd);
    node_start(&node, daemon_flags);
    g = probe_client(node.endpoint, 0);
    h = probe_client(node.endpoint, 0);
    run_all();
    gc_disconnect(g);
    gc_disconnect(h);
    node_stop(&node);
    node_remove(&node);
    printf("%lu deaths and stops\n", stages_n);
    return 0;
}
