/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/blame_service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/doc/document.h"
#include "lib/sys/file.h"
#include "server/core/blame.h"
#include "server/service/host_service.h"
#include "server/service/job_service.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"

#define HEALTH_FILE_MAX ((size_t)1 << 20)

/* The health job of the configuration, for that host. Returns 0, BLAME_NO_JOB or -ENOMEM. */
static int read_health_job(struct services *s, const char *host, json_t **ret)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct buffer text = BUFFER_NULL;
	struct document_error bad = { .text = "" };
	json_t *job = NULL;
	int r = file_read_all(AT_FDCWD, s->config.health, HEALTH_FILE_MAX, &text);

	if (r < 0)
		(void)snprintf(bad.text, sizeof(bad.text), "%s", strerror(-r));
	else
		r = document_parse(buffer_slice(&text), &doc, &bad);
	if (r == 0)
		job = json_deep_copy(document_root(doc));
	buffer_deinit(&text);
	if (r == -ENOMEM || (r == 0 && !job))
		return -ENOMEM;
	if (r != 0 || !json_is_object(job)) {
		json_decref(job);
		log_warning("health job cannot be used file=%s error=%s", s->config.health,
		            bad.text[0] ? bad.text : "it is no map of fields");
		return BLAME_NO_JOB;
	}
	r = json_object_set_new(job, "testbox", json_string(host));
	r |= json_object_set_new(job, "health_check", json_true());
	r |= json_object_set_new(job, "priority", json_integer(JOB_PRIORITY_MAX));
	(void)json_object_del(job, "tbox_group"); /* that of the host; may be absent */
	if (r != 0) {
		json_decref(job);
		return -ENOMEM;
	}
	*ret = job;
	return 0;
}

int blame_service_check(struct services *s, const struct moment *m, const char *host)
{
	struct job_error error = { .field = "" };
	json_t *doc = NULL;
	int64_t id;
	int r;

	if (!s->config.health)
		return BLAME_NO_JOB;
	r = job_store_has_health(s->db, host);
	if (r != 0)
		return MIN(r, 0);
	r = read_health_job(s, host, &doc);
	if (r != 0)
		return r;
	r = job_service_add(s, m, doc, &id, &error);
	json_decref(doc);
	if (r <= 0)
		return r;
	log_warning("health job cannot be used file=%s error=%s", s->config.health, error.text);
	return BLAME_NO_JOB;
}

static int apply(struct services *s, const struct moment *m, struct host *host,
                 const struct blame *blame)
{
	unsigned set = blame->set & ~host->flags, clear = blame->clear & host->flags;
	int r = 0;

	if (blame->wants_check) {
		r = blame_service_check(s, m, host->name);
		if (r < 0)
			return r;
		/* without a health job nothing would ever end the wait for it */
		if (r == BLAME_NO_JOB)
			set &= ~(unsigned)HOST_FLAG_NEEDS_CHECK;
		r = 0;
	}
	if (host->checks_passed != blame->checks_passed) {
		host->checks_passed = blame->checks_passed;
		r = host_store_update(s->db, host);
	}
	for (int bit = 0; bit < HOST_N_FLAGS && r == 0; bit++)
		if ((set | clear) & (1U << bit))
			r = host_service_set_flag(&s->hosts, m, host->name,
			                          (enum host_flag)(1U << bit), (set >> bit) & 1,
			                          blame->reason ? blame->reason : "");
	if (r == 0 && set)
		log_warning("host is to blame host=%s reason=%s", host->name, blame->reason);
	return r;
}

static int judge_host(struct services *s, const struct moment *m, const char *name,
                      struct blame_facts *facts)
{
	struct host host;
	struct blame blame;
	int r = host_store_find(s->db, name, &host);

	if (r != 0)
		return MIN(r, 0); /* deleted meanwhile: nobody to blame */
	r = attempt_store_count_bad_jobs(s->db, name, usec_sub(m->wall, BLAME_SPAN));
	if (r < 0)
		return r;
	facts->n_bad_jobs = (unsigned)r;
	facts->flags = host.flags;
	facts->checks_passed = host.checks_passed;
	facts->has_health_job = s->config.health != NULL;
	blame = blame_decide(facts);
	return apply(s, m, &host, &blame);
}

/* The hosts that failed this job before: now that it passed, or is held, that says something. */
static int judge_others(struct services *s, const struct moment *m, const struct attempt *attempt,
                        struct blame_facts facts)
{
	char name[HOST_NAME_MAX_LEN] = "";
	int r;

	facts.ended = facts.is_poison ? ATTEMPT_INFRA : ATTEMPT_DONE;
	while ((r = attempt_store_next_failed_host(s->db, attempt->job, name)) == 0) {
		if (strcmp(name, attempt->host) == 0)
			continue;
		r = judge_host(s, m, name, &facts);
		if (r < 0)
			return r;
	}
	return MIN(r, 0);
}

int blame_service_ended(struct services *s, const struct moment *m, const struct attempt *attempt,
                        const struct job_record *job, bool is_poison)
{
	struct blame_facts facts = { .ended = attempt->state,
		                     .verdict = attempt->verdict,
		                     .kind = job->kind,
		                     .is_poison = is_poison };
	int r = judge_host(s, m, attempt->host, &facts);

	if (r < 0 || job->kind == JOB_KIND_HEALTH || (job->state != JOB_FINISHED && !is_poison))
		return r;
	return judge_others(s, m, attempt, facts);
}
