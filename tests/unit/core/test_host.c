/* SPDX-License-Identifier: MulanPSL-2.0 */
/* Host files, and Compass-CI's words. */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/core/compass_state.h"
#include "server/core/host.h"

static int parse(const char *text, struct host_document *host, struct host_document_error *error)
{
	json_t *doc = json_loads(text, 0, NULL);
	int r;

	assert_non_null(doc);
	r = host_document_parse(doc, host, error);
	json_decref(doc);
	return r;
}

static void a_host_file_is_read(void **state)
{
	struct host_document host;
	struct host_document_error error;

	assert_int_equal(
		parse("{\"arch\":\"x86_64\",\"memory\":\"256G\",\"nr_cpu\":8,"
	              "\"mac_addr\":[\"52-54-00-12-34-56\",\"52:54:00:12:34:57\"],"
	              "\"rootfs_disk\":[\"/dev/vda\",\"wwn-0x5000c500a1b2c3d4\"],\"queues\":[\"a\",\"b,c\"],"
	              "\"ipmi_ip\":null}",
	              &host, &error),
		0);
	assert_string_equal(host.arch, "x86_64");
	assert_int_equal(host.memory, UINT64_C(256) << 30);
	assert_int_equal(host.n_macs, 2);
	assert_int_equal(host.n_queues, 3);
	assert_string_equal(host.queues[2], "c");
}

static void a_wrong_key_is_named(void **state)
{
	static const struct {
		const char *text, *key;
	} cases[] = {
		{ "{\"mac_addr\":[\"zz\"]}", "mac_addr" },
		{ "{\"mac_addr\":5}", "mac_addr" },
		{ "{\"address\":\"10.0.0\"}", "address" },
		{ "{\"memory\":\"much\"}", "memory" },
		{ "{\"arch\":\"a b\"}", "arch" },
		{ "{\"rootfs_disk\":[\"sda\"]}", "rootfs_disk" },
		{ "{\"queues\":[\"a b\"]}", "queues" },
		{ "[]", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct host_document host;
		struct host_document_error error;

		assert_int_equal(parse(cases[i].text, &host, &error), HOST_BAD);
		assert_string_equal(error.key, cases[i].key);
		assert_true(strlen(error.text) > 5);
	}
}

static void an_unknown_machine_is_named_by_lab_and_address(void **state)
{
	const struct mac mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0xab } };
	char name[HOST_NAME_MAX_LEN];

	assert_int_equal(host_discovered_name("lab1", mac, name), 0);
	assert_string_equal(name, "sched-lab1-52-54-00-12-34-ab");
	assert_int_equal(
		host_discovered_name("a-lab-with-a-name-far-too-long-for-any-machine-at-all", mac,
	                             name),
		HOST_BAD);
}

static void words_of_compass_clients_have_a_meaning(void **state)
{
	static const struct {
		const char *word;
		bool moves;
		int event, verdict;
		bool is_infra;
	} cases[] = {
		{ "running", true, ATTEMPT_EVENT_RUN, JOB_VERDICT_NONE, false },
		{ "post_run", true, ATTEMPT_EVENT_POST, JOB_VERDICT_NONE, false },
		{ "finished", false, 0, JOB_PASS, false },
		{ "failed", false, 0, JOB_FAIL, false },
		{ "oom", false, 0, JOB_FAIL, false },
		{ "error:proxy", false, 0, JOB_VERDICT_NONE, true },
		{ "load_disk_fail", false, 0, JOB_VERDICT_NONE, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct compass_word *word = compass_word_find(slice_from_text(cases[i].word));

		assert_non_null(word);
		assert_int_equal(word->moves, cases[i].moves);
		assert_int_equal(word->is_infra, cases[i].is_infra);
		assert_int_equal(word->verdict, cases[i].verdict);
		if (word->moves)
			assert_int_equal(word->event, cases[i].event);
	}
	assert_null(compass_word_find(SLICE_LITERAL("suspending-1/2")));
	assert_null(compass_word_find(SLICE_NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_file_is_read),
		cmocka_unit_test(a_wrong_key_is_named),
		cmocka_unit_test(an_unknown_machine_is_named_by_lab_and_address),
		cmocka_unit_test(words_of_compass_clients_have_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
