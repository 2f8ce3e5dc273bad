/*
 * DUMP: the operations that wait, a page at a time.
 *
 * A page costs what is in it and no more, however many operations there are: at most sweep_per_turn of them and of
 * empty places of their table are looked at, then the page ends, rows or not. An operation that waits from the first
 * page to the last is told at least once.
 */
#include "inspect.h"

enum { PLACE_ROOM = 64 }; /* operations in one place of a table: one on average, and the hash is keyed */

struct page {
    struct core *core;
    const struct request_dump *ask;
    struct wait_rows rows;
    size_t limit, looked;
    uint64_t next_session; /* where the next page begins; 0: this is the last */
    uint32_t next_place;
};

static bool wanted(const struct page *page, struct op *op)
{
    const struct request_dump *ask = page->ask;

    if (!op_waits(op) || op_gone(page->core, op) || !may_see(page->core, page->rows.who, op->scope->account))
        return false;
    if (page->core->now.mono_ns - op->since_ns < ask->age_ns)
        return false;
    return !ask->object.size || waits_for(op, ask->object);
}

static bool is_full(const struct page *page)
{
    return page->rows.n >= page->limit || page->looked >= page->core->limits.sweep_per_turn;
}

/* One place of the table. Where to go on; 0: nowhere. */
static uint32_t take_place(struct page *page, const struct map *ops, uint32_t place)
{
    struct map_node *node = map_scan(ops, &place);

    for (page->looked++; node; node = node->next, page->looked++)
        if (wanted(page, map_entry(node, struct op, node)))
            rows_put_op(&page->rows, map_entry(node, struct op, node));
    return place;
}

/* False: the page has ended before the session has. */
static bool take_session(struct page *page, const struct session *session, uint32_t place)
{
    if (!session->host && !may_see(page->core, page->rows.who, session->account))
        return true;
    do {
        if (is_full(page)) {
            page->next_session = session->number;
            page->next_place = place;
            return false;
        }
        place = take_place(page, &session->ops, place);
    } while (place);
    return true;
}

static void take_all(struct page *page)
{
    const struct request_dump *ask = page->ask;
    const struct session *session;

    list_each (session, &page->core->session_list, link) {
        if (session->number < ask->from_session || (ask->session && session->number != ask->session))
            continue;
        uint32_t place = session->number == ask->from_session ? ask->from_place : 0;
        if (!take_session(page, session, place))
            return;
    }
}

int handle_dump(struct core *core, struct op *op, const struct request *request)
{
    const struct request_dump *ask = &request->dump;
    uint64_t most = core->limits.list_page_max;
    struct page page = {
        .core = core, .ask = ask, .limit = ask->limit && ask->limit < most ? ask->limit : most};
    int r = rows_make(&page.rows, core, op, page.limit + PLACE_ROOM);

    if (r < 0)
        return r;
    take_all(&page);
    return rows_answer(&page.rows, op,
                       (struct result){.flags = page.next_session ? RESULT_MORE : 0,
                                       .handle = page.next_session,
                                       .index = page.next_place});
}
