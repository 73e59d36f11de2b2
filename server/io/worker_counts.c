/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One walk over all numbers, in the same order for both directions.
 */
#include "server/io/worker_counts.h"

#include "lib/base/macro.h"

/* Visits number after number; what it does with one is up to the direction. */
struct walk {
	struct worker_counts *out;      /* packing */
	const struct worker_counts *in; /* adding */
	uint32_t i;
};

static void visit(struct walk *walk, uint64_t *value)
{
	assert(walk->i < WORKER_COUNTS_MAX);
	if (walk->out)
		walk->out->value[walk->out->n++] = *value;
	else if (walk->i < walk->in->n)
		*value += walk->in->value[walk->i];
	walk->i++;
}

static void visit_all(struct walk *walk, uint64_t values[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		visit(walk, &values[i]);
}

static void visit_server(struct walk *walk, struct http_server_counters *server)
{
	uint64_t n_sockets = server->n_sockets;

	visit(walk, &server->n_accepted);
	visit(walk, &server->n_overloaded);
	visit(walk, &server->n_requests);
	visit(walk, &server->n_refused);
	visit(walk, &server->n_broken);
	visit(walk, &n_sockets);
	server->n_sockets = (size_t)n_sockets;
}

static void visit_totals(struct walk *walk, struct worker_totals *totals)
{
	visit_all(walk, totals->names.n, ARRAY_SIZE(totals->names.n));
	visit_all(walk, totals->names.n_bad_path, ARRAY_SIZE(totals->names.n_bad_path));
	visit_all(walk, totals->upload_bad_path, ARRAY_SIZE(totals->upload_bad_path));
	visit_server(walk, &totals->files);
	visit_server(walk, &totals->upload);
}

void worker_counts_pack(const struct worker_totals *totals, struct worker_counts *ret)
{
	struct worker_totals copy = *totals; /* the walk's parameters are not const */
	struct walk walk = { .out = ret };

	*ret = (struct worker_counts){ .n = 0 };
	visit_totals(&walk, &copy);
}

void worker_counts_add(const struct worker_counts *counts, struct worker_totals *totals)
{
	struct walk walk = { .in = counts };

	visit_totals(&walk, totals);
}
