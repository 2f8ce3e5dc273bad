/*
 * logstat [--follow] FILE with workers in other processes: how many events of each day and action a log of packages has,
 * sorted: "count day action". Day and action are the first and third word of a line. --follow goes on with what is
 * appended, and tells on standard error how many lines it has seen, until SIGTERM: then it reads what is there and prints
 * the table.
 *
 * Pattern: stages, publish and subscribe, graceful shutdown. One process reads whole lines, N count them block by block, and
 * each part is published to two subscribers: the table and the counter of lines, which are processes, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counts.h"
#include "goclient_topic.h"
#include "workers.h"

enum { BLOCK_BYTES = 128 * 1024, LINE_BYTES_MAX = 512 * 1024 };

/* ---- in a worker ---- */

/* The next word of a line that ends at `end`, and moves behind it. */
static const char *word_next(const char **at, const char *end, size_t *bytes)
{
    const char *word;

    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
    for (word = *at; *at < end && **at != ' ' && **at != '\t';)
        ++*at;
    *bytes = (size_t)(*at - word);
    return word;
}

static void count_line(struct count **table, const char *line, const char *end, char *key)
{
    size_t day_bytes, skipped, action_bytes;
    const char *day = word_next(&line, end, &day_bytes), *action;

    word_next(&line, end, &skipped);
    action = word_next(&line, end, &action_bytes);
    memcpy(key, day, day_bytes);
    key[day_bytes] = ' ';
    memcpy(key + day_bytes + 1, action, action_bytes);
    counts_add(table, key, day_bytes + 1 + action_bytes, 1);
}

/* As text: the number of lines, and "count day action" of each, a line each; with its end. */
static struct outcome table_text(struct count *table, uint64_t lines)
{
    struct outcome outcome = {0};
    FILE *out = open_memstream(&outcome.data, &outcome.bytes);
    struct count *c, *after;

    if (!out)
        abort();
    fprintf(out, "%lu\n", lines);
    HASH_ITER (hh, table, c, after) {
        fprintf(out, "%lu %s\n", c->count, c->text);
        HASH_DEL(table, c);
        free(c);
    }
    fputc('\0', out);
    fclose(out);
    return outcome;
}

static struct outcome count_lines(const char *text, size_t bytes)
{
    const char *at = text, *end = text + bytes;
    char *key = must_alloc(bytes + 2);
    struct count *table = NULL;
    uint64_t lines = 0;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        lines += line_end != NULL;
        line_end = line_end ? line_end : end;
        count_line(&table, at, line_end, key);
        at = line_end + 1;
    }
    free(key);
    return table_text(table, lines);
}

/* ---- in the subscribers: each gets all parts ---- */

static struct {
    struct count *table;
    uint64_t lines;
} seen;

static void add_counts(const char *part)
{
    char *at = strchr(part, '\n');

    while (*++at) {
        uint64_t count = strtoull(at, &at, 10);
        const char *key = ++at;

        at += strcspn(at, "\n");
        counts_add(&seen.table, key, (size_t)(at - key), count);
    }
}

static void print_table(void)
{
    counts_print(seen.table, NULL);
}

static void add_lines(const char *part)
{
    seen.lines += strtoull(part, NULL, 10);
    fprintf(stderr, "%lu lines\n", seen.lines);
}

static void nothing(void)
{
}

enum { SUBSCRIBERS = 2 };

static const struct {
    void (*take)(const char *part);
    void (*end)(void);
} subscribers[SUBSCRIBERS] = {{add_counts, print_table}, {add_lines, nothing}};

static void must(bool holds)
{
    if (!holds) {
        fprintf(stderr, "subscription: %s\n", gc_why());
        exit(STATUS_FAILED);
    }
}

/* PROGRAM --subscriber INDEX NAME: until its topic is closed. */
static int subscriber(int index, const char *name)
{
    const struct gc_subscribe_options options = {
        .size = sizeof options, .capacity = 16, .slow = GC_SLOW_BLOCKS, .block_ns = 60 * 1000000000LL};
    gc_client *g = workers_connect();
    struct gc_value part = {0};
    gc_chan parts;
    int r;

    must(gc_subscribe(g, name, &options, &parts, GC_FOREVER) == 0);
    must(gc_send(g, workers_chan(g, name, "subscribed", 0, 0), gc_bytes(NULL, 0), GC_FOREVER) == 0);
    while ((r = gc_range(g, parts, &part, 0, GC_FOREVER)) > 0)
        subscribers[index].take(part.data);
    must(r == 0);
    subscribers[index].end();
    gc_disconnect(g);
    return STATUS_OK;
}

/* ---- in the program ---- */

static struct {
    gc_client *g; /* NULL: there are no other processes */
    const char *topic;
    pid_t pid[SUBSCRIBERS];
} publisher;

static void become_subscriber(int index, const char *name)
{
    const char number[] = {(char)('0' + index), '\0'};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl("/proc/self/exe", program_invocation_short_name, "--subscriber", number, name, NULL);
    _exit(127);
}

static void start_subscribers(struct workers *w)
{
    publisher.g = workers_client(w);
    publisher.topic = workers_name(w);
    if (!publisher.g)
        return;
    for (int i = 0; i < SUBSCRIBERS; i++)
        if ((publisher.pid[i] = fork()) == 0)
            become_subscriber(i, publisher.topic);
    for (int i = 0; i < SUBSCRIBERS; i++) {
        gc_chan subscribed = workers_chan(publisher.g, publisher.topic, "subscribed", 0, 0);
        struct gc_value v = {0};

        must(gc_recv(publisher.g, subscribed, &v, 0, GC_FOREVER) == 1);
        gc_value_clear(&v);
    }
}

/* One part, to both of them. */
static void publish(const char *data, size_t bytes)
{
    struct gc_published published;

    for (int i = 0; !publisher.g && i < SUBSCRIBERS; i++)
        subscribers[i].take(data);
    if (publisher.g)
        must(gc_publish(publisher.g, publisher.topic, gc_bytes(data, bytes), NULL, &published, GC_FOREVER) ==
                 0 &&
             published.receivers == SUBSCRIBERS);
}

/* They have taken all that there is. False: one has failed. */
static bool end_subscribers(void)
{
    bool good = true;
    int status;

    if (publisher.g)
        must(gc_topic_close(publisher.g, publisher.topic, GC_FOREVER) >= 0);
    for (int i = 0; i < SUBSCRIBERS; i++)
        if (publisher.g)
            good &= waitpid(publisher.pid[i], &status, 0) == publisher.pid[i] && status == 0;
        else
            subscribers[i].end();
    return good;
}

struct reader {
    int log, changes, stop; /* changes, stop: -1, do not follow */
    char text[LINE_BYTES_MAX + BLOCK_BYTES];
    size_t bytes; /* of a line that has not ended */
};

static int reader_open(struct reader *r, const char *name, bool follow)
{
    sigset_t term;

    *r = (struct reader){.log = open(name, O_RDONLY | O_CLOEXEC), .changes = -1, .stop = -1};
    if (r->log < 0 || !follow)
        return r->log < 0 ? -errno : 0;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    r->stop = signalfd(-1, &term, SFD_CLOEXEC);
    r->changes = inotify_init1(IN_CLOEXEC);
    return r->stop < 0 || r->changes < 0 || inotify_add_watch(r->changes, name, IN_MODIFY) < 0 ? -errno : 0;
}

/* At the end of the file: whether there may be more to read. */
static bool reader_wait(struct reader *r)
{
    struct pollfd fds[] = {{.fd = r->changes, .events = POLLIN}, {.fd = r->stop, .events = POLLIN}};
    char events[4096];

    if (r->changes < 0)
        return false;
    if (poll(fds, 2, -1) < 0)
        abort();
    if (fds[1].revents) {
        close(r->changes);
        r->changes = -1; /* once more to the end */
        return true;
    }
    return read(r->changes, events, sizeof events) > 0;
}

static void give_whole_lines(struct reader *r, struct workers *w, size_t read_bytes)
{
    const char *feed = memrchr(r->text + r->bytes, '\n', read_bytes);
    size_t whole = feed ? (size_t)(feed + 1 - r->text) : 0;

    r->bytes += read_bytes;
    if (whole > 0)
        workers_give(w, r->text, whole);
    r->bytes -= whole;
    memmove(r->text, r->text + whole, r->bytes);
}

static int read_log(struct reader *r, struct workers *w)
{
    ssize_t n;

    do {
        while ((n = read(r->log, r->text + r->bytes, BLOCK_BYTES)) > 0) {
            give_whole_lines(r, w, (size_t)n);
            if (r->bytes > LINE_BYTES_MAX)
                return -E2BIG;
        }
        workers_settle(w);
    } while (n == 0 && reader_wait(r));
    if (n < 0)
        return -errno;
    if (r->bytes > 0)
        workers_give(w, r->text, r->bytes);
    return 0;
}

static int logstat(struct workers *w, char **files, bool follow)
{
    static struct reader r;
    int error = reader_open(&r, files[0], follow);
    bool good;

    start_subscribers(w);
    if (error == 0)
        error = read_log(&r, w);
    workers_settle(w);
    good = end_subscribers();
    if (r.log >= 0)
        close(r.log);
    if (error < 0)
        tell_error(files[0], error);
    return error < 0 || !good ? STATUS_FAILED : STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct worker_program program = {
        .operands = "FILE", .flag = "follow", .run = logstat, .work = count_lines, .take = publish};

    if (argc == 4 && strcmp(argv[1], "--subscriber") == 0)
        return subscriber(argv[2][0] - '0', argv[3]);
    return workers_main(argc, argv, &program);
}
