/*
 * Records what processes do with channels, select and a lock, kills one of them now and then, and asks of each history
 * whether it can be explained (IP11.2). Histories that cannot be are found: each recorded one is tried again with two
 * values of a buffer exchanged, and a proxy that says "sent" too early is caught.
 *
 *     histories ROUNDS [SEED]
 *
 * The players are processes of their own (this program again); what they note lies in memory that outlives them.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "daemon_node.h"
#include "goclient.h"
#include "history.h"
#include "probe.h"
#include "proxy.h"

enum { PLAYERS = 4, TESTER = PLAYERS, CALLS_EACH = 8, DRAWN = 6, WAIT_MS = 3, KILL_EVERY = 3 };
static const uint32_t capacities[HISTORY_CHANNELS] = {0, 2, 1};

struct board {
    unsigned round, seed;
    struct {
        atomic_int n;
        struct call call[CALLS_EACH];
        uint8_t doubt[CALLS_EACH]; /* of a select that returned: 1 + the send that may have been seen */
    } player[PLAYERS];
};

/* Somebody who calls, and notes it. */
struct player {
    gc_client *g;
    uint8_t number;
    unsigned seed, round;
    gc_chan chan[HISTORY_CHANNELS];
    char lock[32];
    uint64_t token; /* held; 0: none */
    uint32_t sent;  /* values so far */
    struct call *calls;
    uint8_t *doubt;
    atomic_int *n;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static unsigned draw(unsigned *seed, unsigned n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % n;
}

static void must(int r, const char *what)
{
    if (r < 0)
        errx(1, "%s: %s", what, gc_why());
}

/* ---- one call ---- */

static gc_until until_of(struct player *player)
{
    return draw(&player->seed, 2) ? GC_NOW : gc_after_ms(WAIT_MS);
}

/* Noted before it begins: whoever dies in it has never returned. */
static struct call *note_call(struct player *player, uint8_t cases_n, const struct history_case *cases)
{
    struct call *call = &player->calls[atomic_load(player->n)];

    *call = (struct call){
        .returned_ns = INT64_MAX, .process = player->number, .cases_n = cases_n, .outcome = OUTCOME_OPEN};
    memcpy(call->cases, cases, cases_n * sizeof(*cases));
    call->called_ns = now_ns();
    atomic_fetch_add(player->n, 1);
    return call;
}

static void note_return(struct call *call, enum outcome outcome)
{
    int64_t now = now_ns();

    if (outcome == OUTCOME_OPEN)
        return;
    call->outcome = outcome;
    call->returned_ns = now;
}

/* Whatever ends a send whose receiver died with the value may be in doubt: a time that is over, a close, or that it was
 * not to wait (IP2.2). */
static enum outcome outcome_of(int r)
{
    if (r < 0 && gc_in_doubt())
        return OUTCOME_OPEN;
    switch (r) {
    case -EAGAIN:
        return OUTCOME_NONE;
    case -EPIPE:
        return OUTCOME_CLOSED;
    case -ETIMEDOUT:
        return OUTCOME_VOID;
    default:
        must(r, "call");
        return OUTCOME_OK;
    }
}

static void note_value(struct call *call, struct gc_value *v)
{
    if (v->size != sizeof(call->value))
        errx(1, "a value of %zu bytes", v->size);
    memcpy(&call->value, v->data, sizeof(call->value));
    call->flagged = v->flags & GC_REDELIVERED;
    gc_value_clear(v);
}

static uint32_t next_value(struct player *player)
{
    return player->number * 100u + ++player->sent;
}

static void play_send(struct player *player, uint8_t channel, gc_until until)
{
    uint32_t value = next_value(player);
    struct call *call = note_call(player, 1, &(struct history_case){DEED_SEND, channel, value});
    int r = gc_send(player->g, player->chan[channel], gc_bytes(&value, sizeof(value)), until);

    note_return(call, outcome_of(r));
}

static int play_recv(struct player *player, uint8_t channel, gc_until until)
{
    struct call *call = note_call(player, 1, &(struct history_case){DEED_RECV, channel, 0});
    struct gc_value v;
    int r = gc_recv(player->g, player->chan[channel], &v, 0, until);

    if (r == 1)
        note_value(call, &v);
    note_return(call, r == 0 ? OUTCOME_CLOSED : outcome_of(r));
    return r;
}

static void play_close(struct player *player, uint8_t channel)
{
    struct call *call = note_call(player, 1, &(struct history_case){DEED_CLOSE, channel, 0});

    note_return(call, outcome_of(gc_close(player->g, player->chan[channel], GC_FOREVER)));
}

/* One case for each channel, sending or receiving. */
static void play_select(struct player *player)
{
    struct history_case cases[HISTORY_CHANNELS];
    struct gc_case k[HISTORY_CHANNELS];
    struct gc_value got;

    for (uint8_t i = 0; i < HISTORY_CHANNELS; i++) {
        bool sends = draw(&player->seed, 2);
        cases[i] = (struct history_case){sends ? DEED_SEND : DEED_RECV, i, sends ? next_value(player) : 0};
        k[i] = sends ? gc_case_send(player->chan[i], gc_bytes(&cases[i].value, sizeof(cases[i].value)))
                     : gc_case_recv(player->chan[i], &got);
    }
    struct call *call = note_call(player, HISTORY_CHANNELS, cases);
    int r = gc_select(player->g, k, HISTORY_CHANNELS, 0, until_of(player));
    for (uint8_t i = 0; i < HISTORY_CHANNELS; i++)
        if (k[i].doubt)
            player->doubt[call - player->calls] = i + 1;
    if (r < 0) {
        note_return(call, outcome_of(r));
        return;
    }
    call->chosen = (uint8_t)r;
    bool received = cases[r].deed == DEED_RECV;
    if (received && k[r].status == 1)
        note_value(call, &got);
    note_return(call, received && k[r].status == 0 ? OUTCOME_CLOSED : outcome_of(k[r].status));
}

static void play_unlock(struct player *player)
{
    struct call *call = note_call(player, 1, &(struct history_case){DEED_UNLOCK, 0, 0});

    call->token = player->token;
    note_return(call,
                outcome_of(gc_unlock(player->g, player->lock, player->token, GC_CONSISTENT, GC_FOREVER)));
    player->token = 0;
}

static void play_lock(struct player *player)
{
    if (player->token) {
        play_unlock(player);
        return;
    }
    struct call *call = note_call(player, 1, &(struct history_case){DEED_LOCK, 0, 0});
    int r = gc_lock(player->g, player->lock, &player->token, 0, until_of(player));
    if (r < 0)
        player->token = 0;
    call->token = player->token;
    call->died = r == GC_OWNER_DIED;
    note_return(call, outcome_of(r));
}

static void play(struct player *player)
{
    uint8_t channel = (uint8_t)draw(&player->seed, HISTORY_CHANNELS);
    unsigned what = draw(&player->seed, 40);

    if (what < 14)
        play_send(player, channel, until_of(player));
    else if (what < 26)
        (void)play_recv(player, channel, until_of(player));
    else if (what < 32)
        play_select(player);
    else if (what < 39)
        play_lock(player);
    else
        play_close(player, channel);
}

/* ---- a round, as a player and as the tester see it ---- */

static void open_all(struct player *player, unsigned round)
{
    char name[32];

    player->round = round;
    player->sent = 0;
    snprintf(player->lock, sizeof(player->lock), "history.%u", round);
    for (unsigned i = 0; i < HISTORY_CHANNELS; i++) {
        snprintf(name, sizeof(name), "history.%u.%u", round, i);
        must(gc_make(player->g, name, capacities[i], &player->chan[i], GC_FOREVER), "make");
    }
}

static void drop_all(struct player *player)
{
    for (unsigned i = 0; i < HISTORY_CHANNELS; i++)
        must(gc_drop(player->g, player->chan[i]), "drop");
}

static int be_player(char **argument)
{
    int fd = open(argument[0], O_RDWR | O_CLOEXEC);
    struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct player player = {.number = (uint8_t)atoi(argument[1])};
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (board == MAP_FAILED)
        err(1, "%s", argument[0]);
    player.g = probe_client(argument[2], 0);
    player.calls = board->player[player.number].call;
    player.doubt = board->player[player.number].doubt;
    player.n = &board->player[player.number].n;
    if (write(STDOUT_FILENO, "c", 1) != 1)
        return 1;
    while (read(STDIN_FILENO, &byte, 1) == 1) {
        open_all(&player, board->round);
        player.seed = board->seed + player.number;
        for (int i = 0; i < DRAWN; i++)
            play(&player);
        if (player.token)
            play_unlock(&player);
        drop_all(&player);
        if (write(STDOUT_FILENO, "d", 1) != 1)
            return 1;
    }
    gc_disconnect(player.g);
    return 0;
}

/* ---- the tester ---- */

static struct node node;
static struct board *board;
static struct child players[PLAYERS];
static struct history history;
static atomic_int history_n;
static struct player tester;
static char board_path[96];
static unsigned long doctored_n, deaths_n, doubted_n;

static void start_player(int i)
{
    char number[8];

    snprintf(number, sizeof(number), "%d", i);
    players[i] = child_start((char *[]){"histories", "--player", board_path, number, node.endpoint, NULL});
    child_hear(&players[i]); /* its session is counted */
}

/* Its death is a call of the history: it ends when the daemon has counted one session less. */
static void kill_player(int i, int after)
{
    uint64_t sessions = probe_says(tester.g, "sessions");
    struct call *death;

    while (atomic_load(&board->player[i].n) < after)
        must(gc_ping(tester.g, GC_FOREVER), "ping");
    death = note_call(&tester, 1, &(struct history_case){DEED_DEATH, 0, 0});
    death->process = (uint8_t)i;
    kill(players[i].pid, SIGKILL);
    child_wait(&players[i]);
    probe_await(tester.g, "sessions", sessions - 1);
    note_return(death, OUTCOME_OK);
    deaths_n++;
}

static void drain(void)
{
    for (uint8_t i = 0; i < HISTORY_CHANNELS; i++)
        while (play_recv(&tester, i, GC_NOW) == 1)
            ;
}

static struct call *gather_call(const struct call *call)
{
    if (history.n == HISTORY_CALLS)
        errx(1, "a history of too many calls");
    history.call[history.n] = *call;
    return &history.call[history.n++];
}

/* The send of a select that a receiver had, who died with it, before the select ended by another case. */
static void gather_doubted(const struct call *call, int doubt)
{
    struct call *send = gather_call(call);

    send->cases[0] = call->cases[doubt - 1];
    send->cases_n = 1;
    send->outcome = OUTCOME_OPEN;
    send->returned_ns = INT64_MAX;
    doubted_n++;
}

static void gather(void)
{
    history.n = atomic_load(&history_n);
    for (int i = 0; i < PLAYERS; i++)
        for (int k = 0; k < atomic_load(&board->player[i].n); k++) {
            const struct call *call = &board->player[i].call[k];
            gather_call(call);
            if (board->player[i].doubt[k] && call->outcome != OUTCOME_OPEN)
                gather_doubted(call, board->player[i].doubt[k]);
        }
}

static void unlink_all(void)
{
    char name[32];

    drop_all(&tester);
    for (unsigned i = 0; i < HISTORY_CHANNELS; i++) {
        snprintf(name, sizeof(name), "history.%u.%u", tester.round, i);
        must(gc_unlink(tester.g, name, GC_FOREVER), "unlink");
    }
}

static void record(unsigned round, unsigned seed)
{
    board->round = round;
    board->seed = seed;
    atomic_store(&history_n, 0);
    open_all(&tester, round);
    for (int i = 0; i < PLAYERS; i++) {
        atomic_store(&board->player[i].n, 0);
        memset(board->player[i].doubt, 0, sizeof(board->player[i].doubt));
        child_tell(&players[i]);
    }
    if (seed % KILL_EVERY == 0)
        kill_player((int)draw(&seed, PLAYERS), 1 + (int)draw(&seed, DRAWN));
    for (int i = 0; i < PLAYERS; i++)
        if (players[i].pid)
            child_hear(&players[i]);
    drain();
    gather();
    unlink_all();
    for (int i = 0; i < PLAYERS; i++)
        if (!players[i].pid)
            start_player(i);
}

/* ---- histories that are wrong ---- */

static const struct call *sender_of(uint32_t value)
{
    for (int i = 0; i < history.n; i++) {
        const struct call *call = &history.call[i];
        if (call->outcome == OUTCOME_OK && call->cases[call->chosen].deed == DEED_SEND &&
            call->cases[call->chosen].value == value)
            return call;
    }
    return NULL;
}

static bool receives_from_buffer(const struct call *call)
{
    return call->outcome == OUTCOME_OK && call->cases[call->chosen].deed == DEED_RECV && !call->flagged &&
           capacities[call->cases[call->chosen].object];
}

/* Received one after the other, of one channel, and sent one after the other. */
static bool in_order(const struct call *first, const struct call *second)
{
    const struct call *s1 = sender_of(first->value), *s2 = sender_of(second->value);

    return first->cases[first->chosen].object == second->cases[second->chosen].object &&
           first->returned_ns < second->called_ns && s1 && s2 && s1->returned_ns < s2->called_ns;
}

/* B2 and F4 broken by hand: the check must notice. */
static void doctor(void)
{
    struct history wrong = history;

    for (int i = 0; i < history.n; i++)
        for (int k = 0; k < history.n; k++) {
            const struct call *first = &history.call[i], *second = &history.call[k];
            if (i == k || !receives_from_buffer(first) || !receives_from_buffer(second) ||
                !in_order(first, second))
                continue;
            wrong.call[i].value = second->value;
            wrong.call[k].value = first->value;
            if (history_check(&wrong) == 1) {
                history_print(&wrong);
                errx(1, "two values were exchanged, and nobody noticed");
            }
            doctored_n++;
            return;
        }
}

/* A proxy says "sent" of a value that it keeps back: then nobody may find the buffer empty. */
static void catch_liar(unsigned round)
{
    struct proxy *proxy = proxy_start(node.endpoint);
    struct player liar = {
        .g = probe_client(proxy_endpoint(proxy), 0), .calls = history.call, .n = &history_n};

    atomic_store(&history_n, 0);
    open_all(&tester, round);
    open_all(&liar, round);
    proxy_lie(proxy);
    play_send(&liar, 1, GC_FOREVER);
    if (play_recv(&tester, 1, GC_NOW) != -EAGAIN)
        errx(1, "the liar did not keep the value back");
    proxy_release(proxy);
    if (play_recv(&tester, 1, GC_FOREVER) != 1)
        errx(1, "the value of the liar is lost");
    history.n = history_n;
    if (history_check(&history) != 0)
        errx(1, "a send returned before it took effect, and nobody noticed");
    unlink_all();
    gc_disconnect(liar.g);
    proxy_stop(proxy);
}

static void run_rounds(unsigned rounds, unsigned seed)
{
    unsigned given_up = 0;

    for (unsigned round = 0; round < rounds; round++) {
        record(round, seed + round);
        int r = history_check(&history);
        if (r == 0) {
            history_print(&history);
            errx(1, "round %u of seed %u cannot be explained", round, seed + round);
        }
        given_up += r < 0;
        if (r == 1)
            doctor();
    }
    printf(
        "%u histories, %lu with a death, %lu sends in doubt, %u too hard to search, %lu doctored and found\n",
        rounds, deaths_n, doubted_n, given_up, doctored_n);
    if (given_up > rounds / 10 || !doctored_n)
        errx(1, "that proves little");
}

static void end_players(void)
{
    for (int i = 0; i < PLAYERS; i++) {
        kill(players[i].pid, SIGTERM);
        child_wait(&players[i]);
    }
}

int main(int argc, char **argv)
{
    char *flags[] = {"--ephemeral", NULL};

    if (argc == 5 && strcmp(argv[1], "--player") == 0)
        return be_player(argv + 2);
    if (argc < 2)
        errx(2, "usage: histories ROUNDS [SEED]");
    unsigned seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)getpid();
    printf("seed %u\n", seed);
    fflush(stdout);
    node_make(&node);
    snprintf(board_path, sizeof(board_path), "%s/board", node.directory);
    int fd = open(board_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*board)) < 0)
        err(1, "%s", board_path);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        err(1, "%s", board_path);
    node_start(&node, flags);
    memcpy(history.capacity, capacities, sizeof(capacities));
    tester = (struct player){
        .g = probe_client(node.endpoint, 0), .number = TESTER, .calls = history.call, .n = &history_n};
    for (int i = 0; i < PLAYERS; i++)
        start_player(i);
    run_rounds((unsigned)atoi(argv[1]), seed);
    catch_liar((unsigned)atoi(argv[1]));
    end_players();
    gc_disconnect(tester.g);
    node_stop(&node);
    node_remove(&node);
    return 0;
}
