/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Every host is matched, and what keeps them is counted.
 */
#include "server/service/job_why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/format/size.h"
#include "server/core/job_match.h"
#include "server/store/host_store.h"

struct tally {
	unsigned n[_JOB_MATCH_MAX];
	unsigned n_seen, n_busy; /* of those that match */
};

static int make_wish(struct services *s, const struct moment *m, const struct job_record *job,
                     struct job_wish *ret)
{
	struct host named;
	int r = host_store_find(s->db, job->testbox, &named);

	if (r < 0)
		return r;
	*ret = (struct job_wish){
		.testbox = slice_from_text(job->testbox),
		.tbox_group = slice_from_text(job->tbox_group),
		.n_queues = job->n_queues,
		.arch = slice_from_text(job->arch),
		.needs = &job->needs,
		.submitter = slice_from_text(job->submitter),
		.kind = job->kind,
		.steady = m->steady,
		.testbox_is_host = r == 0,
	};
	for (unsigned i = 0; i < job->n_queues; i++)
		ret->queues[i] = slice_from_text(job->queues[i]);
	return 0;
}

static void count(struct tally *tally, const struct job_wish *wish, const struct host *host)
{
	int match = job_match(wish, host);

	tally->n[match]++;
	if (match != JOB_MATCHES)
		return;
	tally->n_seen += host->state != HOST_UNKNOWN;
	tally->n_busy += host->state >= HOST_ASSIGNED;
}

/* What each host is asked: so that all hosts are read once for many jobs. */
struct question {
	struct job_wish wish;
	struct tally tally;
};

/* Counts hosts, all or (until_found) up to one that can ever run the first of them. */
static int count_hosts(struct services *s, struct question *questions, size_t n_questions,
                       bool until_found)
{
	char after[HOST_NAME_MAX_LEN] = "";
	struct host hosts[16];
	int n;

	do {
		n = host_store_list(s->db, after, hosts, ARRAY_SIZE(hosts));
		for (int i = 0; i < n; i++) {
			memcpy(after, hosts[i].name, sizeof(after));
			for (size_t q = 0; q < n_questions; q++)
				count(&questions[q].tally, &questions[q].wish, &hosts[i]);
			if (until_found &&
			    !job_match_is_for_ever(job_match(&questions->wish, &hosts[i])))
				return 0;
		}
	} while (n == ARRAY_SIZE(hosts));
	return n < 0 ? n : 0;
}

/* Of what keeps hosts for ever, what keeps most of those that have the name. */
static int worst(const struct tally *tally)
{
	static const int causes[] = { JOB_MATCH_ARCH, JOB_MATCH_MEMORY, JOB_MATCH_DISKS,
		                      JOB_MATCH_TAGS };
	int best = JOB_MATCH_OTHER_HOST;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (tally->n[causes[i]] > n) {
			best = causes[i];
			n = tally->n[best];
		}
	return best;
}

/* Says it, and gives the job's field. */
static const char *say_never(const struct tally *tally, const struct job_record *job,
                             char to[JOB_REASON_MAX])
{
	char size[SIZE_TEXT_MAX];
	int cause = worst(tally);

	switch (cause) {
	case JOB_MATCH_ARCH:
		(void)snprintf(to, JOB_REASON_MAX, "the %u hosts of %.100s are not of arch %s",
		               tally->n[cause], job->testbox, job->arch);
		return "os_arch";
	case JOB_MATCH_MEMORY:
		(void)snprintf(to, JOB_REASON_MAX,
		               "the %u hosts of %.100s have less memory than %s", tally->n[cause],
		               job->testbox, size_format(job->needs.memory, size));
		return "memory_minimum";
	case JOB_MATCH_DISKS:
		(void)snprintf(to, JOB_REASON_MAX,
		               "the %u hosts of %.100s have fewer disks than %u%s", tally->n[cause],
		               job->testbox, job->needs.n_hdd ? job->needs.n_hdd : job->needs.n_ssd,
		               job->needs.n_hdd ? "HDD" : "SSD");
		return "disk";
	case JOB_MATCH_TAGS:
		(void)snprintf(to, JOB_REASON_MAX,
		               "the %u hosts of %.90s have not all the tags %.90s", tally->n[cause],
		               job->testbox, job->needs.tags);
		return "need_tags";
	default:
		break;
	}
	(void)snprintf(to, JOB_REASON_MAX, "no host matches testbox %.90s, queue %.90s",
	               job->testbox, job->queues[0]);
	return "testbox";
}

static unsigned n_barred(const struct tally *tally)
{
	return tally->n[JOB_MATCH_BARRED] + tally->n[JOB_MATCH_RESERVED] +
	       tally->n[JOB_MATCH_DISCOVERED];
}

static void say_why(const struct tally *t, const struct job_record *job, char to[JOB_REASON_MAX])
{
	unsigned n = t->n[JOB_MATCHES];

	if (n == 0 && t->n[JOB_MATCH_RESERVED] > 0 && t->n[JOB_MATCH_RESERVED] == n_barred(t))
		(void)snprintf(to, JOB_REASON_MAX, "all %u matching hosts are reserved for others",
		               n_barred(t));
	else if (n == 0 && n_barred(t) > 0)
		(void)snprintf(to, JOB_REASON_MAX, "all %u matching hosts take no jobs now",
		               n_barred(t));
	else if (n == 0)
		(void)say_never(t, job, to);
	else if (t->n_busy == n)
		(void)snprintf(to, JOB_REASON_MAX, "all %u matching hosts are busy", n);
	else if (t->n_seen == 0)
		(void)snprintf(to, JOB_REASON_MAX, "none of %u matching hosts has booted yet", n);
	else
		(void)snprintf(to, JOB_REASON_MAX, "waits until one of %u hosts asks",
		               n - t->n_busy);
}

bool job_why_is_known(const struct moment *m, const struct job_record *job)
{
	return job->state != JOB_QUEUED || (job->reason[0] && job->not_before_steady > m->steady);
}

int job_why_many(struct services *s, const struct moment *m, const struct job_record *const *jobs,
                 size_t n, char (*reasons)[JOB_REASON_MAX])
{
	CLEANUP(freep) struct question *questions = calloc(n, sizeof(*questions));
	int r = 0;

	if (!questions)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++)
		r = make_wish(s, m, jobs[i], &questions[i].wish);
	if (r == 0)
		r = count_hosts(s, questions, n, false);
	for (size_t i = 0; i < n && r == 0; i++)
		say_why(&questions[i].tally, jobs[i], reasons[i]);
	return r;
}

int job_why(struct services *s, const struct moment *m, const struct job_record *job,
            char to[JOB_REASON_MAX])
{
	char reasons[1][JOB_REASON_MAX];
	int r;

	(void)snprintf(to, JOB_REASON_MAX, "%s", job->reason);
	if (job_why_is_known(m, job))
		return 0;
	r = job_why_many(s, m, &job, 1, reasons);
	if (r == 0)
		memcpy(to, reasons[0], JOB_REASON_MAX);
	return r;
}

int job_why_never(struct services *s, const struct moment *m, const struct job_record *job,
                  const char **ret_field, char to[JOB_REASON_MAX])
{
	struct question q = { .tally = { .n_seen = 0 } };
	struct host named;
	int r = make_wish(s, m, job, &q.wish);

	if (r == 0 && q.wish.testbox_is_host) {
		/* mostly so, and then the others need no look */
		r = host_store_find(s->db, job->testbox, &named);
		if (r == 0 && !job_match_is_for_ever(job_match(&q.wish, &named)))
			return 0;
	}
	if (r >= 0)
		r = count_hosts(s, &q, 1, true);
	if (r < 0)
		return r;
	for (int match = 0; match < _JOB_MATCH_MAX; match++)
		if (!job_match_is_for_ever(match) && q.tally.n[match] > 0)
			return 0;
	*ret_field = say_never(&q.tally, job, to);
	return JOB_WHY_NEVER;
}
