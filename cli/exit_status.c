/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/exit_status.h"

#include <string.h>

#include "cli/field.h"
#include "lib/base/macro.h"

/* States in which a job ends (interfaces: `state`), with the status each gives. `finished` is
 * looked at more closely: its verdict decides. */
static const struct {
	const char *state;
	enum cci_exit status;
} ends[] = {
	{ "finished", CCI_EXIT_PASS },   { "cancelled", CCI_EXIT_CANCELLED },
	{ "timeout", CCI_EXIT_TIMEOUT }, { "error", CCI_EXIT_INFRA },
	{ "expired", CCI_EXIT_INFRA },   { "skipped", CCI_EXIT_INFRA },
};

static enum cci_exit status_of_verdict(const char *verdict)
{
	if (strcmp(verdict, "pass") == 0 || strcmp(verdict, "skip") == 0)
		return CCI_EXIT_PASS;
	if (strcmp(verdict, "fail") == 0)
		return CCI_EXIT_FAIL;
	return CCI_EXIT_INFRA;
}

bool exit_status_job_ended(const json_t *job)
{
	const char *state = field_text(job, "state");

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (strcmp(state, ends[i].state) == 0)
			return true;
	return false;
}

enum cci_exit exit_status_of_job(const json_t *job)
{
	const char *state = field_text(job, "state");

	if (strcmp(state, "finished") == 0)
		return status_of_verdict(field_text(job, "verdict"));
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (strcmp(state, ends[i].state) == 0)
			return ends[i].status;
	return CCI_EXIT_INFRA;
}

enum cci_exit exit_status_highest(enum cci_exit a, enum cci_exit b)
{
	return a > b ? a : b;
}

enum cci_exit exit_status_of_http(long status)
{
	if (status >= 200 && status < 300)
		return CCI_EXIT_PASS;
	if (status >= 400 && status < 500)
		return CCI_EXIT_USAGE;
	if (status >= 502 && status <= 504)
		return CCI_EXIT_UNREACHABLE;
	return CCI_EXIT_INFRA;
}
