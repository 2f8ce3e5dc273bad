/*
 * Proofs of deadlock against random programs (Z4, Z5). A program is a few processes of one or two threads, each thread a
 * list of steps on channels and locks; which one goes on is drawn. After every step the core is asked what is proven.
 *
 *   live     its threads exchange values along an order in which all of them can be, and take locks by rank: it always
 *            comes to its end, whoever goes first. Nothing may be proven at any time.
 *   any      its steps are drawn blindly, and often it stands still. What was once proven, may not end any more.
 *
 * DEADLOCK_PROGRAMS=N of each (default 200); DEADLOCK_SEED=N begins with another one.
 */
#include <stdio.h>

#include "core_fixture.h"

enum { PROCESSES = 5, THREADS = 8, CHANNELS = 14, LOCKS = 3, STEPS = 64, NEVER = CHANNELS - 1 };

enum step_kind { STEP_SEND, STEP_RECV, STEP_EITHER, STEP_LOCK, STEP_UNLOCK, STEP_CLOSE };

/* STEP_EITHER: a select that receives from `object` or from `other`. */
struct step {
    enum step_kind kind;
    int object, other;
    bool deadline;
};

struct thread {
    int process;
    struct step step[STEPS];
    int steps, at;
    uint64_t op;           /* it is in this one; 0: it is in none */
    bool proven;           /* it was said to be there for ever */
    uint64_t token[LOCKS]; /* 0: not held */
};

struct program {
    uint64_t random;
    struct rig *rig;
    struct client *process[PROCESSES], *root;
    uint64_t handle[PROCESSES][CHANNELS];
    bool silent[PROCESSES]; /* says nothing of its callers */
    bool late;              /* a channel is opened when it is used first */
    int processes, threads, channels;
    uint64_t capacity[CHANNELS];
    int from[CHANNELS], to[CHANNELS]; /* live: the pair of threads of a channel */
    struct thread thread[THREADS];
    bool live;
};

static struct program now;

static uint64_t draw(uint64_t below)
{
    now.random ^= now.random << 13;
    now.random ^= now.random >> 7;
    now.random ^= now.random << 17;
    return now.random % below;
}

static bool chance(uint64_t one_in)
{
    return draw(one_in) == 0;
}

/* ---- making one ---- */

static void add_step(int thread, struct step step)
{
    struct thread *t = &now.thread[thread];

    if (t->steps < STEPS)
        t->step[t->steps++] = step;
}

static void make_processes(void)
{
    now.processes = 2 + (int)draw(PROCESSES - 1);
    for (int p = 0; p < now.processes; p++)
        for (int n = 0; n < 2 - chance(2) && now.threads < THREADS; n++)
            now.thread[now.threads++].process = p;
    for (int p = 0; p < now.processes; p++)
        now.silent[p] = chance(6);
    for (int c = 0; c < CHANNELS; c++)
        now.capacity[c] = draw(3);
    now.capacity[NEVER] = 0;
}

/* The channel of this pair; -1: there can be no more. */
static int channel_of(int from, int to)
{
    for (int c = 0; c < now.channels; c++)
        if (now.from[c] == from && now.to[c] == to)
            return c;
    if (now.channels == NEVER)
        return -1;
    now.from[now.channels] = from;
    now.to[now.channels] = to;
    return now.channels++;
}

static void add_exchange(void)
{
    int from = (int)draw((uint64_t)now.threads), to = (int)draw((uint64_t)now.threads);
    int c = from == to ? -1 : channel_of(from, to);

    if (c < 0 || now.thread[from].steps > STEPS - 8 || now.thread[to].steps > STEPS - 8)
        return;
    add_step(from, (struct step){.kind = STEP_SEND, .object = c});
    add_step(to, (struct step){chance(3) ? STEP_EITHER : STEP_RECV, c, NEVER, false});
}

static void add_locked(int thread)
{
    int first = (int)draw(LOCKS), last = first + (int)draw((uint64_t)(LOCKS - first));

    if (now.thread[thread].steps > STEPS - 8)
        return;
    for (int m = first; m <= last; m++)
        add_step(thread, (struct step){.kind = STEP_LOCK, .object = m});
    for (int m = first; m <= last; m++)
        add_step(thread, (struct step){.kind = STEP_UNLOCK, .object = m});
}

static void make_live(void)
{
    for (uint64_t n = 4 + draw(24); n; n--) {
        if (chance(3))
            add_locked((int)draw((uint64_t)now.threads));
        else
            add_exchange();
    }
}

static void make_any(void)
{
    now.channels = 1 + (int)draw(4);
    for (int t = 0; t < now.threads; t++)
        for (uint64_t n = 2 + draw(8); n; n--) {
            uint64_t kind = draw(20);
            struct step step = {kind == 19 ? STEP_CLOSE : (enum step_kind)(kind % STEP_CLOSE)};

            step.deadline = chance(8);
            step.object =
                (int)draw(step.kind == STEP_LOCK || step.kind == STEP_UNLOCK ? LOCKS : now.channels);
            step.other = (int)draw((uint64_t)now.channels);
            add_step(t, step);
        }
}

/* ---- running it ---- */

static uint64_t handle(int process, int c)
{
    char name[8];

    if (now.handle[process][c])
        return now.handle[process][c];
    snprintf(name, sizeof(name), "c.%d", c);
    now.handle[process][c] = chan(now.process[process], name, now.capacity[c]);
    ack(now.process[process], now.process[process]->op, 0);
    return now.handle[process][c];
}

static void take_names_off(void)
{
    char name[8];

    for (int c = 0; c < CHANNELS; c++) {
        size_t n = (size_t)snprintf(name, sizeof(name), "c.%d", c);
        client_do(now.root, (struct request){.verb = VERB_CHAN_UNLINK, .chan_unlink.name = {name, n}});
    }
}

static uint32_t threads_of(int process)
{
    uint32_t n = 0;

    for (int t = 0; t < now.threads; t++)
        n += now.thread[t].process == process;
    return n;
}

static bool uses(int process, int c)
{
    for (int t = 0; t < now.threads; t++)
        for (int i = 0; i < now.thread[t].steps; i++) {
            const struct step *step = &now.thread[t].step[i];
            bool channel = step->kind != STEP_LOCK && step->kind != STEP_UNLOCK;

            if (now.thread[t].process == process && channel && (step->object == c || step->other == c))
                return true;
        }
    return false;
}

static void open_all(void)
{
    for (int p = 0; p < now.processes; p++)
        for (int c = 0; c < CHANNELS; c++)
            if (uses(p, c) || chance(3))
                handle(p, c);
    if (chance(2))
        take_names_off();
}

static void begin(void)
{
    now.rig = rig_with(&(struct limits)LIMITS_DEFAULT, now.random);
    now.root = client_of(now.rig, 0);
    for (int p = 0; p < now.processes; p++) {
        now.process[p] = client_new(now.rig);
        uint32_t callers = now.silent[p] ? 0 : threads_of(p);
        client_do(now.process[p], (struct request){.verb = VERB_CALLERS, .callers = {callers}});
        ack(now.process[p], now.process[p]->op, 0);
    }
    now.late = chance(3);
    if (!now.late)
        open_all();
}

static struct request request_of(const struct thread *t, const struct step *step)
{
    static const struct value value = {.body = {"v", 1}};
    static const char *const names[LOCKS] = {"a", "b", "c"};
    static struct select_case cases[2];

    switch (step->kind) {
    case STEP_SEND:
        return (struct request){.verb = VERB_SEND, .send = {handle(t->process, step->object), &value, 1}};
    case STEP_RECV:
        return (struct request){.verb = VERB_RECV, .recv = {handle(t->process, step->object), 1}};
    case STEP_EITHER:
        cases[0] = (struct select_case)CASE_R(handle(t->process, step->object));
        cases[1] = (struct select_case)CASE_R(handle(t->process, step->other));
        return (struct request){.verb = VERB_SELECT, .select = {cases, 2}};
    case STEP_LOCK:
        return (struct request){.verb = VERB_LOCK, .lock.name = {names[step->object], 1}};
    case STEP_UNLOCK:
        return (struct request){.verb = VERB_UNLOCK,
                                .unlock = {{names[step->object], 1}, t->token[step->object], 0}};
    default:
        return (struct request){.verb = VERB_CLOSE, .close = {handle(t->process, step->object)}};
    }
}

static void step_begin(struct thread *t)
{
    const struct step *step = &t->step[t->at];
    struct client *c = now.process[t->process];
    struct request request = request_of(t, step);

    request.flags = OP_BLOCKS;
    if (step->deadline)
        within(c, 50 * MS);
    t->op = client_do(c, request);
}

/* The result is there: the caller has it, and acknowledges it. */
static void step_end(struct thread *t)
{
    const struct step *step = &t->step[t->at];
    struct client *c = now.process[t->process];
    const struct got *g = got(c, t->op);

    assert_false(t->proven);
    if (step->kind == STEP_LOCK && g->status >= 0)
        t->token[step->object] = g->handle;
    if (step->kind == STEP_UNLOCK)
        t->token[step->object] = 0;
    ack(c, t->op, 0);
    t->op = 0;
    t->at++;
}

static bool can_go_on(const struct thread *t)
{
    return t->op ? got(now.process[t->process], t->op) != NULL : t->at < t->steps;
}

/* A thread that can go on; NULL: all have ended or wait. */
static struct thread *some_thread(void)
{
    struct thread *chosen = NULL;
    uint64_t n = 0;

    for (int t = 0; t < now.threads; t++)
        if (can_go_on(&now.thread[t]) && chance(++n))
            chosen = &now.thread[t];
    return chosen;
}

static struct thread *thread_of(const struct got_wait *row)
{
    for (int t = 0; t < now.threads; t++)
        if (now.thread[t].op == row->info.op && now.process[now.thread[t].process]->who.pid == row->info.pid)
            return &now.thread[t];
    fail_msg("a proof about an operation that nobody waits in");
    return NULL;
}

/* How many are proven. Somebody who opens a channel late is somebody new, of whom NAMED tells. */
static size_t look(void)
{
    uint64_t op = client_do(now.root, (struct request){.verb = VERB_DEADLOCKS});
    const struct got *g = got(now.root, op);
    size_t n = 0;

    assert_int_equal(g->status, 0);
    for (size_t i = 0; i < g->waits_n; i++) {
        if (now.late && g->waits[i].info.flags & WAIT_NAMED)
            continue;
        thread_of(&g->waits[i])->proven = true;
        n++;
    }
    ack(now.root, op, 0);
    return n;
}

static size_t left(void)
{
    size_t n = 0;

    for (int t = 0; t < now.threads; t++)
        n += now.thread[t].op != 0;
    return n;
}

/* To the end, or until nobody can go on. How many waits were proven at the last look. */
static size_t run(void)
{
    struct thread *t;
    size_t proven = look();

    while ((t = some_thread())) {
        if (t->op)
            step_end(t);
        else
            step_begin(t);
        proven = look();
        assert_true(!now.live || !proven);
    }
    rig_after(now.rig, 100 * MS); /* deadlines */
    return (t = some_thread()) ? run() : proven;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static size_t run_one(uint64_t seed, bool live)
{
    now = (struct program){.random = (seed + 1) * 0x9e3779b97f4a7c15u, .live = live};
    make_processes();
    if (live)
        make_live();
    else
        make_any();
    begin();
    size_t proven = run();
    if (live && left())
        fail_msg("seed %llu: a live program stands still: the test is wrong", (unsigned long long)seed);
    rig_delete(now.rig);
    return proven;
}

static void test_Z5_no_wait_of_a_live_program_is_ever_proven(void **state)
{
    uint64_t first = number_from("DEADLOCK_SEED", 1), n = number_from("DEADLOCK_PROGRAMS", 200);

    for (uint64_t seed = first; seed < first + n; seed++)
        run_one(seed, true);
}

static void test_Z5_a_wait_that_was_proven_never_ends(void **state)
{
    uint64_t first = number_from("DEADLOCK_SEED", 1), n = number_from("DEADLOCK_PROGRAMS", 200);
    size_t proven = 0;

    for (uint64_t seed = first; seed < first + n; seed++)
        proven += run_one(seed, false);
    print_message("%llu programs, %zu waits proven\n", (unsigned long long)n, proven);
    assert_true(n < 50 || proven > n / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_Z5_no_wait_of_a_live_program_is_ever_proven),
        cmocka_unit_test(test_Z5_a_wait_that_was_proven_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
