/*
 * What must be refused: clients ask for what cannot be had, and a stranger, who keeps no rule of the protocol, sends frames
 * of his own making. Nobody looks at the answers; that all else goes on as before, and nothing is left, is the point.
 *
 * The stranger is there for one event: his session begins, he says what he has to say on one connection, and it ends. His
 * answers go nowhere.
 */
#include <errno.h>
#include <string.h>

#include "objects.h"
#include "stranger.h"
#include "workers.h"

enum { BIG = 1 << 16, FIRST_CLOSABLE = 8 /* slot */ };

static const char big[BIG];

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* ---- channels ---- */

/* Of one that is there already, another shape; of one that is not, nothing. */
static void other_shape(struct sim *sim, struct request_chan_open *open)
{
    switch (below(sim, 5)) {
    case 0:
        open->capacity++;
        break;
    case 1:
        open->flags |= OPEN_CREATE | OPEN_EXCLUSIVE;
        break;
    case 2:
        open->type_tag = text("other");
        break;
    case 3:
        open->element_bytes = 8;
        break;
    default:
        open->value_bytes_max = 77;
        break;
    }
}

static void impossible(struct sim *sim, struct request_chan_open *open)
{
    open->name = (struct bytes){0};
    switch (below(sim, 8)) {
    case 0:
        open->capacity = UINT64_MAX;
        break;
    case 1:
        open->value_bytes_max = UINT64_MAX;
        break;
    case 2:
        open->type_tag = (struct bytes){big, 300};
        break;
    case 3:
        open->full = FULL_DROP_OLDEST;
        open->capacity = 0;
        break;
    case 4:
        open->name = (struct bytes){big, 300};
        break;
    case 5:
        open->name = text("white space");
        break;
    case 6:
        open->flags = UINT32_MAX;
        break;
    default:
        open->rights = UINT32_MAX;
        break;
    }
}

static void open_wrongly(struct client *client)
{
    struct sim *sim = client->sim;
    uint32_t slot = (uint32_t)below(sim, FIRST_CLOSABLE);
    struct task *task = work_open(client, slot, 0);
    struct request_chan_open *open = &task->op.request.chan_open;

    task->ignored = true;
    (chance(sim, 1, 2) ? other_shape : impossible)(sim, open);
    if (open->flags & OPEN_EXCLUSIVE && !client->handle[slot].handle)
        open->flags = 0; /* it must be there */
    task_start(task);
}

/* A channel with all that one may have, for itself. */
static void open_typed(struct client *client)
{
    struct task *task = task_new(client, VERB_CHAN_OPEN);

    task->ignored = true;
    task->op.request.chan_open = (struct request_chan_open){.capacity = 1,
                                                            .value_bytes_max = 64,
                                                            .element_bytes = 8,
                                                            .type_tag = text("number"),
                                                            .rights = RIGHT_SEND | RIGHT_RECV};
    task_start(task);
}

/* Handles and ids that nobody has, or of another kind. */
static void no_such_thing(struct client *client)
{
    static const enum verb verbs[] = {VERB_CHAN_DROP, VERB_CLOSE,      VERB_CHAN_INFO,  VERB_JOB_WAIT,
                                      VERB_JOB_INFO,  VERB_JOB_CANCEL, VERB_JOB_OUTPUT, VERB_CTX_INFO,
                                      VERB_CTX_WATCH, VERB_CTX_DROP,   VERB_CTX_CANCEL};
    struct sim *sim = client->sim;
    struct task *task = task_new(client, verbs[below(sim, sizeof(verbs) / sizeof(*verbs))]);

    task->ignored = true;
    task->op.request.chan_drop.handle = UINT64_MAX >> below(sim, 20); /* the first member of each of these */
    task_start(task);
}

/* ---- jobs ---- */

static void wrong_job(struct sim *sim, struct request_submit *submit)
{
    switch (below(sim, 10)) {
    case 0:
        submit->plugin = text("relative.so");
        break;
    case 1:
        submit->function = text("");
        break;
    case 2:
        submit->function = text("none");
        break;
    case 3:
        submit->argument = (struct bytes){big, BIG};
        break;
    case 4:
        submit->backoff_ns = -1;
        break;
    case 5:
        submit->priority = 10;
        break;
    case 6:
        submit->attempts_max = UINT32_MAX;
        break;
    case 7:
        submit->key = (struct bytes){big, 300};
        break;
    case 8:
        submit->queue = text("no queue");
        break;
    default:
        submit->queue = text("nobody");
        break;
    }
}

static void submit_wrongly(struct client *client)
{
    struct task *task = task_new(client, VERB_SUBMIT);
    struct request_submit *submit = &task->op.request.submit;

    *submit =
        (struct request_submit){.plugin = text("/p/0.so"), .function = text("run"), .argument = text("o")};
    wrong_job(client->sim, submit);
    task_start(task);
}

void work_mistake(struct client *client)
{
    static void (*const deeds[])(struct client *) = {open_wrongly, open_wrongly, open_typed, no_such_thing,
                                                     submit_wrongly};

    deeds[below(client->sim, sizeof(deeds) / sizeof(*deeds))](client);
}

/* ---- the stranger ---- */

void stranger_says(struct stranger *s, const struct client_frame *with)
{
    struct client_frame frame = *with;

    frame.version = frame.version ? frame.version : PROTOCOL_VERSION;
    frame.number = frame.number ? frame.number : ++s->frame;
    daemon_frame(s->sim, s->conn, &frame);
}

void stranger_asks(struct stranger *s, struct request request)
{
    request.id = request.id ? request.id : ++s->op;
    stranger_says(s, &(struct client_frame){.requests = &request, .requests_n = 1});
}

static void greet(struct stranger *s, uint32_t version, struct secret secret)
{
    struct hello hello = {.session = secret, .program = text("stranger")};

    s->frame = 0;
    stranger_says(s, &(struct client_frame){.version = version, .hello = &hello});
}

static void resume(struct stranger *s, struct secret secret)
{
    struct resume back = {.session = secret};

    s->frame = 0;
    stranger_says(s, &(struct client_frame){.resume = &back});
}

/* Before he is anybody, or in the name of others. */
static void come_wrongly(struct stranger *s)
{
    struct sim *sim = s->sim;

    stranger_asks(s, (struct request){.verb = VERB_PING}); /* on a connection that nobody has bound */
    greet(s, PROTOCOL_VERSION + 1, s->secret);
    greet(s, PROTOCOL_VERSION, (struct secret){{1, 2, 3}});
    resume(s, (struct secret){{1, 2, 3}});
    sim->conns[s->conn].pid = 77; /* another process uses the name of this session */
    greet(s, PROTOCOL_VERSION, s->secret);
    sim->conns[s->conn].pid = 1;
}

static void ask_wrongly(struct stranger *s)
{
    const struct select_case none = {.kind = 99};

    const struct request without_id = {.verb = VERB_PING};

    stranger_says(s, &(struct client_frame){.requests = &without_id, .requests_n = 1});
    stranger_asks(s, (struct request){.verb = (enum verb)(VERB_NUMBER_END - 1)});
    stranger_asks(s, (struct request){.verb = VERB_NONE, .fault = -EBADMSG, .fault_text = text("malformed")});
    stranger_asks(s, (struct request){.verb = VERB_RESERVE, .reserve = {text("generation-0"), 1}});
    stranger_asks(s, (struct request){.verb = VERB_STARTED});
    stranger_asks(s, (struct request){.verb = VERB_PING, .run = 12345});
    stranger_asks(s, (struct request){.verb = VERB_PING, .until = {UNTIL_AT, s->sim->now_ns + MS}});
    stranger_asks(s, (struct request){.verb = VERB_CTX_NEW, .ctx_new = {.deadline = UNTIL_AT}});
    stranger_asks(s,
                  (struct request){.verb = VERB_CLOCK_ADVANCE, .clock_advance = {(int64_t)below(s->sim, 2)}});
    stranger_asks(s, (struct request){.verb = VERB_SELECT, .select = {&none, 1}});
    stranger_asks(s, (struct request){.verb = VERB_SELECT});
    stranger_asks(
        s, (struct request){.verb = VERB_COND_WAIT, .cond_wait = {.name = text("x"), .lock = text("y")}});
    stranger_asks(s, (struct request){.verb = VERB_JOB_LIST, .job_list = {.queue = text("white space")}});
    stranger_says(s, &(struct client_frame){.ack_mark = s->op});
    stranger_asks(s, (struct request){.id = 1, .verb = VERB_PING}); /* used and acknowledged */
}

/* What he leaves behind is for the daemon to clean up. */
static void leave_a_mess(struct stranger *s)
{
    struct sim *sim = s->sim;
    uint64_t first = s->op + 1;
    const struct ack ack = {.op = first, .count = 99};

    stranger_asks(s, (struct request){.verb = VERB_CHAN_OPEN, .chan_open = {.capacity = 1}});
    stranger_asks(s, (struct request){.verb = VERB_RECV, .recv = {1, VALUES_MAX + 1}});
    stranger_asks(s, (struct request){.verb = VERB_SYNC_WAIT,
                                      .sync_wait = {SYNC_BARRIER, object_name(SYNC_KINDS), 0, 9}});
    stranger_asks(s, (struct request){.verb = VERB_CTX_NEW});
    stranger_asks(s,
                  (struct request){.verb = VERB_JOB_LIST, .job_list = {.limit = 2, .queue = text("slow")}});
    stranger_asks(s, (struct request){.verb = VERB_CALLERS, .callers = {UINT32_MAX}});
    stranger_says(
        s,
        &(struct client_frame){
            .acks = &ack, .acks_n = 1, .returns = &ack, .returns_n = 1, .cancels = &first, .cancels_n = 1});
    if (chance(sim, 1, 3))
        stranger_says(s, &(struct client_frame){.number = s->frame + 9}); /* a gap: he has to bind it anew */
    if (chance(sim, 1, 3))
        stranger_says(s, &(struct client_frame){.bye = true});
}

void stranger_comes(struct sim *sim)
{
    struct stranger s = {.sim = sim};
    struct input up = {.kind = IN_SESSION_UP, .peer = ++sim->peers};

    if (!sim->daemon.up)
        return;
    for (int i = 0; i < SECRET_BYTES; i++)
        s.secret.byte[i] = (uint8_t)roll(sim);
    s.peer = up.peer;
    s.conn = conn_open(sim, STRANGER);
    up.session_up.secret = s.secret;
    up.session_up.who = user_of(sim, STRANGER);
    daemon_input(sim, &up);
    come_wrongly(&s);
    greet(&s, PROTOCOL_VERSION, s.secret);
    ask_wrongly(&s);
    stranger_corners(&s);
    leave_a_mess(&s);
    daemon_input(sim, &(struct input){.kind = IN_CONN_END, .conn = s.conn});
    daemon_input(sim, &(struct input){.kind = IN_SESSION_END, .peer = s.peer});
}
