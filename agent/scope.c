/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The scope is there when systemd's job for it is gone with result "done".
 */
#include "agent/scope.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/base/usec.h"

#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define DESTINATION     "org.freedesktop.systemd1"
#define PATH            "/org/freedesktop/systemd1"
#define MANAGER         "org.freedesktop.systemd1.Manager"
#define TIMEOUT         (15 * USEC_PER_SEC) /* then the job goes on without a scope */

struct scope_request {
	sd_bus *bus;
	sd_bus_slot *call, *match;
	sd_event_source *timer;
	char *name;
	scope_done_fn done;
	void *userdata;
};

/* Connects to systemd itself. Returns 0 or -errno. */
static int connect_private(sd_bus **ret)
{
	CLEANUP(sd_bus_close_unrefp) sd_bus *bus = NULL;
	int r;

	r = sd_bus_new(&bus);
	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
	if (r < 0)
		return r;
	r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret = steal_ptr(&bus);
	return 0;
}

static void finish(struct scope_request *request, int r)
{
	scope_done_fn done = request->done;

	request->done = NULL;
	if (done)
		done(request->userdata, r); /* may free the request */
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	if (sd_bus_message_is_method_error(reply, NULL))
		finish(userdata, -sd_bus_message_get_errno(reply));
	return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
	struct scope_request *request = userdata;
	const char *path, *unit, *result;
	uint32_t id;
	int r;

	r = sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result);
	if (r < 0 || strcmp(unit, request->name) != 0)
		return 0;
	finish(request, strcmp(result, "done") == 0 ? 0 : -EIO);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	finish(userdata, -ETIMEDOUT);
	return 0;
}

/* The service this process is, so that the scope can be bound to it; NULL when it is none. */
static char *own_service(void)
{
	char *unit = NULL;

	if (sd_pid_get_unit(0, &unit) < 0)
		return NULL;
	if (!slice_has_suffix(slice_from_text(unit), SLICE_LITERAL(".service"))) {
		free(unit);
		return NULL;
	}
	return unit;
}

/* Appends the properties of the scope. */
static int append_properties(sd_bus_message *m, pid_t pid)
{
	CLEANUP(freep) char *service = own_service();
	int r;

	r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "Description", "s", "LKP job");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	if (r >= 0) /* the job may make groups of its own */
		r = sd_bus_message_append(m, "(sv)", "Delegate", "b", 1);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TasksMax", "t", UINT64_MAX);
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "TimeoutStopUSec", "t", 10 * USEC_PER_SEC);
	if (r >= 0 && service)
		r = sd_bus_message_append(m, "(sv)", "BindsTo", "as", 1, service);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r;
}

static int send_request(struct scope_request *request, pid_t pid)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(request->bus, &m, DESTINATION, PATH, MANAGER,
	                                   "StartTransientUnit");
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "ss", request->name, "replace");
	if (r < 0)
		return r;
	r = append_properties(m, pid);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r < 0)
		return r;
	return sd_bus_call_async(request->bus, &request->call, m, on_reply, request, TIMEOUT);
}

static int prepare(struct scope_request *request, sd_event *event, pid_t pid)
{
	int r;

	r = connect_private(&request->bus);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(request->bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	r = sd_bus_match_signal(request->bus, &request->match, NULL, PATH, MANAGER, "JobRemoved",
	                        on_job_removed, request);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(event, &request->timer, CLOCK_MONOTONIC, TIMEOUT, 1,
	                               on_timeout, request);
	if (r < 0)
		return r;
	return send_request(request, pid);
}

int scope_start(sd_event *event, const char *name, pid_t pid, scope_done_fn done, void *userdata,
                struct scope_request **ret)
{
	struct scope_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	request->done = done;
	request->userdata = userdata;
	request->name = text_dup(slice_from_text(name));
	r = request->name ? prepare(request, event, pid) : -ENOMEM;
	if (r < 0) {
		scope_request_free(request);
		return r;
	}
	*ret = request;
	return 0;
}

void scope_request_free(struct scope_request *request)
{
	if (!request)
		return;
	sd_event_source_disable_unref(request->timer);
	sd_bus_slot_unref(request->call);
	sd_bus_slot_unref(request->match);
	sd_bus_close_unref(request->bus);
	free(request->name);
	free(request);
}

int scope_start_unit(const char *unit)
{
	CLEANUP(sd_bus_close_unrefp) sd_bus *bus = NULL;
	int r = connect_private(&bus);

	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, DESTINATION, PATH, MANAGER, "StartUnit", NULL, NULL, "ss", unit,
	                       "replace-irreversibly");
	return r < 0 ? r : 0;
}
