/*
 * Pools, as a model has them that knows what was asked, in the order in which the core took it. Judged:
 *
 *     what makes no sense is refused, and who is not the daemon's own user or root; all else is done
 *     a job starts in a host of the first pool by name that has it, or of none; in no more hosts of a plugin, and no more jobs in
 *     one host, than the pool has; in none that is drained
 *     a drain that is through has left no job running in a host of the pool
 *     no change of a pool takes a run from its job of which its host was told
 *     POOL_INFO tells what is set, and who has set it; POOL_LIST tells of those that are there, and of no others
 *     what was set and acknowledged is set after a restart, or what was set later
 */
#include "pools.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lives.h"
#include "workers.h"

/* ---- the model ---- */

static struct pool_book *book_of(const struct sim *sim, struct bytes name)
{
    for (uint32_t i = 0; i < POOL_NAMES; i++)
        if (bytes_are(name, pool_names[i], strlen(pool_names[i])))
            return &sim->pools->book[i];
    return NULL;
}

static struct pool_words *last(const struct pool_book *book)
{
    return (struct pool_words *)&book->all[(book->all_n - 1) % POOL_TURNS];
}

static const char *own_value(const struct pool_book *book, enum pool_value value)
{
    return book->hidden ? "" : last(book)->value[value];
}

static const char *value_of(const struct pool_book *book, enum pool_value value)
{
    static const char *const otherwise[POOL_VALUES] = {"1", "0", "16", "", ""};

    if (own_value(book, value)[0])
        return own_value(book, value);
    return book->config.value[value][0] ? book->config.value[value] : otherwise[value];
}

static uint64_t number_of(const struct pool_book *book, enum pool_value value)
{
    return strtoull(value_of(book, value), NULL, 10);
}

static bool is_there(const struct pool_book *book)
{
    return value_of(book, POOL_QUEUES)[0] || value_of(book, POOL_FUNCTIONS)[0];
}

bool pool_is_there(const struct sim *sim, uint32_t pool)
{
    return is_there(&sim->pools->book[pool]);
}

static bool is_drained(const struct pool_book *book)
{
    return is_there(book) && !book->hidden && last(book)->drained;
}

bool pool_drained(const struct sim *sim, uint32_t pool)
{
    return is_drained(&sim->pools->book[pool]);
}

bool pools_doubted(const struct sim *sim)
{
    for (uint32_t i = 0; i < POOL_NAMES; i++)
        if (sim->pools->book[i].doubt)
            return true;
    return false;
}

static void add(struct sim *sim, struct pool_book *book, const struct pool_words *now)
{
    book->all_n++;
    *last(book) = *now;
    sim->pools->version++;
}

static bool copy(char to[POOL_VALUE_BYTES], const char *from, size_t n)
{
    if (n >= POOL_VALUE_BYTES)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

/* A list has words between commas; a function begins with a path or a star, and has a name. */
static bool is_list(enum pool_value value, const char *words)
{
    for (;; words++) {
        size_t n = strcspn(words, ",");
        if (!n || (value == POOL_FUNCTIONS && ((*words != '/' && *words != '*') || words[n - 1] == ':')))
            return false;
        words += n;
        if (!*words)
            return true;
    }
}

static bool is_value(enum pool_value value, const char *words)
{
    static const uint64_t least[] = {1, 0, 1}, most[] = {1000, 1000, 100000};
    uint64_t number = strtoull(words, NULL, 10);

    if (!words[0])
        return true;
    if (value >= POOL_QUEUES)
        return is_list(value, words);
    return strspn(words, "0123456789") == strlen(words) && number >= least[value] && number <= most[value];
}

static bool read_one(struct pool_words *words, const char *token, size_t size, bool from_store)
{
    for (uint32_t i = 0; i < POOL_VALUES; i++) {
        size_t n = strlen(pool_value_names[i]);
        if (size > n && token[n] == '=' && memcmp(token, pool_value_names[i], n) == 0)
            return copy(words->value[i], token + n + 1, size - n - 1) &&
                   is_value((enum pool_value)i, words->value[i]);
    }
    words->drained |= from_store;
    return from_store && size == 10 && memcmp(token, ".drained=1", 10) == 0;
}

/* False: some of it makes no sense. */
static bool read_all(struct pool_words *words, struct bytes text, bool from_store)
{
    const char *at = text.data, *end = at + text.size;
    bool good = true;

    while (at < end) {
        size_t n = 0;
        while (at + n < end && at[n] != ' ')
            n++;
        good = (!n || read_one(words, at, n, from_store)) && good;
        at += n + 1;
    }
    return good;
}

/* ---- starts and restarts ---- */

void judge_pool_configured(struct sim *sim, uint32_t pool, const char *text)
{
    struct pool_book *book = &sim->pools->book[pool];

    book->config = (struct pool_words){.drained = false};
    read_all(&book->config, (struct bytes){text, strlen(text)}, false);
}

void judge_pool_loaded(struct sim *sim, struct bytes name, struct bytes kept)
{
    struct pool_book *book = book_of(sim, name);
    struct pool_words now = {.drained = false};

    if (!book || !read_all(&now, kept, true)) {
        sim_fail(sim, "the store has a pool %.*s, '%.*s'", (int)name.size, (const char *)name.data,
                 (int)kept.size, (const char *)kept.data);
        return;
    }
    add(sim, book, &now);
    book->loaded = true;
}

static bool same(const struct pool_words *a, const struct pool_words *b)
{
    for (uint32_t i = 0; i < POOL_VALUES; i++)
        if (strcmp(a->value[i], b->value[i]) != 0)
            return false;
    return a->drained == b->drained;
}

static bool was_set(const struct pool_book *book)
{
    size_t known = book->all_n - 1, first = book->acknowledged;

    if (known > POOL_TURNS - 1 && first < known - (POOL_TURNS - 1))
        first = known - (POOL_TURNS - 1);
    for (size_t i = first; i < known; i++)
        if (same(&book->all[i % POOL_TURNS], last(book)))
            return true;
    return false;
}

static void judge_loaded(struct sim *sim, struct pool_book *book)
{
    const struct pool_words none = {.drained = false};

    if (!book->loaded)
        add(sim, book, &none);
    book->loaded = book->hidden = false;
    book->hidden = !is_there(book);
    if (!was_set(book) && !book->doubt)
        sim_fail(sim, "after a restart pool %s is not as it was set", pool_names[book - sim->pools->book]);
    book->acknowledged = book->all_n - 1;
    book->doubt = false;
}

void judge_pools_loaded(struct sim *sim)
{
    for (uint32_t i = 0; sim->pools && i < POOL_NAMES && !sim->failed; i++)
        judge_loaded(sim, &sim->pools->book[i]);
}

/* ---- what is asked ---- */

static bool is_change(enum verb verb)
{
    return verb == VERB_POOL_SET || verb == VERB_POOL_REMOVE || verb == VERB_POOL_DRAIN;
}

static uint64_t pools_n(const struct sim *sim)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < POOL_NAMES; i++)
        n += is_there(&sim->pools->book[i]);
    return n;
}

/* What is to be set, if that may be; else why not. */
static int wanted_set(const struct sim *sim, const struct pool_book *book, const struct request *request,
                      struct pool_words *now)
{
    struct pool_book then = *book;

    if (!read_all(now, request->pool_set.settings, false))
        return -EINVAL;
    then.hidden = false;
    *last(&then) = *now;
    if (!is_there(&then))
        return is_there(book) ? -EINVAL : -ENOENT;
    return !is_there(book) && pools_n(sim) >= daemon_pools(sim) ? -ENOBUFS : 0;
}

static int wanted(const struct sim *sim, const struct pool_book *book, const struct request *request,
                  struct pool_words *now)
{
    const struct pool_words none = {.drained = false};

    *now = book->hidden ? none : *last(book);
    if (request->verb == VERB_POOL_SET)
        return wanted_set(sim, book, request, now);
    if (!is_there(book))
        return -ENOENT;
    if (request->verb == VERB_POOL_DRAIN) {
        now->drained = request->pool_drain.what != POOL_DRAIN_END;
        return 0;
    }
    *now = none;
    return book->config.value[POOL_QUEUES][0] || book->config.value[POOL_FUNCTIONS][0] ? -EBUSY : 0;
}

/* A run of which its host was told is still that of its job, or has ended; it is not taken back. */
static void judge_runs_stay(struct sim *sim)
{
    struct core_job job = {0};

    while (!sim->failed && core_next_job(sim->daemon.core, job.id, &job)) {
        const struct life *life = life_find(sim, job.id);
        if (!life || !life->here || life->state != JOB_RUNNING || !life->host ||
            !judge_was_told(sim, job.id, life->run))
            continue;
        if (job.state == JOB_READY || (job.state == JOB_RUNNING && job.run != life->run))
            sim_fail(sim, "a change of a pool takes run %llx from job %llx", (unsigned long long)life->run,
                     (unsigned long long)job.id);
    }
}

/* Not of the context that the operation names. */
static bool is_own_error(const struct request *request, int status)
{
    return status == -EINVAL || (status == -ENOENT && !request->context) || status == -EBUSY ||
           status == -EPERM;
}

/* A drain that waits, or did until it ended at once, has begun. */
static bool has_begun(const struct request *request, bool waits, int status)
{
    return request->verb == VERB_POOL_DRAIN && (waits || status == -EAGAIN);
}

/* `how`: NULL: it waits. */
static void judge_change(struct sim *sim, struct pool_book *book, uint32_t uid, const struct request *request,
                         const struct outcome *how)
{
    struct pool_words now;
    int error = wanted(sim, book, request, &now);
    bool done = has_begun(request, !how, how ? how->status : 0) || (how && how->status >= 0);

    if (!sim->owned && uid)
        error = -EPERM;
    if (!pools_doubted(sim) &&
        ((done && error) || (!done && is_own_error(request, how->status) && how->status != error)))
        sim_fail(sim, "verb %d for pool %s ends with %d, %d is wanted", request->verb,
                 pool_names[book - sim->pools->book], how ? how->status : 0, error);
    if (!done)
        return;
    book->hidden = false;
    add(sim, book, &now);
}

static void judge_asked(struct sim *sim, struct pool_book *book, uint64_t conn, const struct request *request)
{
    const struct secret *session = &sim->sessions[sim->conns[conn].session].secret;
    struct outcome how;
    bool ended = core_outcome(sim->daemon.core, session, request->id, &how),
         known = core_look(sim->daemon.core, session, request->id) == CORE_OPERATION;

    if (!known) {
        book->doubt = true;
        return;
    }
    /* Its wait was over before it began, or in the step in which it did. */
    if (ended && request->verb == VERB_POOL_DRAIN && (how.status == -ETIMEDOUT || how.status == -ECANCELED) &&
        core_pool_drained(sim->daemon.core, request->pool_drain.name))
        ended = false;
    judge_change(sim, book, user_uid(sim, sim->conns[conn].who), request, ended ? &how : NULL);
}

void judge_pool_came(struct sim *sim, uint64_t conn, const struct request *request)
{
    struct task *task;
    struct pool_book *book;

    if (!sim->pools ||
        (!is_change(request->verb) && request->verb != VERB_POOL_INFO && request->verb != VERB_POOL_LIST))
        return;
    book = book_of(sim, request->pool_set.name); /* the first member of each that changes one */
    if (book && is_change(request->verb)) {
        judge_asked(sim, book, conn, request);
        judge_runs_stay(sim);
    }
    task = task_of_op(sim, conn, request->id);
    if (!task)
        return;
    task->version = sim->pools->version;
    task->settings = book ? book->all_n - 1 : 0;
}

/* ---- where jobs run ---- */

static bool has_word(const char *list, struct bytes what)
{
    char pattern[POOL_VALUE_BYTES], text[POOL_VALUE_BYTES];

    if (!copy(text, what.data, what.size))
        return false;
    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        copy(pattern, list, n);
        if (fnmatch(pattern, text, 0) == 0)
            return true;
    }
    return false;
}

/* Paths of the simulator end in ".so", so a word without a colon is one of a plugin. */
static bool has_function(const char *list, const struct core_job *job)
{
    char pattern[POOL_VALUE_BYTES], text[POOL_VALUE_BYTES];

    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        copy(pattern, list, n);
        snprintf(text, sizeof(text), "%.*s%s%.*s", (int)job->path.size, (const char *)job->path.data,
                 strchr(pattern, ':') ? ":" : "", strchr(pattern, ':') ? (int)job->name.size : 0,
                 (const char *)job->name.data);
        if (fnmatch(pattern, text, 0) == 0)
            return true;
    }
    return false;
}

static bool has_job(const struct pool_book *book, const struct core_job *job)
{
    const char *queues = value_of(book, POOL_QUEUES), *functions = value_of(book, POOL_FUNCTIONS);

    return is_there(book) && (!queues[0] || has_word(queues, job->queue)) &&
           (!functions[0] || has_function(functions, job));
}

static struct pool_book *book_of_job(const struct sim *sim, const struct core_job *job)
{
    for (uint32_t i = 0; i < POOL_NAMES; i++)
        if (has_job(&sim->pools->book[i], job))
            return &sim->pools->book[i];
    return NULL;
}

void judge_pool_start(struct sim *sim, const struct core_job *job)
{
    struct core_host host;

    if (!sim->pools || !job->host || pools_doubted(sim))
        return;
    if (!core_next_host(sim->daemon.core, job->host - 1, &host) || host.number != job->host) {
        sim_fail(sim, "job %llx starts in no host", (unsigned long long)job->id);
        return;
    }
    const struct pool_book *book = book_of_job(sim, job), *of_host = book_of(sim, host.pool);
    if (book != of_host)
        sim_fail(sim, "job %llx is of pool '%s' and starts in a host of '%.*s'", (unsigned long long)job->id,
                 book ? pool_names[book - sim->pools->book] : "", (int)host.pool.size,
                 (const char *)host.pool.data);
    else if (book && is_drained(book))
        sim_fail(sim, "job %llx starts in pool %s, which is drained", (unsigned long long)job->id,
                 pool_names[book - sim->pools->book]);
    else if (book && host.busy > number_of(book, POOL_GOROUTINES))
        sim_fail(sim, "job %llx starts as number %llu in a host of pool %s", (unsigned long long)job->id,
                 (unsigned long long)host.busy, pool_names[book - sim->pools->book]);
}

/* Those of one pool and generation of a plugin that take jobs, or will. */
static uint64_t peers_of(const struct sim *sim, const struct core_host *one)
{
    struct core_host host = {0};
    uint64_t n = 0;

    while (core_next_host(sim->daemon.core, host.number, &host))
        n += host.takes && host.generation == one->generation &&
             bytes_are(host.pool, one->pool.data, one->pool.size);
    return n;
}

void judge_pools_look(struct sim *sim)
{
    struct core_host host = {0};

    if (!sim->pools || pools_doubted(sim))
        return;
    while (!sim->failed && core_next_host(sim->daemon.core, host.number, &host)) {
        const struct pool_book *book = book_of(sim, host.pool);
        uint64_t most = !book || !is_there(book) || is_drained(book) ? 0 : number_of(book, POOL_HOSTS);
        if (host.pool.size && host.takes && peers_of(sim, &host) > most)
            sim_fail(sim, "pool %.*s has %llu hosts of one plugin that take jobs, and may have %llu",
                     (int)host.pool.size, (const char *)host.pool.data,
                     (unsigned long long)peers_of(sim, &host), (unsigned long long)most);
    }
}

/* ---- answers ---- */

static void judge_drain_is_through(struct sim *sim, const struct pool_book *book, const struct task *task)
{
    struct core_host host = {0};

    if (task->settings != book->all_n - 1)
        return;
    while (!sim->failed && core_next_host(sim->daemon.core, host.number, &host))
        if (book_of(sim, host.pool) == book && host.busy)
            sim_fail(sim, "pool %s is drained, and its host %llu runs %llu jobs",
                     pool_names[book - sim->pools->book], (unsigned long long)host.number,
                     (unsigned long long)host.busy);
}

/* How many rows tell of this value of the pool; with `word`: that it has it. */
static size_t rows_of(const struct result *result, const struct pool_book *book, enum pool_value value,
                      const char *word, size_t word_n, uint64_t number)
{
    char text[3 * POOL_VALUE_BYTES];
    size_t n = 0;

    const char *origin = own_value(book, value)[0]      ? "set"
                         : book->config.value[value][0] ? "config"
                                                        : "default";
    snprintf(text, sizeof(text), "%s.%s%s%.*s", origin, pool_value_names[value], word ? "=" : "", (int)word_n,
             word ? word : "");
    for (size_t i = 0; i < result->stats_n; i++)
        n += bytes_are(result->stats[i].name, text, strlen(text)) && result->stats[i].value == number;
    return n;
}

static bool tells_value(const struct result *result, const struct pool_book *book, enum pool_value value)
{
    const char *list = value_of(book, value);

    if (value < POOL_QUEUES)
        return rows_of(result, book, value, NULL, 0, number_of(book, value)) == 1;
    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        if (!rows_of(result, book, value, list, n, 1))
            return false;
    }
    return true;
}

static uint64_t state_told(const struct result *result, const char *name)
{
    for (size_t i = 0; i < result->stats_n; i++)
        if (bytes_are(result->stats[i].name, name, strlen(name)))
            return result->stats[i].value;
    return UINT64_MAX;
}

static void judge_info(struct sim *sim, const struct pool_book *book, const struct result *result)
{
    for (uint32_t i = 0; i < POOL_VALUES && !sim->failed; i++)
        if (!tells_value(result, book, (enum pool_value)i))
            sim_fail(sim, "pool %s does not tell that its %s are '%s'", pool_names[book - sim->pools->book],
                     pool_value_names[i], value_of(book, (enum pool_value)i));
    if (state_told(result, "state.drained") != is_drained(book))
        sim_fail(sim, "pool %s does not tell rightly whether it is drained",
                 pool_names[book - sim->pools->book]);
    if (state_told(result, "state.starting") + state_told(result, "state.serving") +
            state_told(result, "state.draining") >
        state_told(result, "state.hosts"))
        sim_fail(sim, "pool %s has more hosts in some state than it has",
                 pool_names[book - sim->pools->book]);
}

static void judge_list(struct sim *sim, const struct request_pool_list *asked, const struct result *result)
{
    uint64_t most = asked->limit ? asked->limit : POOL_NAMES;
    size_t n = 0;
    bool more = false;

    for (uint32_t i = 0; i < POOL_NAMES && !more; i++) {
        struct bytes name = {pool_names[i], strlen(pool_names[i])};
        bool after = !asked->after.size || strcmp(asked->after.data, pool_names[i]) < 0;
        if (!pool_is_there(sim, i) || !after || strncmp(pool_names[i], "crew", asked->prefix.size) != 0)
            continue;
        more = n == most;
        if (!more && (n >= result->stats_n || !bytes_are(result->stats[n].name, name.data, name.size)))
            sim_fail(sim, "a list of pools does not have %s", pool_names[i]);
        n += !more;
    }
    if (!sim->failed && (n != result->stats_n || more != ((result->flags & RESULT_MORE) != 0)))
        sim_fail(sim, "a list of pools has %zu, and there are %zu%s", result->stats_n, n,
                 more ? " and more" : "");
}

void judge_pool_reply(struct sim *sim, const struct task *task, const struct result *result)
{
    const struct request *request = &task->op.request;
    struct pool_book *book = sim->pools ? book_of(sim, request->pool_set.name) : NULL;
    enum verb verb = request->verb;

    if (!sim->pools || task->incarnation != sim->daemon.incarnation)
        return;
    if (book && is_change(verb) && book->acknowledged < task->settings)
        book->acknowledged = task->settings;
    if (pools_doubted(sim))
        return;
    if (book && verb == VERB_POOL_DRAIN && request->pool_drain.what == POOL_DRAIN_BEGIN)
        judge_drain_is_through(sim, book, task);
    if (task->version != sim->pools->version)
        return;
    if (book && verb == VERB_POOL_INFO)
        judge_info(sim, book, result);
    if (verb == VERB_POOL_LIST)
        judge_list(sim, &request->pool_list, result);
}
