/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Results, uploads and the log of a job. */
#include "tests/support/services_job.h"

#include <fcntl.h>
#include <unistd.h>

#include "server/service/context.h"
#include "server/service/result_room.h"
#include "server/service/result_service.h"

#define SHA "0000000000000000000000000000000000000000000000000000000000000001"

static void upload_once(struct world *w, const struct agent *agent, const char *name,
                        unsigned status, bool is_again)
{
	char path[128], authorization[96];
	struct upload_ask ask = { .method = HTTP_METHOD_PUT,
		                  .peer = agent->machine.address,
		                  .length = 3 };
	struct upload_grant grant;

	(void)snprintf(path, sizeof(path), "/v1/attempts/%s/files/%s", agent->attempt, name);
	(void)snprintf(authorization, sizeof(authorization), "Bearer %s", agent->token);
	ask.path = slice_from_text(path);
	ask.authorization = slice_from_text(authorization);
	assert_int_equal(result_service_open(services_results(w->s), &ask, w->now, w->wall, &grant),
	                 0);
	assert_int_equal(grant.status, status);
	assert_int_equal(grant.retry_after_sec > 0, status == 507);
	if (status == 0)
		assert_int_equal(grant.is_unrecorded, !is_again);
	if (grant.dir_fd >= 0) {
		assert_string_equal(grant.name, name);
		assert_int_equal(close(grant.dir_fd), 0);
		assert_int_equal(result_service_commit(services_results(w->s), grant.attempt, name,
		                                       3, SHA, w->now, w->wall),
		                 0);
	}
}

static void upload(struct world *w, const struct agent *agent, const char *name, unsigned status)
{
	upload_once(w, agent, name, status, false);
}

static void a_worker_is_told_whether_a_file_is_on_record(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	upload_once(w, &agent, "big", 0, false);
	upload_once(w, &agent, "big", 0, true);
}

static void results_are_complete_when_all_of_the_manifest_came(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	upload(w, &agent, "big", 0);
	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"fail\",\"cause\":\"crash\",\"exit_code\":-1,"
	                     "\"manifest\":[{\"name\":\"big\",\"size\":3,\"sha256\":\"" SHA
	                     "\"}],\"cut\":0}"),
	                 200);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "upload"), "complete");
	assert_string_equal(world_text(w, "verdict"), "fail");
	assert_string_equal(world_text(w, "cause"), "crash");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/"), 200);
	assert_string_equal(world_text(w, "files.0.name"), "big");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results/big%20file"), 307);
	assert_non_null(strstr(w->answer.location, "http://10.0.0.1:8800/result/hello/2026-09-21/"
	                                           "vm-1/debian-bookworm-x86_64/lab1.1/"));
}

static void results_that_did_not_come_are_told(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	assert_int_equal(say(w, &agent, "finish",
	                     "{\"verdict\":\"pass\",\"cause\":\"\",\"exit_code\":0,"
	                     "\"manifest\":[{\"name\":\"big\",\"size\":3,\"sha256\":\"" SHA
	                     "\"}],\"cut\":0}"),
	                 200);
	(void)state_of(w, &agent);
	assert_string_equal(world_text(w, "verdict"), "pass");
	assert_string_equal(world_text(w, "upload"), "incomplete");
}

/* The first one counts (S4): said again it is right, another one is not. */
static void a_second_manifest_is_refused(void **state)
{
	static const char other[] = "{\"verdict\":\"fail\",\"cause\":\"\",\"exit_code\":1,"
				    "\"manifest\":[],\"cut\":0}";
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(say(w, &agent, "finish", other), 409);
	assert_string_equal(state_of(w, &agent), "finished");
	assert_string_equal(world_text(w, "verdict"), "pass");
	assert_int_equal(say(w, &agent, "heartbeat", "{\"uptime_ms\":1}"), 410);
}

static void uploads_need_the_token_of_an_open_attempt(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w), wrong = agent;

	(void)strcpy(wrong.token, "x");
	upload(w, &wrong, "big", 401);
	upload(w, &agent, "a/b", 403);
	upload(w, &agent, ".attempt", 403);
	upload(w, &agent, "big", 0);
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	upload(w, &agent, "big", 410);
}

static void result_whose_name_is_no_text_is_shown_all_the_same(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);

	assert_int_equal(result_service_commit(services_results(w->s), atoll(agent.attempt),
	                                       "\xff.log", 3, SHA, w->now, w->wall),
	                 0);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/results"), 200);
	assert_int_equal(json_array_size(world_member(w, "files")), 1);
	assert_string_equal(world_text(w, "files.0.name"), "\\xff.log");
}

static void room_is_short_below_its_share_or_16_mib(void **state)
{
	const uint64_t mib = 1 << 20;

	assert_false(result_room_is_short(5000 * mib, 100000 * mib, 5));
	assert_true(result_room_is_short(4999 * mib, 100000 * mib, 5));
	assert_false(result_room_is_short(16 * mib, 100000 * mib, 0));
	assert_true(result_room_is_short(16 * mib - 1, 100000 * mib, 0));
	assert_true(result_room_is_short(0, UINT64_MAX, 90));
}

/* More than all must stay free: the disk of any machine is short of that. */
static void nothing_is_taken_without_room(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);
	unsigned free_percent = w->s->config.results_free;

	w->s->config.results_free = 101;
	upload(w, &agent, "big", 507);
	w->s->config.results_free = free_percent;
	upload(w, &agent, "big", 0);
}

static void compass_uploads_need_cookie_path_and_machine(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);
	char path[256];
	struct upload_ask ask = { .method = HTTP_METHOD_PUT,
		                  .cookie = SLICE_LITERAL("a=b; JOBID=lab1.1"),
		                  .peer = agent.machine.address,
		                  .length = -1 };
	struct upload_grant grant;
	struct result_service *results = services_results(w->s);

	(void)state_of(w, &agent);
	(void)snprintf(path, sizeof(path), "%s/sub/stdout", world_text(w, "result_root"));
	ask.path = slice_from_text(path);
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 0);
	assert_string_equal(grant.name, "stdout");
	assert_int_equal(close(grant.dir_fd), 0);
	ask.peer = 0x0a000099;
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
	ask.peer = agent.machine.address;
	ask.path = SLICE_LITERAL("/result/other/file");
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
	ask.path = slice_from_text(path);
	ask.cookie = SLICE_NULL;
	assert_int_equal(result_service_open(results, &ask, w->now, w->wall, &grant), 0);
	assert_int_equal(grant.status, 403);
}

static void events_of_a_job_end_with_it(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);
	struct api_follow cursor = { .kind = API_FOLLOW_EVENTS, .job = 1, .is_sse = true };
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;

	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	assert_non_null(strstr((char *)out.data, "event: boot.offer\ndata: {"));
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_non_null(strstr((char *)out.data, "event: job.finished\n"));
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/events"), 200);
	assert_string_equal(world_text(w, "events.0.kind"), "job.state");
	assert_string_equal(world_text(w, "events.0.job"), "lab1.1");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/timeline"), 200);
	assert_string_equal(world_text(w, "boot.0.stage"), "wait");
}

static void put_output(struct world *w, const struct agent *agent, const char *name,
                       const char *text)
{
	char dir[512];

	(void)state_of(w, agent);
	(void)snprintf(dir, sizeof(dir), "%s%s", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	world_put_file(dir, name, text);
}

static void the_log_is_followed_while_it_grows(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);
	struct api_follow cursor;
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;

	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log"), 404);
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log?follow=1"), 200);
	assert_int_equal(w->answer.want, API_FOLLOW);
	cursor = w->answer.follow;
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	put_output(w, &agent, ".output.part", "one\n");
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_WAIT);
	assert_slice_equal(buffer_slice(&out), "one\n");
	put_output(w, &agent, "output", "one\ntwo\n");
	assert_int_equal(say(w, &agent, "finish", FINISH), 200);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_slice_equal(buffer_slice(&out), "one\ntwo\n");
	assert_int_equal(world_get(w, "/v1/jobs/lab1.1/log?offset=4"), 200);
	cursor = w->answer.follow;
	buffer_consume(&out, out.len);
	assert_int_equal(api_follow_next(services_api(w->s), &cursor, &out), API_FOLLOW_END);
	assert_slice_equal(buffer_slice(&out), "two\n");
}

static void a_second_attempt_begins_with_an_empty_directory(void **state)
{
	struct world *w = *state;
	struct agent agent = prepare_running_job(w);
	char path[512];

	put_output(w, &agent, "output", "of the first attempt");
	world_dhcp(w, &agent.machine, 500);
	assert_int_equal(world_boot(w, &agent.machine), 0);
	world_wait(w, 31 * WORLD_SEC);
	assert_int_equal(world_boot(w, &agent.machine), 200);
	(void)state_of(w, &agent);
	(void)snprintf(path, sizeof(path), "%s%s/output", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s%s.attempt-1/output", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s%s/job.yaml", w->results,
	               world_text(w, "result_root") + strlen("/result"));
	assert_int_equal(access(path, F_OK), 0);
}

/* Where the job's copies lie; its day is the world's. */
static void copy_path(const struct world *w, const char *name, char *ret, size_t size)
{
	assert_true((size_t)snprintf(ret, size,
	                             "%s/hello/2026-09-21/vm-1/debian-bookworm-x86_64/lab1.1/%s",
	                             w->results, name) < size);
}

static size_t read_copy(const struct world *w, const char *name, char *ret, size_t size)
{
	char path[256];
	ssize_t n;
	int fd;

	copy_path(w, name, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, ret, size);
	assert_true(n >= 0 && (size_t)n < size);
	assert_int_equal(close(fd), 0);
	return (size_t)n;
}

/* They are written without waiting for the disk: a power cut takes the last ones away. */
static void copies_of_a_job_that_a_power_cut_took_are_written_anew(void **state)
{
	static const char *const names[] = { "job.sh", "job.yaml" };
	struct world *w = *state;
	char before[2][4096], after[4096], path[256];
	size_t len[2];

	(void)prepare_running_job(w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		len[i] = read_copy(w, names[i], before[i], sizeof(before[i]));
		assert_true(len[i] > 0);
	}
	copy_path(w, "job.sh", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	copy_path(w, "job.yaml", path, sizeof(path));
	assert_int_equal(truncate(path, 0), 0); /* a name without its bytes */
	world_restart(w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(read_copy(w, names[i], after, sizeof(after)), len[i]);
		assert_memory_equal(after, before[i], len[i]);
	}
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(a_worker_is_told_whether_a_file_is_on_record),
		IN_A_WORLD(results_are_complete_when_all_of_the_manifest_came),
		IN_A_WORLD(results_that_did_not_come_are_told),
		IN_A_WORLD(a_second_manifest_is_refused),
		IN_A_WORLD(uploads_need_the_token_of_an_open_attempt),
		IN_A_WORLD(result_whose_name_is_no_text_is_shown_all_the_same),
		cmocka_unit_test(room_is_short_below_its_share_or_16_mib),
		IN_A_WORLD(copies_of_a_job_that_a_power_cut_took_are_written_anew),
		IN_A_WORLD(nothing_is_taken_without_room),
		IN_A_WORLD(compass_uploads_need_cookie_path_and_machine),
		IN_A_WORLD(events_of_a_job_end_with_it),
		IN_A_WORLD(the_log_is_followed_while_it_grows),
		IN_A_WORLD(a_second_attempt_begins_with_an_empty_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
