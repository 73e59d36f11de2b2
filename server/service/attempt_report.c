/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Reports of the initramfs: stages of a boot as events of the time they were reached, and a failure
 * as the end of the attempt.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"
#include "server/core/attempt_machine.h"
#include "server/service/attempt_service.h"
#include "server/service/boot_log.h"
#include "server/service/moves.h"
#include "server/store/attempt_store.h"
#include "server/store/host_store.h"

static int write_stages(struct services *s, const struct moment *m, const struct subject *subject,
                        const struct boot_report *report, const char *panic)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < report->n_stages; i++) {
		const struct boot_report_stage *stage = &report->stages[i];
		usec_t ago = boot_report_ago(report, stage);
		const struct moment then = { .now = usec_sub(m->now, ago),
			                     .wall = usec_sub(m->wall, ago),
			                     .steady = usec_sub(m->steady, ago) };

		r = services_event(
			s, &then, stage->kind, subject, "{s:I, s:s*, s:s*, s:s*}", "uptime_ms",
			(json_int_t)(stage->uptime / USEC_PER_MSEC), "panic", i == 0 ? panic : NULL,
			"detail", report->detail[0] && !report->has_failed ? report->detail : NULL,
			"missing", i == 0 && report->missing[0] ? report->missing : NULL);
	}
	return r;
}

/* A boot that failed was in the initramfs, at the least. */
static int write_failure(struct services *s, const struct moment *m, const struct subject *subject,
                         const struct boot_report *report, const struct boot_log_names *names)
{
	return services_event(
		s, m, EVENT_INITRAMFS_START, subject, "{s:s, s:s, s:s, s:s, s:I, s:s*, s:s*, s:s*}",
		"stage", report->stage, "step", report->step, "cause", report->cause, "detail",
		report->detail, "uptime_ms", (json_int_t)(report->uptime / USEC_PER_MSEC), "log",
		names->log, "panic", names->panic, "missing",
		report->missing[0] ? report->missing : NULL);
}

static int write_events(struct services *s, const struct moment *m, const struct subject *subject,
                        const struct boot_report *report, const struct boot_log_names *names)
{
	int r = write_stages(s, m, subject, report, names->panic);

	if (r == 0 && report->has_failed)
		r = write_failure(s, m, subject, report, names);
	return r;
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
	struct boot_log_names names;
	struct attempt attempt;
	struct subject subject;
	int r = attempt_service_check(s, id, token, &attempt);

	if (r == ATTEMPT_GONE)
		return report_again(&attempt, report);
	if (r != 0)
		return r;
	attempt.seen_steady = m->steady;
	subject = attempt_subject(&attempt);
	r = boot_log_keep(s, m, &attempt, report, &names);
	if (r == 0)
		r = write_events(s, m, &subject, report, &names);
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

/*
 * A boot that has lost its attempt's file speaks for its card alone. It was the boot of the attempt
 * that this machine was given, if that has not begun to run: its failure ends that too.
 */
static int fail_attempt_of(struct services *s, const struct moment *m, const char *host,
                           struct mac mac, const struct boot_report *report)
{
	char cause[BOOT_REPORT_CAUSE_MAX];
	struct attempt attempt;
	int r = attempt_store_find_open_of_host(s->db, host, &attempt);

	if (r != 0 || !mac_equal(attempt.mac, mac) || attempt_state_is_running(attempt.state))
		return MIN(r, 0);
	r = move_attempt(s, m, &attempt, ATTEMPT_EVENT_FAIL, boot_report_cause(report, cause));
	return MIN(r, 0);
}

static int take_boot_report(struct services *s, const struct moment *m, struct mac mac,
                            uint32_t peer, const struct boot_report *report)
{
	struct known_machine machine;
	struct boot_log_names names;
	struct subject subject;
	int r = host_store_machine_of(s->db, mac, &machine);

	if (r != 0 || machine.address != peer)
		return r < 0 ? r : ATTEMPT_FOREIGN;
	subject = (struct subject){ .host = machine.name, .mac = mac };
	boot_log_keep_machine(s, mac, report, &names);
	r = write_events(s, m, &subject, report, &names);
	if (r == 0 && report->has_failed)
		r = fail_attempt_of(s, m, machine.name, mac, report);
	return r;
}

int attempt_service_boot_report(struct services *s, const struct moment *m, struct mac mac,
                                uint32_t peer, const struct boot_report *report)
{
	int r = db_begin(s->db);

	if (r < 0)
		return r;
	return services_finish(s, take_boot_report(s, m, mac, peer, report));
}
