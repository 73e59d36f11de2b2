/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a test machine and its agent do to a services_world.
 */
#pragma once

#include "tests/support/services_world.h"

#include <archive.h>
#include <archive_entry.h>

#include "server/service/transfer_service.h"

/* What the agent knows from its attempt file. */
struct agent {
	struct world_machine machine;
	char job[64], attempt[32], token[64];
};

/* The member lkp/scheduled/attempt of a cgz. */
static inline void read_attempt_file(struct slice packed, char *to, size_t size)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	la_ssize_t n = -1;

	assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_cpio(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(a, packed.data, packed.len), ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK)
		if (strcmp(archive_entry_pathname(entry), "lkp/scheduled/attempt") == 0)
			n = archive_read_data(a, to, size - 1);
	assert_true(n > 0);
	to[n] = '\0';
	assert_int_equal(archive_read_free(a), ARCHIVE_OK);
}

static inline void copy_line(const char *text, const char *key, char *to, size_t size)
{
	const char *at = strstr(text, key);

	assert_non_null(at);
	at += strlen(key);
	(void)snprintf(to, size, "%.*s", (int)strcspn(at, "\n"), at);
}

/* Fetches job.cgz and reads the attempt file in it. */
static inline void fetch_job(struct world *w, struct agent *agent)
{
	char target[128], text[1024];

	(void)snprintf(target, sizeof(target), "/job_initrd_tmpfs/%s/job.cgz", agent->job);
	assert_int_equal(world_do(w, HTTP_METHOD_GET, agent->machine.address, target, NULL, NULL),
	                 200);
	read_attempt_file(buffer_slice(&w->answer.body), text, sizeof(text));
	copy_line(text, "\nattempt=", agent->attempt, sizeof(agent->attempt));
	copy_line(text, "\ntoken=", agent->token, sizeof(agent->token));
}

static inline unsigned say(struct world *w, const struct agent *agent, const char *verb,
                           const char *body)
{
	char target[128];

	(void)snprintf(target, sizeof(target), "/v1/attempts/%s/%s", agent->attempt, verb);
	return world_do(w, HTTP_METHOD_POST, agent->machine.address, target, body, agent->token);
}

#define HELLO                                                                                      \
	"{\"boot_id\":\"b1\",\"agent\":\"0.1.0\",\"api\":1,\"kernel\":\"6.1\",\"uptime_ms\":9000}"
#define FINISH "{\"verdict\":\"pass\",\"cause\":\"\",\"exit_code\":0,\"manifest\":[],\"cut\":0}"

static inline void transfer(struct world *w, const struct agent *agent, const char *path,
                            enum transfer_phase phase)
{
	const struct transfer t = { .phase = phase,
		                    .peer = agent->machine.address,
		                    .path = slice_from_text(path),
		                    .bytes = 6,
		                    .size = 6 };

	assert_int_equal(transfer_service_report(services_transfers(w->s), &t, w->now, w->wall), 0);
}

static const char kernel_path[] = "/os/debian/x86_64/bookworm-2026-01-02-03-04-05/boot/vmlinuz-6.1";

static inline const char *state_of(struct world *w, const struct agent *agent)
{
	static char state[32];
	char target[128];

	(void)snprintf(target, sizeof(target), "/v1/jobs/%s", agent->job);
	assert_int_equal(world_get(w, target), 200);
	(void)snprintf(state, sizeof(state), "%s", world_text(w, "state"));
	return state;
}

static inline const char *attempt_state(struct world *w, const struct agent *agent, unsigned nth)
{
	char path[32];

	(void)state_of(w, agent);
	(void)snprintf(path, sizeof(path), "attempts.%u.state", nth);
	return world_text(w, path);
}
