/*
 * Sessions (IP0): one life of a client process. A session survives its connections; it ends by BYE, by the death of
 * its process, or, without a lifeline, by silence longer than the lease.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "engine.h"

struct session *session_find(const struct core *core, const struct secret *secret)
{
    struct map_node *n = map_first(&core->sessions, core_hash(core, secret, sizeof(*secret)));

    for (; n; n = map_next(n)) {
        struct session *session = map_entry(n, struct session, node);

        if (memcmp(&session->secret, secret, sizeof(*secret)) == 0)
            return session;
    }
    return NULL;
}

static void lease_over(struct core *core, struct timer *timer)
{
    struct session *session = container_of(timer, struct session, lease_timer);

    core_log(core, LOG_LEVEL_INFO, "event=lease_over session=%lu", session->number);
    session_end(core, session, -ECONNRESET);
}

void session_touch(struct core *core, struct session *session)
{
    if (session->lease)
        timer_arm(core, &session->lease_timer,
                  time_after(core->now.mono_ns, (int64_t)core->limits.lease_ms * 1000000), lease_over);
}

static void session_create(struct core *core, struct session *session, const struct input *in)
{
    session->secret = in->session_up.secret;
    session->number = ++core->session_sequence;
    session->peer = in->peer;
    session->who = in->session_up.who;
    session->host = in->session_up.host;
    session->lease = in->session_up.lease;
    list_init(&session->log);
    list_init(&session->passed_over);
    scope_create(&session->scope, session, 0, session->account);
    map_add(&core->sessions, &session->node, core_hash(core, &session->secret, sizeof(session->secret)));
    map_add(&core->peers, &session->peer_node, core_hash_number(core, session->peer));
    list_append(&core->session_list, &session->link);
    core->counters[COUNT_SESSIONS]++;
    session_touch(core, session);
}

/* Everything that can fail. On failure nothing is left. */
static int session_new(struct core *core, const struct input *in, struct session **out)
{
    uint32_t uid = in->session_up.who.known ? in->session_up.who.uid : ACCOUNT_UNKNOWN;
    bool lease = in->session_up.lease;

    if (core->sessions.count >= core->limits.sessions_max)
        return -ENOBUFS;
    if (session_find(core, &in->session_up.secret))
        return -EEXIST;
    if (map_reserve(core, &core->sessions, 1) < 0 || map_reserve(core, &core->peers, 1) < 0 ||
        (lease && timers_reserve(core) < 0))
        return -ENOMEM;
    struct account *account = account_get(core, uid);
    struct session *session = account ? core_alloc(core, sizeof(*session)) : NULL;
    int r = session ? account_charge(core, account, SLOT_SESSIONS, 1) : -ENOMEM;
    if (r < 0) {
        core_free(core, session);
        account_drop(core, account);
        if (lease)
            timers_unreserve(core);
        return r;
    }
    memcpy(account->key, in->session_up.who.key, sizeof(account->key));
    session->account = account;
    *out = session;
    return 0;
}

static void say_session_end(struct core *core, uint64_t peer, int error)
{
    struct effect *effect = effect_new(core, EFFECT_SESSION_END, 0);

    if (!effect)
        return;
    effect->session_end.peer = peer;
    effect->session_end.error = error;
}

void input_session_up(struct core *core, const struct input *in)
{
    struct session *session;
    int r = session_new(core, in, &session);

    if (r < 0) {
        core_log(core, LOG_LEVEL_WARN, "event=session_refused uid=%u error=%d", in->session_up.who.uid, -r);
        return say_session_end(core, in->peer, r);
    }
    session_create(core, session, in);
    if (session->host)
        jobs_session_up(core, session);
}

static void say_refused(struct core *core, struct session *session, int error)
{
    static const char text[] = "the session has ended";
    struct server_frame frame = {.refused = error, .text = {text, sizeof(text) - 1}};

    if (session->link_now && error)
        reply(core, session->link_now->conn, &frame);
}

static void scopes_end(struct core *core, struct session *session)
{
    struct map_node *n;

    while ((n = map_walk(&session->scopes, NULL)))
        scope_end(core, map_entry(n, struct scope, node));
    scope_end(core, &session->scope);
}

/* All of it is over at once: no scope may take what another one gives back. */
static void scopes_mark(struct core *core, struct session *session)
{
    struct map_node *n = NULL;

    session->scope.ended = true;
    contexts_scope_end(core, &session->scope);
    while ((n = map_walk(&session->scopes, n))) {
        struct scope *scope = map_entry(n, struct scope, node);

        scope->ended = true;
        contexts_scope_end(core, scope);
    }
}

void session_end(struct core *core, struct session *session, int error)
{
    if (session->ended)
        return;
    ended_remember(core, session);
    if (session->host || session->host_part)
        jobs_session_end(core, session, error);
    session->ended = true;
    say_refused(core, session, error);
    say_session_end(core, session->peer, error);
    if (session->link_now)
        link_remove(core, session->link_now);
    if (session->lease) {
        timer_disarm(core, &session->lease_timer);
        timers_unreserve(core);
    }
    map_remove(&core->sessions, &session->node);
    map_remove(&core->peers, &session->peer_node);
    account_release(session->account, SLOT_SESSIONS, 1);
    scopes_mark(core, session);
    scopes_end(core, session);
}

void session_free(struct core *core, struct session *session)
{
    assert(session->ended && list_empty(&session->log) && !session->ops.count && !session->handles_n &&
           "nothing is left of a session that goes");
    list_remove(&session->link);
    account_drop(core, session->account);
    map_free(core, &session->ops);
    map_free(core, &session->scopes);
    core_free(core, session->seen.gap);
    core_free(core, session);
}

void input_session_end(struct core *core, const struct input *in)
{
    struct map_node *n = map_first(&core->peers, core_hash_number(core, in->peer));

    while (n && map_entry(n, struct session, peer_node)->peer != in->peer)
        n = map_next(n);
    if (n)
        session_end(core, map_entry(n, struct session, peer_node), -ECONNRESET);
}
