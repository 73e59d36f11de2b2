/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/hand_in.h"

#include "cli/field.h"
#include "lib/base/macro.h"

/* The id alone, so that a script needs no parser. */
static int print_id(struct cci *cci, const json_t *answer)
{
	struct buffer out = BUFFER_NULL;

	if (cci->is_json)
		return cci_print_json(cci, answer);
	format_clean(&out, field_text(answer, "id"));
	buffer_append_text(&out, "\n");
	return cci_print(&out);
}

/* The job is accepted, and no host can ever run it. */
static void say_warning(const json_t *answer)
{
	struct buffer text = BUFFER_NULL;

	format_clean(&text, field_text(answer, "warning"));
	if (buffer_error(&text) == 0)
		cci_say("job %s: warning: %.*s", field_text(answer, "id"), (int)text.len,
		        (const char *)text.data);
	buffer_deinit(&text);
}

int hand_in(struct cci *cci, const struct submission *submission, const struct hand_in *how)
{
	CLEANUP(json_decrefp) json_t *answer = NULL;
	struct watch watch = how->watch;
	int status;

	if (how->is_dry)
		return submission_print(submission);
	status = submission_send(cci, submission, &answer);
	if (status != CCI_EXIT_PASS)
		return status;
	if (field_text(answer, "warning")[0])
		say_warning(answer);
	if (how->is_alone)
		return print_id(cci, answer);
	if (!watch.is_quiet)
		cci_say("job %s", field_text(answer, "id"));
	watch.is_known = true;
	return watch_job(cci, field_text(answer, "id"), &watch);
}
