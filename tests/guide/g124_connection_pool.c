/*
 * G124 Five connections serve ten users; who finds none waits, but not for ever.
 *
 * Pattern: connection pool. What was taken is given back once, and only what was taken; who waits when the pool is closed
 * is told so.
 */
#include "goroutine_patterns.h"
#include "guide.h"

enum { CONNECTIONS = 5, USERS = 10, TIMEOUT_MS = 5000 };

struct connection {
    int id;
    atomic_int users;
};

struct server {
    struct connection connections[CONNECTIONS];
    int connected, disconnected;
    struct gate gate;
    struct peak in_use;
    go_resources *pool;
};

static int connect_next(void **connection, void *arg)
{
    struct server *server = arg;

    server->connections[server->connected].id = server->connected + 1;
    *connection = &server->connections[server->connected++];
    return 0;
}

static void disconnect(void *connection, void *arg)
{
    ((struct server *)arg)->disconnected++;
}

static void server_start(struct server *server)
{
    server->pool = go_resources_new(&(struct go_resources_options){
        .most = CONNECTIONS, .make = connect_next, .drop = disconnect, .arg = server});
}

static void *take(struct server *server)
{
    void *connection;

    must(go_resources_get(server->pool, &connection, go_after_ms(TIMEOUT_MS)) == 0);
    return connection;
}

static void user(void *arg)
{
    struct server *server = arg;
    struct connection *connection = take(server);

    /* "no connection is held by two" */
    must(atomic_fetch_add(&connection->users, 1) == 0);
    peak_enter(&server->in_use);
    gate_pass(&server->gate);
    peak_leave(&server->in_use);
    atomic_fetch_sub(&connection->users, 1);
    must(go_resources_put(server->pool, connection) == 0);
    say("served");
}

static void ten_users(void *unused)
{
    struct server server = {0};
    go_waitgroup users = {0};

    server_start(&server);
    for (int i = 0; i < USERS; i++)
        must(go_waitgroup_go(&users, user, &server, 0) == 0);
    gate_until(&server.gate, CONNECTIONS);
    gate_open(&server.gate);
    go_waitgroup_wait(&users);
    /* "all 10 are served", "at most 5 connections are in use" */
    must(said_times("served") == USERS && atomic_load(&server.in_use.most) == CONNECTIONS);
    go_resources_unref(server.pool);
    must(server.connected == CONNECTIONS && server.disconnected == CONNECTIONS);
    say("%d users, %d connections made", USERS, server.connected);
}

static void wait_for_connection(void *pool)
{
    void *connection;
    int r = go_resources_get(pool, &connection, go_after_ms(TIMEOUT_MS));

    say(r == -EPIPE ? "pool is closed" : r == -ETIMEDOUT ? "timeout waiting for connection" : "?");
}

static void misuse_and_close(void *unused)
{
    struct server server = {0};
    void *held[CONNECTIONS];
    struct connection foreign = {0};
    go_waitgroup waiters = {0};

    server_start(&server);
    for (int i = 0; i < CONNECTIONS; i++)
        held[i] = take(&server);
    wait_for_connection(server.pool);
    /* "when all are taken: "timeout waiting for connection" at 5 s" */
    must(said_last("timeout waiting for connection") && fake_ms() == TIMEOUT_MS);
    /* "a put of a foreign connection, or a second put, is refused" */
    must(go_resources_put(server.pool, &foreign) == -EINVAL);
    must(go_resources_put(server.pool, held[0]) == 0 && go_resources_put(server.pool, held[0]) == -EINVAL);
    held[0] = take(&server);
    say_nothing_yet();
    for (int i = 0; i < 2; i++)
        must(go_waitgroup_go(&waiters, wait_for_connection, server.pool, 0) == 0);
    go_bubble_wait();
    must(go_resources_close(server.pool) == 0);
    go_waitgroup_wait(&waiters);
    /* "close wakes those who wait with "pool is closed"" */
    must(said(LINES("pool is closed", "pool is closed")) && fake_ms() == TIMEOUT_MS);
    for (int i = 0; i < CONNECTIONS; i++)
        must(go_resources_put(server.pool, held[i]) == 0);
    must(server.disconnected == CONNECTIONS);
    go_resources_unref(server.pool);
}

static void connection_pool(void)
{
    on_fake_clock(ten_users, NULL);
    say_nothing_yet();
    on_fake_clock(misuse_and_close, NULL);
}

GUIDE_ROW(G124, connection_pool, .prints = {"10 users, 5 connections made"});
