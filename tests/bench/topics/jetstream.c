/*
 * JetStream: a stream in files. What is published is confirmed by an answer to each message, PENDING_MAX of them under way; who
 * consumes has a durable consumer that pushes to it, and acknowledges each message; who replays has one that wants none.
 * WHERE: a port of this machine.
 */
#include "topics.h"

#include <stdio.h>
#include <unistd.h>

#include "nats_text.h"

enum { ACK_BYTES = NATS_REPLY_BYTES + 16 };

/* Asks the server for something, and waits for its answer. */
static void ask(const char *subject, const char *json)
{
    char *text = malloc(nats_publish_bytes(strlen(json)));
    struct nats_message answer;

    nats_write(text, nats_publish(text, subject, "_INBOX.ask", json, strlen(json)));
    nats_take(&answer);
    if (memmem(answer.body, answer.bytes, "\"error\"", 7))
        errx(1, "jetstream: %s: %.*s", subject, (int)answer.bytes, answer.body);
    free(text);
}

static void connect_jetstream(const char *where)
{
    nats_connect(where);
    nats_say("SUB _INBOX.ask 1\r\n");
}

static void prepare(const char *where)
{
    connect_jetstream(where);
    ask("$JS.API.STREAM.CREATE.bench", "{\"name\":\"bench\",\"subjects\":[\"bench\"],\"retention\":"
                                       "\"limits\",\"storage\":\"file\",\"num_replicas\":1}");
}

/* The answer to a message that was published. */
static void take_confirmation(void)
{
    size_t bytes;
    const char *text = nats_take_body(&bytes);

    if (!memmem(text, bytes, "\"seq\"", 5))
        errx(1, "jetstream: %.*s", (int)bytes, text);
    count(&tally->accepted, 1);
}

static void fill(const char *where, size_t most)
{
    char *all = malloc(BATCH * nats_publish_bytes(MESSAGE_BYTES));
    size_t bytes = 0, each = 0, sent = 0;

    nats_connect(where);
    nats_say("SUB _INBOX.fill 1\r\n");
    for (int i = 0; i < BATCH; i++, bytes += each)
        each = nats_publish(all + bytes, "bench", "_INBOX.fill", body, MESSAGE_BYTES);
    ready();
    while (!most || sent < most) {
        keep_pace(sent);
        size_t n = most && most - sent < BATCH ? most - sent : BATCH;
        nats_write(all, n * each);
        for (sent += n; sent > counted(&tally->accepted) + PENDING_MAX - BATCH;)
            take_confirmation();
    }
    while (counted(&tally->accepted) < sent)
        take_confirmation();
}

/* A consumer of the stream that pushes what it has to this process; `verb` and `more`: of which kind it is. */
static void begin_consumer(const char *where, const char *verb, const char *more)
{
    char subject[128], json[512];

    connect_jetstream(where);
    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.%s", verb);
    snprintf(
        json, sizeof json,
        "{\"stream_name\":\"bench\",\"config\":{\"deliver_subject\":\"_INBOX.%d\",\"deliver_policy\":\"all\","
        "\"replay_policy\":\"instant\",%s}}",
        getpid(), more);
    ready();
    ask(subject, json);
    snprintf(subject, sizeof subject, "SUB _INBOX.%d 2\r\n", getpid());
    nats_say(subject);
}

static void consume(const char *where, size_t number)
{
    char verb[64], more[256], *acks = malloc(BATCH * (size_t)ACK_BYTES);
    struct nats_message message;
    size_t bytes = 0;

    snprintf(verb, sizeof verb, "DURABLE.CREATE.bench.g%d", getpid());
    snprintf(more, sizeof more,
             "\"durable_name\":\"g%d\",\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,\"max_ack_"
             "pending\":%d",
             getpid(), PENDING_MAX);
    begin_consumer(where, verb, more);
    for (;;) {
        nats_take(&message);
        bytes += nats_publish(acks + bytes, message.reply, "", "", 0);
        if (bytes > (BATCH - 1) * (size_t)ACK_BYTES || nats_waits()) {
            nats_write(acks, bytes);
            bytes = 0;
        }
        arrived(number, 1);
    }
}

static void replay(const char *where, size_t number)
{
    struct nats_message message;

    begin_consumer(
        where, "CREATE.bench",
        "\"ack_policy\":\"none\",\"flow_control\":true,\"idle_heartbeat\":5000000000,\"mem_storage\":true");
    for (;;) {
        nats_take(&message);
        arrived(number, 1);
    }
}

const struct peer jetstream = {
    .name = "jetstream", .prepare = prepare, .fill = fill, .consume = consume, .replay = replay};
