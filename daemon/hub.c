/*
 * The daemon put together and taken apart.
 *
 * Order of opening: the state directory first (its lock says that it is ours: the store's files, and what an earlier daemon has left
 * of plugins and hosts), then the store (its incarnation goes into the core), then the core with all jobs, then the endpoint (its lock
 * says that nobody else listens there), then hosts, and only then the word READY. Taking apart is the reverse; it also follows a
 * failed opening.
 */
#include "hub.h"
#include "hub_topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "cleanup.h"
#include "config.h"
#include "config_check.h"
#include "directory.h"
#include "endpoint.h"
#include "fd.h"
#include "figures.h"
#include "hub_open.h"
#include "keyfile.h"
#include "layered.h"
#include "lifeline.h"
#include "local.h"
#include "log.h"
#include "notify.h"
#include "paths.h"
#include "plugin_directories.h"
#include "supervisor.h"
#include "why.h"
#include "writer.h"

/* ---- what the outbox hands on ---- */

static int send_frame(void *context, struct outbox_lane *lane, const struct server_frame *head,
                      const struct wire_message *message)
{
    struct hub *hub = context;
    struct conn *conn = container_of(lane, struct conn, lane);
    int r = conn->transport->ops->send(conn, head, message);

    if (r == -EHOSTUNREACH && !list_linked(&conn->lost_link))
        list_append(&hub->lost, &conn->lost_link);
    return r;
}

/* ---- the store ---- */

static void stored(void *context, uint64_t batch, int error)
{
    struct input input = {.kind = IN_STORED, .stored = {batch, error}};

    hub_step(context, &input);
}

static void fetched(void *context, uint64_t number, int error, const struct fetched *what)
{
    struct input input = {.kind = IN_FETCHED, .fetched = {.fetch = number, .error = error}};

    if (what) {
        input.fetched.rows = what->rows;
        input.fetched.rows_n = what->rows_n;
        input.fetched.body = what->body;
        input.fetched.messages = what->messages;
        input.fetched.messages_n = what->messages_n;
        input.fetched.offset = what->offset;
        input.fetched.more = what->more;
    }
    hub_step(context, &input);
}

/* On the store thread. What was acknowledged is on the disk; nothing more may be. */
static void store_failed(void *context, int error)
{
    log_error(
        "event=store_failed error=\"%s\" do=\"check the disk, run goroutined --fsck, then start again\"",
        strerror(-error));
    _exit(EXIT_FAILURE);
}

static void store_ready(struct source *source, uint32_t events)
{
    struct hub *hub = container_of(source, struct hub, store_source);

    writer_collect(hub->writer);
}

static int load_job(void *context, const struct job_row *row)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load(hub->core, row, &why);

    if (r < 0)
        log_error("event=job_not_loaded job=%llu why=\"%s\"", (unsigned long long)row->id,
                  why ? why : strerror(-r));
    hub->jobs_loaded += r >= 0;
    return r;
}

static int load_queue(void *context, struct bytes name, struct bytes kept)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load_queue(hub->core, name, kept, &why);

    if (r < 0)
        log_error("event=queue_not_loaded queue=%.*s why=\"%s\"", (int)name.size, (const char *)name.data,
                  why ? why : strerror(-r));
    return r;
}

static int load_pool(void *context, struct bytes name, struct bytes kept)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load_pool(hub->core, name, kept, &why);

    if (r < 0)
        log_error("event=pool_not_loaded pool=%.*s why=\"%s\"", (int)name.size, (const char *)name.data,
                  why ? why : strerror(-r));
    return r;
}

static int load_channel(void *context, const struct channel_row *row)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load_channel(hub->core, row, &why);

    if (r < 0)
        log_error("event=channel_not_loaded channel=%.*s why=\"%s\"", (int)row->name.size,
                  (const char *)row->name.data, why ? why : strerror(-r));
    return r;
}

static int load_value(void *context, const struct value_row *row, struct bytes body)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load_value(hub->core, row, body, &why);

    if (r < 0)
        log_error("event=value_not_loaded channel=%llu value=%llu why=\"%s\"",
                  (unsigned long long)row->channel, (unsigned long long)row->sequence,
                  why ? why : strerror(-r));
    return r;
}

static int load_job_ids(void *context, uint64_t last)
{
    struct hub *hub = context;

    core_load_job_ids(hub->core, last);
    return 0;
}

static int load_schedule(void *context, const struct schedule_row *row, struct bytes argument)
{
    struct hub *hub = context;
    const char *why = NULL;
    int r = core_load_schedule(hub->core, row, argument, &why);

    if (r < 0)
        log_error("event=schedule_not_loaded schedule=%.*s why=\"%s\"", (int)row->name.size,
                  (const char *)row->name.data, why ? why : strerror(-r));
    hub->schedules_loaded += r >= 0;
    return r;
}

static void upgrading(void *context, int version, const char *what)
{
    const struct hub *hub = context;

    log_info("event=upgrading state=%s schema=%d brings=\"%s\" text=\"an older goroutined will not read it "
             "any more\"",
             hub->state_directory, version, what);
}

static int open_store(struct hub *hub, char **why)
{
    const struct config *config = hub->config;
    struct store_options options = {.directory = hub->state_directory,
                                    .pages_max = config->pages_max,
                                    .sync = !strcmp(config->durability, "full"),
                                    .upgrading = upgrading,
                                    .context = hub};

    hub->store_ops = config->ephemeral ? &store_memory : &store_layered;
    if (hub->store_ops->warning())
        log_info("event=store_note engine=%s text=\"%s\"", hub->store_ops->name, hub->store_ops->warning());
    return hub->store_ops->open(&options, &hub->store, &hub->incarnation, why);
}

static int start_writer(struct hub *hub, char **why)
{
    struct writer_options options = {.ops = hub->store_ops,
                                     .store = hub->store,
                                     .stored = stored,
                                     .fetched = fetched,
                                     .fatal = store_failed,
                                     .context = hub};
    int r = writer_start(&options, &hub->writer);

    if (!r)
        r = poller_add(&hub->poller, &hub->store_source, writer_fd(hub->writer), EPOLLIN, store_ready);
    return r < 0 ? why_set(why, r, "cannot start the store's threads: %s", strerror(-r)) : 0;
}

/* ---- the core ---- */

/* Of records that come and go with every operation. Nothing where a sanitizer shall see who uses one after its end. */
#if defined(__SANITIZE_ADDRESS__) || defined(CHECK_CORE)
enum { CORE_KEEPS_BYTES = 0 };
#else
enum { CORE_KEEPS_BYTES = 1 << 20 };
#endif

static void *resize(void *context, void *p, size_t size)
{
    if (size)
        return realloc(p, size);
    free(p);
    return NULL;
}

static int set_queues(struct core *core, const struct config *config, char **why)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->queues_n; i++) {
        const struct queue_config *queue = &config->queues[i];
        r = core_set_queue(core, (struct bytes){queue->name, strlen(queue->name)}, &queue->part);
    }
    return r < 0 ? why_set(why, r, "cannot make the queues: %s", strerror(-r)) : 0;
}

static int set_topics(struct core *core, const struct config *config, char **why)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->topics_n; i++) {
        const struct topic_config *topic = &config->topics[i];
        r = core_set_topic(core, (struct bytes){topic->pattern, strlen(topic->pattern)}, &topic->part);
    }
    return r < 0 ? why_set(why, r, "cannot set the rules of topics: %s", strerror(-r)) : 0;
}

static int set_pools(struct core *core, const struct config *config, char **why)
{
    struct bytes wrong;
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->pools_n; i++) {
        const struct pool_config *pool = &config->pools[i];
        r = core_set_pool(core, (struct bytes){pool->name, strlen(pool->name)},
                          (struct bytes){pool->text, strlen(pool->text)}, &wrong);
        if (r < 0)
            why_set(why, r, "cannot make the pool %s: %s", pool->name,
                    r == -EINVAL ? "it needs queues or functions" : strerror(-r));
    }
    return r;
}

static int open_core(struct hub *hub, char **why)
{
    static const struct allocator memory = {resize, NULL, CORE_KEEPS_BYTES};
    struct store_load load = {.job = load_job,
                              .context = hub,
                              .queue = load_queue,
                              .channel = load_channel,
                              .value = load_value,
                              .schedule = load_schedule,
                              .pool = load_pool,
                              .job_ids = load_job_ids};
    uint64_t seed;

    load_topics(&load);
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        return why_set(why, -errno, "no random numbers: %s", strerror(errno));
    hub->core = core_new(&hub->config->limits, &memory, hub->config->node, hub->incarnation, seed);
    if (!hub->core)
        return why_set(why, -ENOMEM, "out of memory");
    core_set_owner(hub->core, getuid());
    core_set_stats(hub->core, figures_tell, hub);
    if (hub->config->test_clock)
        core_allow_clock(hub->core);
    int r = set_queues(hub->core, hub->config, why);
    if (r == 0)
        r = set_pools(hub->core, hub->config, why);
    if (r == 0)
        r = set_topics(hub->core, hub->config, why);
    if (r < 0)
        return r;
    r = hub->store_ops->load(hub->store, &load, why);
    return r < 0 && !*why
               ? why_set(why, r, "cannot load the jobs of %s: %s", hub->state_directory, strerror(-r))
               : r;
}

/* ---- transports ---- */

static int open_transport(struct hub *hub, const struct transport_ops *ops, const char *endpoint,
                          const char *secret, char **why)
{
    struct transport_options options = {.endpoint = endpoint,
                                        .frame_bytes_max = hub->config->limits.frame_bytes_max,
                                        .mode = config_socket_mode(hub->config),
                                        .refused = strcmp(hub->config->lane, LANE_AUTO) != 0,
                                        .secret = secret};
    struct transport *transport;
    int r = ops->open(hub, &options, &transport, why);

    if (!r)
        list_append(&hub->transports, &transport->link);
    return r;
}

/* The second place to listen, with keys or openly (config_check). */
static int open_listen(struct hub *hub, char **why)
{
    const struct config *config = hub->config;
    char said[KEY_WHY_BYTES];
    struct key_pair pair;

    if (!config->listen)
        return 0;
    if (!config->listen_secret_file)
        return open_transport(hub, &transport_zmq, config->listen, NULL, why);
    int r = key_file_read(config->listen_secret_file, &pair, said);
    if (r < 0)
        return why_set(why, r, "%s", said);
    r = open_transport(hub, &transport_zmq, config->listen, pair.secret.text, why);
    explicit_bzero(&pair, sizeof(pair));
    return r;
}

static int make_parent(const char *path, const char *advice, char **why)
{
    _cleanup_(cleanup_free) char *parent = strdup(path);
    char *slash = parent ? strrchr(parent, '/') : NULL;

    if (!slash || slash == parent)
        return parent ? 0 : -ENOMEM;
    *slash = '\0';
    int r = paths_make(parent);
    return r < 0 ? why_set(why, r, "cannot make %s: %s; %s", parent, strerror(-r), advice) : 0;
}

static int open_endpoints(struct hub *hub, char **why)
{
    const struct config *config = hub->config;
    const char *path = config->endpoint + strlen(ENDPOINT_IPC);
    int r = make_parent(
        path, "listen elsewhere with --endpoint ipc://PATH (and --state DIR), or set " ENDPOINT_DIRECTORY,
        why);

    if (!r)
        r = open_transport(hub, &transport_local, NULL, NULL, why);
    if (!r)
        r = lifelines_open(hub, path, config_socket_mode(config), why);
    if (!r)
        r = open_transport(hub, &transport_zmq, config->endpoint, NULL, why);
    return r ? r : open_listen(hub, why);
}

/* ---- hosts ---- */

static void end_host_session(struct hub *hub, uint64_t host)
{
    struct peer *peer, *after;

    HASH_ITER (by_number, hub->peers_by_number, peer, after)
        if (peer->host == host && peer->lifeline)
            lifeline_owner_died(peer->lifeline);
}

/* A host's session begins after IN_HOST_UP and ends before IN_HOST_END. */
static void take_host(void *context, const struct input *input, int fd)
{
    struct hub *hub = context;

    if (input->kind == IN_HOST_END)
        end_host_session(hub, input->host_end.host);
    hub_step(hub, input);
    if (fd >= 0) {
        struct credentials who = {getuid(), getgid(), input->host_up.pid, true};
        if (!lifeline_adopt(hub, fd, who, input->host_up.host))
            log_error("event=host_without_session host=%llu", (unsigned long long)input->host_up.host);
    }
}

static void supervisor_ready(struct source *source, uint32_t events)
{
    struct hub *hub = container_of(source, struct hub, supervisor_source);

    supervisor_collect(hub->supervisor, take_host, hub);
}

static int open_supervisor(struct hub *hub, char **why)
{
    const char *directories = hub->config->plugin_directories;

    hub->plugin_directories = directories ? plugin_directories_read(directories) : NULL;
    if (directories && !hub->plugin_directories)
        return why_set(why, -ENOMEM, "out of memory");
    struct supervisor_options options = {.state = hub->state_directory,
                                         .host_program = hub->config->host_program,
                                         .endpoint = hub->config->endpoint,
                                         .plugin_directories = (const char *const *)hub->plugin_directories,
                                         .plugins = {hub->config->plugins, hub->config->plugins_n},
                                         .plugins_max = hub->config->limits.plugins_max};
    int r = supervisor_new(&options, &hub->supervisor, why);
    if (!r)
        r = poller_add(&hub->poller, &hub->supervisor_source, supervisor_event(hub->supervisor), EPOLLIN,
                       supervisor_ready);
    return r;
}

/* ---- the state directory ---- */

static int open_state(struct hub *hub, char **why)
{
    const char *temporary = getenv("TMPDIR");

    if (hub->config->state) {
        hub->state_directory = strdup(hub->config->state);
        int r = hub->state_directory
                    ? make_parent(hub->state_directory, "name another directory with --state DIR", why)
                    : -ENOMEM;
        return r ? r : directory_lock(hub->state_directory, true, &hub->state_lock, why);
    }
    if (asprintf(&hub->state_directory, "%s/goroutined-XXXXXX", temporary ? temporary : "/tmp") < 0)
        hub->state_directory = NULL;
    if (!hub->state_directory || !mkdtemp(hub->state_directory))
        return why_set(why, -errno, "cannot make a temporary directory: %s", strerror(errno));
    hub->state_temporary = true;
    return 0;
}

/* ---- all of it ---- */

static void read_clock_identity(struct hub *hub)
{
    struct stat time;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file && fgets(hub->boot_id, sizeof(hub->boot_id), file))
        hub->boot_id[strcspn(hub->boot_id, "\n")] = '\0';
    if (file)
        fclose(file);
    if (!stat("/proc/self/ns/time", &time))
        hub->time_namespace = time.st_ino;
}

static struct hub *hub_alloc(const struct config *config)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    struct wire_bounds bounds = WIRE_BOUNDS_DEFAULT;

    if (!hub)
        return NULL;
    hub->config = config;
    bounds.ops_max = config->limits.frame_ops_max;
    effects_init(&hub->effects);
    effects_init(&hub->done);
    list_init(&hub->transports);
    list_init(&hub->unbound);
    list_init(&hub->lost);
    hub->state_lock = hub->poller.fd = hub->signals.fd = hub->store_source.fd = hub->supervisor_source.fd =
        -1;
    hub->in = wire_new(&bounds);
    hub->out = wire_new(&bounds);
    outbox_init(&hub->outbox, hub->out, send_frame, hub);
    clock_start(&hub->clock, config->test_clock);
    linger_init(&hub->linger, config->linger_us);
    read_clock_identity(hub);
    return hub->in && hub->out ? hub : hub_close(hub);
}

int hub_open(const struct config *config, const sigset_t *signals, struct hub **out, char **why)
{
    static int (*const steps[])(struct hub * hub, char **why) = {
        open_state, open_store, open_core, access_open, start_writer, open_endpoints, open_supervisor};
    struct hub *hub = hub_alloc(config);
    int r = hub ? poller_init(&hub->poller) : -ENOMEM;

    if (!r)
        r = hub_watch_signals(hub, signals);
    for (size_t i = 0; !r && i < sizeof(steps) / sizeof(*steps); i++)
        r = steps[i](hub, why);
    if (r < 0) {
        hub_close(hub);
        return *why ? r : why_set(why, r, "cannot start: %s", strerror(-r));
    }
    log_info("event=ready endpoint=%s state=%s incarnation=%llu jobs=%llu", config->endpoint,
             hub->state_directory, (unsigned long long)hub->incarnation,
             (unsigned long long)hub->jobs_loaded);
    notify("READY=1\nSTATUS=listening at %s", config->endpoint);
    *out = hub;
    return 0;
}

static void close_peers(struct hub *hub)
{
    struct peer *peer, *next_peer;
    struct conn *conn, *next_conn;

    HASH_ITER (by_number, hub->peers_by_number, peer, next_peer)
        hub_peer_free(hub, peer);
    HASH_ITER (hh, hub->conns, conn, next_conn)
        hub_conn_forget(hub, conn);
}

static void close_store(struct hub *hub)
{
    struct batch *batch, *after;

    poller_remove(&hub->poller, &hub->store_source);
    hub->writer = writer_stop(hub->writer);
    list_each_safe (batch, after, &hub->effects.batches, link)
        batch_delete(batch);
    if (hub->core) {
        effects_clear(hub->core, &hub->effects);
        effects_clear(hub->core, &hub->done);
    }
    hub->core = core_delete(hub->core);
    if (hub->store)
        hub->store = hub->store_ops->close(hub->store);
}

struct hub *hub_close(struct hub *hub)
{
    struct transport *transport, *after;

    if (!hub)
        return NULL;
    lifelines_close(hub, -ENETRESET);
    poller_remove(&hub->poller, &hub->supervisor_source);
    hub->supervisor = supervisor_delete(hub->supervisor);
    close_peers(hub);
    list_each_safe (transport, after, &hub->transports, link)
        transport->ops->close(transport);
    close_store(hub);
    access_close(hub);
    int signals = poller_remove(&hub->poller, &hub->signals);
    if (signals >= 0)
        close(signals);
    poller_destroy(&hub->poller);
    wire_delete(hub->in);
    wire_delete(hub->out);
    if (hub->state_temporary)
        paths_remove(hub->state_directory);
    cleanup_close(&hub->state_lock); /* last: nobody else may write there before */
    free(hub->state_directory);
    plugin_directories_free(hub->plugin_directories);
    free(hub);
    return NULL;
}
