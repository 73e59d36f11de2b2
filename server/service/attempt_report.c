/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Reports of the initramfs: stages of a boot as events of the time they were reached, and a failure
 * as the end of the attempt.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/attempt_service.h"
#include "server/service/job_bundle.h"
#include "server/service/moves.h"
#include "server/store/file_store.h"
#include "server/store/host_store.h"
#include "server/store/job_store.h"

#define LOG_NAME  "initramfs.log" /* in the result directory of the attempt */
#define BOOTS_DIR "boots"         /* below `state`: MAC.log of boots without an attempt */

static int write_stages(struct services *s, const struct moment *m, const struct subject *subject,
                        const struct boot_report *report)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->n_stages; i++) {
		const struct boot_report_stage *stage = &report->stages[i];
		usec_t ago = boot_report_ago(report, stage);
		const struct moment then = { .now = usec_sub(m->now, ago),
			                     .wall = usec_sub(m->wall, ago),
			                     .steady = usec_sub(m->steady, ago) };

		r = services_event(s, &then, stage->kind, subject, "{s:I}", "uptime_ms",
		                   (json_int_t)(stage->uptime / USEC_PER_MSEC));
	}
	return r;
}

/*
 * A boot that failed was in the initramfs, at the least. log_name: where its log can be read; NULL:
 * nowhere.
 */
static int write_failure(struct services *s, const struct moment *m, const struct subject *subject,
                         const struct boot_report *report, const char *log_name)
{
	return services_event(s, m, EVENT_INITRAMFS_START, subject,
	                      "{s:s, s:s, s:s, s:s, s:I, s:s*}", "stage", report->stage, "step",
	                      report->step, "cause", report->cause, "detail", report->detail,
	                      "uptime_ms", (json_int_t)(report->uptime / USEC_PER_MSEC), "log",
	                      log_name);
}

static int write_events(struct services *s, const struct moment *m, const struct subject *subject,
                        const struct boot_report *report, const char *log_name)
{
	int r = write_stages(s, m, subject, report);

	if (r == 0 && report->has_failed)
		r = write_failure(s, m, subject, report, log_name);
	return r;
}

/* Writes the end of the journal. Returns its length; 0: there is none, or it could not be kept. */
static size_t write_log(int dir, const char *name, const struct boot_report *report)
{
	struct buffer text = BUFFER_NULL;
	size_t len = 0;

	if (dir >= 0 && report->journal.len > 0) {
		boot_report_log(report, &text);
		if (buffer_error(&text) == 0 &&
		    file_write_durably(dir, name, buffer_slice(&text), 0644) == 0)
			len = text.len;
	}
	buffer_deinit(&text);
	return len;
}

/*
 * The log of a failed attempt is one of its result files. Best effort: one that cannot be written
 * must not keep the attempt from ending. Returns 0 or -errno of the store; *ret is NULL when there
 * is no log.
 */
static int keep_log(struct services *s, const struct moment *m, const struct attempt *attempt,
                    const struct boot_report *report, const char **ret)
{
	struct stored_file file = { .name = LOG_NAME };
	CLEANUP(fd_closep) int dir = -1;
	struct job_record job;
	int r;

	*ret = NULL;
	if (!report->has_failed || job_store_find(s->db, attempt->job, &job) != 0)
		return 0;
	dir = job_bundle_open_results(s, &job);
	file.size = (int64_t)write_log(dir, LOG_NAME, report);
	if (file.size == 0)
		return 0;
	r = file_store_put(s->db, attempt->id, &file, m->wall);
	if (r == 0)
		*ret = LOG_NAME;
	return r;
}

/* The log of a boot without an attempt: one for each machine, the newest. */
#define BOOT_LOG_MAX (MAC_TEXT_MAX + sizeof(".log"))

static const char *boot_log_name(struct mac mac, char to[BOOT_LOG_MAX])
{
	char text[MAC_TEXT_MAX];

	(void)snprintf(to, BOOT_LOG_MAX, "%s.log", mac_format(mac, '-', text));
	return to;
}

static int open_boot_logs(const struct services *s)
{
	CLEANUP(fd_closep) int state = open(s->config.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return state < 0 ? -errno : file_make_dirs(state, BOOTS_DIR, 0755);
}

int attempt_service_boot_log(struct services *s, struct mac mac, struct buffer *out)
{
	char name[BOOT_LOG_MAX];
	CLEANUP(fd_closep) int dir = open_boot_logs(s);
	int r;

	if (dir < 0)
		return dir;
	r = file_read_all(dir, boot_log_name(mac, name), 4 * BOOT_REPORT_LOG_MAX, out);
	return r == -ENOENT ? ATTEMPT_GONE : r;
}

/* Said again, because the answer was lost: right when it is the same failure. */
static int report_again(const struct attempt *attempt, const struct boot_report *report)
{
	char cause[BOOT_REPORT_CAUSE_MAX];

	if (report->has_failed && attempt->state == ATTEMPT_INFRA &&
	    strcmp(attempt->cause, boot_report_cause(report, cause)) == 0)
		return ATTEMPT_OK;
	return ATTEMPT_GONE;
}

static int take_report(struct services *s, const struct moment *m, int64_t id, struct slice token,
                       const struct boot_report *report)
{
	char cause[BOOT_REPORT_CAUSE_MAX];
	const char *log_name;
	struct attempt attempt;
	struct subject subject;
	int r = attempt_service_check(s, id, token, &attempt);

	if (r == ATTEMPT_GONE)
		return report_again(&attempt, report);
	if (r != 0)
		return r;
	attempt.seen_steady = m->steady;
	subject = attempt_subject(&attempt);
	r = keep_log(s, m, &attempt, report, &log_name);
	if (r == 0)
		r = write_events(s, m, &subject, report, log_name);
	if (r < 0 || !report->has_failed)
		return r < 0 ? r : move_attempt_touch(s, &attempt);
	return move_attempt(s, m, &attempt, ATTEMPT_EVENT_FAIL, boot_report_cause(report, cause));
}

int attempt_service_report(struct services *s, const struct moment *m, int64_t id,
                           struct slice token, const struct boot_report *report)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, take_report(s, m, id, token, report));
}

static int take_boot_report(struct services *s, const struct moment *m, struct mac mac,
                            uint32_t peer, const struct boot_report *report)
{
	char name[BOOT_LOG_MAX], text[MAC_TEXT_MAX], log_path[64];
	struct known_machine machine;
	struct subject subject;
	bool has_log = false;
	int r = host_store_machine_of(s->db, mac, &machine);

	if (r != 0 || machine.address != peer)
		return r < 0 ? r : ATTEMPT_FOREIGN;
	subject = (struct subject){ .host = machine.name, .mac = mac };
	(void)snprintf(log_path, sizeof(log_path), "/v1/boots/%s/report",
	               mac_format(mac, '-', text));
	if (report->has_failed) {
		CLEANUP(fd_closep) int dir = open_boot_logs(s);

		has_log = write_log(dir, boot_log_name(mac, name), report) > 0;
	}
	return write_events(s, m, &subject, report, has_log ? log_path : NULL);
}

int attempt_service_boot_report(struct services *s, const struct moment *m, struct mac mac,
                                uint32_t peer, const struct boot_report *report)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, take_boot_report(s, m, mac, peer, report));
}
