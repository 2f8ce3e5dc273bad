/*
 * Connections and the frames on them (IP0).
 *
 * A link is a connection bound to a session. HELLO or RESUME makes one and voids the session's earlier one. Frames of
 * a link are numbered: an old number is a repeat and dropped whole, a gap unbinds. A connection without a link is
 * answered NEED_RESUME, and nothing about it is kept.
 */
#include <errno.h>
#include <string.h>

#include "engine.h"

struct link *link_find(const struct core *core, uint64_t conn)
{
    struct map_node *n = map_first(&core->links, core_hash_number(core, conn));

    while (n && map_entry(n, struct link, node)->conn != conn)
        n = map_next(n);
    return n ? map_entry(n, struct link, node) : NULL;
}

void link_remove(struct core *core, struct link *link)
{
    link->session->link_now = NULL;
    map_remove(&core->links, &link->node);
    core_free(core, link);
}

void input_conn_end(struct core *core, const struct input *in)
{
    struct link *link = link_find(core, in->conn);

    if (link)
        link_remove(core, link);
}

static void need_resume(struct core *core, uint64_t conn)
{
    reply(core, conn, &(struct server_frame){.need_resume = true});
}

static void refused(struct core *core, uint64_t conn, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void refused(struct core *core, uint64_t conn, int error, const char *format, ...)
{
    char text[200];
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(text, sizeof(text), format, arguments);
    va_end(arguments);
    reply(core, conn, &(struct server_frame){.refused = error, .text = {text, n}});
}

/* Binds the connection; whatever either of them was bound to before is void. NULL: out of memory. */
static struct link *link_bind(struct core *core, uint64_t conn, struct session *session)
{
    struct link *old = link_find(core, conn);

    if (map_reserve(core, &core->links, 1) < 0)
        return NULL;
    struct link *link = core_alloc(core, sizeof(*link));
    if (!link)
        return NULL;
    if (old)
        link_remove(core, old);
    if (session->link_now)
        link_remove(core, session->link_now);
    link->conn = conn;
    link->session = session;
    session->link_now = link;
    map_add(&core->links, &link->node, core_hash_number(core, conn));
    return link;
}

/* IP9: a message must come from the process whose lifeline it names. */
static bool credentials_match(const struct credentials *mine, const struct credentials *theirs)
{
    if (!mine->known)
        return true;
    return theirs->known && mine->uid == theirs->uid && mine->pid == theirs->pid;
}

static void say_unknown(struct core *core, const struct input *in, const struct secret *secret)
{
    if (ended_has(core, secret))
        refused(core, in->conn, -ECONNRESET, "this session has ended");
    else if (in->frame.head->hello)
        refused(core, in->conn, -EPERM, "no such session: use the id that the lifeline gave");
    else
        refused(core, in->conn, -ENETRESET,
                "no such session: goroutined was restarted since, or it ended long ago");
}

/* The session that HELLO or RESUME names, or NULL, and the refusal is said. */
static struct session *admit(struct core *core, const struct input *in, const struct secret *secret)
{
    uint32_t version = in->frame.head->version;
    struct session *session = session_find(core, secret);

    if (version != PROTOCOL_VERSION) {
        refused(core, in->conn, -EPROTONOSUPPORT,
                "protocol version %u is not spoken here, only %d: use the client library of this goroutined",
                version, PROTOCOL_VERSION);
        return NULL;
    }
    if (!session) {
        say_unknown(core, in, secret);
        return NULL;
    }
    if (!credentials_match(&session->who, &in->frame.who)) {
        core_log(core, LOG_LEVEL_WARN, "event=foreign_session session=%lu uid=%u pid=%d", session->number,
                 in->frame.who.uid, in->frame.who.pid);
        refused(core, in->conn, -EPERM, "this session belongs to another process");
        return NULL;
    }
    return session;
}

static struct welcome welcome(const struct core *core, const struct session *session)
{
    return (struct welcome){
        .session = session->secret,
        .session_number = session->number,
        .node = core->node,
        .incarnation = core->incarnation,
        .window_ops = core->limits.window_ops,
        .window_bytes = core->limits.window_bytes,
        .absolute_deadlines = session->same_clock,
        .lease_ns = session->lease ? (int64_t)core->limits.lease_ms * 1000000 : 0,
        .attempt = session->attempt,
    };
}

static void note_program(struct session *session, struct bytes program)
{
    size_t size = program.size < PROGRAM_BYTES ? program.size : PROGRAM_BYTES - 1;

    memset(session->program, 0, PROGRAM_BYTES);
    if (size)
        memcpy(session->program, program.data, size);
}

/* HELLO: 0, or the frame is used up. */
static int hello(struct core *core, const struct input *in)
{
    struct session *session = admit(core, in, &in->frame.head->hello->session);

    if (!session)
        return -EPERM;
    session->same_clock = in->frame.same_clock;
    note_program(session, in->frame.head->hello->program);
    if (!link_bind(core, in->conn, session))
        return -ENOMEM;
    session->attempt = in->frame.head->hello->attempt;
    struct welcome w = welcome(core, session);
    return reply(core, in->conn, &(struct server_frame){.welcome = &w});
}

static uint32_t fate(const struct op *op)
{
    if (!op)
        return FATE_UNKNOWN;
    return op_waits(op) || op->held ? FATE_PARKED : FATE_RESULT;
}

/* What became of each operation the client still waits for (IP7). */
static void list_fates(struct core *core, struct session *session, const struct resume *resume,
                       struct op_state *states)
{
    for (size_t i = 0; i < resume->open_ops_n; i++) {
        struct op *op = op_find(core, session, resume->open_ops[i]);

        states[i] = (struct op_state){resume->open_ops[i], fate(op)};
        if (op)
            op->listed = true;
    }
}

static void unlist(struct core *core, struct session *session, const struct resume *resume)
{
    for (size_t i = 0; i < resume->open_ops_n; i++) {
        struct op *op = op_find(core, session, resume->open_ops[i]);

        if (op)
            op->listed = false;
    }
}

static int resume(struct core *core, const struct input *in)
{
    const struct resume *resume = in->frame.head->resume;
    struct session *session = admit(core, in, &resume->session);

    if (!session)
        return -EPERM;
    struct op_state *states = core_alloc(core, resume->open_ops_n * sizeof(*states) + 1);
    if (!states || !link_bind(core, in->conn, session)) {
        core_free(core, states);
        return -ENOMEM;
    }
    session->attempt = resume->attempt;
    struct welcome w = welcome(core, session);
    session_mark(core, session, in->frame.head->ack_mark);
    list_fates(core, session, resume, states);
    int r = reply(core, in->conn,
                  &(struct server_frame){.welcome = &w, .states = states, .states_n = resume->open_ops_n});
    log_resend(core, session);
    unlist(core, session, resume);
    core_free(core, states);
    return r;
}

/* An old HELLO or RESUME would begin the numbers of frames anew, and what is under way would be taken for seen. */
static bool late_copy(const struct core *core, const struct input *in)
{
    const struct client_frame *head = in->frame.head;
    uint64_t attempt = head->hello ? head->hello->attempt : head->resume->attempt;
    struct session *session =
        session_find(core, head->hello ? &head->hello->session : &head->resume->session);

    return session && attempt && attempt <= session->attempt &&
           credentials_match(&session->who, &in->frame.who);
}

/* HELLO or RESUME. Each new one is answered: the answer before may be lost. */
static struct link *bind_frame(struct core *core, const struct input *in)
{
    const struct client_frame *head = in->frame.head;
    int r = head->hello ? hello(core, in) : resume(core, in);
    struct link *link = link_find(core, in->conn);

    if (r < 0) {
        if (link)
            link_remove(core, link);
        return NULL;
    }
    link->next_in = head->number;
    return link;
}

/* ACK, RETURN and CANCEL come before the operations of the same frame. The session may end by it. */
static void frame_head(struct core *core, struct session *session, const struct client_frame *head)
{
    session_mark(core, session, head->ack_mark);
    for (size_t i = 0; i < head->acks_n && !session->ended; i++)
        session_ack(core, session, &head->acks[i]);
    for (size_t i = 0; i < head->returns_n && !session->ended; i++)
        session_return(core, session, &head->returns[i]);
    for (size_t i = 0; i < head->cancels_n && !session->ended; i++)
        session_cancel(core, session, head->cancels[i]);
}

static void frame_take(struct core *core, struct link *link, const struct client_frame *head)
{
    struct session *session = link->session;

    link->next_in = head->number + 1;
    link->dropping = false;
    link->ops_left = head->requests_n;
    link->bye = head->bye;
    session_touch(core, session);
    frame_head(core, session, head);
    if (head->bye && !head->requests_n && !session->ended)
        session_end(core, session, 0);
}

void input_frame(struct core *core, const struct input *in)
{
    const struct client_frame *head = in->frame.head;
    struct link *link = link_find(core, in->conn);

    if ((head->hello || head->resume) && late_copy(core, in)) {
        if (link)
            link->dropping = true;
        return;
    }
    if (head->hello || head->resume) {
        link = bind_frame(core, in);
        if (!link)
            return;
    }
    if (!link)
        return need_resume(core, in->conn);
    if (head->number > link->next_in || !credentials_match(&link->session->who, &in->frame.who)) {
        link_remove(core, link);
        return need_resume(core, in->conn);
    }
    if (head->number < link->next_in)
        link->dropping = true;
    else
        frame_take(core, link, head);
}

/* One operation of the frame that came last on its connection. */
void input_op(struct core *core, const struct input *in)
{
    struct link *link = link_find(core, in->conn);

    if (!link || link->dropping)
        return;
    bool last = link->ops_left && --link->ops_left == 0;
    op_arrive(core, link->session, in->conn, in->op);
    link = last ? link_find(core, in->conn) : NULL; /* it may be gone */
    if (link && link->bye)
        session_end(core, link->session, 0);
}
