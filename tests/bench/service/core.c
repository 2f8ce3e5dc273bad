/*
 * The core alone: frames of half sends, half receives on one buffered channel, decoded already.
 *
 *     core_alone SECONDS    prints operations per second of CPU time: others on the machine do not count
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core.h"

enum { OPS = 256 };

static void *resize(void *context, void *p, size_t size)
{
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

struct rig {
    struct core *core;
    struct effects out;
    struct now now;
    struct request requests[OPS];
    uint64_t number, id, handle;
};

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The clock is read once per frame. */
static void step(struct rig *rig, const struct input *input)
{
    core_step(rig->core, rig->now, input, &rig->out);
}

/* Looks at every result, as the shell does. */
static void clear(struct rig *rig)
{
    struct effect *effect;

    list_each (effect, &rig->out.list, link) {
        if (effect->kind != EFFECT_RESULT)
            continue;
        if (effect->result->status < 0)
            errx(1, "core: %s", strerror(-effect->result->status));
        if (!rig->handle)
            rig->handle = effect->result->handle;
    }
    effects_clear(rig->core, &rig->out);
}

static void frame(struct rig *rig, const struct client_frame *head, struct credentials who)
{
    rig->now = (struct now){read_ns(CLOCK_MONOTONIC), 1};
    step(rig, &(struct input){.kind = IN_FRAME, .conn = 1, .frame = {.head = head, .who = who}});
    for (size_t i = 0; i < head->requests_n; i++)
        step(rig, &(struct input){.kind = IN_OP, .conn = 1, .op = &head->requests[i]});
    clear(rig);
}

static void send_and_receive(struct rig *rig, const struct credentials *who)
{
    static const struct value value = {
        {"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64}, 0};
    struct client_frame head = {.version = PROTOCOL_VERSION,
                                .number = ++rig->number,
                                .ack_mark = rig->id,
                                .requests = rig->requests,
                                .requests_n = OPS};

    for (int i = 0; i < OPS; i++) {
        struct request *request = &rig->requests[i];
        *request = (struct request){.id = ++rig->id, .verb = i % 2 ? VERB_RECV : VERB_SEND};
        if (i % 2)
            request->recv = (struct request_recv){rig->handle, 1};
        else
            request->send = (struct request_send){rig->handle, &value, 1};
    }
    frame(rig, &head, *who);
}

static void begin_core(struct rig *rig, struct credentials who)
{
    static const struct limits limits = LIMITS_DEFAULT;
    static const struct allocator memory = {resize, NULL, 1 << 20}; /* keeps as much as in the daemon */
    struct hello hello = {.session = {{1}}};
    struct request open = {
        .id = ++rig->id, .verb = VERB_CHAN_OPEN, .chan_open = {.capacity = 16, .flags = OPEN_CREATE}};
    struct input up = {.kind = IN_SESSION_UP, .peer = 1, .session_up = {.secret = hello.session, .who = who}};

    rig->core = core_new(&limits, &memory, 0, 1, 1);
    effects_init(&rig->out);
    rig->now = (struct now){read_ns(CLOCK_MONOTONIC), 1};
    step(rig, &up);
    frame(rig, &(struct client_frame){.version = PROTOCOL_VERSION, .number = ++rig->number, .hello = &hello},
          who);
    frame(rig,
          &(struct client_frame){
              .version = PROTOCOL_VERSION, .number = ++rig->number, .requests = &open, .requests_n = 1},
          who);
}

int main(int argc, char **argv)
{
    static struct rig rig;
    struct credentials who = {1, 1, 1, true};
    int seconds = argc > 1 ? atoi(argv[1]) : 0;

    if (seconds < 1)
        errx(2, "usage: core_alone SECONDS");
    begin_core(&rig, who);
    uint64_t from = rig.id;
    int64_t until = read_ns(CLOCK_MONOTONIC) + seconds * 1000000000LL;
    int64_t begun = read_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (rig.now.mono_ns < until)
        send_and_receive(&rig, &who);
    double took = (double)(read_ns(CLOCK_PROCESS_CPUTIME_ID) - begun);
    printf("rate=%.0f\n", (double)(rig.id - from) * 1e9 / took);
    effects_clear(rig.core, &rig.out);
    core_delete(rig.core);
    return 0;
}
