/*
 * Chaos: random sends, receives, selects, ACKs, returns, cancels, deadlines, cuts, repeats and deaths, with core_check
 * after each step. Then everything is drained and the books must balance (IP11): every value that was sent for
 * certain was acknowledged by exactly one receiver, and none that was refused for certain was seen.
 */
#include "core_fixture.h"

enum { CLIENTS = 4, CHANNELS = 3, OPS = 4096, VALUES = 8192, STEPS = 400, SEEDS = 60 };

enum fate { UNBORN, OPEN, SENT, DOUBT, REFUSED };

struct call {
    struct client *c;
    struct request request;
    struct select_case cases[3];
    struct value vector[4];
    uint32_t first[4]; /* value ids: of the vector, or of each case; 0: none */
    size_t n;
    bool answered;
    bool settled; /* its values are acknowledged or returned */
    bool refused; /* over the window: not there any more */
};

static struct rig *rig;
static struct client *client[CLIENTS];
static uint64_t handle[CLIENTS][CHANNELS];
static struct call call[OPS];
static size_t calls;
static char text[VALUES][8];
static enum fate fate[VALUES];
static unsigned acked[VALUES];
static uint32_t values;
static uint64_t state;
static struct got *seen;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void come(int i)
{
    static const char *const names[] = {"x", "y", "z"};

    client[i] = client_of(rig, 1000 + i % 2);
    for (uint64_t ch = 0; ch < CHANNELS; ch++)
        handle[i][ch] = chan(client[i], names[ch], ch);
}

static struct value value_new(uint32_t *id)
{
    *id = ++values;
    size_t size = 0;
    for (uint32_t n = values; n && size < sizeof(text[0]); n /= 10)
        text[values % VALUES][size++] = (char)('0' + n % 10);
    fate[values] = OPEN;
    return (struct value){.body = {text[values], size}};
}

static uint32_t value_id(const char *from)
{
    uint32_t id = 0, power = 1;

    for (; *from; from++, power *= 10)
        id += (uint32_t)(*from - '0') * power;
    return id;
}

/* ---- what is done ---- */

static struct call *call_new(int i)
{
    struct call *k = &call[calls++];

    *k = (struct call){.c = client[i]};
    if (draw(4) == 0)
        at_once(client[i]);
    else if (draw(4) == 0)
        within(client[i], (1 + draw(20)) * MS);
    return k;
}

static void call_go(struct call *k)
{
    client_do(k->c, k->request);
    k->request.id = k->c->op;
}

static void do_send(int i)
{
    struct call *k = call_new(i);

    k->n = draw(3) ? 1 : 1 + draw(3);
    for (size_t v = 0; v < k->n; v++)
        k->vector[v] = value_new(&k->first[v]);
    k->request = (struct request){.verb = VERB_SEND, .send = {handle[i][draw(CHANNELS)], k->vector, k->n}};
    call_go(k);
}

static void do_recv(int i)
{
    struct call *k = call_new(i);

    k->request = (struct request){.verb = VERB_RECV, .recv = {handle[i][draw(CHANNELS)], 1 + draw(3)}};
    call_go(k);
}

static void do_select(int i)
{
    struct call *k = call_new(i);

    k->n = 2 + draw(2);
    for (size_t v = 0; v < k->n; v++) {
        k->cases[v] = (struct select_case){.kind = CASE_RECV, .handle = handle[i][draw(CHANNELS)]};
        if (draw(2) == 0) {
            k->cases[v].kind = CASE_SEND;
            k->cases[v].value = value_new(&k->first[v]);
        }
    }
    k->request = (struct request){.verb = VERB_SELECT, .select = {k->cases, k->n}};
    call_go(k);
}

static struct call *some_call(int i)
{
    for (int tries = 0; tries < 8 && calls; tries++) {
        size_t back = draw(24);
        struct call *k = &call[calls - 1 - (back < calls ? back : 0)];

        if (k->c == client[i])
            return k;
    }
    return NULL;
}

static struct got *answer_of(struct call *k)
{
    for (struct got *g = rig->got; g; g = g->next)
        if (g->op == k->request.id && g->conn == k->c->conn)
            return g;
    return NULL;
}

/* Acknowledges or returns the rest of a receive. */
static void do_settle(int i)
{
    struct call *k = some_call(i);
    struct got *g = k && !k->settled ? answer_of(k) : NULL;

    if (!g)
        return;
    size_t keep = draw(3) ? g->values_n : draw((uint32_t)g->values_n + 1);
    k->settled = true;
    for (size_t v = 0; v < keep; v++)
        acked[value_id(g->value[v].text)]++;
    if (keep == g->values_n)
        ack(k->c, k->request.id, 0);
    else
        give_back(k->c, k->request.id, keep);
}

static void do_cancel(int i)
{
    struct call *k = some_call(i);

    if (k)
        cancel(k->c, k->request.id);
}

static void do_again(int i)
{
    struct call *k = some_call(i);

    if (k && !k->settled && !k->refused)
        client_again(k->c, k->request, k->request.id);
}

static void do_cut(int i)
{
    struct client *c = client[i];
    uint64_t open[64];
    struct resume resume = {.session = c->secret, .open_ops = open};

    client_cut(c);
    for (size_t n = calls; n-- && resume.open_ops_n < 64;)
        if (call[n].c == c && !call[n].settled)
            open[resume.open_ops_n++] = call[n].request.id;
    c->conn = ++rig->conns;
    c->frame = 0;
    client_frame(c, (struct client_frame){.resume = &resume});
}

/* What it has not heard the end of is in doubt; what it had acknowledged stands. */
static void do_die(int i)
{
    struct client *c = client[i];

    for (size_t n = 0; n < calls; n++) {
        if (call[n].c != c)
            continue;
        for (size_t v = 0; v < call[n].n && !call[n].answered; v++)
            fate[call[n].first[v]] = DOUBT;
        call[n].c = NULL;
    }
    client_die(c);
    come(i);
}

/* ---- what is heard ---- */

static void settle_send(struct call *k, const struct got *g)
{
    for (size_t v = 0; v < k->n; v++) {
        enum fate *f = &fate[k->first[v]];

        if (g->status > (int32_t)v)
            *f = SENT;
        else
            *f = g->flags & RESULT_DOUBT ? DOUBT : REFUSED;
    }
}

static void settle_select(struct call *k, const struct got *g)
{
    for (size_t v = 0; v < k->n; v++) {
        if (!k->first[v])
            continue;
        if (g->status >= 0 && g->index == v)
            fate[k->first[v]] = SENT;
        else
            fate[k->first[v]] = g->flags & RESULT_DOUBT ? DOUBT : REFUSED;
    }
}

static void hear(const struct got *g)
{
    for (size_t n = calls; n--;) {
        struct call *k = &call[n];

        if (!k->c || k->c->conn != g->conn || k->request.id != g->op || k->answered)
            continue;
        k->answered = true;
        k->refused = g->status == -ENOBUFS;
        if (k->request.verb == VERB_SEND)
            settle_send(k, g);
        else if (k->request.verb == VERB_SELECT)
            settle_select(k, g);
        return;
    }
}

static void hear_all(void)
{
    for (struct got *g = rig->got; g != seen; g = g->next)
        hear(g);
    seen = rig->got;
}

static void act(void)
{
    static void (*const acts[])(int i) = {do_send,   do_send,   do_recv,   do_recv,   do_recv,
                                          do_select, do_select, do_settle, do_settle, do_settle,
                                          do_settle, do_cancel, do_again};
    uint32_t what = draw(80), i = draw(CLIENTS);

    if (what == 0)
        do_die((int)i);
    else if (what < 3)
        do_cut((int)i);
    else if (what < 8)
        rig_after(rig, draw(10) * MS);
    else
        acts[what % (sizeof(acts) / sizeof(*acts))]((int)i);
    hear_all();
}

/* ---- the end ---- */

static void drain(void)
{
    for (size_t n = 0; n < calls; n++)
        if (call[n].c && !call[n].answered)
            cancel(call[n].c, call[n].request.id);
    hear_all();
    for (int i = 0; i < CLIENTS; i++)
        do_die(i);
    for (uint64_t ch = 0; ch < CHANNELS; ch++) {
        for (;;) {
            uint64_t op = recv_many(at_once(client[0]), handle[0][ch], 64);
            struct got *g = got(client[0], op);

            if (g->status < 1)
                break;
            for (size_t v = 0; v < g->values_n; v++)
                acked[value_id(g->value[v].text)]++;
            ack(client[0], op, 0);
        }
    }
}

static void balance(uint64_t seed)
{
    for (uint32_t v = 1; v <= values; v++) {
        bool bad = acked[v] > 1 || (fate[v] == SENT && !acked[v]) || (fate[v] == REFUSED && acked[v]);

        if (bad)
            print_message("seed %lu value %u fate %d acknowledged %u times\n", seed, v, fate[v], acked[v]);
        assert_false(bad);
    }
}

static void test_IP11_the_books_balance_after_chaos(void **unused)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct limits limits = LIMITS_DEFAULT;
        limits.sweep_per_turn = 1 + seed % 4;
        limits.window_bytes = seed % 3 ? 64 << 20 : 4;
        rig = rig_with(&limits, seed);
        state = seed;
        calls = 0;
        values = 0;
        seen = NULL;
        memset(acked, 0, sizeof(acked));
        for (int i = 0; i < CLIENTS; i++)
            come(i);
        for (int n = 0; n < STEPS; n++)
            act();
        drain();
        balance(seed);
        rig_delete(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_IP11_the_books_balance_after_chaos),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
