/* One daemon for all tests of a program, started and ended with its group; and for those that ask, a client for each test. */
#pragma once

#include "client_fixture.h"

static struct node *node;

static inline int start_node(void **state)
{
    node = node_start();
    return 0;
}

static inline int stop_node(void **state)
{
    node = node_delete(node);
    return 0;
}

static inline int connect_client(void **state)
{
    *state = node_connect(node);
    return 0;
}

static inline int disconnect_client(void **state)
{
    *state = gc_disconnect(*state);
    return 0;
}
