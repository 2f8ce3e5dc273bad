/*
 * What is known of queues and pools: both are told as rows of words, have settings with an origin, and are listed with
 * figures of each.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "goclient.h"
#include "session.h"

/* A row in its parts, which lie in `text`: `state.running` is state, NULL, running, NULL; `host.3.state=serving` is host, 3, state,
 * serving. */
struct fact {
    char text[2048];
    const char *origin, *host, *name, *word;
    uint64_t value;
};

const struct fact *fact_of(const struct gc_stat *from, struct fact *fact);
bool fact_is_state(const struct fact *fact);

/* A figure of the state; 0: there is none of that name. */
uint64_t facts_state(const struct gc_stats *facts, const char *name);

/* Settings of topics and durable subscriptions: by name, as objects with value and origin; as lines. */
json_t *settings_json(const struct gc_stat *settings, size_t n);
void settings_text(const struct gc_stat *settings, size_t n);

/* One kind of thing: its word in the command line, and how it is asked for and shown. */
struct fact_kind {
    const char *word, *heading;
    int (*list)(gc_client *g, const char *prefix, const char *after, struct gc_stats *page, gc_until until);
    int (*info)(gc_client *g, const char *name, struct gc_stats *facts, gc_until until);
    int (*set)(gc_client *g, const char *name, const char *settings, gc_until until);
    json_t *(*json)(const char *name, const struct gc_stats *facts);
    void (*print)(const char *name, const struct gc_stats *facts);      /* all that is known of one */
    void (*print_line)(const char *name, const struct gc_stats *facts); /* below the heading of the list */
};

/* Each gives an exit status, after the reason was told. `what` is the word of the action. */
int facts_fail(const struct fact_kind *kind, int error, const char *what, const char *name);
int facts_info(struct session *session, const struct fact_kind *kind, const char *name);
int facts_list(struct session *session, const struct fact_kind *kind, const char *prefix);

/* The operands behind the name are the settings. */
int facts_set(struct session *session, const struct fact_kind *kind, const char *name);
