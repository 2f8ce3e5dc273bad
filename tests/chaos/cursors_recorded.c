/*
 * Records what several processes do with one group of kept topics: publish, receive, acknowledge, give back, seek, pause, resume,
 * purge, look at the floor, with one of them killed now and then; and asks of each history whether it can be explained (IP11.2,
 * IP16). The check proves itself: into each history that can be, calls are put that must not have been, one at a time, and a
 * group is sent back without a word in the history.
 *
 *     cursors_recorded ROUNDS [SEED]
 *
 * The players are processes of their own (this program again); what they note lies in memory that outlives them. At the end of a
 * round the tester takes what the group has left, so that what it has forgotten is missed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cursor_player.h"
#include "cursors.h"
#include "daemon_node.h"
#include "probe.h"

enum { PLAYERS = 3, TESTER = PLAYERS, DRAWN = 16, KILL_EVERY = 3, TESTER_VALUE = 100 * TESTER };

struct board {
    unsigned round, seed;
    struct notes notes[PLAYERS + 1];
};

static struct board *map_board(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    struct board *board;

    if (fd < 0 || ftruncate(fd, sizeof(*board)) < 0)
        err(1, "%s", path);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        err(1, "%s", path);
    close(fd);
    return board;
}

/* ---- a player ---- */

static int be_player(char **argument)
{
    struct board *board = map_board(argument[0], 0);
    struct player player = {.number = (uint8_t)atoi(argument[1])};
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    player.g = probe_client(argument[2], 0);
    player.notes = &board->notes[player.number];
    if (write(STDOUT_FILENO, "c", 1) != 1)
        return 1;
    while (read(STDIN_FILENO, &byte, 1) == 1) {
        struct terms terms = cursor_terms(board->seed);
        player_begin(&player, board->round, board->seed * PLAYERS + player.number);
        player_join(&player, terms.capacity, terms);
        for (int i = 0; i < DRAWN; i++)
            player_play(&player);
        player_leave(&player);
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
static struct player tester;
static struct cursor history;
static uint32_t values[CURSOR_MESSAGES]; /* in the order of the log */
/* Is told of every message as it is published, whatever becomes of it in the group and of who has published it. */
static gc_chan witness;
static char board_path[96];
static unsigned long deaths_n, calls_n;

static void start_player(int i)
{
    char number[8];

    snprintf(number, sizeof(number), "%d", i);
    players[i] = child_start((char *[]){"cursors", "--player", board_path, number, node.endpoint, NULL});
    child_hear(&players[i]); /* its session is counted */
}

/* Its death is a call of the history: it ends when the daemon has counted one session less. */
static void kill_player(int i, int after)
{
    uint64_t sessions = probe_says(tester.g, "sessions");

    while (atomic_load(&board->notes[i].n) < after)
        player_settle(&tester);
    struct noted *death = cursor_begin(&tester, CURSOR_DEATH);
    death->call.process = (uint8_t)i;
    kill(players[i].pid, SIGKILL);
    child_wait(&players[i]);
    probe_await(tester.g, "sessions", sessions - 1);
    cursor_end(death, CURSOR_OK);
    deaths_n++;
}

/* Everything that the group has to give, up to a message that is published now. */
static void drain(struct terms terms)
{
    player_pause(&tester, CURSOR_RESUME);
    player_publish(&tester, TESTER_VALUE);
    player_join(&tester, 1, terms);
    while (player_take(&tester) != TESTER_VALUE)
        ;
    player_look(&tester);
    cursor_end(cursor_begin(&tester, CURSOR_END), CURSOR_OK);
    cursor_must(gc_drop(tester.g, tester.c), "drop");
}

static void clear(void)
{
    char name[CURSOR_NAME_BYTES];

    cursor_must(gc_drop(tester.g, witness), "drop");
    cursor_group_name(name, tester.round);
    cursor_must(gc_durable_remove(tester.g, name, GC_FOREVER), "remove the group");
    for (unsigned i = 0; i < CURSOR_TOPICS; i++) {
        cursor_topic_name(name, tester.round, i);
        int64_t r = gc_topic_remove(tester.g, name, GC_FOREVER);
        if (r < 0 && r != -ENOENT)
            cursor_must((int)r, "remove a topic");
    }
}

/* ---- the history of what was noted ---- */

static void witness_begin(void)
{
    char pattern[CURSOR_NAME_BYTES];
    struct gc_subscribe_options options = {.size = sizeof(options), .from = GC_FROM_START};

    cursor_all_name(pattern, tester.round);
    cursor_must(gc_subscribe(tester.g, pattern, &options, &witness, GC_FOREVER), "witness");
}

/* All messages up to this one. */
static void gather_messages(uint32_t last)
{
    uint32_t *value = values;
    struct gc_value v;

    do {
        if (value == values + CURSOR_MESSAGES ||
            cursor_must(gc_recv(tester.g, witness, &v, 0, GC_FOREVER), "hear") == 0)
            errx(1, "too many messages, or none");
        memcpy(value, v.data, sizeof(*value));
        history.message[history.messages++] =
            (struct cursor_message){.sequence = gc_message(&v)->sequence,
                                    .topic = (uint8_t)cursor_topic_of(*value),
                                    .key = (uint8_t)cursor_key_of(*value)};
        gc_value_clear(&v);
    } while (*value++ != last);
}

/* -1: there is none. */
static int place_of(const struct noted *noted)
{
    for (int i = 0; i < history.messages; i++)
        if (noted->call.deed == CURSOR_SEEK ? history.message[i].sequence == noted->sequence
                                            : values[i] == noted->value)
            return i;
    return -1;
}

static void check_sequence(const struct noted *noted, int place)
{
    if (noted->call.deed <= CURSOR_TAKE && noted->sequence &&
        (place < 0 || history.message[place].sequence != noted->sequence))
        errx(1, "a message has the sequence %lu, and the log does not say so",
             (unsigned long)noted->sequence);
}

/* With places in the log. What somebody who died was about to publish may not be there. */
static void gather_call(const struct noted *noted, int first)
{
    struct cursor_call *call = &history.call[history.n++];
    int place = place_of(noted);

    check_sequence(noted, place);
    if (history.n == CURSOR_CALLS)
        errx(1, "a history of too many calls");
    *call = noted->call;
    call->message = (uint8_t)(place < 0 ? 0 : place);
    call->receive = (uint8_t)(first + noted->receive);
    if (call->deed == CURSOR_SEEK && noted->sequence == UINT64_MAX)
        call->message = CURSOR_NEW;
    if (call->deed == CURSOR_PUBLISH)
        call->outcome = place < 0 ? CURSOR_VOID : CURSOR_OK;
}

static void begin_history(struct terms terms)
{
    history = (struct cursor){.capacity = terms.capacity,
                              .window = terms.window,
                              .ack_wait_ns = terms.ack_wait_ms * INT64_C(1000000),
                              .hasty = terms.hasty,
                              .ordered = terms.ordered};
}

static void gather(void)
{
    history.n = 0;
    for (int i = 0; i <= PLAYERS; i++) {
        int first = history.n;
        for (int k = 0; k < atomic_load(&board->notes[i].n); k++)
            gather_call(&board->notes[i].noted[k], first);
    }
    calls_n += (unsigned long)history.n;
}

/* ---- rounds ---- */

static void open_round(unsigned round, unsigned seed)
{
    board->round = round;
    board->seed = seed;
    player_begin(&tester, round, seed);
    for (int i = 0; i <= PLAYERS; i++)
        atomic_store(&board->notes[i].n, 0);
    begin_history(cursor_terms(seed));
    witness_begin();
}

static void record(unsigned round, unsigned seed)
{
    open_round(round, seed);
    for (int i = 0; i < PLAYERS; i++)
        child_tell(&players[i]);
    if (seed % KILL_EVERY == 0)
        kill_player((int)cursor_draw(&seed, PLAYERS), 1 + (int)cursor_draw(&seed, DRAWN / 2));
    for (int i = 0; i < PLAYERS; i++)
        if (players[i].pid)
            child_hear(&players[i]);
    drain(cursor_terms(board->seed));
    gather_messages(TESTER_VALUE);
    gather();
    clear();
    for (int i = 0; i < PLAYERS; i++)
        if (!players[i].pid)
            start_player(i);
}

/* A group goes back to the start of the log, and nobody has said so. */
static void catch_seek(unsigned round)
{
    struct terms terms = cursor_terms(0);
    char group[CURSOR_NAME_BYTES];

    open_round(round, 0);
    cursor_group_name(group, round);
    player_join(&tester, terms.capacity, terms);
    player_publish(&tester, TESTER_VALUE);
    player_publish(&tester, TESTER_VALUE + 1);
    player_take(&tester);
    player_take(&tester);
    gather_messages(TESTER_VALUE + 1);
    gather();
    if (cursor_check(&history) != 1)
        errx(1, "two messages that were taken cannot be explained");
    cursor_must(gc_durable_set(tester.g, group, "from=start", GC_FOREVER), "seek");
    player_take(&tester);
    gather();
    if (cursor_check(&history) != 0)
        errx(1, "a group went back to the start, and nobody noticed");
    cursor_must(gc_drop(tester.g, tester.c), "drop");
    clear();
}

static void run_rounds(unsigned rounds, unsigned seed)
{
    unsigned given_up = 0;

    for (unsigned round = 0; round < rounds; round++) {
        record(round, seed + round);
        int r = cursor_check(&history);
        if (r == 0) {
            cursor_print(&history);
            errx(1, "round %u of seed %u cannot be explained", round, seed + round);
        }
        given_up += r < 0;
        if (r == 1)
            cursor_spoil(&history);
    }
    printf("%u histories of %lu calls, %lu with a death, %u too hard to search; spoilt and found:", rounds,
           calls_n, deaths_n, given_up);
    if (cursor_spoilt() > 0 || given_up > rounds / 10)
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
    if (argc == 5 && strcmp(argv[1], "--player") == 0)
        return be_player(argv + 2);
    if (argc < 2)
        errx(2, "usage: cursors_recorded ROUNDS [SEED]");
    unsigned rounds = (unsigned)atoi(argv[1]), seed = argc > 2 ? (unsigned)atoi(argv[2]) : (unsigned)getpid();
    printf("seed %u\n", seed);
    fflush(stdout);
    node_make(&node);
    snprintf(board_path, sizeof(board_path), "%s/board", node.directory);
    board = map_board(board_path, O_CREAT);
    node_start(&node, NULL);
    tester = (struct player){
        .g = probe_client(node.endpoint, 0), .number = TESTER, .notes = &board->notes[TESTER]};
    cursor_must(gc_topic_set(tester.g, "cursor.>", "durable=yes durability=process", GC_FOREVER),
                "topic set");
    for (int i = 0; i < PLAYERS; i++)
        start_player(i);
    run_rounds(rounds, seed);
    catch_seek(rounds);
    end_players();
    gc_disconnect(tester.g);
    node_stop(&node);
    node_remove(&node);
    return 0;
}
