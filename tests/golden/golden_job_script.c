/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * job.sh of whole jobs, compared with the files beside, and then run: job_script/NAME.sh is what
 * the builder writes, NAME.out what `NAME.sh run_job` prints under dash and under bash. With
 * GOLDEN_UPDATE=1 the files are rewritten from what was found.
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/doc/job_cgz.h"
#include "lib/doc/job_script.h"
#include "lib/sys/file.h"

static const struct job_dispatch dispatch = {
	.id = "z9.13138976",
	.result_root = "/result/golden/z9.13138976",
	.host = "vm-2p8g.taishan200-2280-2s64p-256g--a105-3",
	.server = "172.168.131.2",
	.api_port = 3000,
	.upload_port = 3080,
};

static int golden_fd = -1;
static char work[] = "/tmp/golden_job_script.XXXXXX";

static void compare(const char *name, struct slice found)
{
	struct buffer expected = BUFFER_NULL;

	if (getenv("GOLDEN_UPDATE"))
		assert_int_equal(file_write_durably(golden_fd, name, found, 0644), 0);
	assert_int_equal(file_read_all(golden_fd, name, 1 << 20, &expected), 0);
	if (!slice_equal(found, buffer_slice(&expected)))
		fail_msg("%s differs from what was found:\n%.*s", name, (int)found.len,
		         (const char *)found.data);
	buffer_deinit(&expected);
}

/* Runs a command line and appends what it printed and its status. */
static void run(const char *command, struct buffer *out)
{
	char chunk[512];
	size_t n;
	int status;
	FILE *pipe = popen(command, "re");

	assert_non_null(pipe);
	while ((n = fread(chunk, 1, sizeof(chunk), pipe)) > 0)
		buffer_append(out, chunk, n);
	status = pclose(pipe);
	buffer_printf(out, "exit status %d\n", WEXITSTATUS(status));
}

static void build_script(const char *input, struct buffer *script)
{
	struct buffer text = BUFFER_NULL;
	struct document *doc = NULL;
	struct document_error document_error;
	struct job *job = NULL;
	struct job_error job_error;
	json_t *fields = NULL;

	assert_int_equal(file_read_all(golden_fd, input, 1 << 20, &text), 0);
	assert_int_equal(document_parse(buffer_slice(&text), &doc, &document_error), 0);
	if (job_parse(document_root(doc), &job, &job_error) != 0)
		fail_msg("%s: %s", input, job_error.text);
	assert_int_equal(job_dispatch_fields(job, &dispatch, &fields), 0);
	job_script_build(script, fields);
	assert_int_equal(buffer_error(script), 0);
	json_decref(fields);
	job_free(job);
	document_free(doc);
	buffer_deinit(&text);
}

static void check(const char *name, const char *input)
{
	static const char *const shells[] = { "dash", "bash" };
	struct buffer script = BUFFER_NULL, out = BUFFER_NULL;
	char file[80], command[400];
	int work_fd;

	build_script(input, &script);
	(void)snprintf(file, sizeof(file), "%s.sh", name);
	compare(file, buffer_slice(&script));

	work_fd = open(work, O_DIRECTORY | O_CLOEXEC);
	assert_true(work_fd >= 0);
	assert_int_equal(file_write_durably(work_fd, "job.sh", buffer_slice(&script), 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		buffer_printf(&out, "-- %s job.sh run_job\n", shells[i]);
		(void)snprintf(command, sizeof(command),
		               "cd %s && TMP=tmp && export TMP && mkdir -p tmp && %s ./job.sh "
		               "run_job 2>&1",
		               work, shells[i]);
		run(command, &out);
		buffer_printf(&out, "-- sourced by %s\n", shells[i]);
		(void)snprintf(command, sizeof(command),
		               "cd %s && %s -ec '. ./job.sh; read_job_vars suite id; "
		               "echo \"$suite $id <$os>\"; export_top_env; define_files; "
		               "read_job_vars; echo \"$os $LKP_SRC <$define_files>\"; "
		               "env | grep -c -e ^my_token -e ^script' 2>&1",
		               work, shells[i]);
		run(command, &out);
	}
	(void)snprintf(file, sizeof(file), "%s.out", name);
	compare(file, buffer_slice(&out));
	(void)close(work_fd);
	buffer_deinit(&script);
	buffer_deinit(&out);
}

static void job_of_the_seed(void **state)
{
	check("seed", "seed.json");
}

static void job_of_a_newcomer(void **state)
{
	check("hello", "hello.yaml");
}

static void script_with_an_interpreter(void **state)
{
	check("interpreter", "interpreter.yaml");
}

static int set_up(void **state)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/job_script", getenv("GOLDEN_DIR"));
	golden_fd = open(path, O_DIRECTORY | O_CLOEXEC);
	return golden_fd < 0 || !mkdtemp(work) ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)close(golden_fd);
	(void)snprintf(command, sizeof(command), "rm -r %s", work);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job_of_the_seed),
		cmocka_unit_test(job_of_a_newcomer),
		cmocka_unit_test(script_with_an_interpreter),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
