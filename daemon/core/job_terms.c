/*
 * The terms of jobs: who submitted them, how often and how long they are tried. Jobs are submitted in great numbers by few and
 * alike: those that say the same share one copy, which goes with the last of them. It is never changed.
 */
#include <errno.h>
#include <string.h>

#include "jobs_internal.h"

struct shared_terms {
    struct map_node node; /* jobs->terms */
    uint64_t refs;
    struct terms terms;
};

static struct shared_terms *shared(const struct terms *terms)
{
    return container_of(terms, struct shared_terms, terms);
}

const struct terms *terms_ref(const struct terms *terms)
{
    shared(terms)->refs++;
    return terms;
}

static const struct terms *terms_new(struct core *core, const struct terms *like, uint64_t hash)
{
    struct map *map = &core->jobs->terms;
    struct shared_terms *fresh = map_reserve(core, map, 1) < 0 ? NULL : core_alloc(core, sizeof(*fresh));

    if (!fresh)
        return NULL;
    fresh->refs = 1;
    fresh->terms = *like;
    account_ref(like->account);
    map_add(map, &fresh->node, hash);
    return &fresh->terms;
}

const struct terms *terms_get(struct core *core, const struct terms *like)
{
    uint64_t hash = core_hash(core, like, sizeof(*like));

    for (struct map_node *n = map_first(&core->jobs->terms, hash); n; n = map_next(n))
        if (memcmp(&map_entry(n, struct shared_terms, node)->terms, like, sizeof(*like)) == 0)
            return terms_ref(&map_entry(n, struct shared_terms, node)->terms);
    return terms_new(core, like, hash);
}

void terms_drop(struct core *core, const struct terms *terms)
{
    if (!terms || --shared(terms)->refs)
        return;
    map_remove(&core->jobs->terms, &shared(terms)->node);
    account_drop(core, terms->account);
    core_free(core, shared(terms));
}

int terms_change(struct core *core, struct job *job, const struct terms *like)
{
    const struct terms *terms = terms_get(core, like);

    if (!terms)
        return -ENOMEM;
    terms_drop(core, job->terms);
    job->terms = terms;
    return 0;
}
