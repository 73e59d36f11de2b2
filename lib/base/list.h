/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Intrusive doubly linked list: the head and each member carry a struct list. An unlinked member
 * points to itself, so that unlinking twice is harmless.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/macro.h"

struct list {
	struct list *prev, *next;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		.prev = &(name), .next = &(name)                                                   \
	}

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_before(struct list *where, struct list *what)
{
	what->prev = where->prev;
	what->next = where;
	where->prev->next = what;
	where->prev = what;
}

/* Adds at the end of the list. */
static inline void list_append(struct list *head, struct list *what)
{
	list_insert_before(head, what);
}

/* Adds at the front of the list. */
static inline void list_prepend(struct list *head, struct list *what)
{
	list_insert_before(head->next, what);
}

static inline void list_unlink(struct list *what)
{
	what->prev->next = what->next;
	what->next->prev = what->prev;
	list_init(what);
}

/* First member, or NULL when the list is empty. */
#define LIST_FIRST(head, type, member)                                                             \
	(list_is_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))

/* Visits each link; the body may not unlink it. */
#define LIST_FOREACH(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)

/* Visits each link; the body may unlink (and free) the one it is at. */
#define LIST_FOREACH_SAFE(it, n, head)                                                             \
	for (struct list *it = (head)->next, *n = it->next; it != (head); it = n, n = it->next)
