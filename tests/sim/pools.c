/*
 * An operator of pools: he makes them, sets how many hosts they have and how many jobs run in each, gives them other jobs, drains
 * them, looks at them and removes them, while jobs run. What he draws is of a generator of his own. In seeds in which nobody is
 * of the daemon's own user he is refused, and the pools are those of the configuration.
 */
#include "pools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"

enum { TEXT_BYTES = 4 * POOL_VALUE_BYTES, SELDOM = 14 };

const char *const pool_names[POOL_NAMES] = {"all", "base", "crew", "crew2"};
const char *const pool_value_names[POOL_VALUES] = {"hosts", "min", "goroutines", "queues", "functions"};

void pools_open(struct sim *sim)
{
    if (sim->seed % 3)
        return;
    sim->pools = sim_alloc(sizeof(*sim->pools));
    sim->pools->dice = sim->seed ^ 0x706f6f6c;
    for (uint32_t i = 0; i < POOL_NAMES; i++)
        sim->pools->book[i].all_n = 1;
}

void judge_pools_free(struct sim *sim)
{
    free(sim->pools);
}

static uint64_t draw(const struct sim *sim, uint64_t n)
{
    uint64_t *dice = &sim->pools->dice;

    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    return (*dice >> 33) % n;
}

static struct bytes text(const char *words)
{
    return (struct bytes){words, strlen(words)};
}

/* ---- the configuration ---- */

/* It may say other things at the next start. */
void pools_configure(struct sim *sim, struct core *core)
{
    static const char *const texts[] = {"hosts=2 goroutines=2 queues=slow",
                                        "min=1 goroutines=1 functions=/p/1.so,/p/0.so:run", ""};
    struct bytes wrong;

    if (!sim->pools)
        return;
    if (core_set_pool(core, text("x"), text("hosts=0 queues=a"), &wrong) != -EINVAL ||
        core_set_pool(core, text("x"), text("hosts=1"), &wrong) != -EINVAL ||
        core_set_pool(core, text("white space"), text(texts[0]), &wrong) != -EINVAL)
        sim_fail(sim, "a pool is set that makes no sense");
    const char *words = texts[(sim->seed / 3 + (sim->daemon.incarnation + 1) / 2) % 3];
    judge_pool_configured(sim, POOL_BASE, words);
    if (words[0] && core_set_pool(core, text(pool_names[POOL_BASE]), text(words), &wrong) != 0)
        sim_fail(sim, "the pool of the configuration is refused");
}

/* ---- setting ---- */

static size_t write_value(const struct sim *sim, char *to, size_t size)
{
    static const char *const values[POOL_VALUES][6] = {
        {"1", "2", "3", "1", "2", "1000"},
        {"0", "1", "2", "1", "1", "0"},
        {"1", "2", "3", "1", "2", "16"},
        {"default", "slow", "*", "s*w", "nobody", "default,slow"},
        {"/p/0.so", "/p/1.so:run", "*:r*n", "/p/*.so", "/p/1.so,/p/0.so", "/p/0.so:walk,*d.so"},
    };
    uint64_t value = draw(sim, POOL_VALUES);
    const char *words = draw(sim, 6) ? values[value][draw(sim, 6)] : "";

    return (size_t)snprintf(to, size, "%s=%s ", pool_value_names[value], words);
}

static const char *write_wrong(const struct sim *sim)
{
    static const char *const wrong[] = {"hosts=0",   "min=1001",     "goroutines=x", "queues=a,",
                                        "queues=,a", "functions=p",  "workers=2",    ".drained=1",
                                        "x",         "functions=/:", "hosts=-1"};

    return wrong[draw(sim, sizeof(wrong) / sizeof(*wrong))];
}

static void set(struct client *client, const char *name)
{
    struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_POOL_SET);
    size_t n = 0;

    task->text = sim_alloc(TEXT_BYTES);
    for (uint64_t i = 1 + draw(sim, 3); i > 0; i--)
        n += write_value(sim, task->text + n, TEXT_BYTES - n);
    if (!draw(sim, 12))
        n += (size_t)snprintf(task->text + n, TEXT_BYTES - n, "%s", write_wrong(sim));
    task->op.request.pool_set = (struct request_pool_set){text(name), {task->text, n}};
    task_start(task);
}

/* ---- the rest ---- */

static struct task *drain_of(struct client *client, const char *name, enum pool_drain_what what)
{
    struct task *task = task_new(client, VERB_POOL_DRAIN);

    task->op.request.pool_drain = (struct request_pool_drain){text(name), what};
    return task;
}

static struct task *removal(struct client *client, const char *name)
{
    struct task *task = task_new(client, VERB_POOL_REMOVE);

    task->op.request.pool_remove.name = text(name);
    return task;
}

static void drain(struct client *client, const char *name)
{
    struct task *task = drain_of(client, name, POOL_DRAIN_BEGIN);

    work_until(task);
    task_start(task);
}

static void drain_ends(struct client *client, const char *name)
{
    task_start(drain_of(client, name, POOL_DRAIN_END));
}

static void take_away(struct client *client, const char *name)
{
    task_start(removal(client, name));
}

static void look_at(struct client *client, const char *name)
{
    struct task *task = task_new(client, VERB_POOL_INFO);

    task->op.request.pool_info.name = text(name);
    task_start(task);
}

static void list(struct client *client, const char *name)
{
    const struct sim *sim = client->sim;
    struct task *task = task_new(client, VERB_POOL_LIST);

    task->op.request.pool_list =
        (struct request_pool_list){.prefix = {"crew", 4 * draw(sim, 2)}, .limit = (uint32_t)draw(sim, 3)};
    if (draw(sim, 2))
        task->op.request.pool_list.after = text(name);
    task_start(task);
}

bool work_pool(struct client *client)
{
    static void (*const deeds[])(struct client *, const char *) = {
        set,   set,        set,       set,       set,     set,     set, drain,
        drain, drain_ends, take_away, take_away, look_at, look_at, list};
    struct sim *sim = client->sim;

    if (!sim->pools || draw(sim, SELDOM))
        return false;
    uint32_t pool = (uint32_t)draw(sim, POOL_NAMES);
    if (pool_drained(sim, pool) && draw(sim, 3))
        drain_ends(client, pool_names[pool]);
    else
        deeds[draw(sim, sizeof(deeds) / sizeof(*deeds))](client, pool_names[pool]);
    return true;
}

/* ---- the end ---- */

static bool configured(const struct sim *sim, uint32_t pool)
{
    return sim->pools->book[pool].config.value[POOL_GOROUTINES][0];
}

static void expect(struct sim *sim, const char *what, const char *name, struct task *task, int wanted)
{
    bool doubt = pools_doubted(sim);
    struct reply reply = ask(task);

    if (!sim->failed && !doubt && reply.status != wanted)
        sim_fail(sim, "%s pool %s gives %d, %d is wanted", what, name, reply.status, wanted);
}

static void give_back(struct sim *sim, uint32_t pool)
{
    struct client *client = &sim->clients[0];
    const char *name = pool_names[pool];
    bool there = pool_is_there(sim, pool), stays = configured(sim, pool);
    struct task *task;

    expect(sim, "ending the drain of", name, drain_of(client, name, POOL_DRAIN_END), there ? 0 : -ENOENT);
    expect(sim, "removing", name, removal(client, name), !there ? -ENOENT : stays ? -EBUSY : 0);
    task = task_new(client, VERB_POOL_SET);
    task->op.request.pool_set =
        (struct request_pool_set){text(name), text("hosts= min= goroutines= queues= functions=")};
    expect(sim, "resetting", name, task, stays ? 0 : -ENOENT);
}

bool pools_stay(const struct sim *sim)
{
    return sim->pools && configured(sim, POOL_BASE);
}

void pools_end(struct sim *sim)
{
    if (!sim->pools || !sim->owned)
        return;
    for (uint32_t i = 0; i < POOL_NAMES && !sim->failed; i++)
        give_back(sim, i);
}
