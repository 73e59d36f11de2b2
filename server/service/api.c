/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The table of routes, who may use them, and the API's clock.
 */
#include "server/service/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/service/held.h"
#include "server/service/tokens.h"
#include "server/store/job_store.h"

enum access {
	EVERYBODY, /* reads, machines, and what carries its own token */
	TRUSTED,   /* from api.open_to, or with a token: submits, cancels, administers */
};

struct route {
	enum http_method method; /* a GET answers HEAD too */
	enum access access;
	const char *pattern; /* `:` stands for one component */
	api_handler handle;
};

#define G HTTP_METHOD_GET
#define P HTTP_METHOD_POST
#define U HTTP_METHOD_PUT
#define D HTTP_METHOD_DELETE

static const struct route routes[] = {
	{ P, TRUSTED, "/v1/jobs", api_jobs_submit },
	{ G, EVERYBODY, "/v1/jobs", api_jobs_list },
	{ G, EVERYBODY, "/v1/jobs/:", api_jobs_show },
	{ P, TRUSTED, "/v1/jobs/:/cancel", api_jobs_cancel },
	{ P, TRUSTED, "/v1/jobs/:/retry", api_jobs_retry },
	{ P, TRUSTED, "/v1/jobs/:/renew", api_jobs_renew },
	{ G, EVERYBODY, "/v1/jobs/:/why", api_jobs_why },
	{ G, EVERYBODY, "/v1/jobs/:/events", api_jobs_events },
	{ G, EVERYBODY, "/v1/jobs/:/log", api_jobs_log },
	{ G, EVERYBODY, "/v1/jobs/:/timeline", api_jobs_timeline },
	{ P, TRUSTED, "/v1/jobs/:/keep", api_jobs_keep },
	{ D, TRUSTED, "/v1/jobs/:/keep", api_jobs_unkeep },
	{ G, EVERYBODY, "/v1/jobs/:/results", api_jobs_results },
	{ G, EVERYBODY, "/v1/jobs/:/results/*", api_jobs_result },
	{ G, EVERYBODY, "/v1/hosts", api_hosts_list },
	{ G, EVERYBODY, "/v1/hosts/:", api_hosts_show },
	{ U, TRUSTED, "/v1/hosts/:", api_hosts_put },
	{ D, TRUSTED, "/v1/hosts/:", api_hosts_delete },
	{ P, TRUSTED, "/v1/hosts/:/drain", api_hosts_drain },
	{ P, TRUSTED, "/v1/hosts/:/undrain", api_hosts_undrain },
	{ P, TRUSTED, "/v1/hosts/:/flags/:", api_hosts_set_flag },
	{ D, TRUSTED, "/v1/hosts/:/flags/:", api_hosts_clear_flag },
	{ P, TRUSTED, "/v1/hosts/:/check", api_hosts_check },
	{ P, TRUSTED, "/v1/hosts/:/power", api_hosts_power },
	{ G, EVERYBODY, "/v1/events", api_events },
	{ P, EVERYBODY, "/v1/attempts/:/hello", api_agent_hello },
	{ P, EVERYBODY, "/v1/attempts/:/stage", api_agent_stage },
	{ P, EVERYBODY, "/v1/attempts/:/heartbeat", api_agent_heartbeat },
	{ P, EVERYBODY, "/v1/attempts/:/finish", api_agent_finish },
	{ P, EVERYBODY, "/v1/attempts/:/report", api_agent_report },
	{ P, EVERYBODY, "/v1/boots/:/report", api_boot_report },
	{ G, EVERYBODY, "/v1/boots/:/report", api_boot_log },
	{ G, EVERYBODY, "/healthz", api_health },
	{ G, EVERYBODY, "/metrics", api_metrics },
	/* Compass-CI's, bare and below /scheduler */
	{ G, EVERYBODY, "/", api_compass_alive },
	{ G, EVERYBODY, "/boot.ipxe", api_boot_first },
	{ G, EVERYBODY, "/boot.ipxe/:/:", api_boot },
	{ G, EVERYBODY, "/boot.grub", api_boot_grub_cfg },
	{ G, EVERYBODY, "/boot.grub/:/:", api_boot_grub },
	{ G, EVERYBODY, "/job_initrd_tmpfs/:/job.cgz", api_boot_job_cgz },
	{ P, TRUSTED, "/submit_job", api_compass_submit },
	{ P, TRUSTED, "/cancel_jobs", api_compass_cancel },
	{ G, EVERYBODY, "/renew_deadline", api_compass_renew },
	{ G, EVERYBODY, "/get_deadline", api_compass_deadline },
	{ G, EVERYBODY, "/get_testbox", api_get_testbox },
	{ P, EVERYBODY, "/report_event", api_compass_event },
	{ U, TRUSTED, "/set_host_mac", api_set_host_mac },
	{ U, TRUSTED, "/del_host_mac", api_del_host_mac },
	{ U, TRUSTED, "/set_host2queues", api_set_host_queues },
	{ U, TRUSTED, "/del_host2queues", api_del_host_queues },
	{ G, EVERYBODY, "/~lkp/cgi-bin/lkp-jobfile-append-var", api_compass_append_var },
	{ G, EVERYBODY, "/~lkp/cgi-bin/set-job-stage", api_compass_job_stage },
	{ G, EVERYBODY, "/~lkp/cgi-bin/report-job-step", api_compass_job_step },
	{ G, EVERYBODY, "/~lkp/cgi-bin/gpxelinux.cgi", api_boot_next },
	{ G, EVERYBODY, "/~lkp/cgi-bin/lkp-cluster-sync", api_compass_sync },
	{ G, EVERYBODY, "/~lkp/cgi-bin/lkp-post-run", api_compass_post_run },
	{ G, EVERYBODY, "/~lkp/cgi-bin/lkp-wtmp", api_compass_wtmp },
	{ G, EVERYBODY, "/~lkp/cgi-bin/report_ssh_port", api_compass_done },
	{ P, EVERYBODY, "/~lkp/cgi-bin/report_ssh_info", api_compass_done },
};

#undef G
#undef P
#undef U
#undef D

/*
 * Whether a path has the pattern's shape: equal components, `:` for any one, and a last `*` for one
 * or more. A slash at the end of the path counts for nothing.
 */
static bool matches(const char *pattern, struct slice path, struct request_args *args)
{
	struct slice rest = slice_from_text(pattern);
	size_t n_args = 0;

	if (path.len > 1 && path.data[path.len - 1] == '/')
		path.len--;
	(void)slice_take(&rest, 1);
	(void)slice_take(&path, 1);
	while (rest.len > 0 && path.len > 0) {
		struct slice want = slice_cut(&rest, '/');
		struct slice got;

		if (text_equal(want, "*")) {
			args->arg[n_args] = path;
			return true;
		}
		got = slice_cut(&path, '/');
		if (got.len == 0)
			return false;
		if (text_equal(want, ":"))
			args->arg[n_args++] = got;
		else if (!slice_equal(want, got))
			return false;
	}
	return rest.len == 0 && path.len == 0;
}

static struct slice without_scheduler(struct slice path)
{
	const struct slice prefix = SLICE_LITERAL("/scheduler/");

	return slice_has_prefix(path, prefix) ? slice_sub(path, prefix.len - 1, path.len) : path;
}

static bool method_fits(const struct route *route, enum http_method method)
{
	return route->method == method ||
	       (route->method == HTTP_METHOD_GET && method == HTTP_METHOD_HEAD);
}

static void allow(struct api_answer *answer, enum http_method method)
{
	size_t len = strlen(answer->allow);

	(void)snprintf(answer->allow + len, sizeof(answer->allow) - len, "%s%s", len ? ", " : "",
	               http_method_to_name((int)method));
	if (method == HTTP_METHOD_GET)
		allow(answer, HTTP_METHOD_HEAD);
}

bool api_is_trusted(const struct api_request *rq)
{
	const struct services_config *config = &rq->s->config;

	for (size_t i = 0; i < config->n_open_to; i++)
		if (ipv4_net_contains(config->open_to[i], rq->call->peer))
			return true;
	return tokens_have(rq->s->tokens, api_bearer(rq));
}

static int dispatch(struct api_request *rq)
{
	struct slice path = without_scheduler(rq->call->path);
	char text[128];

	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (!matches(routes[i].pattern, path, &rq->args))
			continue;
		if (!method_fits(&routes[i], rq->call->method)) {
			allow(rq->answer, routes[i].method);
			continue;
		}
		rq->answer->allow[0] = '\0';
		if (routes[i].access == TRUSTED && !api_is_trusted(rq))
			return api_problem(rq, 401, NULL,
			                   "not from an address of api.open_to, and no token of "
			                   "api.tokens");
		return routes[i].handle(rq);
	}
	if (rq->answer->allow[0])
		return api_problem(rq, 405, NULL, "not by this method");
	return api_problem(rq, 404, NULL, "there is no %s",
	                   text_escape(text, sizeof(text), rq->call->path));
}

int api_handle(struct api *api, const struct api_call *call, struct api_answer *ret_answer)
{
	struct services *s = api->services;
	struct api_answer answer = { .want = API_SEND };
	struct api_request rq = { .s = s, .call = call, .answer = &answer };
	int r;

	rq.m = services_moment(s, call->now, call->wall);
	s->n_requests += !call->is_held;
	if (call->path.len == 0 || call->path.data[0] != '/')
		r = api_problem(&rq, 400, NULL, "the path does not begin with a slash");
	else
		r = dispatch(&rq);
	assert(!db_in_transaction(s->db));
	if (r < 0) {
		api_answer_deinit(&answer);
		return r;
	}
	*ret_answer = answer;
	return 0;
}

void api_group_begin(struct api *api)
{
	db_group_enter(api->services->db);
}

void api_group_end(struct api *api)
{
	db_group_leave(api->services->db);
}

bool api_group_is_open(const struct api *api)
{
	return db_group_is_open(api->services->db);
}

int api_group_commit(struct api *api)
{
	int r = db_group_commit(api->services->db);

	if (r < 0) {
		held_forget_all(api->services); /* what was noted down for them did not happen */
		api->services->generation++;
	}
	return r;
}

void api_drop_held(struct api *api, const struct api_call *call)
{
	const struct moment m = services_moment(api->services, call->now, call->wall);

	/* nothing depends on it: the host is only shown as waiting for a little longer */
	(void)api_boot_dropped(api->services, call, &m);
}

uint64_t api_generation(const struct api *api)
{
	return api->services->generation;
}

int api_timeout(struct api *api, usec_t now, usec_t wall)
{
	const struct moment m = services_moment(api->services, now, wall);

	return attempt_service_timeout(api->services, &m);
}

usec_t api_deadline(const struct api *api)
{
	struct services *s = api->services;
	usec_t steady = USEC_INFINITY;

	if (attempt_service_next(s, &steady) < 0)
		return usec_add(s->start_now, USEC_PER_SEC); /* soon: the store is in trouble */
	return services_to_now(s, steady);
}

int api_health(struct api_request *rq)
{
	int64_t counts[_JOB_STATE_MAX];
	int r = job_store_count(rq->s->db, counts);

	if (r < 0)
		return api_problem(rq, 503, NULL, "the store does not answer");
	return api_send_text(rq, 200, "ok\n");
}

int api_metrics(struct api_request *rq)
{
	struct buffer *out = &rq->answer->body;
	int64_t counts[_JOB_STATE_MAX];
	int r = job_store_count(rq->s->db, counts);

	if (r < 0)
		return r;
	buffer_append_text(out, "# TYPE cci_jobs gauge\n");
	for (int i = 0; i < _JOB_STATE_MAX; i++)
		buffer_printf(out, "cci_jobs{state=\"%s\"} %" PRId64 "\n", job_state_to_name(i),
		              counts[i]);
	buffer_printf(out,
	              "# TYPE cci_api_requests_total counter\n"
	              "cci_api_requests_total %" PRIu64 "\n"
	              "# TYPE cci_api_problems_total counter\n"
	              "cci_api_problems_total %" PRIu64 "\n"
	              "# TYPE cci_api_foreign_total counter\n"
	              "cci_api_foreign_total %" PRIu64 "\n"
	              "# TYPE cci_offers_total counter\n"
	              "cci_offers_total %" PRIu64 "\n"
	              "# TYPE cci_machines_held gauge\n"
	              "cci_machines_held %zu\n",
	              rq->s->n_requests, rq->s->n_refused, rq->s->n_foreign, rq->s->n_offers,
	              held_count(rq->s));
	api_retention_metrics(rq->s, out);
	if (rq->s->append_metrics)
		rq->s->append_metrics(rq->s->metrics_userdata, out);
	rq->answer->status = 200;
	rq->answer->content_type = "text/plain; version=0.0.4";
	return buffer_error(out);
}
