/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Handlers of the API by family; private to this room. Each is one row of the table in api.c.
 */
#pragma once

#include "server/service/api_request.h"

/* api_jobs.c */
int api_jobs_submit(struct api_request *rq);
int api_jobs_list(struct api_request *rq);
int api_jobs_show(struct api_request *rq);
int api_jobs_cancel(struct api_request *rq);
int api_jobs_retry(struct api_request *rq);
int api_jobs_why(struct api_request *rq);
int api_jobs_renew(struct api_request *rq);
int api_jobs_results(struct api_request *rq);
int api_jobs_result(struct api_request *rq);

/* api_retention.c */
int api_jobs_keep(struct api_request *rq);
int api_jobs_unkeep(struct api_request *rq);
void api_retention_metrics(const struct services *s, struct buffer *out);

/* Returns 0 while a job's results are there; 1 when the answer (410) has been made; -errno. */
int api_results_gone(struct api_request *rq, const struct job_record *job);

/* api_timeline.c */
int api_jobs_timeline(struct api_request *rq);

/* api_follow.c */
int api_jobs_events(struct api_request *rq);
int api_jobs_log(struct api_request *rq);
int api_events(struct api_request *rq);

/* api_hosts.c */
int api_hosts_list(struct api_request *rq);
int api_hosts_show(struct api_request *rq);
int api_hosts_put(struct api_request *rq);
int api_hosts_delete(struct api_request *rq);
int api_hosts_drain(struct api_request *rq);
int api_hosts_undrain(struct api_request *rq);
int api_hosts_set_flag(struct api_request *rq);
int api_hosts_clear_flag(struct api_request *rq);
int api_hosts_check(struct api_request *rq);
int api_set_host_mac(struct api_request *rq);
int api_del_host_mac(struct api_request *rq);
int api_set_host_queues(struct api_request *rq);
int api_del_host_queues(struct api_request *rq);
int api_get_testbox(struct api_request *rq);

/* api_power.c */
int api_hosts_power(struct api_request *rq);

/* api_agent.c */
int api_agent_hello(struct api_request *rq);
int api_agent_stage(struct api_request *rq);
int api_agent_heartbeat(struct api_request *rq);
int api_agent_finish(struct api_request *rq);
int api_agent_report(struct api_request *rq);
int api_boot_report(struct api_request *rq);
int api_boot_log(struct api_request *rq);

/* api_boot.c */
int api_boot(struct api_request *rq);
int api_boot_first(struct api_request *rq);
int api_boot_grub(struct api_request *rq);
int api_boot_grub_cfg(struct api_request *rq);
int api_boot_next(struct api_request *rq);
int api_boot_job_cgz(struct api_request *rq);
int api_boot_dropped(struct services *s, const struct api_call *call, const struct moment *m);

/* api_compass.c */
int api_compass_alive(struct api_request *rq);
int api_compass_submit(struct api_request *rq);
int api_compass_cancel(struct api_request *rq);
int api_compass_append_var(struct api_request *rq);
int api_compass_job_stage(struct api_request *rq);
int api_compass_post_run(struct api_request *rq);
int api_compass_wtmp(struct api_request *rq);
int api_compass_renew(struct api_request *rq);
int api_compass_deadline(struct api_request *rq);
int api_compass_job_step(struct api_request *rq);
int api_compass_event(struct api_request *rq);
int api_compass_sync(struct api_request *rq);
int api_compass_done(struct api_request *rq);

/* api.c */
int api_health(struct api_request *rq);
int api_metrics(struct api_request *rq);
