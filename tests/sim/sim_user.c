/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The people of the lab: they submit, each job until it is acknowledged, cancel, renew, drain and
 * reserve; and when nothing goes wrong any more they clear up.
 */
#include "tests/sim/sim.h"

#include "server/service/host_service.h"
#include "server/store/host_store.h"

PRINTF_LIKE(4, 5)
static struct sim_message *make(struct sim *s, enum http_method method, const char *body,
                                const char *format, ...)
{
	struct sim_message *message = sim_message_new(SIM_API);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message->target, sizeof(message->target), format, args);
	va_end(args);
	message->method = method;
	message->request = ++s->n_requests;
	buffer_append_text(&message->body, body);
	return message;
}

/* The n-th job; said again with the same key, and the same text, until it is acknowledged. */
static void submit(struct sim *s, unsigned n)
{
	static const char *const submitters[] = { "ann", "bob", "eve" };
	char body[512];
	struct sim_message *message;

	(void)snprintf(body, sizeof(body),
	               "suite: s\ntestbox: %s\nos: debian\nos_arch: x86_64\nos_version: bookworm\n"
	               "os_mount: initramfs\nruntime: 60\ntimeout: %u\nscript: x\npriority: %u\n"
	               "my_account: %s\n",
	               n % 5 == 4 ? "vm-1" : "vm", 60 + n % 4 * 30, n % 10, submitters[n % 3]);
	message = make(s, HTTP_METHOD_POST, body, "/v1/jobs");
	(void)snprintf(message->key, sizeof(message->key), "job-%u", n);
	sim_send(s, SIM_USER, 0, message);
}

static void annoy(struct sim *s)
{
	static const char *const flags[] = { "drain", "maintenance", "quarantine", "needs_check" };
	unsigned job = (unsigned)rng_between(&s->rng, 1, s->n_jobs);
	int host = (int)rng_between(&s->rng, 1, (uint64_t)s->n_machines);
	const char *flag = flags[rng_between(&s->rng, 0, 3)];
	uint64_t dice = rng_between(&s->rng, 0, 9);

	if (dice < 2)
		sim_send(s, SIM_USER, 0,
		         make(s, HTTP_METHOD_POST, "", "/v1/jobs/lab1.%u/cancel", job));
	else if (dice < 4)
		sim_send(s, SIM_USER, 0,
		         make(s, HTTP_METHOD_POST, "", "/v1/jobs/lab1.%u/renew?seconds=30", job));
	else if (dice < 5)
		sim_send(s, SIM_USER, 0,
		         make(s, HTTP_METHOD_POST, "",
		              "/v1/hosts/vm-%d/flags/reserved?user=ann&for=600", host));
	else if (dice < 7)
		sim_send(s, SIM_USER, 0,
		         make(s, HTTP_METHOD_POST, "", "/v1/hosts/vm-%d/flags/%s", host, flag));
	else
		sim_send(s, SIM_USER, 0,
		         make(s, HTTP_METHOD_DELETE, "", "/v1/hosts/vm-%d/flags/%s", host, flag));
}

/* Hosts are given free, and jobs that wait for a person go on. */
static void clear_up(struct sim *s)
{
	static const char *const flags[] = { "drain", "maintenance", "quarantine", "needs_check",
		                             "reserved" };

	for (int i = 1; i <= s->n_machines; i++)
		for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
			sim_send(s, SIM_USER, 0,
			         make(s, HTTP_METHOD_DELETE, "", "/v1/hosts/vm-%d/flags/%s", i,
			              flags[k]));
	for (unsigned n = 1; n <= s->n_jobs; n++)
		if (s->jobs[n].state == JOB_WAITING)
			sim_send(s, SIM_USER, 0,
			         make(s, HTTP_METHOD_POST, "", "/v1/jobs/lab1.%u/retry", n));
}

void user_act(struct sim *s)
{
	if (s->w->now < s->user.act_at)
		return;
	s->user.act_at = s->w->now + sim_between_ms(s, 5000, 200000);
	for (unsigned n = 1; n <= s->user.n_jobs; n++)
		if (!s->user.job[n])
			submit(s, n);
	if (s->user.n_jobs < s->n_jobs)
		submit(s, ++s->user.n_jobs);
	if (s->is_calm) {
		s->user.act_at = s->w->now + 600 * USEC_PER_SEC;
		clear_up(s);
	} else if (sim_chance(s, 400)) {
		annoy(s);
	}
}

/* S6: what was acknowledged is there, and under the same id however often it is sent. */
void user_take(struct sim *s, const struct sim_message *reply)
{
	json_t *body;
	const char *id;
	unsigned n;
	int64_t job;

	if (sscanf(reply->key, "job-%u", &n) != 1 || reply->status != 201)
		return;
	body = json_loadb((const char *)reply->body.data, reply->body.len, 0, NULL);
	id = json_string_value(json_object_get(body, "id"));
	job = id ? strtoll(id + strlen("lab1."), NULL, 10) : 0;
	if (job < 1 || job > s->n_jobs || !s->jobs[job].is_known)
		sim_fail(s, "S6: job %s was acknowledged and is not there", id ? id : "?");
	if (s->user.job[n] && s->user.job[n] != job)
		sim_fail(s, "one submit made the jobs %lld and %lld", (long long)s->user.job[n],
		         (long long)job);
	s->user.job[n] = job;
	json_decref(body);
}

bool user_is_done(struct sim *s)
{
	for (unsigned n = 1; n <= s->n_jobs; n++)
		if (!s->user.job[n] || !job_state_is_final((int)s->jobs[n].state))
			return false;
	return true;
}
