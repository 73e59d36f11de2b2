/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What machines fetch from the main process: boot.ipxe or grub.cfg, their script, job.cgz.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/proto/url_query.h"
#include "server/service/api_routes.h"
#include "server/service/attempt_service.h"
#include "server/service/boot_service.h"
#include "server/service/job_bundle.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/job_store.h"

static int send_script(struct api_request *rq)
{
	rq->answer->status = 200;
	rq->answer->content_type = "text/plain; charset=utf-8";
	return buffer_error(&rq->answer->body);
}

int api_boot_first(struct api_request *rq)
{
	int r = boot_service_first_script(&rq->s->boot, rq->call->peer, rq->call->local,
	                                  rq->call->now, rq->call->wall, &rq->answer->body);

	return r < 0 ? r : send_script(rq);
}

static int answer_boot(struct api_request *rq, enum boot_loader loader, struct slice mac)
{
	struct boot_ask ask = {
		.loader = loader,
		.session = (int64_t)api_query_u64(rq, "b", INT64_MAX, 0),
		.peer = rq->call->peer,
		.local = rq->call->local,
		.is_held = rq->call->is_held,
		.held_since = rq->call->held_since,
	};
	usec_t hold_until = 0;
	int r;

	if (mac_parse(mac, &ask.mac) != 0 || mac_is_zero(ask.mac))
		return api_problem(
			rq, 400, NULL,
			"expected an Ethernet address as in /boot.ipxe/mac/52-54-00-12-34-56, or "
			"mac=52-54-00-12-34-56");
	r = boot_service_ask(&rq->s->boot, &ask, rq->call->now, rq->call->wall, &rq->answer->body,
	                     &hold_until);
	if (r < 0)
		return r;
	if (r == BOOT_ANSWERED)
		return send_script(rq);
	rq->answer->want = API_HOLD;
	rq->answer->hold_until = hold_until;
	return 0;
}

/* /boot.ipxe/<anything>/<mac>: the middle is there by convention only. */
int api_boot(struct api_request *rq)
{
	return answer_boot(rq, BOOT_LOADER_IPXE, rq->args.arg[1]);
}

/* /boot.grub/<anything>/<mac> */
int api_boot_grub(struct api_request *rq)
{
	return answer_boot(rq, BOOT_LOADER_GRUB, rq->args.arg[1]);
}

/* What iPXE does when a line fails is no part of a kernel's command line. */
static int without_retries(struct buffer *script)
{
	const struct slice retry = SLICE_LITERAL(" || goto retry");
	struct buffer plain = BUFFER_NULL;

	for (struct slice rest = buffer_slice(script); rest.len > 0;) {
		struct slice line = slice_cut(&rest, '\n');

		if (slice_has_suffix(line, retry))
			line.len -= retry.len;
		buffer_append_slice(&plain, line);
		buffer_append_text(&plain, "\n");
	}
	buffer_deinit(script);
	*script = plain;
	return buffer_error(script);
}

/*
 * gpxelinux.cgi?mac=: a client of Compass-CI that goes on to its next job by kexec reads the same
 * script line by line.
 */
int api_boot_next(struct api_request *rq)
{
	char mac[MAC_TEXT_MAX];
	int r;

	if (!api_query(rq, "mac", mac, sizeof(mac)))
		mac[0] = '\0';
	r = answer_boot(rq, BOOT_LOADER_IPXE, slice_from_text(mac));
	return r < 0 || rq->answer->want == API_HOLD ? r : without_retries(&rq->answer->body);
}

int api_boot_grub_cfg(struct api_request *rq)
{
	int r = boot_service_grub_cfg(&rq->s->boot, rq->call->peer, rq->call->local,
	                              &rq->answer->body);

	return r < 0 ? r : send_script(rq);
}

int api_boot_dropped(struct services *s, const struct api_call *call, const struct moment *m)
{
	struct slice path = call->path;
	uint8_t room[MAC_TEXT_MAX];
	struct bytes text = BYTES_ON(room);
	struct mac mac;

	while (slice_find(path, '/', 0) < path.len)
		(void)slice_cut(&path, '/');
	if (mac_parse(path, &mac) != 0 && (url_query_find(call->query, "mac", &text) != 0 ||
	                                   mac_parse(bytes_slice(&text), &mac) != 0))
		return 0;
	return boot_service_drop(&s->boot, mac, m->now, m->wall);
}

static int record_fetch(struct api_request *rq, struct attempt *attempt, size_t size)
{
	const struct subject subject = attempt_subject(attempt);
	char path[256];
	int r;

	(void)text_escape(path, sizeof(path), rq->call->path);
	r = services_event(rq->s, &rq->m, EVENT_FILE_START, &subject, "{s:s, s:I}", "file", path,
	                   "size", (json_int_t)size);
	if (r == 0)
		r = services_event(rq->s, &rq->m, EVENT_FILE_DONE, &subject,
		                   "{s:s, s:I, s:I, s:f, s:b}", "file", path, "bytes",
		                   (json_int_t)size, "size", (json_int_t)size, "seconds", 0.0,
		                   "aborted", 0);
	return r < 0 ? r : attempt_service_file_start(rq->s, &rq->m, attempt);
}

/* The open attempt of the job. Returns 0; 1 when a refusal was answered; -errno. */
static int find_attempt(struct api_request *rq, const struct job_record *job, struct attempt *ret)
{
	int r = attempt_store_find_open_of_job(rq->s->db, job->id, ret);

	if (r > 0)
		r = api_problem(rq, 404, NULL, "the job is not being booted");
	else if (r == 0) {
		/* it carries the attempt's token: only its machine may have it */
		r = attempt_service_is_machine(rq->s, ret, rq->call->peer);
		if (r > 0)
			return 0;
		if (r == 0)
			r = api_problem(rq, 403, NULL, "not from the machine of this job");
	}
	return r < 0 ? r : 1;
}

int api_boot_job_cgz(struct api_request *rq)
{
	struct attempt attempt;
	struct job_record job;
	int r = api_find_job(rq, rq->args.arg[0], &job);

	if (r == 0)
		r = find_attempt(rq, &job, &attempt);
	if (r != 0)
		return r < 0 ? r : 0;
	r = job_bundle_cgz(rq->s, &job, &attempt, &rq->answer->body);
	if (r == 0 && rq->call->method == HTTP_METHOD_GET) {
		r = db_begin(rq->s->db);
		if (r == 0)
			r = services_finish(rq->s,
			                    record_fetch(rq, &attempt, rq->answer->body.len));
	}
	rq->answer->status = 200;
	rq->answer->content_type = "application/octet-stream";
	return r;
}
