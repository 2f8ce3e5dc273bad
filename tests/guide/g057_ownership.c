/*
 * G57 A buffer that is handed from stage to stage: the pointer is sent, and with it the right to touch what it points to.
 *
 * Pattern: transfer of ownership. Between its receive and its send a stage has the buffer for itself; who
 * receives it last frees it.
 */
#include "guide.h"

enum { STAGES = 3, BUFFERS = 20, BUFFER_BYTES = 64 };

struct buffer {
    char text[BUFFER_BYTES];
    atomic_int edits;
};

struct stage {
    go_chan *in, *out; /* of struct buffer * */
    char letter;
    bool touches_too_late;
};

static void edit(struct buffer *buffer, char letter)
{
    size_t n = strlen(buffer->text);

    buffer->text[n] = letter;
    buffer->text[n + 1] = '\0';
    atomic_fetch_add_explicit(&buffer->edits, 1, memory_order_relaxed);
}

/* Wrong: it belongs to the next stage now, which edits it meanwhile. */
static void touch_too_late(struct buffer *buffer)
{
    while (atomic_load_explicit(&buffer->edits, memory_order_relaxed) < 2)
        continue;
    buffer->text[0] = '?';
}

static void run_stage(void *arg)
{
    const struct stage *me = arg;
    struct buffer *buffer;

    while (go_range(me->in, &buffer)) {
        edit(buffer, me->letter);
        must(go_chan_send(me->out, &buffer, GO_FOREVER) == 0);
        if (me->touches_too_late)
            touch_too_late(buffer);
    }
    must(go_chan_close(me->out) == 0);
}

static void send_buffers(void *arg)
{
    const struct stage *first = arg;

    for (int i = 0; i < BUFFERS; i++) {
        struct buffer *buffer = calloc(1, sizeof *buffer);

        must(buffer);
        must(go_chan_send(first->in, &buffer, GO_FOREVER) == 0);
    }
    must(go_chan_close(first->in) == 0);
}

/* Fills in the buffers as they leave the last stage. */
static void run_pipeline(struct buffer **finished, bool first_touches_too_late)
{
    struct stage stages[STAGES];
    go_chan *between[STAGES + 1];
    int n = 0;

    for (int i = 0; i <= STAGES; i++)
        between[i] = go_chan_new(sizeof(struct buffer *), 1);
    for (int i = 0; i < STAGES; i++) {
        stages[i] = (struct stage){between[i], between[i + 1], "abc"[i], first_touches_too_late && i == 0};
        must(go_spawn(run_stage, &stages[i], sizeof stages[i]) == 0);
    }
    must(go_spawn(send_buffers, stages, sizeof stages[0]) == 0);
    while (n < BUFFERS && go_range(between[STAGES], &finished[n]))
        n++;
    until_live(1);
    must(n == BUFFERS);
    for (int i = 0; i <= STAGES; i++)
        go_chan_unref(between[i]);
}

static void ownership(void)
{
    struct buffer *finished[BUFFERS];

    run_pipeline(finished, false);
    for (int i = 0; i < BUFFERS; i++) {
        /* "the content shows all 3 edits, in order" */
        must(strcmp(finished[i]->text, "abc") == 0);
        /* "each buffer arrives once, at the one who frees it" */
        for (int j = 0; j < i; j++)
            must(finished[j] != finished[i]);
    }
    for (int i = 0; i < BUFFERS; i++)
        free(finished[i]);
    say("%d buffers went through %d stages", BUFFERS, STAGES);
}

static void too_late(void)
{
    struct buffer *finished[BUFFERS];

    run_pipeline(finished, true);
    for (int i = 0; i < BUFFERS; i++)
        free(finished[i]);
}

GUIDE_ROW(G57, ownership);
/* "a stage that touches it after its send is reported by the race build" */
GUIDE_PART(G57, too_late, .ends = ENDS_IN_RACE, .says = {"touch_too_late"},
           .no_job = "a race is not for a job");
