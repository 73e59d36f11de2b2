/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Jobs, attempts, hosts and files in a real database; what survives its sudden end. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "server/core/share.h"
#include "server/store/attempt_store.h"
#include "server/store/file_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"
#include "server/store/lane_store.h"

static int open_memory(void **state)
{
	struct db *db;
	int r = db_open(":memory:", &db);

	*state = db;
	return r;
}

static int close_memory(void **state)
{
	db_close(*state);
	return 0;
}

static struct job_record a_job(const char *testbox)
{
	struct job_record job = { .state = JOB_QUEUED,
		                  .n_queues = 1,
		                  .is_ready = true,
		                  .max_tries = 3,
		                  .expires_steady = 1000,
		                  .run_limit = 60 * USEC_PER_SEC };

	(void)snprintf(job.suite, sizeof(job.suite), "hello");
	(void)snprintf(job.testbox, sizeof(job.testbox), "%s", testbox);
	(void)snprintf(job.tbox_group, sizeof(job.tbox_group), "%s", testbox);
	(void)snprintf(job.queues[0], sizeof(job.queues[0]), "q-%s", testbox);
	return job;
}

static int64_t put_job(struct db *db, const struct job_record *job)
{
	int64_t id = 0;

	assert_int_equal(job_store_insert(db, job, "{\"a\":1}", NULL, 0, &id), 0);
	return id;
}

static int put_attempt(struct db *db, int64_t job, const char *host, const char *token,
                       int64_t *ret_id)
{
	struct attempt attempt = { .job = job, .state = ATTEMPT_OFFERED, .deadline_steady = 77 };

	(void)snprintf(attempt.host, sizeof(attempt.host), "%s", host);
	(void)snprintf(attempt.token, sizeof(attempt.token), "%s", token);
	return attempt_store_insert(db, &attempt, ret_id);
}

static void a_job_reads_back_as_written(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1"), back;
	CLEANUP(buffer_deinit) struct buffer doc = BUFFER_NULL;
	int64_t id = put_job(db, &job);

	assert_int_equal(job_store_set_result_root(db, id, "/result/hello/1"), 0);
	assert_int_equal(job_store_find(db, id, &back), 0);
	assert_int_equal(back.state, JOB_QUEUED);
	assert_string_equal(back.testbox, "vm-1");
	assert_string_equal(back.result_root, "/result/hello/1");
	assert_int_equal(back.run_limit, job.run_limit);
	assert_int_equal(back.n_queues, 1);
	assert_int_equal(job_store_document(db, id, &doc), 0);
	assert_slice_equal(buffer_slice(&doc), "{\"a\":1}");
	assert_int_equal(job_store_find(db, id + 1, &back), JOB_STORE_ABSENT);
}

static void an_update_wants_the_state_it_was_made_from(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	int64_t id = put_job(db, &job);

	assert_int_equal(job_store_find(db, id, &job), 0);
	job.state = JOB_ACTIVE;
	assert_int_equal(job_store_update(db, &job, JOB_QUEUED), 0);
	assert_int_equal(job_store_update(db, &job, JOB_QUEUED), JOB_STORE_STALE);
	job.state = JOB_FINISHED;
	job.verdict = JOB_FAIL;
	(void)snprintf(job.cause, sizeof(job.cause), "crash");
	assert_int_equal(job_store_update(db, &job, JOB_ACTIVE), 0);
	assert_int_equal(job_store_find(db, id, &job), 0);
	assert_int_equal(job.verdict, JOB_FAIL);
	assert_string_equal(job.cause, "crash");
}

static void a_key_is_taken_once(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	int64_t id, found;
	uint64_t hash;

	assert_int_equal(job_store_insert(db, &job, "{}", "k", 99, &id), 0);
	assert_int_equal(job_store_insert(db, &job, "{}", "k", 99, &found), -EEXIST);
	assert_int_equal(job_store_find_key(db, "k", &found, &hash), 0);
	assert_int_equal(found, id);
	assert_int_equal(hash, 99);
	assert_int_equal(job_store_find_key(db, "x", &found, &hash), JOB_STORE_ABSENT);
}

static void a_lane_shows_its_first_ready_job(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	struct sched_candidate found[8];
	int64_t first, second, other;

	job.is_ready = true;
	job.rank = 20;
	first = put_job(db, &job);
	job.rank = 10;
	second = put_job(db, &job);
	(void)snprintf(job.submitter, sizeof(job.submitter), "ann");
	job.rank = 30;
	other = put_job(db, &job);
	assert_int_equal(lane_store_charge(db, "ann", 0, 7), 0);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\",\"q-vm-1\"]", 0, found, 8), 2);
	assert_int_equal(found[0].job, second);
	assert_int_equal(found[0].rank, 10);
	assert_int_equal(found[0].used, 0);
	assert_int_equal(found[1].job, other);
	assert_int_equal(found[1].used, 7);
	assert_int_equal(lane_store_heads(db, "[\"q-vm-1\"]", 0, found, 1), 1);
	assert_int_equal(lane_store_heads(db, "[\"none\"]", 0, found, 8), 0);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\"]", 0, found, 8), 2);
	assert_int_equal(job_store_find(db, found[0].job, &job), 0);
	assert_int_equal(job_store_after(db, &job, &job), 0);
	assert_int_equal(job.id, first);
	assert_int_equal(job_store_after(db, &job, &job), JOB_STORE_ABSENT);
	assert_int_equal(lane_store_prune(db), 0);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\"]", 0, found, 8), 2);
	assert_int_equal(job_store_find(db, second, &job), 0);
	job.state = JOB_ACTIVE;
	assert_int_equal(job_store_update(db, &job, JOB_QUEUED), 0);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\"]", 0, found, 8), 2);
	assert_int_equal(found[0].job, first); /* it moves up */
}

static void a_job_in_back_off_is_not_shown_until_it_is_over(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	struct sched_candidate found[8];
	usec_t moment;

	job.is_ready = true;
	job.id = put_job(db, &job);
	job.is_ready = false;
	job.not_before_steady = 11;
	assert_int_equal(job_store_update(db, &job, JOB_QUEUED), 0);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\"]", 0, found, 8), 0);
	assert_int_equal(job_store_has_candidates(db), 1);
	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_int_equal(moment, 11);
	assert_int_equal(job_store_promote(db, 10), 0);
	assert_int_equal(job_store_promote(db, 11), 1);
	assert_int_equal(lane_store_heads(db, "[\"vm-1\"]", 0, found, 8), 1);
	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_int_equal(moment, 1000); /* its expiry */
}

static void what_a_submitter_had_is_kept_and_fades(void **state)
{
	struct db *db = *state;
	uint64_t used = 77;

	assert_int_equal(lane_store_used(db, "ann", 5, &used), 0);
	assert_int_equal(used, 0);
	assert_int_equal(lane_store_charge(db, "ann", 0, 1000), 0);
	assert_int_equal(lane_store_charge(db, "ann", SHARE_HALF_LIFE, 100), 0);
	assert_int_equal(lane_store_used(db, "ann", SHARE_HALF_LIFE, &used), 0);
	assert_int_equal(used, 600);
	assert_int_equal(lane_store_charge(db, "ann", SHARE_HALF_LIFE, -5000), 0);
	assert_int_equal(lane_store_used(db, "ann", SHARE_HALF_LIFE, &used), 0);
	assert_int_equal(used, 0);
}

static void time_alone_moves_what_is_pending(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1"), found[4];
	usec_t moment;
	int64_t id;

	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_true(moment == USEC_INFINITY);
	id = put_job(db, &job);
	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_int_equal(moment, 1000);
	assert_int_equal(job_store_find(db, id, &job), 0);
	job.not_before_steady = 300;
	job.is_ready = false;
	assert_int_equal(job_store_update(db, &job, JOB_QUEUED), 0);
	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_int_equal(moment, 300);
	assert_int_equal(job_store_promote(db, 300), 1);
	assert_int_equal(job_store_next_moment(db, &moment), 0);
	assert_int_equal(moment, 1000);
	assert_int_equal(job_store_expired(db, 999, found, 4), 0);
	assert_int_equal(job_store_expired(db, 1000, found, 4), 1);
}

/* S1 and S2 in the schema. */
static void one_open_attempt_a_job_and_a_host(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	int64_t one = put_job(db, &job), two = put_job(db, &job), id, other;
	struct attempt attempt;

	assert_int_equal(put_attempt(db, one, "vm-1", "t1", &id), 0);
	assert_int_equal(put_attempt(db, one, "vm-2", "t2", &other), -EEXIST);
	assert_int_equal(put_attempt(db, two, "vm-1", "t3", &other), -EEXIST);
	assert_int_equal(attempt_store_find_open_of_host(db, "vm-1", &attempt), 0);
	assert_int_equal(attempt.id, id);
	attempt.state = ATTEMPT_INFRA;
	attempt.ended_wall = 5;
	assert_int_equal(attempt_store_update(db, &attempt, ATTEMPT_OFFERED), 0);
	assert_int_equal(attempt_store_update(db, &attempt, ATTEMPT_OFFERED), ATTEMPT_STORE_STALE);
	assert_int_equal(attempt_store_find_open_of_host(db, "vm-1", &attempt),
	                 ATTEMPT_STORE_ABSENT);
	assert_int_equal(attempt_store_has_failed(db, one, "vm-1"), 1);
	assert_int_equal(attempt_store_has_failed(db, one, "vm-2"), 0);
	assert_int_equal(put_attempt(db, one, "vm-2", "t2", &other), 0);
	assert_true(other > id);
	assert_int_equal(attempt_store_find_last(db, one, &attempt), 0);
	assert_int_equal(attempt.id, other);
}

static void an_attempt_keeps_its_script(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	CLEANUP(buffer_deinit) struct buffer script = BUFFER_NULL;
	struct attempt attempt;
	int64_t id;

	assert_int_equal(put_attempt(db, put_job(db, &job), "vm-1", "t1", &id), 0);
	assert_int_equal(attempt_store_set_script(db, id, SLICE_LITERAL("#!ipxe\n"), "/os/k"), 0);
	assert_int_equal(attempt_store_script(db, id, &script), 0);
	assert_slice_equal(buffer_slice(&script), "#!ipxe\n");
	assert_int_equal(attempt_store_find(db, id, &attempt), 0);
	assert_string_equal(attempt.kernel_path, "/os/k");
	assert_string_equal(attempt.token, "t1");
}

static void the_nearest_deadline_is_found(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	struct attempt due[2];
	usec_t deadline;
	int64_t id;

	assert_int_equal(attempt_store_next_deadline(db, &deadline), 0);
	assert_true(deadline == USEC_INFINITY);
	assert_int_equal(put_attempt(db, put_job(db, &job), "vm-1", "t1", &id), 0);
	assert_int_equal(attempt_store_next_deadline(db, &deadline), 0);
	assert_int_equal(deadline, 77);
	assert_int_equal(attempt_store_due(db, 76, due, 2), 0);
	assert_int_equal(attempt_store_due(db, 77, due, 2), 1);
}

/* S4: at most one manifest an attempt. */
static void a_manifest_is_written_once(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	CLEANUP(buffer_deinit) struct buffer manifest = BUFFER_NULL;
	int64_t id;

	assert_int_equal(put_attempt(db, put_job(db, &job), "vm-1", "t1", &id), 0);
	assert_int_equal(attempt_store_manifest(db, id, &manifest), ATTEMPT_STORE_ABSENT);
	assert_int_equal(attempt_store_add_manifest(db, id, SLICE_LITERAL("[]"), 1), 0);
	assert_int_equal(attempt_store_add_manifest(db, id, SLICE_LITERAL("[1]"), 1), -EEXIST);
	assert_int_equal(attempt_store_manifest(db, id, &manifest), 0);
	assert_slice_equal(buffer_slice(&manifest), "[]");
}

static void a_file_is_replaced_by_its_next_version(void **state)
{
	struct db *db = *state;
	struct job_record job = a_job("vm-1");
	struct stored_file file = { .name = "output", .size = 5, .sha256 = "aa" }, files[3];
	int64_t id;

	assert_int_equal(put_attempt(db, put_job(db, &job), "vm-1", "t1", &id), 0);
	assert_int_equal(file_store_put(db, id, &file, 1), 0);
	file.size = 9;
	assert_int_equal(file_store_put(db, id, &file, 1), 0);
	(void)snprintf(file.name, sizeof(file.name), "zz");
	assert_int_equal(file_store_put(db, id, &file, 1), 0);
	assert_int_equal(file_store_list(db, id, "", files, 3), 2);
	assert_int_equal(files[0].size, 9);
	assert_int_equal(file_store_list(db, id, "output", files, 3), 1);
	assert_int_equal(file_store_find(db, id, "output", &file), 0);
	assert_int_equal(file_store_find(db, id, "none", &file), FILE_STORE_ABSENT);
}

static void hosts_have_addresses_and_queues(void **state)
{
	struct db *db = *state;
	const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };
	const struct slice queues[] = { SLICE_LITERAL("b"), SLICE_LITERAL("a") };
	struct host host = { .name = "vm-1", .state = HOST_UNKNOWN, .arch = "x86_64" }, found;
	struct known_machine machine;
	struct mac macs[4];

	assert_int_equal(host_store_insert(db, &host), 0);
	assert_int_equal(host_store_set_mac(db, mac, "vm-1"), 0);
	assert_int_equal(host_store_set_queues(db, "vm-1", queues, 2), 0);
	assert_int_equal(host_store_find_by_mac(db, mac, &found), 0);
	assert_string_equal(found.name, "vm-1");
	assert_string_equal(found.arch, "x86_64");
	assert_int_equal(found.n_queues, 2);
	assert_string_equal(found.queues[0], "a");
	assert_int_equal(host_store_macs(db, "vm-1", macs, 4), 1);
	assert_int_equal(host_store_machine_of(db, mac, &machine), 0);
	assert_string_equal(machine.name, "vm-1");
	assert_int_equal(machine.address, 0);
	assert_int_equal(host_store_machine_at(db, 1, &machine), HOST_STORE_ABSENT);
	assert_int_equal(host_store_move(db, "vm-1", HOST_UNKNOWN, HOST_NETBOOT), 0);
	assert_int_equal(host_store_move(db, "vm-1", HOST_UNKNOWN, HOST_NETBOOT), HOST_STORE_STALE);
	assert_int_equal(host_store_delete(db, "vm-1"), 0);
	assert_int_equal(host_store_delete(db, "vm-1"), HOST_STORE_ABSENT);
	assert_int_equal(host_store_find_by_mac(db, mac, &found), HOST_STORE_ABSENT);
}

static void a_discovered_host_goes_with_its_last_address(void **state)
{
	struct db *db = *state;
	const struct mac mac = { { 2, 0, 0, 0, 0, 1 } };
	struct host host = { .name = "sched-x", .flags = HOST_FLAG_DISCOVERED }, hosts[4];

	assert_int_equal(host_store_insert(db, &host), 0);
	assert_int_equal(host_store_set_mac(db, mac, "sched-x"), 0);
	assert_int_equal(host_store_forget_discovered(db), 0);
	assert_int_equal(host_store_list(db, "", hosts, 4), 1);
	(void)snprintf(host.name, sizeof(host.name), "vm-9");
	host.flags = 0;
	assert_int_equal(host_store_insert(db, &host), 0);
	assert_int_equal(host_store_set_mac(db, mac, "vm-9"), 0);
	assert_int_equal(host_store_forget_discovered(db), 0);
	assert_int_equal(host_store_list(db, "", hosts, 4), 1);
	assert_string_equal(hosts[0].name, "vm-9");
}

#define IN_MEMORY(test) cmocka_unit_test_setup_teardown(test, open_memory, close_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MEMORY(a_job_reads_back_as_written),
		IN_MEMORY(an_update_wants_the_state_it_was_made_from),
		IN_MEMORY(a_key_is_taken_once),
		IN_MEMORY(a_lane_shows_its_first_ready_job),
		IN_MEMORY(a_job_in_back_off_is_not_shown_until_it_is_over),
		IN_MEMORY(what_a_submitter_had_is_kept_and_fades),
		IN_MEMORY(time_alone_moves_what_is_pending),
		IN_MEMORY(one_open_attempt_a_job_and_a_host),
		IN_MEMORY(an_attempt_keeps_its_script),
		IN_MEMORY(the_nearest_deadline_is_found),
		IN_MEMORY(a_manifest_is_written_once),
		IN_MEMORY(a_file_is_replaced_by_its_next_version),
		IN_MEMORY(hosts_have_addresses_and_queues),
		IN_MEMORY(a_discovered_host_goes_with_its_last_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
