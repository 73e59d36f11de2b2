/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Why a job has not started, and whether it ever can.
 */
#pragma once

#include "server/core/attempt.h"
#include "server/service/context.h"

/*
 * Why a waiting or queued job has not started, in words. Returns 0 or -errno.
 * Cost: O(hosts).
 */
int job_why(struct services *s, const struct moment *m, const struct job_record *job,
            char to[JOB_REASON_MAX]);

/*
 * Whether no host, as hosts are described now, can ever run that job, drained or busy as they may
 * be. Returns 0 when one can; JOB_WHY_NEVER with the field of the job that keeps it from the most
 * hosts and the reason in words; or -errno. Cost: until the first that can.
 */
enum { JOB_WHY_NEVER = 1 };
int job_why_never(struct services *s, const struct moment *m, const struct job_record *job,
                  const char **ret_field, char to[JOB_REASON_MAX]);
