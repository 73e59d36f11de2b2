/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/alloc_fail.h"
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/doc/document.h"
#include "lib/doc/job_cgz.h"
#include "lib/doc/job_script.h"

static const char text[] = "suite: sleep\n"
			   "testbox: vm-2p8g\n"
			   "os: debian\n"
			   "os_arch: x86_64\n"
			   "os_version: bookworm\n"
			   "runtime: 1m\n"
			   "rootfs_disk: [/dev/vda, /dev/vdb]\n"
			   "pp: {sleep: {n: 1, mode: a b}}\n"
			   "script: |\n  echo \"it's $HOME\"\n";

static struct document *doc;

static int make(void **state)
{
	struct document_error error;

	return document_parse(slice_from_text(text), &doc, &error);
}

static int unmake(void **state)
{
	document_free(doc);
	return 0;
}

static int parse(const void *arg)
{
	struct job_error error;
	struct job *job = NULL;
	int r;

	r = job_parse(document_root(doc), &job, &error);
	job_free(job);
	return r;
}

static void every_failure_while_reading_a_job_is_told(void **state)
{
	assert_true(alloc_fail_each(parse, NULL) > 10);
}

static int dispatch(const void *job)
{
	static const struct job_dispatch how = {
		.id = "lab1.3",
		.result_root = "/result/sleep/x",
		.host = "vm-2p8g-1",
		.server = "10.0.0.1",
		.api_port = 3000,
		.upload_port = 3080,
	};
	struct buffer out = BUFFER_NULL;
	json_t *fields = NULL;
	int r;

	r = job_dispatch_fields(job, &how, &fields);
	if (r < 0)
		return r;
	job_script_build(&out, fields);
	r = buffer_error(&out);
	buffer_deinit(&out);
	json_decref(fields);
	return r;
}

static void every_failure_while_making_job_sh_is_told(void **state)
{
	struct job_error error;
	struct job *job = NULL;

	assert_int_equal(job_parse(document_root(doc), &job, &error), 0);
	assert_true(alloc_fail_each(dispatch, job) > 10);
	job_free(job);
}

static int finish(const void *body)
{
	struct message_finish message = { .manifest = NULL };
	int r;

	r = message_finish_parse(slice_from_text(body), &message);
	if (r == 0)
		message_finish_deinit(&message);
	/* jansson loses a byte of a long text when its buffer cannot grow: then the hash is wrong
	 */
	return r == MESSAGE_BAD ? -ENOMEM : r;
}

static void every_failure_while_reading_a_manifest_is_told(void **state)
{
	static const char body[] =
		"{\"verdict\":\"pass\",\"cause\":\"\",\"exit_code\":0,\"cut\":0,\"manifest\":["
		"{\"name\":\"output\",\"size\":1,\"sha256\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}";

	assert_true(alloc_fail_each(finish, body) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_failure_while_reading_a_job_is_told),
		cmocka_unit_test(every_failure_while_making_job_sh_is_told),
		cmocka_unit_test(every_failure_while_reading_a_manifest_is_told),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
