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
	[JOB_MATCH_MEMORY] = "has less memory",
	[JOB_MATCH_DISKS] = "has fewer disks",
	[JOB_MATCH_TAGS] = "has not all the tags",
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

/* A host with its groups, which are looked for once. */
struct names {
	const struct host *host;
	struct slice own, groups[HOST_GROUPS_MAX];
	unsigned n_groups;
};

static bool is_me(const struct names *names, struct slice name)
{
	if (name.len == 0)
		return false;
	if (slice_equal(name, names->own))
		return true;
	for (unsigned i = 0; i < names->n_groups; i++)
		if (slice_equal(name, names->groups[i]))
			return true;
	return false;
}

static bool has_queue(const struct names *names, struct slice queue)
{
	const struct host *host = names->host;

	if (host->n_queues == 0)
		return is_me(names, queue);
	for (unsigned i = 0; i < host->n_queues; i++)
		if (slice_equal(queue, slice_from_text(host->queues[i])))
			return true;
	return false;
}

static bool wants(const struct job_wish *wish, const struct host *host)
{
	struct names names = { .host = host, .own = slice_from_text(host->name) };

	if (wish->testbox_is_host)
		return slice_equal(wish->testbox, names.own);
	names.n_groups = host_groups(names.own, names.groups);
	if (is_me(&names, wish->testbox) || is_me(&names, wish->tbox_group))
		return true;
	for (unsigned i = 0; i < wish->n_queues; i++)
		if (has_queue(&names, wish->queues[i]))
			return true;
	return false;
}

/* Whether each word of the comma list is one of the other. */
static bool has_tags(const char *all, const char *needed)
{
	struct slice rest = slice_from_text(needed);

	while (rest.len > 0) {
		struct slice tag = slice_cut(&rest, ','), others = slice_from_text(all);
		bool has = false;

		while (others.len > 0 && !has)
			has = slice_equal(slice_cut(&others, ','), tag);
		if (!has)
			return false;
	}
	return true;
}

static bool has_disks(int has, unsigned needed)
{
	return has == HOST_DISKS_UNKNOWN || (unsigned)has >= needed;
}

/* What is not known of a machine excludes nothing; a tag it was not given it does not have. */
static int meets(const struct job_needs *needs, const struct host *host)
{
	if (host->memory && needs->memory > host->memory)
		return JOB_MATCH_MEMORY;
	if (!has_disks(host->n_hdd, needs->n_hdd) || !has_disks(host->n_ssd, needs->n_ssd))
		return JOB_MATCH_DISKS;
	return has_tags(host->tags, needs->tags) ? JOB_MATCHES : JOB_MATCH_TAGS;
}

bool job_match_is_for_ever(int match)
{
	return match == JOB_MATCH_OTHER_HOST || match == JOB_MATCH_ARCH ||
	       match == JOB_MATCH_MEMORY || match == JOB_MATCH_DISKS || match == JOB_MATCH_TAGS;
}

int job_match(const struct job_wish *wish, const struct host *host)
{
	int r;

	if (!wants(wish, host))
		return JOB_MATCH_OTHER_HOST;
	if (host->arch[0] && wish->arch.len > 0 &&
	    !slice_equal(wish->arch, slice_from_text(host->arch)))
		return JOB_MATCH_ARCH;
	r = wish->needs ? meets(wish->needs, host) : JOB_MATCHES;
	if (r != JOB_MATCHES)
		return r;
	if (host_flags_bar(host->flags, wish->kind))
		return JOB_MATCH_BARRED;
	if (host_is_reserved(host, wish->steady) && wish->kind == JOB_KIND_USER &&
	    !slice_equal(wish->submitter, slice_from_text(host->reserved_for)))
		return JOB_MATCH_RESERVED;
	if ((host->flags & HOST_FLAG_DISCOVERED) &&
	    !slice_equal(wish->testbox, slice_from_text(host->name)))
		return JOB_MATCH_DISCOVERED;
	if (wish->failed_here && wish->can_go_elsewhere)
		return JOB_MATCH_FAILED;
	return JOB_MATCHES;
}
