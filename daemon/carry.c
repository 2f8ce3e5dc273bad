/* What the core asks for, carried out: one function per kind of effect. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub.h"
#include "lifeline.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"
#include "zone_file.h"

static struct peer *find_peer(struct hub *hub, uint64_t number)
{
    struct peer *peer;

    HASH_FIND(by_number, hub->peers_by_number, &number, sizeof(number), peer);
    return peer;
}

/* A welcome binds: the connection goes to the peer of that session, and its former connection is void. */
static void bind(struct hub *hub, struct conn *conn, const struct welcome *welcome)
{
    struct peer *peer;

    HASH_FIND(by_secret, hub->peers_by_secret, &welcome->session, sizeof(welcome->session), peer);
    if (!peer || conn->peer == peer)
        return;
    if (!conn->peer)
        hub->unbound_n--;
    conn->peer = peer;
    list_remove(&conn->link);
    list_append(&peer->conns, &conn->link);
}

static void carry_result(struct hub *hub, struct effect *effect)
{
    struct conn *conn = hub_conn(hub, effect->conn);

    hub->stats.results++;
    if (conn)
        outbox_add(&hub->outbox, &conn->lane, effect);
}

static void carry_reply(struct hub *hub, struct effect *effect)
{
    struct conn *conn = hub_conn(hub, effect->conn);

    if (!conn)
        return;
    if (effect->reply->welcome)
        bind(hub, conn, effect->reply->welcome);
    outbox_add(&hub->outbox, &conn->lane, effect);
}

/* What was said to it must be written before it is forgotten. */
static void carry_session_end(struct hub *hub, struct effect *effect)
{
    struct peer *peer = find_peer(hub, effect->session_end.peer);

    if (!peer)
        return;
    outbox_write(&hub->outbox, &hub->done);
    if (peer->lifeline)
        lifeline_end(peer->lifeline, effect->session_end.error, NULL);
    hub_peer_free(hub, peer);
}

static void carry_fetch(struct hub *hub, struct effect *effect)
{
    struct input input = {.kind = IN_FETCHED};
    int r = writer_fetch(hub->writer, effect->fetch.number, &effect->fetch.what);

    if (!r)
        return;
    input.fetched.fetch = effect->fetch.number;
    input.fetched.error = r;
    hub_step(hub, &input);
}

static void carry_supervisor(struct hub *hub, struct effect *effect)
{
    if (supervisor_take(hub->supervisor, effect) < 0)
        log_error("event=out_of_memory what=\"a command for a host is lost\"");
}

static const char *zone_words(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such zone; is the package tzdata installed?";
    case -EBADMSG:
        return "its file is damaged; install tzdata again";
    case -EINVAL:
        return "zones have names like Europe/Berlin or UTC";
    default:
        return strerror(-error);
    }
}

/* One small file, seldom: when a schedule is set, and for each zone at the start. As for the C library, TZDIR says where
 * zones are if not in their usual place. */
static void carry_zone(struct hub *hub, struct effect *effect)
{
    const char *folder = getenv("TZDIR");
    char name[ZONE_NAME_BYTES_MAX + 1], text[256];
    struct zone *zone = NULL;
    struct input input = {.kind = IN_ZONE, .zone.name = effect->zone};

    snprintf(name, sizeof(name), "%.*s", (int)effect->zone.size, (const char *)effect->zone.data);
    folder = folder && *folder ? folder : ZONE_FOLDER;
    input.zone.error = zone_file_read(folder, name, &zone);
    if (input.zone.error < 0)
        input.zone.text = (struct bytes){text, (size_t)snprintf(text, sizeof(text), "zone %s in %.100s: %s",
                                                                name, folder, zone_words(input.zone.error))};
    input.zone.zone = zone;
    hub_step(hub, &input);
    zone_delete(zone);
}

static void carry_drained(struct hub *hub, struct effect *effect)
{
    if (hub->state == HUB_DRAINING)
        hub->state = HUB_DRAINED;
}

static void carry_clock(struct hub *hub, struct effect *effect)
{
    clock_advance(&hub->clock, effect->clock_ns);
}

static void carry_log(struct hub *hub, struct effect *effect)
{
    log_write(effect->log.level, "%.*s", (int)effect->log.text.size, (const char *)effect->log.text.data);
}

static void (*const carry[])(struct hub *hub, struct effect *effect) = {
    [EFFECT_RESULT] = carry_result,
    [EFFECT_REPLY] = carry_reply,
    [EFFECT_SESSION_END] = carry_session_end,
    [EFFECT_FETCH] = carry_fetch,
    [EFFECT_PLUGIN] = carry_supervisor,
    [EFFECT_ZONE] = carry_zone,
    [EFFECT_HOST_START] = carry_supervisor,
    [EFFECT_HOST_KILL] = carry_supervisor,
    [EFFECT_DRAINED] = carry_drained,
    [EFFECT_CLOCK] = carry_clock,
    [EFFECT_LOG] = carry_log,
};

static void drop_lost(struct hub *hub)
{
    struct conn *conn;

    while ((conn = list_first(&hub->lost, struct conn, lost_link)))
        hub_conn_ended(hub, conn);
}

/* Carrying out may step the core again, which appends: the list is taken from its head until it is empty. */
void hub_carry_out(struct hub *hub)
{
    struct effect *effect;

    do {
        if (!list_empty(&hub->effects.batches))
            writer_push(hub->writer, &hub->effects.batches);
        while ((effect = list_first(&hub->effects.list, struct effect, link))) {
            list_remove(&effect->link);
            list_append(&hub->done.list, &effect->link);
            carry[effect->kind](hub, effect);
        }
        outbox_write(&hub->outbox, &hub->done);
        drop_lost(hub);
    } while (!list_empty(&hub->effects.list));
    effects_clear(hub->core, &hub->done);
}
