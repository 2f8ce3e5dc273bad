/*
 * Effects: made at the end of a step, freed by effects_clear. A result under way keeps its own references to the
 * payload, so that it may be acknowledged and forgotten while the shell still writes it.
 */
#include <errno.h>
#include <string.h>

#include "letter.h"

struct box {
    struct effect effect;
    struct answer *answer;
    struct item **items;
    size_t items_n;
    char *room; /* what is left of the memory behind the box */
    size_t bytes;
};

static void *box_take(struct box *box, size_t size)
{
    void *taken = box->room;

    box->room += (size + 15) & ~(size_t)15;
    return taken;
}

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

void effects_init(struct effects *effects)
{
    list_init(&effects->list);
    list_init(&effects->batches);
    effects->wake_ns = INT64_MAX;
}

static void box_delete(struct core *core, struct box *box)
{
    list_remove(&box->effect.link);
    answer_drop(core, box->answer);
    for (size_t i = 0; i < box->items_n; i++)
        item_unref(core, box->items[i]);
    core_give(core, box, box->bytes);
}

void effects_clear(struct core *core, struct effects *effects)
{
    struct effect *effect, *after;

    list_each_safe (effect, after, &effects->list, link)
        box_delete(core, container_of(effect, struct box, effect));
}

static struct box *box_new(struct core *core, enum effect_kind kind, size_t extra)
{
    size_t head = rounded(sizeof(struct box));
    struct box *box = core_take(core, head + extra);

    if (!box)
        return NULL;
    box->bytes = head + extra;
    box->effect.kind = kind;
    box->room = (char *)box + head;
    list_append(core->out ? &core->out->list : &core->early, &box->effect.link);
    return box;
}

struct effect *effect_new(struct core *core, enum effect_kind kind, size_t extra)
{
    struct box *box = box_new(core, kind, extra);

    return box ? &box->effect : NULL;
}

struct bytes effect_text(struct effect *effect, struct bytes from)
{
    struct box *box = container_of(effect, struct box, effect);
    struct bytes copy = {box->room, from.size};

    if (from.size)
        memcpy(box->room, from.data, from.size);
    box->room += from.size;
    return copy;
}

void core_log(struct core *core, enum log_level level, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    size_t n = text_writev(line, sizeof(line), format, arguments);
    va_end(arguments);
    struct effect *effect = effect_new(core, EFFECT_LOG, n);
    if (!effect)
        return;
    effect->log.level = level;
    effect->log.text = effect_text(effect, (struct bytes){line, n});
}

/* ---- results ---- */

/* What the values of a result need room for. */
struct load {
    size_t values;
    size_t passed;  /* channels in them */
    size_t letters; /* messages of which something is told that is not so for all who have them */
};

static struct load load_of(const struct op *op)
{
    const struct item *item;
    struct load load = {0};

    list_each (item, &op->items, link) {
        load.values++;
        load.passed += cargo_count(item);
        load.letters += item->letter && item->index;
    }
    return load;
}

/* Fills *own, which then is one of load.letters, where it has to. */
static const struct message *message_of(const struct item *item, struct message *own)
{
    if (!item->letter || !item->index)
        return item->letter ? letter_told(item->letter) : NULL;
    letter_tell(item->letter, item->flags & ITEM_TRIES ? 0 : item->index, own);
    own->tries = item->flags & ITEM_TRIES ? item->index : 0;
    return own;
}

/* Member by member: a struct put together elsewhere is read wider than it was written, for which the processor waits. */
static void fill_value(struct value *to, const struct item *item, const struct message *message,
                       const struct passed *passed)
{
    to->body.data = item->letter ? item->letter->body.data : item->data;
    to->body.size = item->letter ? item->letter->body.size : item->size;
    to->flags = item->flags & VALUE_TOLD;
    to->handles = passed;
    to->handles_n = cargo_count(item);
    to->message = message;
}

static void fill_values(struct box *box, struct op *op, struct result *result, const struct load *load)
{
    struct value *value = box_take(box, load->values * sizeof(*value));
    struct passed *passed = box_take(box, load->passed * sizeof(*passed));
    struct message *own = box_take(box, load->letters * sizeof(*own));
    struct item *item;

    box->items = box_take(box, load->values * sizeof(struct item *));
    result->values = value;
    result->values_n = load->values;
    list_each (item, &op->items, link) {
        cargo_tell(item, passed);
        fill_value(value, item, message_of(item, own), passed);
        passed += cargo_count(item);
        own += value->message == own;
        value++;
        box->items[box->items_n++] = item_ref(item);
    }
}

static void fill_result(struct op *op, struct result *result)
{
    result->op = op->id;
    result->status = op->status;
    result->flags |= op->flags;
    result->index = op->index;
    result->doubt = op->doubt;
    result->handle = op->handle;
}

static int emit(struct core *core, struct session *session, struct op *op, struct stream_result *part)
{
    struct load load = part ? (struct load){0} : load_of(op);
    struct answer *answer = part ? part->answer : op->answer;
    struct box *box = box_new(core, EFFECT_RESULT,
                              rounded(sizeof(struct result)) + rounded(load.values * sizeof(struct value)) +
                                  rounded(load.passed * sizeof(struct passed)) +
                                  rounded(load.letters * sizeof(struct message)) +
                                  rounded(load.values * sizeof(struct item *)));
    if (!box)
        return -ENOMEM;
    struct result *result = box_take(box, sizeof(*result));
    box->effect.conn = session->link_now->conn;
    box->effect.result = result;
    if (answer) {
        box->answer = answer_ref(answer);
        *result = answer->result;
    }
    if (part) {
        result->op = op->id;
        result->number = part->number;
        return 0;
    }
    fill_result(op, result);
    fill_values(box, op, result, &load);
    return 0;
}

int entry_emit(struct core *core, struct entry *entry)
{
    struct stream_result *part = entry->stream ? container_of(entry, struct stream_result, entry) : NULL;
    struct op *op = part ? part->op : container_of(entry, struct op, entry);
    struct session *session = op->scope->session;

    int r = session->link_now ? emit(core, session, op, part) : 0;

    op->left |= session->link_now && r == 0;
    return r;
}

bool outbox_flush(struct core *core)
{
    struct list *link;

    while ((link = core->outbox.next) != &core->outbox) {
        if (entry_emit(core, container_of(link, struct entry, out)) < 0)
            return false;
        list_remove(link);
    }
    return true;
}

int refuse(struct core *core, uint64_t conn, uint64_t op, int status, uint32_t index, struct bytes text)
{
    struct box *box = box_new(core, EFFECT_RESULT, rounded(sizeof(struct result)) + text.size);

    if (!box)
        return -ENOMEM;
    struct result *result = box_take(box, sizeof(*result));
    box->effect.conn = conn;
    box->effect.result = result;
    *result = (struct result){.op = op, .status = status, .index = index};
    result->text = effect_text(&box->effect, text);
    core->counters[COUNT_REFUSED]++;
    return 0;
}

int reply(struct core *core, uint64_t conn, const struct server_frame *head)
{
    size_t states = head->states_n * sizeof(*head->states);
    struct box *box =
        box_new(core, EFFECT_REPLY,
                rounded(sizeof(*head)) + rounded(sizeof(*head->welcome)) + rounded(states) + head->text.size);
    if (!box)
        return -ENOMEM;
    struct server_frame *copy = box_take(box, sizeof(*copy));
    *copy = *head;
    if (head->welcome)
        copy->welcome = memcpy(box_take(box, sizeof(*head->welcome)), head->welcome, sizeof(*head->welcome));
    if (states)
        copy->states = memcpy(box_take(box, states), head->states, states);
    copy->text = effect_text(&box->effect, head->text);
    box->effect.conn = conn;
    box->effect.reply = copy;
    return 0;
}
