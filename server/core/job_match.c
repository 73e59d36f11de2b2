/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One job against one host.
 */
#include "server/core/job_match.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const char *const texts[_JOB_MATCH_MAX] = {
	[JOB_MATCHES] = "matches",
	[JOB_MATCH_OTHER_HOST] = "names another host, group or queue",
	[JOB_MATCH_ARCH] = "has another architecture",
	[JOB_MATCH_BARRED] = "takes no jobs now",
	[JOB_MATCH_RESERVED] = "is reserved for somebody else",
	[JOB_MATCH_DISCOVERED] = "is not registered",
	[JOB_MATCH_FAILED] = "failed this job before",
};

const char *job_match_to_text(int match)
{
	const char *text = table_name(texts, ARRAY_SIZE(texts), match);

	return text ? text : "?";
}

static bool is_me(const struct host *host, struct slice name)
{
	struct slice groups[HOST_GROUPS_MAX];
	unsigned n = host_groups(slice_from_text(host->name), groups);

	if (name.len == 0)
		return false;
	if (slice_equal(name, slice_from_text(host->name)))
		return true;
	for (unsigned i = 0; i < n; i++)
		if (slice_equal(name, groups[i]))
			return true;
	return false;
}

static bool has_queue(const struct host *host, struct slice queue)
{
	if (host->n_queues == 0)
		return is_me(host, queue);
	for (unsigned i = 0; i < host->n_queues; i++)
		if (slice_equal(queue, slice_from_text(host->queues[i])))
			return true;
	return false;
}

static bool wants(const struct job_wish *wish, const struct host *host)
{
	if (wish->testbox_is_host)
		return slice_equal(wish->testbox, slice_from_text(host->name));
	if (is_me(host, wish->testbox) || is_me(host, wish->tbox_group))
		return true;
	for (unsigned i = 0; i < wish->n_queues; i++)
		if (has_queue(host, wish->queues[i]))
			return true;
	return false;
}

int job_match(const struct job_wish *wish, const struct host *host)
{
	if (!wants(wish, host))
		return JOB_MATCH_OTHER_HOST;
	if (host_flags_bar(host->flags, wish->kind))
		return JOB_MATCH_BARRED;
	if (host_is_reserved(host, wish->steady) && wish->kind == JOB_KIND_USER &&
	    !slice_equal(wish->submitter, slice_from_text(host->reserved_for)))
		return JOB_MATCH_RESERVED;
	if ((host->flags & HOST_FLAG_DISCOVERED) &&
	    !slice_equal(wish->testbox, slice_from_text(host->name)))
		return JOB_MATCH_DISCOVERED;
	if (host->arch[0] && wish->arch.len > 0 &&
	    !slice_equal(wish->arch, slice_from_text(host->arch)))
		return JOB_MATCH_ARCH;
	if (wish->failed_here && wish->can_go_elsewhere)
		return JOB_MATCH_FAILED;
	return JOB_MATCHES;
}
