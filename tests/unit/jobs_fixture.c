#include "jobs_fixture.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filter.h"
#include "jobs_seen.h"
#include "kept_loads.h"
#include "queue_settings.h"

struct held_fetch {
    struct list link;
    uint64_t number;
    struct fetch what;
    uint64_t topics[]; /* what.topics */
};

/* ---- effects ---- */

static void see_job(struct seen *seen, const struct result *result)
{
    seen->jobs_n = result->jobs_n;
    seen->ids_n = result->ids_n;
    for (size_t i = 0; i < result->ids_n && i < 64; i++)
        seen->ids[i] = result->ids[i];
    if (!result->jobs_n)
        return;
    const struct job_info *row = &result->jobs[0];
    const struct bytes *strings[] = {&row->text, &row->result, &row->progress, &row->queue, &row->argument};
    seen->job = *row;
    for (int i = 0; i < 5; i++)
        copy_text(seen->words[i], *strings[i]);
    for (size_t i = 0; i < result->jobs_n && i < 64; i++) {
        seen->ids[i] = result->jobs[i].id;
        seen->runs[i] = result->jobs[i].run;
    }
}

static void see_result(struct jobs_fixture *f, const struct effect *effect)
{
    const struct result *result = effect->result;
    struct seen *seen = calloc(1, sizeof(*seen));

    *seen = (struct seen){.conn = effect->conn,
                          .op = result->op,
                          .number = result->number,
                          .handle = result->handle,
                          .status = result->status,
                          .flags = result->flags,
                          .index = result->index};
    list_append(&f->seen, &seen->link);
    copy_text(seen->text, result->text);
    copy_text(seen->output, result->output);
    see_job(seen, result);
    see_stats(seen, result);
    see_schedule(seen, result);
    see_values(f, result);
    see_feed(seen, result);
    if (!result->offer)
        return;
    seen->offer = *result->offer;
    copy_text(seen->function, result->offer->function);
    copy_text(seen->argument, result->offer->argument);
    copy_text(seen->offer_text, result->offer->text);
}

static void see_fetch(struct jobs_fixture *f, const struct effect *effect)
{
    const struct fetch *what = &effect->fetch.what;
    struct held_fetch *fetch = calloc(1, sizeof(*fetch) + what->topics_n * sizeof(*fetch->topics));

    *fetch = (struct held_fetch){.number = effect->fetch.number, .what = *what};
    memcpy(fetch->topics, what->topics, what->topics_n * sizeof(*fetch->topics));
    fetch->what.topics = what->topics ? fetch->topics : NULL;
    list_append(&f->fetches, &fetch->link);
}

static void see_plugin(struct jobs_fixture *f, const struct effect *effect)
{
    copy_text(f->plugin_path, effect->plugin.path);
    f->plugin_waiting = true;
    f->plugins_asked++;
}

static void see_zone(struct jobs_fixture *f, const struct effect *effect)
{
    copy_text(f->zone_waiting, effect->zone);
}

static void see_start(struct jobs_fixture *f, const struct effect *effect)
{
    f->host_started = effect->host_start.host;
    f->hosts_started++;
    copy_text(f->generation, effect->host_start.generation);
}

static void see_kill(struct jobs_fixture *f, const struct effect *effect)
{
    f->host_killed = effect->host_kill.host;
}

static void see_drained(struct jobs_fixture *f, const struct effect *effect)
{
    f->drained = true;
}

static void (*const see[])(struct jobs_fixture *, const struct effect *) = {
    [EFFECT_RESULT] = see_result,    [EFFECT_FETCH] = see_fetch,    [EFFECT_PLUGIN] = see_plugin,
    [EFFECT_HOST_START] = see_start, [EFFECT_HOST_KILL] = see_kill, [EFFECT_DRAINED] = see_drained,
    [EFFECT_ZONE] = see_zone,        [EFFECT_LOG] = NULL,
};

static void answer_fetch(struct jobs_fixture *f, struct held_fetch *fetch)
{
    struct fetched out;
    int error = store_memory.fetch(f->store, &fetch->what, &out);
    struct input in = fetched_input(fetch->number, error, &out);

    list_remove(&fetch->link);
    free(fetch);
    fixture_step(f, &in);
    fetched_clear(&out);
}

/* Applies one batch, or lets it fail, and reports. */
static void report(struct jobs_fixture *f, struct batch *batch, int error)
{
    struct list one = LIST_INIT(one);
    struct input in = {.kind = IN_STORED,
                       .stored = {.batch = batch->number, .error = batch_admits(batch) ? error : 0}};

    list_remove(&batch->link);
    list_append(&one, &batch->link);
    see_records(f, batch, in.stored.error);
    if (!in.stored.error)
        assert_int_equal(store_memory.apply(f->store, &one), 0);
    f->stored = batch->number;
    batch_delete(batch);
    fixture_step(f, &in);
}

void store_go_on(struct jobs_fixture *f, int error)
{
    struct batch *batch;
    struct held_fetch *fetch;
    bool hold = f->hold;

    f->hold = true;
    while ((batch = list_first(&f->held, struct batch, link)) || !list_empty(&f->fetches)) {
        if (batch)
            report(f, batch, error);
        else if ((fetch = list_first(&f->fetches, struct held_fetch, link)))
            answer_fetch(f, fetch);
    }
    f->hold = hold;
}

void store_one(struct jobs_fixture *f, int error)
{
    report(f, list_first(&f->held, struct batch, link), error);
}

static void carry_out(struct jobs_fixture *f)
{
    struct effect *effect;

    list_each (effect, &f->effects.list, link)
        if (effect->kind < sizeof(see) / sizeof(*see) && see[effect->kind])
            see[effect->kind](f, effect);
    effects_clear(f->core, &f->effects);
    if (!list_empty(&f->effects.batches))
        f->batches = container_of(f->effects.batches.prev, struct batch, link)->number;
    list_splice(&f->held, &f->effects.batches);
}

void fixture_step(struct jobs_fixture *f, const struct input *in)
{
    core_step(f->core, f->now, in, &f->effects);
    core_check(f->core);
    carry_out(f);
    if (!f->hold)
        store_go_on(f, 0);
}

void advance_ms(struct jobs_fixture *f, int64_t ms)
{
    int64_t until = f->now.mono_ns + ms * 1000000;
    struct input in = {.kind = IN_TICK};

    while (f->effects.wake_ns <= until) {
        int64_t at = f->effects.wake_ns > f->now.mono_ns ? f->effects.wake_ns : f->now.mono_ns;
        f->now.wall_ns += at - f->now.mono_ns;
        f->now.mono_ns = at;
        fixture_step(f, &in);
    }
    f->now.wall_ns += until - f->now.mono_ns;
    f->now.mono_ns = until;
    fixture_step(f, &in);
}

/* ---- birth ---- */

static void *resize(void *context, void *p, size_t size)
{
    struct jobs_fixture *f = context;

    if (size == 0) {
        f->live -= p != NULL;
        f->live_bytes -= (long)malloc_usable_size(p);
        free(p);
        return NULL;
    }
    if (f->allocations_left == 0) {
        f->refused++;
        f->allocations_left = f->fails_once ? -1 : 0;
        return NULL;
    }
    f->allocations_left -= f->allocations_left > 0;
    f->live += p == NULL;
    f->live_bytes -= (long)malloc_usable_size(p);
    p = realloc(p, size);
    f->live_bytes += (long)malloc_usable_size(p);
    return p;
}

static void core_up(struct jobs_fixture *f)
{
    struct allocator memory = {resize, f};

    f->core = core_new(&f->limits, &memory, 1, ++f->incarnation, 42);
    assert_non_null(f->core);
    effects_init(&f->effects);
    f->stored = f->batches = 0;
    f->plugin_waiting = false;
    *f->zone_waiting = 0;
}

static void clear(struct jobs_fixture *f)
{
    struct seen *seen, *next_seen;
    struct client *client, *next_client;
    struct held_fetch *fetch, *next_fetch;
    struct batch *batch, *next_batch;

    list_each_safe (seen, next_seen, &f->seen, link) {
        list_remove(&seen->link);
        free(seen);
    }
    list_each_safe (client, next_client, &f->clients, link) {
        list_remove(&client->link);
        free(client);
    }
    list_each_safe (fetch, next_fetch, &f->fetches, link) {
        list_remove(&fetch->link);
        free(fetch);
    }
    list_each_safe (batch, next_batch, &f->held, link)
        batch_delete(batch);
    f->core = core_delete(f->core);
    assert_int_equal(f->live, 0);
}

int jobs_set_up(void **state)
{
    struct jobs_fixture *f = calloc(1, sizeof(*f));
    uint64_t incarnation;

    *f = (struct jobs_fixture){.limits = LIMITS_DEFAULT, .allocations_left = -1};
    f->now = (struct now){.mono_ns = 1000000000, .wall_ns = INT64_C(1700000000000000000)};
    list_init(&f->seen);
    list_init(&f->clients);
    list_init(&f->held);
    list_init(&f->fetches);
    store_memory.open(&(struct store_options){0}, &f->store, &incarnation, NULL);
    core_up(f);
    *state = f;
    return 0;
}

int jobs_tear_down(void **state)
{
    struct jobs_fixture *f = *state;

    clear(f);
    store_memory.close(f->store);
    free(f);
    return 0;
}

static const char *why; /* a load failed: nobody looks */

static int load_one(void *context, const struct job_row *row)
{
    return core_load(((struct jobs_fixture *)context)->core, row, &why);
}

static int load_queue(void *context, struct bytes name, struct bytes kept)
{
    return core_load_queue(((struct jobs_fixture *)context)->core, name, kept, &why);
}

void set_queue(struct jobs_fixture *f, const char *name, const char *settings)
{
    struct policy_part part = queue_settings(settings);

    assert_int_equal(core_set_queue(f->core, (struct bytes){name, strlen(name)}, &part), 0);
}

static int load_schedule(void *context, const struct schedule_row *row, struct bytes argument)
{
    return core_load_schedule(((struct jobs_fixture *)context)->core, row, argument, &why);
}

void restart(struct jobs_fixture *f)
{
    struct store_load load = with_kept((struct store_load){.job = load_one,
                                                           .context = f,
                                                           .queue = load_queue,
                                                           .pool = fixture_pool,
                                                           .schedule = load_schedule,
                                                           .channel = fixture_channel,
                                                           .value = fixture_value,
                                                           .job_ids = fixture_job_ids});

    clear(f);
    core_up(f);
    assert_int_equal(store_memory.load(f->store, &load, NULL), 0);
    advance_ms(f, 0);
}

/* ---- clients ---- */

static struct client *session_up(struct jobs_fixture *f, uint32_t uid, uint64_t host)
{
    struct client *client = calloc(1, sizeof(*client));
    struct credentials who = {.uid = uid, .pid = 100, .known = true};
    struct hello hello = {0};
    struct client_frame head = {.version = PROTOCOL_VERSION, .number = 1, .hello = &hello};

    list_append(&f->clients, &client->link);
    client->conn = ++f->conns;
    client->peer = ++f->peers;
    client->host = host;
    client->frames = 1;
    client->who = who;
    memcpy(client->secret.byte, &client->peer, sizeof(client->peer));
    memcpy(client->secret.byte + 8, &f->incarnation, sizeof(f->incarnation));
    fixture_step(f, &(struct input){.kind = IN_SESSION_UP,
                                    .peer = client->peer,
                                    .session_up = {.secret = client->secret, .who = who, .host = host}});
    hello.session = client->secret;
    fixture_step(f, &(struct input){.kind = IN_FRAME,
                                    .conn = client->conn,
                                    .frame = {.head = &head, .who = who, .same_clock = true}});
    return client;
}

struct client *client_new(struct jobs_fixture *f, uint32_t uid)
{
    return session_up(f, uid, 0);
}

void client_die(struct jobs_fixture *f, struct client *client)
{
    fixture_step(f, &(struct input){.kind = IN_SESSION_END, .peer = client->peer});
}

uint64_t ask(struct jobs_fixture *f, struct client *client, struct request request)
{
    struct client_frame head = {.version = PROTOCOL_VERSION, .number = ++client->frames, .requests_n = 1};

    request.id = ++client->last_op;
    fixture_step(f, &(struct input){.kind = IN_FRAME,
                                    .conn = client->conn,
                                    .frame = {.head = &head, .who = client->who}});
    fixture_step(f, &(struct input){.kind = IN_OP, .conn = client->conn, .op = &request});
    return request.id;
}

void cancel_op(struct jobs_fixture *f, struct client *client, uint64_t op)
{
    struct client_frame head = {
        .version = PROTOCOL_VERSION, .number = ++client->frames, .cancels = &op, .cancels_n = 1};

    fixture_step(f, &(struct input){.kind = IN_FRAME,
                                    .conn = client->conn,
                                    .frame = {.head = &head, .who = client->who}});
}

struct seen *answer(struct jobs_fixture *f, const struct client *client, uint64_t op)
{
    struct seen *seen;

    list_each (seen, &f->seen, link)
        if (seen->conn == client->conn && seen->op == op && seen->number == 0)
            return seen;
    return NULL;
}

struct seen *ask_ok(struct jobs_fixture *f, struct client *client, struct request request, int32_t status)
{
    uint64_t op = ask(f, client, request);
    struct seen *seen = answer(f, client, op);

    if (!seen)
        fail_msg("verb %d: no answer", request.verb);
    if (seen->status != status)
        fail_msg("verb %d: status %d (%s), expected %d", request.verb, seen->status, seen->text, status);
    return seen;
}

uint64_t submit(struct jobs_fixture *f, struct client *client, struct request request)
{
    uint64_t op = ask(f, client, request);

    if (f->plugin_waiting)
        plugin_is(f, TEXT("g1"), true);
    struct seen *seen = answer(f, client, op);
    if (!seen)
        fail_msg("submit: no answer");
    if (seen->status < 0)
        fail_msg("submit: %d (%s)", seen->status, seen->text);
    return seen->handle;
}

struct job_info info(struct jobs_fixture *f, struct client *client, uint64_t job)
{
    struct request request = {.verb = VERB_JOB_INFO, .job_info = {job}};
    struct seen *seen = ask_ok(f, client, request, 0);
    struct job_info row = seen->job;

    row.text = (struct bytes){seen->words[0], strlen(seen->words[0])};
    row.result = (struct bytes){seen->words[1], strlen(seen->words[1])};
    row.progress = (struct bytes){seen->words[2], strlen(seen->words[2])};
    row.queue = (struct bytes){seen->words[3], strlen(seen->words[3])};
    return row;
}

void assert_state(struct jobs_fixture *f, struct client *client, uint64_t job, enum job_state state,
                  enum job_cause cause)
{
    struct job_info row = info(f, client, job);

    if (row.state != state || row.cause != cause)
        fail_msg("state %u cause %u (%s), expected state %d cause %d", row.state, row.cause,
                 (const char *)row.text.data, state, cause);
}

uint64_t wait_job(struct jobs_fixture *f, struct client *client, uint64_t job)
{
    return ask(f, client, (struct request){.verb = VERB_JOB_WAIT, .job_wait = {job}});
}

int32_t cancel_job(struct jobs_fixture *f, struct client *client, uint64_t job)
{
    struct request request = {.verb = VERB_JOB_CANCEL, .job_cancel = {job, TEXT("not wanted")}};
    uint64_t op = ask(f, client, request);
    struct seen *seen = answer(f, client, op);

    return seen ? seen->status : 1;
}

/* ---- plugins and hosts ---- */

void plugin_is(struct jobs_fixture *f, struct bytes generation, bool other)
{
    struct plugin_function functions[] = {{.name = TEXT("count")},
                                          {.name = TEXT("other"), .attempts_max = 3}};
    struct bytes path = {f->plugin_path, strlen(f->plugin_path)};

    assert_true(f->plugin_waiting);
    f->plugin_waiting = false;
    fixture_step(f, &(struct input){.kind = IN_PLUGIN,
                                    .plugin = {.path = path,
                                               .generation = generation,
                                               .functions = functions,
                                               .functions_n = other ? 2 : 1}});
}

void plugin_fails(struct jobs_fixture *f, int error, struct bytes text)
{
    struct bytes path = {f->plugin_path, strlen(f->plugin_path)};

    assert_true(f->plugin_waiting);
    f->plugin_waiting = false;
    fixture_step(f,
                 &(struct input){.kind = IN_PLUGIN, .plugin = {.path = path, .error = error, .text = text}});
}

static struct client *host_silent_as(struct jobs_fixture *f, uint64_t host)
{
    assert_true(host > 0);
    fixture_step(f, &(struct input){.kind = IN_HOST_UP, .host_up = {.host = host, .pid = 4711}});
    return session_up(f, 0, host);
}

struct client *host_silent(struct jobs_fixture *f)
{
    return host_silent_as(f, f->host_started);
}

struct client *host_up_as(struct jobs_fixture *f, uint64_t host)
{
    struct request reserve = {.verb = VERB_RESERVE,
                              .reserve = {{f->generation, strlen(f->generation)}, HOST_WINDOW}};

    struct client *client = host_silent_as(f, host);
    client->reserve = ask(f, client, reserve);
    struct seen *refused = answer(f, client, client->reserve);
    if (refused)
        fail_msg("RESERVE: %d", refused->status);
    return client;
}

struct client *host_there(struct jobs_fixture *f)
{
    struct client *client, *host = NULL;

    list_each (client, &f->clients, link)
        if (client->host == f->host_started && f->host_started)
            host = client;
    return host ? host : host_up(f);
}

struct seen *next_offer(struct jobs_fixture *f, struct client *host, enum offer_kind kind)
{
    struct seen *seen;

    list_each (seen, &f->seen, link) {
        if (seen->conn != host->conn || seen->op != host->reserve || seen->number <= host->offers_seen)
            continue;
        if (seen->offer.kind != kind)
            continue;
        host->offers_seen = seen->number;
        return seen;
    }
    return NULL;
}

static int32_t host_says(struct jobs_fixture *f, struct client *host, struct request request)
{
    uint64_t op = ask(f, host, request);
    struct seen *seen = answer(f, host, op);

    return seen ? seen->status : 1;
}

int32_t started(struct jobs_fixture *f, struct client *host, const struct seen *offer)
{
    return host_says(f, host,
                     (struct request){.verb = VERB_STARTED, .started = {offer->offer.job, offer->offer.run}});
}

struct seen *begin(struct jobs_fixture *f, struct client *host)
{
    struct seen *offer = next_offer(f, host, OFFER_RUN);

    assert_non_null(offer);
    assert_int_equal(started(f, host, offer), 0);
    return offer;
}

int32_t done(struct jobs_fixture *f, struct client *host, const struct seen *offer, enum job_cause cause,
             int error)
{
    struct request request = {.verb = VERB_DONE,
                              .done = {.job = offer->offer.job,
                                       .run = offer->offer.run,
                                       .cause = cause,
                                       .error = error,
                                       .text = TEXT("words")}};

    return host_says(f, host, request);
}

int32_t done_with(struct jobs_fixture *f, struct client *host, const struct seen *offer, struct bytes result)
{
    struct request request = {.verb = VERB_DONE,
                              .done = {.job = offer->offer.job, .run = offer->offer.run, .result = result}};

    return host_says(f, host, request);
}

void host_dies(struct jobs_fixture *f, struct client *host, int signal, uint64_t guilty_run)
{
    uint64_t number = host->host;

    client_die(f, host);
    fixture_step(f,
                 &(struct input){.kind = IN_HOST_END,
                                 .host_end = {.host = number, .signal = signal, .guilty_run = guilty_run}});
}
