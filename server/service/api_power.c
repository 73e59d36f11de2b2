/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * POST /v1/hosts/NAME/power, and how a host's power shows in its JSON.
 */
#include <errno.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "server/service/api_routes.h"
#include "server/service/power_service.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

json_t *api_power_json(struct api_request *rq, const char *host)
{
	const struct power_method *method =
		power_method_find(rq->s->config.power, rq->s->config.n_power, host);
	struct power_record record;
	const char *action;
	json_t *last = NULL;
	int r = power_store_find(rq->s->db, host, &record);

	if (!method)
		return json_null();
	if (r != 0) /* an error shows with the next request that writes */
		record = (struct power_record){ .power = { .phase = POWER_IDLE } };
	if (record.last_wall)
		last = json_pack("{s:s, s:o, s:o}", "action",
		                 power_action_to_name((int)record.last_action), "time",
		                 api_time_json(record.last_wall, false), "error",
		                 api_text_json(record.last_error));
	action = record.power.phase == POWER_IDLE ? ""
	                                          : power_action_to_name((int)record.power.action);
	return json_pack("{s:s, s:s, s:o, s:i, s:o, s:o}", "by",
	                 method->n_command > 0 ? "command" : "ipmi", "phase",
	                 power_phase_to_name((int)record.power.phase), "action",
	                 api_text_json(action), "tries", (int)record.power.tries, "cause",
	                 api_text_json(record.cause), "last", last ? last : json_null());
}

/* {"action": "on|off|cycle", "force": false} into *ret; force: though a job runs there. */
static int read_body(struct api_request *rq, enum power_action *ret, bool *ret_force)
{
	CLEANUP(document_freep) struct document *body = NULL;
	struct document_error bad;
	const char *text;
	int value = -1;
	int r = document_parse(rq->call->body, &body, &bad);

	if (r < 0)
		return r;
	text = r == 0 ? json_string_value(json_object_get(document_root(body), "action")) : NULL;
	if (text)
		value = power_action_from_name(slice_from_text(text));
	if (value < 0) {
		r = api_problem(rq, 400, "action", "expected on, off or cycle");
		return r < 0 ? r : 1;
	}
	*ret = (enum power_action)value;
	*ret_force = json_is_true(json_object_get(document_root(body), "force"));
	return 0;
}

/* Whether a job runs there: 1, 0 or -errno. */
static int has_attempt(struct api_request *rq, const char *host)
{
	struct attempt attempt;
	int r = attempt_store_find_open_of_host(rq->s->db, host, &attempt);

	return r < 0 ? r : r == 0;
}

int api_hosts_power(struct api_request *rq)
{
	enum power_action action = POWER_ON;
	char name[HOST_NAME_MAX_LEN];
	bool force = false;
	struct host host;
	int r = HOST_STORE_ABSENT;

	if (text_copy(name, sizeof(name), rq->args.arg[0]) == 0)
		r = host_store_find(rq->s->db, name, &host);
	if (r != 0)
		return r < 0 ? r : api_problem(rq, 404, NULL, "there is no such host");
	r = read_body(rq, &action, &force);
	if (r != 0)
		return MIN(r, 0);
	if (action != POWER_ON && !force) {
		r = has_attempt(rq, name);
		if (r < 0)
			return r;
		if (r > 0)
			return api_problem(rq, 409, NULL,
			                   "a job runs on that machine; \"force\": true ends it");
	}
	r = db_begin(rq->s->db);
	if (r == 0)
		r = services_finish(rq->s, power_service_ask(rq->s, &rq->m, name, action));
	if (r == POWER_SERVICE_NONE)
		return api_problem(rq, 409, NULL, "ccid.yaml does not say how to switch it");
	return r < 0 ? r : api_hosts_show(rq);
}
