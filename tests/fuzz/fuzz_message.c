/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any body between agent and server, and any attempt file: what is accepted, built again, reads as
 * the same.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/doc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void attempt_file(struct slice text)
{
	struct attempt_file file, again;
	struct buffer out = BUFFER_NULL, out_again = BUFFER_NULL;

	if (attempt_file_parse(text, &file) == 0) {
		attempt_file_build(&out, &file);
		must(attempt_file_parse(buffer_slice(&out), &again) == 0);
		attempt_file_build(&out_again, &again);
		must(slice_equal(buffer_slice(&out), buffer_slice(&out_again)));
	}
	buffer_deinit(&out);
	buffer_deinit(&out_again);
}

static void hello(struct slice text)
{
	struct message_hello hello, again;
	struct buffer out = BUFFER_NULL;

	memset(&hello, 0, sizeof(hello));
	memset(&again, 0, sizeof(again));
	if (message_hello_parse(text, &hello) == 0) {
		message_hello_build(&out, &hello);
		must(message_hello_parse(buffer_slice(&out), &again) == 0);
		must(strcmp(hello.boot_id, again.boot_id) == 0 && hello.api == again.api &&
		     hello.uptime_ms == again.uptime_ms);
	}
	buffer_deinit(&out);
}

static void answer(struct slice text)
{
	struct message_answer answer, again;
	struct buffer out = BUFFER_NULL;

	if (message_answer_parse(text, &answer) == 0) {
		message_answer_build(&out, &answer);
		must(message_answer_parse(buffer_slice(&out), &again) == 0);
		must(strcmp(answer.job, again.job) == 0 && answer.next == again.next &&
		     answer.cancel == again.cancel && answer.lease_sec == again.lease_sec &&
		     answer.has_deadline == again.has_deadline &&
		     answer.deadline_sec == again.deadline_sec);
	}
	buffer_deinit(&out);
}

static void stage(struct slice text)
{
	struct message_stage_report report, again;
	struct buffer out = BUFFER_NULL;
	uint64_t uptime_ms;

	(void)message_heartbeat_parse(text, &uptime_ms);
	if (message_stage_parse(text, &report) == 0) {
		message_stage_build(&out, &report);
		must(message_stage_parse(buffer_slice(&out), &again) == 0);
		must(report.stage == again.stage && report.uptime_ms == again.uptime_ms);
	}
	buffer_deinit(&out);
}

static void finish(struct slice text)
{
	struct message_finish finish, again;
	struct buffer out = BUFFER_NULL;

	if (message_finish_parse(text, &finish) != 0)
		return;
	message_finish_build(&out, &finish);
	must(message_finish_parse(buffer_slice(&out), &again) == 0);
	must(finish.verdict == again.verdict && finish.exit_code == again.exit_code &&
	     finish.cut == again.cut && strcmp(finish.cause, again.cause) == 0);
	must(finish.n_manifest == again.n_manifest);
	for (size_t i = 0; i < finish.n_manifest; i++)
		must(strcmp(finish.manifest[i].name, again.manifest[i].name) == 0 &&
		     finish.manifest[i].size == again.manifest[i].size);
	message_finish_deinit(&finish);
	message_finish_deinit(&again);
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);

	attempt_file(text);
	hello(text);
	answer(text);
	stage(text);
	finish(text);
	return 0;
}
