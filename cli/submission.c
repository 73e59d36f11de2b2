/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/submission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/assign.h"
#include "cli/field.h"
#include "cli/problem.h"
#include "cli/retry.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/clock.h"
#include "lib/sys/file.h"
#include "lib/sys/random.h"

#define JOB_MAX     ((size_t)16 << 20) /* what lib/doc takes */
#define KEY_BYTES   16
#define RESEND_FOR  (60 * USEC_PER_SEC) /* a server that restarts is back by then */
#define STATUS_BUSY 503L

void submission_deinit(struct submission *submission)
{
	json_decref(submission->job);
	document_free(submission->doc);
	*submission = SUBMISSION_NULL;
}

static int parse(struct slice text, struct submission *ret)
{
	struct document_error error;
	int q = document_parse(text, &ret->doc, &error);

	if (q < 0)
		return cci_trouble(ret->name, q);
	if (q != 0)
		return cci_usage("%s:%u:%u: %s", ret->name, error.line, error.column, error.text);
	if (!json_is_object(document_root(ret->doc)))
		return cci_usage("%s: a job is a mapping (`suite: ...`), this is something else",
		                 ret->name);
	ret->job = json_incref(document_root(ret->doc));
	return CCI_EXIT_PASS;
}

int submission_read(const char *path, struct submission *ret)
{
	struct submission submission = { .name = strcmp(path, "-") == 0 ? "stdin" : path };
	struct buffer text = BUFFER_NULL;
	int q = file_read_all(AT_FDCWD, strcmp(path, "-") == 0 ? "/dev/stdin" : path, JOB_MAX,
	                      &text);

	if (q < 0)
		return cci_usage("%s: %s", submission.name, strerrordesc_np(-q));
	q = parse(buffer_slice(&text), &submission);
	buffer_deinit(&text);
	if (q != CCI_EXIT_PASS)
		submission_deinit(&submission);
	else
		*ret = submission;
	return q;
}

int submission_assign(struct submission *submission, const char *const words[], size_t n_words)
{
	char error[ASSIGN_ERROR_MAX];
	int q;

	for (size_t i = 0; i < n_words; i++) {
		q = assign_apply(submission->job, words[i], error);
		if (q < 0)
			return cci_trouble(words[i], q);
		if (q != 0)
			return cci_usage("%s", error);
	}
	return CCI_EXIT_PASS;
}

int submission_print(const struct submission *submission)
{
	struct buffer out = BUFFER_NULL;
	char *text = json_dumps(submission->job, JSON_INDENT(2));

	if (!text)
		return cci_trouble("the job", -ENOMEM);
	buffer_printf(&out, "%s\n", text);
	free(text);
	return cci_print(&out);
}

/* The server's complaint with the place in the user's file, when the field stands there. */
static int refused(const struct cci *cci, const struct submission *submission, int outcome,
                   const struct client_answer *answer)
{
	json_t *problem = problem_parse(buffer_slice(&answer->body));
	char place[300] = "submit";
	unsigned line, column;

	if (outcome == CLIENT_DONE && submission->doc &&
	    document_find_place(submission->doc, problem_field(problem), &line, &column))
		(void)snprintf(place, sizeof(place), "%.250s:%u:%u", submission->name, line,
		               column);
	json_decref(problem);
	return cci_refused(cci, place, outcome, answer);
}

static void sleep_until(usec_t due)
{
	usec_t now = clock_now(), wait = usec_sub(due, now);
	struct timespec time = { .tv_sec = (time_t)(wait / USEC_PER_SEC),
		                 .tv_nsec = (long)(wait % USEC_PER_SEC * 1000) };

	(void)nanosleep(&time, NULL); /* woken early only by a signal that ends us */
}

/* Sends until there is an answer that counts. The outcome is the last one's. */
static int send_call(struct cci *cci, const struct client_call *call,
                     struct client_answer *ret_answer)
{
	struct retry retry;
	struct rng rng;
	bool may_be_there = false; /* a request went out whose answer nobody saw */
	int outcome;

	rng_init(&rng, clock_now());
	retry_init(&retry, RESEND_FOR, clock_now());
	for (;;) {
		usec_t due;

		outcome = client_perform(cci->client, call, ret_answer);
		may_be_there = may_be_there || outcome == CLIENT_LOST;
		if (outcome < 0 || (outcome == CLIENT_UNREACHABLE && !may_be_there) ||
		    (outcome == CLIENT_DONE && ret_answer->status != STATUS_BUSY))
			return outcome;
		due = retry_failed(&retry, &rng, clock_now());
		if (due == USEC_INFINITY)
			return outcome;
		if (retry.n_failed == 1 && cci->terminal.is_err)
			cci_say("no answer yet (%s); sending the same again",
			        outcome == CLIENT_DONE ? "the server is busy" : ret_answer->reason);
		client_answer_deinit(ret_answer);
		sleep_until(due);
	}
}

static int read_answer(const struct client_answer *answer, json_t **ret)
{
	json_t *document = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);

	if (field_text(document, "id")[0] == '\0') {
		json_decref(document);
		cci_say("submit: the server took the job but did not name it; is it ccid?");
		return CCI_EXIT_INFRA;
	}
	*ret = document;
	return CCI_EXIT_PASS;
}

int submission_send(struct cci *cci, const struct submission *submission, json_t **ret_answer)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(freep) char *body = json_dumps(submission->job, JSON_COMPACT);
	uint8_t random[KEY_BYTES];
	char key[2 * KEY_BYTES + 1];
	int r = random_bytes(random, sizeof(random));
	int outcome;
	struct client_call call;

	if (r < 0 || !body)
		return cci_trouble("submit", r < 0 ? r : -ENOMEM);
	text_hex(key, random, sizeof(random));
	call = (struct client_call){ .method = "POST",
		                     .path = "/v1/jobs",
		                     .content_type = "application/json",
		                     .idempotency_key = key,
		                     .body = slice_from_text(body) };
	outcome = send_call(cci, &call, &answer);
	if (outcome != CLIENT_DONE || answer.status < 200 || answer.status >= 300)
		return refused(cci, submission, outcome, &answer);
	return read_answer(&answer, ret_answer);
}
