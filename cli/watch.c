/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/watch.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/field.h"
#include "cli/follow.h"
#include "cli/format_event.h"
#include "cli/format_job.h"
#include "cli/format_units.h"
#include "cli/url.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define GIVE_UP_DEFAULT_SEC 600 /* a server may be upgraded meanwhile */
#define GIVE_UP_MAX_SEC     31536000

/* One watching under way. */
struct view {
	struct cci *cci;
	const struct watch *watch;
	usec_t begin_wall; /* of the first event; 0: none yet */
	bool is_mid_line;  /* the output so far ends without a newline */
};

int watch_read_options(const struct cci *cci, const struct args *args, struct watch *ret)
{
	const char *text = args_value(args, "give-up");
	uint64_t sec = GIVE_UP_DEFAULT_SEC;
	bool is_quiet = args_has(args, "quiet");

	if (text && text_parse_u64(slice_from_text(text), GIVE_UP_MAX_SEC, &sec) != 0)
		return cci_usage("--give-up: expected a number of seconds, not %.40s", text);
	*ret = (struct watch){
		.has_stages = args_has(args, "progress") || (cci->terminal.is_err && !is_quiet),
		.has_output = !cci->is_json,
		.has_verdict = cci->terminal.is_err && !is_quiet,
		.is_quiet = is_quiet,
		.patience = sec * USEC_PER_SEC,
	};
	return CCI_EXIT_PASS;
}

/* Stages and output may share a terminal: a stage begins on a line of its own. */
static void break_line(struct view *view)
{
	if (view->is_mid_line && view->cci->terminal.is_out && view->cci->terminal.is_err)
		(void)fputc('\n', stderr);
	view->is_mid_line = false;
}

static int on_event(void *context, const json_t *event)
{
	struct view *view = context;
	struct buffer line = BUFFER_NULL;

	if (view->begin_wall == 0)
		(void)format_parse_time(slice_from_text(field_text(event, "time")),
		                        &view->begin_wall);
	if (!format_event_is_stage(event))
		return 0;
	format_event_stage(&line, event, view->begin_wall);
	buffer_append_text(&line, "\n");
	break_line(view);
	(void)fputs(line.data ? (const char *)line.data : "", stderr);
	buffer_deinit(&line);
	return 0;
}

static int on_output(void *context, struct slice bytes)
{
	struct view *view = context;

	if (bytes.len > 0)
		view->is_mid_line = bytes.data[bytes.len - 1] != '\n';
	return fd_write_all(STDOUT_FILENO, bytes.data, bytes.len);
}

static void on_news(void *context, enum follow_news news, const char *detail)
{
	struct view *view = context;

	if (view->watch->is_quiet)
		return;
	break_line(view);
	switch (news) {
	case FOLLOW_NEWS_LOST:
		cci_say("lost the server %s (%s); trying again", client_base(view->cci->client),
		        detail);
		return;
	case FOLLOW_NEWS_BACK:
		cci_say("the server is back");
		return;
	case FOLLOW_NEWS_RETRY:
		cci_say("the job began anew; its output follows from the start");
		return;
	}
}

/* The last line: how the job ended, and how to get at its results. */
static void say_verdict(struct view *view, const json_t *job)
{
	struct buffer line = BUFFER_NULL, age = BUFFER_NULL;
	enum cci_exit status = exit_status_of_job(job);

	break_line(view);
	if (view->watch->is_quiet || (!view->watch->has_verdict && status == CCI_EXIT_PASS))
		return;
	format_job_outcome(&line, job);
	buffer_append_text(&age, "");
	format_job_age(&age, job, 0);
	cci_say("job %s: %s%s%s", field_text(job, "id"), line.data ? (const char *)line.data : "",
	        age.len > 0 ? ", after " : "", age.data ? (const char *)age.data : "");
	if (view->watch->has_verdict && field_text(job, "result_root")[0])
		cci_say("its files: cci result %s", field_text(job, "id"));
	buffer_deinit(&line);
	buffer_deinit(&age);
}

/* What to say, and to return, when the job's end was not seen. */
static int end_early(struct view *view, const char *id, int outcome,
                     const struct client_answer *answer)
{
	struct slice plain = url_job_id(id);

	break_line(view);
	if (outcome == FOLLOW_INTERRUPTED) {
		cci_say("job %.*s goes on; `cci log -f %.*s` follows it again, `cci cancel %.*s` "
		        "ends it",
		        (int)plain.len, (const char *)plain.data, (int)plain.len,
		        (const char *)plain.data, (int)plain.len, (const char *)plain.data);
		return CCI_EXIT_INTERRUPTED;
	}
	if (outcome == FOLLOW_LOST || outcome == FOLLOW_REFUSED)
		return cci_refused(view->cci, id,
		                   answer->status >= 300 ? CLIENT_DONE : CLIENT_UNREACHABLE,
		                   answer);
	return cci_trouble(id, outcome);
}

int watch_job(struct cci *cci, const char *id, const struct watch *watch)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(json_decrefp) json_t *job = NULL;
	struct view view = { .cci = cci, .watch = watch };
	const struct follow_options options = { .job = id,
		                                .patience = watch->patience,
		                                .is_known = watch->is_known };
	const struct follow_sink sink = {
		.context = &view,
		.on_event = watch->has_stages ? on_event : NULL,
		.on_output = watch->has_output ? on_output : NULL,
		.on_news = on_news,
	};
	int outcome = follow(cci->client, &options, &sink, &job, &answer);
	int status;

	if (outcome != FOLLOW_ENDED)
		return end_early(&view, id, outcome, &answer);
	if (cci->is_json) {
		status = cci_print_json(cci, job);
		if (status != CCI_EXIT_PASS)
			return status;
	}
	say_verdict(&view, job);
	return (int)exit_status_of_job(job);
}
