/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/attempt_service.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/core/deadlines.h"
#include "server/service/job_bundle.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/file_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"

/* Compares in a time that does not tell how much of it was right. */
static bool token_is_right(const struct attempt *attempt, struct slice token)
{
	unsigned difference = 0;

	if (token.len != ATTEMPT_TOKEN_LEN || strlen(attempt->token) != ATTEMPT_TOKEN_LEN)
		return false;
	for (size_t i = 0; i < token.len; i++)
		difference |= token.data[i] ^ (uint8_t)attempt->token[i];
	return difference == 0;
}

/* Finds an attempt, ended or not. */
static int find(struct services *s, int64_t id, struct slice token, struct attempt *ret)
{
	int r = attempt_store_find(s->db, id, ret);

	if (r < 0)
		return r;
	if (r > 0 || !token_is_right(ret, token))
		return ATTEMPT_NO_TOKEN;
	return ATTEMPT_OK;
}

int attempt_service_check(struct services *s, int64_t id, struct slice token, struct attempt *ret)
{
	int r = find(s, id, token, ret);

	if (r != 0)
		return r;
	return attempt_state_is_final(ret->state) ? ATTEMPT_GONE : ATTEMPT_OK;
}

int attempt_service_is_machine(struct services *s, const struct attempt *attempt, uint32_t peer)
{
	struct known_machine machine;
	int r;

	if (attempt->address == peer)
		return 1;
	r = host_store_machine_at(s->db, peer, &machine);
	if (r != 0)
		return r < 0 ? r : 0;
	return mac_equal(machine.mac, attempt->mac);
}

int attempt_service_is_job_machine(struct services *s, int64_t job, uint32_t peer)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_job(s->db, job, &attempt);

	if (r != 0)
		return MIN(r, 0);
	return attempt_service_is_machine(s, &attempt, peer);
}

static int fill_next(struct services *s, int64_t job, struct message_answer *answer)
{
	CLEANUP(job_freep) struct job *parsed = NULL;
	int r = job_bundle_load(s, job, &parsed);

	if (r == 0)
		answer->next = (int)parsed->on_finish;
	return r;
}

static void fill_deadline(const struct moment *m, const struct attempt *attempt,
                          struct message_answer *answer)
{
	usec_t left = attempt_left(m, attempt);

	answer->has_deadline = true;
	answer->deadline_sec = (uint32_t)MIN(left / USEC_PER_SEC, (usec_t)UINT32_MAX);
	answer->lease_sec = (uint32_t)(LEASE_LENGTH / USEC_PER_SEC);
	answer->log_interval_ms = 1000;
	answer->cancel = attempt->state == ATTEMPT_CANCELLING;
}

static struct message_answer empty_answer(void)
{
	return (struct message_answer){ .next = -1 };
}

/* Moves when the table allows it; a report that comes late moves nothing and is no harm. */
static int advance(struct services *s, const struct moment *m, struct attempt *attempt,
                   enum attempt_event event)
{
	int r;

	attempt->seen_steady = m->steady;
	r = move_attempt(s, m, attempt, event, NULL);
	return r == MOVE_REFUSED ? move_attempt_touch(s, attempt) : r;
}

/*
 * Another kernel than the one that said hello first: the machine was reset and runs the same
 * job.cgz again. Its first life may have written anywhere, so this is not continued.
 */
static int end_other_boot(struct services *s, const struct moment *m, struct attempt *attempt)
{
	int r = move_attempt(s, m, attempt, ATTEMPT_EVENT_FAIL,
	                     attempt->state == ATTEMPT_CRASHED ? NULL : "unexpected_reset");

	return r < 0 ? r : ATTEMPT_GONE;
}

/* A kernel that was started because that of the attempt died: it brings what is left of it. */
static int take_crash(struct services *s, const struct moment *m, struct attempt *attempt)
{
	int r;

	if (attempt->state != ATTEMPT_CANCELLING) {
		attempt->verdict = JOB_FAIL;
		(void)snprintf(attempt->cause, sizeof(attempt->cause), "crash");
		(void)snprintf(attempt->upload, sizeof(attempt->upload), "incomplete");
	}
	r = advance(s, m, attempt, ATTEMPT_EVENT_CRASH);
	return r < 0 ? r : ATTEMPT_OK;
}

/*
 * Lets an agent in. The same kernel again is its repeated hello. In a machine that announced its
 * reboot that one is late, and only another kernel is back.
 */
static int welcome(struct services *s, const struct moment *m, struct attempt *attempt,
                   const struct message_hello *hello)
{
	bool is_first = attempt->boot_id[0] == '\0';
	bool is_same = strcmp(attempt->boot_id, hello->boot_id) == 0;
	int r;

	if (strcmp(hello->mode, "kdump") == 0)
		return take_crash(s, m, attempt);
	if (attempt->state == ATTEMPT_CRASHED)
		return end_other_boot(s, m, attempt);
	if (is_same && attempt->state == ATTEMPT_REBOOTING)
		return ATTEMPT_OK;
	if (!is_first && !is_same && attempt->state != ATTEMPT_REBOOTING)
		return end_other_boot(s, m, attempt);
	(void)snprintf(attempt->boot_id, sizeof(attempt->boot_id), "%s", hello->boot_id);
	if (is_first)
		attempt->hello_wall = m->wall;
	r = advance(s, m, attempt, ATTEMPT_EVENT_HELLO);
	return r < 0 ? r : ATTEMPT_OK;
}

static int take_hello(struct services *s, const struct moment *m, int64_t id, struct slice token,
                      const struct message_hello *hello, struct message_answer *answer)
{
	struct attempt attempt;
	struct job_record job;
	struct subject subject;
	char job_id[JOB_ID_TEXT_MAX];
	int r = attempt_service_check(s, id, token, &attempt);

	if (r != 0)
		return r;
	r = welcome(s, m, &attempt, hello);
	if (r != 0)
		return r;
	subject = attempt_subject(&attempt);
	r = services_event(s, m, EVENT_AGENT_HELLO, &subject, "{s:s, s:s, s:s, s:I}", "boot_id",
	                   hello->boot_id, "agent", hello->agent, "kernel", hello->kernel,
	                   "uptime_ms", (json_int_t)hello->uptime_ms);
	if (r == 0)
		r = job_store_find(s->db, attempt.job, &job);
	if (r != 0)
		return r < 0 ? r : -EUCLEAN;
	(void)snprintf(answer->job, sizeof(answer->job), "%s", services_job_id(s, job.id, job_id));
	(void)snprintf(answer->result_root, sizeof(answer->result_root), "%s", job.result_root);
	fill_deadline(m, &attempt, answer);
	return fill_next(s, job.id, answer);
}

int attempt_service_hello(struct services *s, const struct moment *m, int64_t id,
                          struct slice token, const struct message_hello *hello,
                          struct message_answer *ret_answer)
{
	struct message_answer answer = empty_answer();
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = services_finish(s, take_hello(s, m, id, token, hello, &answer));
	if (r == ATTEMPT_OK)
		*ret_answer = answer;
	return r;
}

static const struct {
	enum attempt_event event;
	enum event_kind kind;
} stages[_MESSAGE_STAGE_MAX] = {
	[MESSAGE_STAGE_SETUP] = { ATTEMPT_EVENT_HELLO, EVENT_JOB_SETUP },
	[MESSAGE_STAGE_RUNNING] = { ATTEMPT_EVENT_RUN, EVENT_JOB_RUNNING },
	[MESSAGE_STAGE_POST] = { ATTEMPT_EVENT_POST, EVENT_JOB_POST },
	[MESSAGE_STAGE_UPLOADING] = { ATTEMPT_EVENT_POST, EVENT_UPLOAD_START },
	[MESSAGE_STAGE_REBOOTING] = { ATTEMPT_EVENT_REBOOT, EVENT_HOST_REBOOT },
};

/* Said of an earlier boot than the present one, it is late and means nothing. */
static int announce_reboot(struct services *s, const struct moment *m, struct attempt *attempt,
                           const struct message_stage_report *report)
{
	usec_t within = report->within_sec * USEC_PER_SEC;
	int r;

	if (strcmp(attempt->boot_id, report->boot_id) != 0 || attempt->state == ATTEMPT_REBOOTING)
		return 0;
	r = move_attempt(s, m, attempt, ATTEMPT_EVENT_REBOOT, NULL);
	if (r != 0)
		return MIN(r, 0);
	if (within == 0 || within > REBOOT_LENGTH_MAX)
		within = REBOOT_LENGTH_MAX;
	deadline_set(attempt, m->steady, within);
	return move_attempt_touch(s, attempt);
}

static int stage(struct services *s, const struct moment *m, int64_t id, struct slice token,
                 const struct message_stage_report *report, struct message_answer *answer)
{
	struct attempt attempt;
	struct subject subject;
	int r = attempt_service_check(s, id, token, &attempt);

	if (r != 0)
		return r;
	if (report->stage == MESSAGE_STAGE_REBOOTING)
		r = announce_reboot(s, m, &attempt, report);
	else
		r = advance(s, m, &attempt, stages[report->stage].event);
	if (r < 0)
		return r;
	fill_deadline(m, &attempt, answer);
	subject = attempt_subject(&attempt);
	return services_event(s, m, stages[report->stage].kind, &subject, "{s:I}", "uptime_ms",
	                      (json_int_t)report->uptime_ms);
}

int attempt_service_stage(struct services *s, const struct moment *m, int64_t id,
                          struct slice token, const struct message_stage_report *report,
                          struct message_answer *ret_answer)
{
	struct message_answer answer = empty_answer();
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = services_finish(s, stage(s, m, id, token, report, &answer));
	if (r == ATTEMPT_OK)
		*ret_answer = answer;
	return r;
}

static int renew(struct services *s, const struct moment *m, int64_t job, usec_t more,
                 usec_t *ret_left)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_job(s->db, job, &attempt);

	if (r != 0)
		return r < 0 ? r : ATTEMPT_GONE;
	if (attempt.run_until_steady == 0 || attempt.state > ATTEMPT_UPLOADING)
		return ATTEMPT_GONE;
	if (usec_add(attempt.run_limit, more) > RUN_LENGTH_MAX)
		return ATTEMPT_TOO_LONG;
	attempt.run_limit = usec_add(attempt.run_limit, more);
	attempt.run_until_steady = usec_add(attempt.run_until_steady, more);
	if (attempt.state == ATTEMPT_RUNNING)
		attempt.deadline_steady = usec_add(attempt.deadline_steady, more);
	else if (attempt.state == ATTEMPT_UPLOADING)
		deadline_set(&attempt, m->steady,
		             usec_add(usec_sub(attempt.deadline_steady, m->steady), more));
	*ret_left = usec_sub(attempt.run_until_steady, m->steady);
	return move_attempt_touch(s, &attempt);
}

int attempt_service_renew(struct services *s, const struct moment *m, int64_t job, usec_t more,
                          usec_t *ret_left)
{
	usec_t left = 0;
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = services_finish(s, renew(s, m, job, more, &left));
	if (r == ATTEMPT_OK)
		*ret_left = left;
	return r;
}

static int heartbeat(struct services *s, const struct moment *m, int64_t id, struct slice token,
                     struct message_answer *answer)
{
	struct attempt attempt;
	int r = attempt_service_check(s, id, token, &attempt);

	if (r != 0)
		return r;
	attempt.seen_steady = m->steady;
	fill_deadline(m, &attempt, answer);
	return move_attempt_touch(s, &attempt);
}

int attempt_service_heartbeat(struct services *s, const struct moment *m, int64_t id,
                              struct slice token, struct message_answer *ret_answer)
{
	struct message_answer answer = empty_answer();
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = services_finish(s, heartbeat(s, m, id, token, &answer));
	if (r == ATTEMPT_OK)
		*ret_answer = answer;
	return r;
}

/* The manifest as one canonical text, so that two of them can be compared. */
static void print_manifest(const struct message_finish *finish, struct buffer *out)
{
	const struct message_finish plain = {
		.verdict = finish->verdict,
		.exit_code = finish->exit_code,
		.cut = finish->cut,
		.manifest = finish->manifest,
		.n_manifest = finish->n_manifest,
	};

	message_finish_build(out, &plain);
}

/* Whether every file of the manifest has arrived as it says: 1, 0 or -errno. */
static int is_complete(struct services *s, int64_t attempt, const struct message_finish *finish)
{
	for (size_t i = 0; i < finish->n_manifest; i++) {
		const struct message_file *said = &finish->manifest[i];
		struct stored_file file;
		int r = file_store_find(s->db, attempt, said->name, &file);

		if (r != 0)
			return r < 0 ? r : 0;
		if ((uint64_t)file.size != said->size || strcmp(file.sha256, said->sha256) != 0)
			return 0;
	}
	return 1;
}

/* Said again: right when it is the same. */
static int finish_again(struct services *s, const struct attempt *attempt, struct slice manifest)
{
	struct buffer old = BUFFER_NULL;
	int r = attempt_store_manifest(s->db, attempt->id, &old);
	bool is_same = r == 0 && slice_equal(buffer_slice(&old), manifest);

	buffer_deinit(&old);
	if (r != 0)
		return r < 0 ? r : ATTEMPT_GONE;
	return is_same ? ATTEMPT_OK : ATTEMPT_OTHER;
}

static const enum job_verdict verdicts[_MESSAGE_VERDICT_MAX] = {
	[MESSAGE_VERDICT_PASS] = JOB_PASS,
	[MESSAGE_VERDICT_FAIL] = JOB_FAIL,
	[MESSAGE_VERDICT_SKIP] = JOB_SKIP,
};

static int finish_first(struct services *s, const struct moment *m, struct attempt *attempt,
                        const struct message_finish *finish, struct slice manifest)
{
	int complete, r;

	r = attempt_store_add_manifest(s->db, attempt->id, manifest, m->wall);
	if (r < 0)
		return r;
	complete = is_complete(s, attempt->id, finish);
	if (complete < 0)
		return complete;
	(void)snprintf(attempt->upload, sizeof(attempt->upload), "%s",
	               complete ? "complete" : "incomplete");
	attempt->verdict = verdicts[finish->verdict];
	attempt->seen_steady = m->steady;
	return move_attempt(s, m, attempt, ATTEMPT_EVENT_FINISH,
	                    attempt->state == ATTEMPT_CANCELLING ? "cancelled" : finish->cause);
}

static int take_finish(struct services *s, const struct moment *m, int64_t id, struct slice token,
                       const struct message_finish *said, struct message_answer *answer)
{
	struct buffer manifest = BUFFER_NULL;
	struct attempt attempt;
	int r = find(s, id, token, &attempt);

	if (r != 0)
		return r;
	print_manifest(said, &manifest);
	r = buffer_error(&manifest);
	if (r == 0 && attempt_state_is_final(attempt.state))
		r = finish_again(s, &attempt, buffer_slice(&manifest));
	else if (r == 0)
		r = finish_first(s, m, &attempt, said, buffer_slice(&manifest));
	buffer_deinit(&manifest);
	if (r != 0)
		return r;
	return fill_next(s, attempt.job, answer);
}

int attempt_service_finish(struct services *s, const struct moment *m, int64_t id,
                           struct slice token, const struct message_finish *finish,
                           struct message_answer *ret_answer)
{
	struct message_answer answer = empty_answer();
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	r = services_finish(s, take_finish(s, m, id, token, finish, &answer));
	if (r == ATTEMPT_OK)
		*ret_answer = answer;
	return r;
}

int attempt_service_file_start(struct services *s, const struct moment *m, struct attempt *attempt)
{
	attempt->seen_steady = m->steady;
	if (attempt->state != ATTEMPT_OFFERED)
		return 0;
	return move_attempt(s, m, attempt, ATTEMPT_EVENT_LOAD, NULL);
}

int attempt_service_file_done(struct services *s, const struct moment *m, struct attempt *attempt,
                              struct slice path)
{
	attempt->seen_steady = m->steady;
	if (attempt->state != ATTEMPT_OFFERED && attempt->state != ATTEMPT_LOADING)
		return 0;
	if (attempt->kernel_path[0] && text_equal(path, attempt->kernel_path))
		return move_attempt(s, m, attempt, ATTEMPT_EVENT_KERNEL, NULL);
	if (attempt->state == ATTEMPT_OFFERED)
		return move_attempt(s, m, attempt, ATTEMPT_EVENT_LOAD, NULL);
	/* progress: the next file has the whole time again */
	attempt->deadline_steady = usec_add(m->steady, deadline_of_attempt(attempt));
	return move_attempt_touch(s, attempt);
}
