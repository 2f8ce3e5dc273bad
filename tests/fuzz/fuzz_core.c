/*
 * Any bytes through the decoder into a live core. The input is a story: frames on one of eight connections, time,
 * deaths of clients and hosts, answers of store and plugin loader, in any order. The core must keep its
 * invariants after each step, must never say what cannot be encoded, must keep to the ledger of locks
 * (fuzz_locks.h), and must give everything back at the end.
 *
 * The story is told by struct shell, which does what the daemon around the core does, with less care for order.
 * Session n (from 1) has a secret of sixteen bytes n, so that a frame can name it.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fuzz.h"
#include "fuzz_locks.h"
#include "wire.h"
#include "zone.h"

enum {
    CONNS = 8,
    PEERS = 4,
    PENDING_MAX = 64, /* questions of one kind the core may have open; what exceeds it is answered at once */
    STEPS_MAX = 4096,
    WAKES_MAX = 64,
};

/* Numbers the core waits for an answer about, oldest first. */
struct pending {
    uint64_t number[PENDING_MAX];
    size_t n;
};

struct shell {
    struct core *core;
    struct wire *wire, *check;
    struct lock_watch *locks;
    struct effects out;
    struct now now;
    struct list batches; /* not reported to the core yet */
    struct pending fetches, hosts_asked, hosts;
    char plugins[PENDING_MAX][64]; /* paths the core asks about */
    size_t plugins_n;
    char zones[PENDING_MAX][64]; /* names, likewise */
    size_t zones_n;
    uint64_t peers[PEERS]; /* number of the session's peer; 0: none */
    uint64_t peers_last;
    unsigned steps;
};

/* ---- memory that may run out ---- */

struct memory {
    uint64_t left; /* allocations until one fails; 0: none ever does */
};

static void *resize(void *context, void *p, size_t size)
{
    struct memory *memory = context;

    if (size && memory->left && --memory->left == 0)
        return NULL;
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

/* ---- what the core asks for ---- */

static void pending_add(struct pending *pending, uint64_t number)
{
    if (pending->n < PENDING_MAX)
        pending->number[pending->n++] = number;
}

/* The oldest, or 0. */
static uint64_t pending_take(struct pending *pending)
{
    uint64_t number = pending->number[0];

    if (!pending->n)
        return 0;
    memmove(pending->number, pending->number + 1, --pending->n * sizeof(number));
    return number;
}

/* Whatever the core says must be a frame that a client can read. */
static void say(struct shell *shell, const struct server_frame *frame)
{
    const struct server_frame *back;
    struct wire_message message;
    struct bytes parts[WIRE_PARTS_MAX];
    const char *why = "";
    void *head;
    int r = wire_encode_server(shell->check, frame, &message);

    assert(r == 0 && message.bodies_n < WIRE_PARTS_MAX);
    head = malloc(message.head_bytes + 1);
    assert(head);
    wire_pack(&message, head);
    parts[0] = (struct bytes){head, message.head_bytes};
    if (message.bodies_n)
        memcpy(parts + 1, message.bodies, message.bodies_n * sizeof(*parts));
    r = wire_decode_server(shell->check, parts, message.bodies_n + 1, &back, &why);
    assert(r == 0 && back->results_n == frame->results_n);
    free(head);
    wire_reset(shell->check);
}

static void peer_gone(struct shell *shell, uint64_t peer)
{
    for (int i = 0; i < PEERS; i++)
        if (shell->peers[i] == peer)
            shell->peers[i] = 0;
}

static void ask_plugin(struct shell *shell, struct bytes path)
{
    size_t size = path.size < 64 ? path.size : 63;

    if (shell->plugins_n == PENDING_MAX)
        return;
    memset(shell->plugins[shell->plugins_n], 0, 64);
    memcpy(shell->plugins[shell->plugins_n++], path.data, size);
}

static void ask_zone(struct shell *shell, struct bytes name)
{
    size_t size = name.size < 63 ? name.size : 63;

    if (shell->zones_n == PENDING_MAX)
        return;
    memset(shell->zones[shell->zones_n], 0, 64);
    memcpy(shell->zones[shell->zones_n++], name.data, size);
}

static void carry_out(struct shell *shell, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_RESULT:
        lock_watch_result(shell->locks, effect->conn, effect->result);
        say(shell, &(struct server_frame){.number = 1, .results = effect->result, .results_n = 1});
        break;
    case EFFECT_REPLY:
        say(shell, effect->reply);
        break;
    case EFFECT_SESSION_END:
        peer_gone(shell, effect->session_end.peer);
        break;
    case EFFECT_FETCH:
        pending_add(&shell->fetches, effect->fetch.number);
        break;
    case EFFECT_PLUGIN:
        ask_plugin(shell, effect->plugin.path);
        break;
    case EFFECT_ZONE:
        ask_zone(shell, effect->zone);
        break;
    case EFFECT_HOST_START:
        pending_add(&shell->hosts_asked, effect->host_start.host);
        break;
    case EFFECT_CLOCK:
        shell->now.mono_ns += effect->clock_ns;
        break;
    default:
        break;
    }
}

static void step(struct shell *shell, const struct input *in)
{
    struct effect *effect;

    if (shell->steps++ > STEPS_MAX)
        return;
    lock_watch_before(shell->locks, in);
    core_step(shell->core, shell->now, in, &shell->out);
    core_check(shell->core);
    lock_watch_after(shell->locks, in);
    list_each (effect, &shell->out.list, link)
        carry_out(shell, effect);
    list_splice(&shell->batches, &shell->out.batches);
    effects_clear(shell->core, &shell->out);
}

/* ---- what may happen ---- */

static void tell_frame(struct shell *shell, struct feed *feed, uint64_t conn)
{
    const struct client_frame *frame;
    struct bytes parts[FEED_PARTS_MAX];
    const char *why;
    size_t n = feed_message(feed, parts);
    struct input in = {.kind = IN_FRAME, .conn = conn, .peer = shell->peers[conn % PEERS]};

    wire_reset(shell->wire);
    if (wire_decode_client(shell->wire, parts, n, &frame, &why) < 0)
        return;
    in.frame.head = frame;
    in.frame.who = (struct credentials){.uid = 1000 + (uint32_t)(conn % 2), .pid = 1, .known = true};
    in.frame.same_clock = true;
    step(shell, &in);
    for (size_t i = 0; i < frame->requests_n; i++)
        step(shell, &(struct input){.kind = IN_OP, .conn = conn, .op = &frame->requests[i]});
}

static struct secret secret_of(uint64_t peer)
{
    struct secret secret;

    memset(&secret, (int)peer, sizeof(secret));
    return secret;
}

static void tell_session_up(struct shell *shell, unsigned place, uint64_t host)
{
    struct input in = {.kind = IN_SESSION_UP};

    if (shell->peers[place])
        return;
    in.peer = shell->peers[place] = ++shell->peers_last;
    in.session_up.secret = secret_of(in.peer);
    in.session_up.who = (struct credentials){.uid = 1000 + place % 2, .pid = 1, .known = true};
    in.session_up.host = host;
    step(shell, &in);
}

static void tell_session_end(struct shell *shell, unsigned place)
{
    struct input in = {.kind = IN_SESSION_END, .peer = shell->peers[place]};

    shell->peers[place] = 0;
    if (in.peer)
        step(shell, &in);
}

/* The oldest batch, and with it all that is older, has this fate. */
static void tell_stored(struct shell *shell, int error)
{
    struct batch *batch = list_first(&shell->batches, struct batch, link);

    if (!batch)
        return;
    list_remove(&batch->link);
    step(shell, &(struct input){.kind = IN_STORED, .stored = {.batch = batch->number, .error = error}});
    batch_delete(batch);
}

static void tell_fetched(struct shell *shell, struct feed *feed)
{
    struct input in = {.kind = IN_FETCHED};
    uint8_t shape = feed_byte(feed);
    struct job_row row = {.id = feed_short(feed), .state = shape % JOB_STATES, .uid = 1000};

    in.fetched.fetch = pending_take(&shell->fetches);
    in.fetched.error = shape & 1 ? -ENOENT : 0;
    if (!in.fetched.error && shape & 2)
        in.fetched.rows = &row, in.fetched.rows_n = 1;
    if (!in.fetched.error)
        in.fetched.body = feed_bytes(feed, shape >> 2);
    if (in.fetched.fetch)
        step(shell, &in);
}

static void tell_plugin(struct shell *shell, int error)
{
    static const struct plugin_function functions[] = {{.name = {"f", 1}}, {.name = {"g", 1}}};
    struct input in = {.kind = IN_PLUGIN};
    char path[64];

    if (!shell->plugins_n)
        return;
    memcpy(path, shell->plugins[--shell->plugins_n], sizeof(path));
    in.plugin.path = (struct bytes){path, strnlen(path, sizeof(path))};
    in.plugin.error = error;
    in.plugin.text = (struct bytes){"why", 3};
    in.plugin.generation = (struct bytes){"abcd", 4};
    in.plugin.name = in.plugin.version = (struct bytes){"p", 1};
    in.plugin.functions = functions;
    in.plugin.functions_n = error ? 0 : 2;
    step(shell, &in);
}

static void tell_zones(struct shell *shell, int error)
{
    static const struct zone west = {.first_offset_s = -3600};

    while (shell->zones_n) {
        char name[64];

        memcpy(name, shell->zones[--shell->zones_n], sizeof(name));
        step(shell, &(struct input){.kind = IN_ZONE,
                                    .zone = {.name = {name, strlen(name)},
                                             .error = error,
                                             .text = {"why", 3},
                                             .zone = error ? NULL : &west}});
    }
}

static void tell_host_up(struct shell *shell, unsigned place, int error)
{
    uint64_t host = pending_take(&shell->hosts_asked);

    if (!host)
        return;
    step(shell, &(struct input){.kind = IN_HOST_UP, .host_up = {.host = host, .error = error, .pid = 2}});
    if (error)
        return;
    pending_add(&shell->hosts, host);
    tell_session_end(shell, place);
    tell_session_up(shell, place, host);
}

static void tell_host_end(struct shell *shell, uint32_t guilty)
{
    uint64_t host = pending_take(&shell->hosts);
    struct input in = {.kind = IN_HOST_END};

    in.host_end.host = host;
    in.host_end.signal = 11;
    in.host_end.guilty_run = guilty;
    in.host_end.text = (struct bytes){"SIGSEGV", 7};
    if (host)
        step(shell, &in);
}

static void tell_time(struct shell *shell, int64_t ns)
{
    shell->now.mono_ns += ns;
    shell->now.wall_ns += ns;
    step(shell, &(struct input){.kind = IN_TICK});
}

static void tell_next(struct shell *shell, struct feed *feed)
{
    uint8_t what = feed_byte(feed);
    unsigned place = what / 16 % PEERS;

    switch (what % 16) {
    case 0:
        tell_session_end(shell, place);
        break;
    case 1:
        tell_session_up(shell, place, 0);
        break;
    case 2:
        step(shell, &(struct input){.kind = IN_CONN_END, .conn = 1 + what / 16 % CONNS});
        break;
    case 3:
        tell_stored(shell, what & 128 ? -ENOSPC : 0);
        break;
    case 4:
        tell_fetched(shell, feed);
        break;
    case 5:
        tell_zones(shell, what & 128 ? -ENOENT : 0);
        tell_plugin(shell, what & 128 ? -ENOEXEC : 0);
        break;
    case 6:
        tell_host_up(shell, place, what & 128 ? -ENOMEM : 0);
        break;
    case 7:
        tell_host_end(shell, feed_short(feed));
        break;
    case 8:
        tell_time(shell, feed_short(feed) * (int64_t)(what & 128 ? 1000000000 : 1000000));
        break;
    case 9:
        step(shell, &(struct input){.kind = IN_DRAIN});
        break;
    default:
        tell_frame(shell, feed, 1 + what / 16 % CONNS);
    }
}

/* Everybody dies, everything is answered, and time runs until nothing is due. */
static void tell_end(struct shell *shell)
{
    struct feed nothing = {NULL, 0};

    shell->steps = 0;
    for (unsigned i = 0; i < PEERS; i++)
        tell_session_end(shell, i);
    for (int i = 0; i < WAKES_MAX; i++) {
        while (!list_empty(&shell->batches))
            tell_stored(shell, 0);
        while (shell->fetches.n)
            tell_fetched(shell, &nothing);
        while (shell->plugins_n)
            tell_plugin(shell, -ENOENT);
        tell_zones(shell, 0);
        while (shell->hosts_asked.n)
            tell_host_up(shell, 0, -ENOMEM);
        while (shell->hosts.n)
            tell_host_end(shell, 0);
        if (shell->out.wake_ns == INT64_MAX)
            break;
        tell_time(shell,
                  shell->out.wake_ns > shell->now.mono_ns ? shell->out.wake_ns - shell->now.mono_ns : 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct limits limits = LIMITS_DEFAULT;
    const struct wire_bounds bounds = {.ops_max = 64, .memory_max = 1 << 20};
    struct feed feed = {data, size};
    struct memory memory = {feed_short(&feed)};
    const struct allocator allocator = {resize, &memory};
    struct shell shell = {.now = {1000000000, 1700000000000000000}};

    shell.core = core_new(&limits, &allocator, 1, 1, 1);
    if (!shell.core)
        return 0;
    shell.wire = wire_new(&bounds);
    shell.check = wire_new(&(struct wire_bounds)WIRE_BOUNDS_DEFAULT);
    shell.locks = lock_watch_new(shell.core);
    assert(shell.wire && shell.check);
    list_init(&shell.batches);
    effects_init(&shell.out);
    while (feed.size)
        tell_next(&shell, &feed);
    memory.left = 0;
    tell_end(&shell);
    lock_watch_delete(shell.locks);
    core_delete(shell.core);
    wire_delete(shell.wire);
    wire_delete(shell.check);
    return 0;
}
