/*
 * G34 Select: the case that is ready is chosen, in a loop.
 *
 * Pattern: select over several sources.
 */
#include "guide.h"

struct source {
    go_chan *out;
    const char *text;
    struct gate *gate;
};

static void send_text(void *arg)
{
    const struct source *me = arg;

    gate_pass(me->gate);
    must(go_chan_send(me->out, &me->text, GO_FOREVER) == 0);
}

static void select_one(struct go_case *cases, const char *const *got)
{
    static const char *const names[] = {"a", "b"};
    int chosen = go_select(cases, 2, GO_FOREVER);

    must(cases[chosen].result == 1);
    say("%s: %s", names[chosen], got[chosen]);
}

static void select_in_a_loop(void)
{
    go_chan *a = go_chan_new(sizeof(char *), 0), *b = go_chan_new(sizeof(char *), 0);
    struct gate gate_a = {0}, gate_b = {0};
    const char *got[2] = {"untouched", "untouched"};
    struct go_case cases[] = {GO_RECV(a, &got[0]), GO_RECV(b, &got[1])};

    must(go_spawn(send_text, &((struct source){a, "one", &gate_a}), sizeof(struct source)) == 0);
    must(go_spawn(send_text, &((struct source){b, "two", &gate_b}), sizeof(struct source)) == 0);
    gate_open(&gate_b);
    select_one(cases, got);
    /* "only b is ready: b is chosen, and a is untouched" */
    must(said(LINES("b: two")) && strcmp(got[0], "untouched") == 0);
    gate_open(&gate_a);
    select_one(cases, got);
    /* "then a" */
    must(said(LINES("b: two", "a: one")));
    until_live(1);
    go_chan_unref(a);
    go_chan_unref(b);
}

GUIDE_ROW(G34, select_in_a_loop);
