/*
 * Intrusive doubly linked list. A link knows its place, so an item leaves in O(1) without its list.
 *
 * Invariants: a list head and an unlinked item point at themselves; `list_linked` is therefore exact.
 * No locks: whoever owns the list owns its links.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)                                                                                      \
    {                                                                                                        \
        &(name), &(name)                                                                                     \
    }

/* The object of `type` that holds `link` as its `member`. */
#define container_of(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/* The first object of a list, or NULL. */
#define list_first(head, type, member)                                                                       \
    (list_empty(head) ? (type *)NULL : container_of((head)->next, type, member))

/* The link of an item. By address alone: at the end of a loop the item is no object, only where the head would be
 * its member, and perhaps not aligned for its type. */
#define list_link(item, member) ((struct list *)((char *)(item) + offsetof(__typeof__(*(item)), member)))

/* `item` may leave the list in the body of list_each_safe, not in that of list_each. */
#define list_each(item, head, member)                                                                        \
    for (item = container_of((head)->next, __typeof__(*item), member); list_link(item, member) != (head);    \
         item = container_of(list_link(item, member)->next, __typeof__(*item), member))
#define list_each_safe(item, after, head, member)                                                            \
    for (item = container_of((head)->next, __typeof__(*item), member),                                       \
        after = container_of(list_link(item, member)->next, __typeof__(*item), member);                      \
         list_link(item, member) != (head);                                                                  \
         item = after, after = container_of(list_link(item, member)->next, __typeof__(*item), member))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline bool list_linked(const struct list *link)
{
    return link->next != link;
}

/* Puts `link` before `place`: with a head as the place, at the end. */
static inline void list_insert_before(struct list *place, struct list *link)
{
    link->prev = place->prev;
    link->next = place;
    place->prev->next = link;
    place->prev = link;
}

static inline void list_append(struct list *head, struct list *link)
{
    list_insert_before(head, link);
}

static inline void list_prepend(struct list *head, struct list *link)
{
    list_insert_before(head->next, link);
}

/* Safe to repeat. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves all of `from` to the end of `to`; `from` is empty after it. O(1). */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}
