/*
 * A thread that reads beside the writer: one fetch after the other, in the order they came. Of an `instant` store it
 * reads lists alone.
 * Ownership of an order: hub, then the thread while it is in `queue` or in work, then the hub again in `done`.
 */
#include "fetcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "thread.h"

struct order {
    struct list link;
    uint64_t number;
    struct fetch what;
    struct fetched answer;
    int error;
    uint64_t topics[]; /* of `what` */
};

struct fetcher {
    const char *name; /* of its thread */
    const struct store_ops *ops;
    struct store *store;
    int event;        /* of the writer */
    atomic_bool stop; /* written under the lock */
    bool running;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list queue, done;
};

/* The next order, or NULL at the end. */
static struct order *next_order(struct fetcher *fetcher)
{
    pthread_mutex_lock(&fetcher->lock);
    while (list_empty(&fetcher->queue) && !fetcher->stop)
        pthread_cond_wait(&fetcher->work, &fetcher->lock);
    struct order *order = list_first(&fetcher->queue, struct order, link);
    if (order)
        list_remove(&order->link);
    pthread_mutex_unlock(&fetcher->lock);
    return order;
}

static void hand_back(struct fetcher *fetcher, struct order *order)
{
    uint64_t one = 1;

    pthread_mutex_lock(&fetcher->lock);
    list_append(&fetcher->done, &order->link);
    pthread_mutex_unlock(&fetcher->lock);
    while (write(fetcher->event, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static int answer(struct fetcher *fetcher, const struct fetch *what, struct fetched *out)
{
    if (what->kind == FETCH_BACKUP && fetcher->ops->backup)
        return fetcher->ops->backup(fetcher->store, what->wall_ns, &fetcher->stop, out);
    return fetcher->ops->fetch(fetcher->store, what, out);
}

static void fetch(struct fetcher *fetcher, struct order *order)
{
    order->error = answer(fetcher, &order->what, &order->answer);
    hand_back(fetcher, order);
}

static void *fetcher_main(void *argument)
{
    struct fetcher *fetcher = argument;
    struct order *order;

    pthread_setname_np(pthread_self(), fetcher->name);
    while ((order = next_order(fetcher)))
        fetch(fetcher, order);
    return NULL;
}

int fetcher_push(struct fetcher *fetcher, uint64_t number, const struct fetch *what)
{
    struct order *order = calloc(1, sizeof(*order) + what->topics_n * sizeof(*what->topics));

    if (!order)
        return -ENOMEM;
    order->number = number;
    order->what = *what;
    if (what->topics) {
        order->what.topics = order->topics;
        memcpy(order->topics, what->topics, what->topics_n * sizeof(*what->topics));
    }
    list_init(&order->link);
    list_init(&order->answer.memory);
    if (fetcher->ops->instant && what->kind != FETCH_JOBS) {
        fetch(fetcher, order);
        return 0;
    }
    pthread_mutex_lock(&fetcher->lock);
    list_append(&fetcher->queue, &order->link);
    pthread_mutex_unlock(&fetcher->lock);
    pthread_cond_signal(&fetcher->work);
    return 0;
}

int fetcher_collect(struct fetcher *fetcher,
                    void (*fetched)(void *context, uint64_t number, int error, const struct fetched *fetched),
                    void *context)
{
    struct list done = LIST_INIT(done);
    struct order *order, *after;
    int calls = 0;

    pthread_mutex_lock(&fetcher->lock);
    list_splice(&done, &fetcher->done);
    pthread_mutex_unlock(&fetcher->lock);
    list_each_safe (order, after, &done, link) {
        fetched(context, order->number, order->error, &order->answer);
        fetched_clear(&order->answer);
        free(order);
        calls++;
    }
    return calls;
}

void fetcher_finish(struct fetcher *fetcher)
{
    if (!fetcher->running)
        return;
    pthread_mutex_lock(&fetcher->lock);
    fetcher->stop = true;
    pthread_mutex_unlock(&fetcher->lock);
    pthread_cond_signal(&fetcher->work);
    pthread_join(fetcher->thread, NULL);
    fetcher->running = false;
}

struct fetcher *fetcher_stop(struct fetcher *fetcher)
{
    struct order *order, *after;

    if (!fetcher)
        return NULL;
    fetcher_finish(fetcher);
    list_each_safe (order, after, &fetcher->done, link) {
        fetched_clear(&order->answer);
        free(order);
    }
    pthread_cond_destroy(&fetcher->work);
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
    return NULL;
}
DEFINE_CLEANUP(struct fetcher *, fetcher_stop)

int fetcher_start(const char *name, const struct store_ops *ops, struct store *store, int event,
                  struct fetcher **out)
{
    _cleanup_(fetcher_stopp) struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (!fetcher)
        return -ENOMEM;
    *fetcher = (struct fetcher){.name = name, .ops = ops, .store = store, .event = event};
    pthread_mutex_init(&fetcher->lock, NULL);
    pthread_cond_init(&fetcher->work, NULL);
    list_init(&fetcher->queue);
    list_init(&fetcher->done);
    int r = thread_start(&fetcher->thread, fetcher_main, fetcher);
    if (r < 0)
        return r;
    fetcher->running = true;
    *out = fetcher;
    fetcher = NULL;
    return 0;
}
