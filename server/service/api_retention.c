/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Results that stay, go, or are gone, as the API shows it.
 */
#include <inttypes.h>

#include "lib/base/macro.h"
#include "server/service/api_routes.h"
#include "server/store/job_store.h"
#include "server/store/retention_store.h"

static const char *const causes[_RETENTION_CAUSE_MAX] = {
	[RETENTION_STAY] = "as somebody wished",
	[RETENTION_AGE] = "they were older than retention.results_age",
	[RETENTION_ROOM] = "they were the oldest, and the disk was short of room (retention.room)",
};

int api_results_gone(struct api_request *rq, const struct job_record *job)
{
	int r;

	if (job->results == RESULTS_THERE)
		return 0;
	r = api_problem(rq, 410, NULL, "the results of this job %s: %s",
	                job->results == RESULTS_REMOVED ? "were removed" : "are being removed",
	                causes[job->results_cause]);
	return r < 0 ? r : 1;
}

static int set_kept(struct api_request *rq, bool is_kept)
{
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r != 0)
		return MIN(r, 0);
	r = api_results_gone(rq, &job);
	if (r != 0)
		return MIN(r, 0);
	r = db_begin(rq->s->db);
	if (r == 0)
		r = services_finish(rq->s, retention_store_keep(rq->s->db, job.id, is_kept));
	return r < 0 ? r : api_jobs_show(rq);
}

int api_jobs_keep(struct api_request *rq)
{
	return set_kept(rq, true);
}

int api_jobs_unkeep(struct api_request *rq)
{
	return set_kept(rq, false);
}

void api_retention_metrics(const struct services *s, struct buffer *out)
{
	buffer_append_text(out, "# TYPE cci_results_removed_total counter\n");
	for (int i = RETENTION_AGE; i < _RETENTION_CAUSE_MAX; i++)
		buffer_printf(out, "cci_results_removed_total{cause=\"%s\"} %" PRIu64 "\n",
		              retention_cause_to_name(i), s->n_results_removed[i]);
	buffer_printf(out,
	              "# TYPE cci_results_removals_failed_total counter\n"
	              "cci_results_removals_failed_total %" PRIu64 "\n"
	              "# TYPE cci_events_pruned_total counter\n"
	              "cci_events_pruned_total %" PRIu64 "\n",
	              s->n_removals_failed, s->n_events_pruned);
}
