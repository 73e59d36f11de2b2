/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Each message is described once, as a walk over its fields; the walk writes or reads, as its
 * codec says, so that the two directions cannot differ.
 */
#include "server/core/worker_message.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const names[_WORKER_MESSAGE_KIND_MAX] = {
	[WORKER_CONFIG] = "config",     [WORKER_LISTEN] = "listen",
	[WORKER_GRANT] = "grant",       [WORKER_COMMITTED] = "committed",
	[WORKER_CANCEL] = "cancel",     [WORKER_LOAD] = "load",
	[WORKER_READY] = "ready",       [WORKER_ASK] = "ask",
	[WORKER_PROGRESS] = "progress", [WORKER_COMMIT] = "commit",
	[WORKER_RELEASE] = "release",   [WORKER_TRANSFER] = "transfer",
	[WORKER_REMOVE] = "remove",     [WORKER_REMOVED] = "removed",
	[WORKER_LOADED] = "loaded",     [WORKER_COUNTS] = "counts",
};

const char *worker_message_kind_to_name(int value)
{
	const char *name = table_name(names, ARRAY_SIZE(names), value);

	return name ? name : "?";
}

struct codec {
	struct bytes *out; /* writes there, or NULL: reads from in */
	struct slice in;
	bool is_bad;
};

static void walk_u32(struct codec *c, uint32_t *v)
{
	if (c->out) {
		bytes_append_be32(c->out, *v);
	} else if (c->in.len < 4) {
		c->is_bad = true;
	} else {
		*v = get_be32(slice_take(&c->in, 4).data);
	}
}

static void walk_u64(struct codec *c, uint64_t *v)
{
	uint32_t high = (uint32_t)(*v >> 32), low = (uint32_t)*v;

	walk_u32(c, &high);
	walk_u32(c, &low);
	*v = (uint64_t)high << 32 | low;
}

static void walk_i64(struct codec *c, int64_t *v)
{
	uint64_t u = (uint64_t)*v;

	walk_u64(c, &u);
	*v = (int64_t)u;
}

static void walk_u16(struct codec *c, uint16_t *v)
{
	uint32_t u = *v;

	walk_u32(c, &u);
	if (u > UINT16_MAX)
		c->is_bad = true;
	*v = (uint16_t)u;
}

static void walk_bool(struct codec *c, bool *v)
{
	uint32_t u = *v;

	walk_u32(c, &u);
	if (u > 1)
		c->is_bad = true;
	*v = u == 1;
}

static void walk_slice(struct codec *c, struct slice *s)
{
	uint32_t len = (uint32_t)s->len;

	walk_u32(c, &len);
	if (c->out)
		bytes_append_slice(c->out, *s);
	else if (len > c->in.len)
		c->is_bad = true;
	else
		*s = slice_take(&c->in, len);
}

static void walk_config(struct codec *c, struct worker_config *config)
{
	walk_u32(c, &config->n_roots);
	if (config->n_roots > HTTP_ROUTE_ROOTS_MAX) {
		c->is_bad = true;
		return;
	}
	for (uint32_t i = 0; i < config->n_roots && !c->is_bad; i++) {
		walk_slice(c, &config->roots[i].prefix);
		walk_slice(c, &config->roots[i].directory);
	}
	walk_slice(c, &config->results);
	walk_u16(c, &config->api_port);
	walk_u16(c, &config->os_port);
	walk_u16(c, &config->files_port);
	walk_u16(c, &config->upload_port);
	walk_u32(c, &config->max_sockets);
	walk_bool(c, &config->is_debug);
}

static void walk_ask(struct codec *c, struct worker_ask *ask)
{
	walk_u64(c, &ask->upload);
	walk_u32(c, &ask->method);
	if (ask->method >= _HTTP_METHOD_MAX)
		c->is_bad = true;
	walk_slice(c, &ask->path);
	walk_slice(c, &ask->cookie);
	walk_slice(c, &ask->authorization);
	walk_u32(c, &ask->peer);
	walk_i64(c, &ask->length);
}

static void walk_grant(struct codec *c, struct worker_grant *grant)
{
	walk_u64(c, &grant->upload);
	walk_u32(c, &grant->status);
	walk_u32(c, &grant->retry_after_sec);
	walk_slice(c, &grant->reason);
	walk_i64(c, &grant->attempt);
	walk_i64(c, &grant->max);
	walk_slice(c, &grant->name);
	walk_bool(c, &grant->is_unrecorded);
}

static void walk_counts(struct codec *c, struct worker_counts *counts)
{
	walk_u32(c, &counts->n);
	if (counts->n > WORKER_COUNTS_MAX) {
		c->is_bad = true;
		return;
	}
	for (uint32_t i = 0; i < counts->n && !c->is_bad; i++)
		walk_u64(c, &counts->value[i]);
}

static void walk_progress(struct codec *c, struct worker_progress *progress)
{
	walk_i64(c, &progress->attempt);
	walk_i64(c, &progress->size);
	walk_slice(c, &progress->name);
}

static void walk_commit(struct codec *c, struct worker_commit *commit)
{
	walk_u64(c, &commit->upload);
	walk_i64(c, &commit->attempt);
	walk_i64(c, &commit->size);
	walk_slice(c, &commit->name);
	walk_slice(c, &commit->sha256);
}

static void walk_result(struct codec *c, struct worker_result *result)
{
	uint32_t u = (uint32_t)result->result;

	walk_u64(c, &result->id);
	walk_u32(c, &u);
	result->result = (int32_t)u;
}

static void walk_transfer(struct codec *c, struct worker_transfer *transfer)
{
	walk_bool(c, &transfer->is_done);
	walk_bool(c, &transfer->is_aborted);
	walk_u32(c, &transfer->peer);
	walk_slice(c, &transfer->path);
	walk_i64(c, &transfer->offset);
	walk_i64(c, &transfer->bytes);
	walk_i64(c, &transfer->size);
	walk_u64(c, &transfer->elapsed);
}

static void walk(struct codec *c, struct worker_message *message)
{
	switch (message->kind) {
	case WORKER_CONFIG:
		walk_config(c, &message->config);
		break;
	case WORKER_LISTEN:
		walk_bool(c, &message->listen.is_upload);
		break;
	case WORKER_GRANT:
		walk_grant(c, &message->grant);
		break;
	case WORKER_COMMITTED:
	case WORKER_LOADED:
	case WORKER_REMOVED:
		walk_result(c, &message->result);
		break;
	case WORKER_CANCEL:
	case WORKER_RELEASE:
		walk_u64(c, &message->upload);
		break;
	case WORKER_LOAD:
		walk_u64(c, &message->load.id);
		walk_u64(c, &message->load.size);
		break;
	case WORKER_REMOVE:
		walk_u64(c, &message->remove.id);
		walk_slice(c, &message->remove.name);
		break;
	case WORKER_READY:
	case _WORKER_MESSAGE_KIND_MAX:
		break;
	case WORKER_ASK:
		walk_ask(c, &message->ask);
		break;
	case WORKER_PROGRESS:
		walk_progress(c, &message->progress);
		break;
	case WORKER_COMMIT:
		walk_commit(c, &message->commit);
		break;
	case WORKER_TRANSFER:
		walk_transfer(c, &message->transfer);
		break;
	case WORKER_COUNTS:
		walk_counts(c, &message->counts);
		break;
	}
}

void worker_message_build(const struct worker_message *message, struct bytes *out)
{
	struct worker_message copy = *message; /* the walk's parameters are not const */
	struct codec c = { .out = out };

	bytes_append_u8(out, (uint8_t)message->kind);
	walk(&c, &copy);
}

int worker_message_parse(struct slice packet, struct worker_message *ret)
{
	struct worker_message message = { .kind = WORKER_READY };
	struct codec c = { .in = packet };
	uint8_t kind;

	if (packet.len < 1)
		return WORKER_MESSAGE_BAD;
	kind = slice_take(&c.in, 1).data[0];
	if (kind >= _WORKER_MESSAGE_KIND_MAX)
		return WORKER_MESSAGE_BAD;
	message.kind = kind;
	walk(&c, &message);
	if (c.is_bad || c.in.len > 0)
		return WORKER_MESSAGE_BAD;
	*ret = message;
	return 0;
}
