/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/act.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/field.h"
#include "cli/url.h"
#include "lib/base/macro.h"

static int print_id(const json_t *answer)
{
	struct buffer out = BUFFER_NULL;

	format_clean(&out, field_text(answer, "id"));
	buffer_append_text(&out, "\n");
	return cci_print(&out);
}

static int act_on_job(struct cci *cci, const struct act *act, const char *id)
{
	CLEANUP(freep) char *path = cci_job_path(id, act->rest);
	CLEANUP(json_decrefp) json_t *answer = NULL;
	const struct client_call call = { .method = "POST", .path = path };
	struct slice plain = url_job_id(id);
	int status;

	if (!path)
		return cci_trouble(id, -ENOMEM);
	status = cci_call_json(cci, id, &call, &answer);
	if (status != CCI_EXIT_PASS)
		return status;
	if (cci->is_json)
		return cci_print_json(cci, answer);
	if (act->is_new)
		return print_id(answer);
	if (cci->terminal.is_err)
		cci_say("%.*s: %s", (int)plain.len, (const char *)plain.data, act->done);
	return CCI_EXIT_PASS;
}

int act_on_jobs(struct cci *cci, const struct act *act, const char *const ids[], size_t n)
{
	enum cci_exit highest = CCI_EXIT_PASS;

	for (size_t i = 0; i < n; i++) {
		int status = act_on_job(cci, act, ids[i]);

		highest = exit_status_highest(highest, (enum cci_exit)status);
		if (status == CCI_EXIT_UNREACHABLE)
			break;
	}
	return (int)highest;
}
