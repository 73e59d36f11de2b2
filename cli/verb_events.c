/* SPDX-License-Identifier: MulanPSL-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cci.h"
#include "cli/follow.h"
#include "cli/format_event.h"
#include "cli/verbs.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

static const struct option_spec options[] = {
	{ 'f', "follow", NULL, "go on with new events as they happen" },
	{ 'j', "job", "ID", "only those of one job" },
	{ 0, "after", "EVENT", "only those after the event with this number" },
};

static int write_event(struct cci *cci, const json_t *event)
{
	struct buffer line = BUFFER_NULL;
	char *text;
	int r;

	if (cci->is_json) {
		text = json_dumps(event, JSON_COMPACT);
		buffer_append_text(&line, text ? text : "null");
		free(text);
	} else {
		format_event_line(&line, event);
	}
	buffer_append_text(&line, "\n");
	r = buffer_error(&line);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, line.data, line.len);
	buffer_deinit(&line);
	return r;
}

static int on_event(void *context, const json_t *event)
{
	return write_event(context, event);
}

static void on_news(void *context, enum follow_news news, const char *detail)
{
	if (news == FOLLOW_NEWS_LOST)
		cci_say("lost the server (%s); trying again", detail);
	else if (news == FOLLOW_NEWS_BACK)
		cci_say("the server is back");
}

static int follow_events(struct cci *cci, const struct args *args)
{
	CLEANUP(client_answer_deinit) struct client_answer answer = CLIENT_ANSWER_NULL;
	CLEANUP(json_decrefp) json_t *job = NULL;
	const struct follow_options how = { .job = args_value(args, "job"),
		                            .last_id = args_value(args, "after"),
		                            .patience = USEC_INFINITY };
	const struct follow_sink sink = { .context = cci,
		                          .on_event = on_event,
		                          .on_news = on_news };
	int outcome = follow(cci->client, &how, &sink, &job, &answer);

	switch (outcome) {
	case FOLLOW_ENDED:
		return CCI_EXIT_PASS;
	case FOLLOW_INTERRUPTED:
		return CCI_EXIT_INTERRUPTED;
	case FOLLOW_LOST:
	case FOLLOW_REFUSED:
		return cci_refused(cci, "events",
		                   answer.status >= 300 ? CLIENT_DONE : CLIENT_UNREACHABLE,
		                   &answer);
	default:
		return cci_trouble("events", outcome);
	}
}

static int list_events(struct cci *cci, const struct args *args)
{
	const char *id = args_value(args, "job"), *after = args_value(args, "after");
	CLEANUP(freep)
	char *rest = text_format("/events%s%s", after ? "?after=" : "", after ? after : "");
	CLEANUP(freep) char *path = NULL;
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const json_t *event;
	size_t i;
	int r, status;

	if (rest)
		path = id ? cci_job_path(id, rest) : text_format("/v1%s", rest);
	status = cci_get_json(cci, "events", path, &answer);
	if (status != CCI_EXIT_PASS)
		return status;
	json_array_foreach(json_object_get(answer, "events"), i, event)
	{
		r = write_event(cci, event);
		if (r < 0)
			return cci_trouble("cannot write the output", r);
	}
	return CCI_EXIT_PASS;
}

static int run(struct cci *cci, const struct args *args)
{
	const char *after = args_value(args, "after");

	if (after && (after[0] == '\0' || strspn(after, "0123456789") != strlen(after)))
		return cci_usage("--after: expected the number of an event, not %.40s", after);
	return args_has(args, "follow") ? follow_events(cci, args) : list_events(cci, args);
}

const struct verb verb_events = {
	.name = "events",
	.words = "",
	.summary = "print what happened in the lab, one event a line",
	.details = "Events are the stages of every boot and the moves of jobs, attempts and "
		   "hosts. With --json each is a JSON document on a line of its own; \"id\" is "
		   "what --after takes.\n",
	.options = { options, ARRAY_SIZE(options) },
	.group = VERB_GROUP_HOSTS,
	.run = run,
};
