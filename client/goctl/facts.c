#include "facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "output.h"
#include "pages.h"
#include "status.h"

int facts_fail(const struct fact_kind *kind, int error, const char *what, const char *name)
{
    char hint[64];

    snprintf(hint, sizeof hint, "`goctl %s ls` lists those there are", kind->word);
    return session_fail_hint(error, error == -ENOENT ? hint : NULL, "%s %s %s", kind->word, what, name);
}

/* ---- a row ---- */

static char *cut(char *text, char at)
{
    char *found = text ? strchr(text, at) : NULL;

    if (!found)
        return NULL;
    *found = '\0';
    return found + 1;
}

const struct fact *fact_of(const struct gc_stat *from, struct fact *fact)
{
    char *name;

    snprintf(fact->text, sizeof fact->text, "%s", from->name);
    fact->word = cut(fact->text, '=');
    fact->origin = fact->text;
    name = cut(fact->text, '.');
    fact->host = NULL;
    if (name && strcmp(fact->origin, "host") == 0) {
        fact->host = name;
        name = cut(name, '.');
    }
    fact->name = name ? name : "";
    fact->value = from->value;
    return fact;
}

bool fact_is_state(const struct fact *fact)
{
    return strcmp(fact->origin, "state") == 0;
}

json_t *settings_json(const struct gc_stat *settings, size_t n)
{
    json_t *object = json_object();
    struct fact fact;

    for (size_t i = 0; i < n; i++) {
        const struct fact *at = fact_of(&settings[i], &fact);
        json_t *value = at->word ? json_string(at->word) : json_integer((json_int_t)at->value);

        json_object_set_new(object, at->name, json_pack("{s:o, s:s}", "value", value, "origin", at->origin));
    }
    return object;
}

void settings_text(const struct gc_stat *settings, size_t n)
{
    struct fact fact;

    for (size_t i = 0; i < n; i++) {
        const struct fact *at = fact_of(&settings[i], &fact);

        if (at->word)
            printf("%-17s %-12s %s\n", at->name, at->word, at->origin);
        else
            printf("%-17s %-12" PRIu64 " %s\n", at->name, at->value, at->origin);
    }
}

uint64_t facts_state(const struct gc_stats *facts, const char *name)
{
    struct fact fact;

    for (size_t i = 0; i < facts->n; i++)
        if (fact_is_state(fact_of(&facts->items[i], &fact)) && strcmp(fact.name, name) == 0)
            return fact.value;
    return 0;
}

/* ---- info ---- */

typedef void printer(const char *name, const struct gc_stats *facts);

/* Takes the facts. */
static int say(const struct options *options, const struct fact_kind *kind, printer *print, const char *name,
               struct gc_stats *facts)
{
    int r;

    if (options->json) {
        r = output_json(kind->json(name, facts));
    } else {
        print(name, facts);
        r = output_flush();
    }
    gc_stats_clear(facts);
    return r < 0 ? output_fail(r) : STATUS_OK;
}

int facts_info(struct session *session, const struct fact_kind *kind, const char *name)
{
    struct gc_stats facts;
    int r = kind->info(session->client, name, &facts, session_patience(session));

    if (r < 0)
        return facts_fail(kind, r, "info", name);
    return say(session->options, kind, kind->print, name, &facts);
}

/* ---- ls ---- */

/* One that has gone meanwhile is left out. */
static int say_one(struct session *session, const struct fact_kind *kind, const char *name)
{
    struct gc_stats facts;
    int r = kind->info(session->client, name, &facts, session_patience(session));

    if (r < 0)
        return r == -ENOENT ? STATUS_OK : facts_fail(kind, r, "ls", name);
    return say(session->options, kind, kind->print_line, name, &facts);
}

static int say_page(struct session *session, struct page_at *at, const void *context)
{
    const struct fact_kind *kind = context;
    struct gc_stats page;
    int r = kind->list(session->client, at->prefix, at->after, &page, session_patience(session));
    int status = STATUS_OK;

    if (r < 0)
        return session_fail(r, "%s ls", kind->word);
    for (size_t i = 0; i < page.n && status == STATUS_OK; i++)
        status = say_one(session, kind, page.items[i].name);
    page_last(at, page.n, page.n ? page.items[page.n - 1].name : NULL, r > 0);
    gc_stats_clear(&page);
    return status;
}

int facts_list(struct session *session, const struct fact_kind *kind, const char *prefix)
{
    return pages_say(session, prefix, kind->heading, say_page, kind);
}

/* ---- set ---- */

/* NULL: no memory. */
static char *settings_of(const struct options *options)
{
    char *settings = NULL;
    size_t size;
    FILE *out = open_memstream(&settings, &size);

    if (!out)
        return NULL;
    for (int i = 2; i < options->operands_n; i++)
        fprintf(out, "%s ", options->operands[i]);
    if (fclose(out) == 0)
        return settings;
    free(settings);
    return NULL;
}

int facts_set(struct session *session, const struct fact_kind *kind, const char *name)
{
    char *settings = settings_of(session->options);
    int r;

    if (!settings)
        return session_fail_here(-ENOMEM, "%s set %s", kind->word, name);
    r = kind->set(session->client, name, settings, session_until(session));
    free(settings);
    return r < 0 ? facts_fail(kind, r, "set", name) : STATUS_OK;
}
