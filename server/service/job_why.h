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

/* Whether job_why is what the job says itself, without a look at the hosts. */
bool job_why_is_known(const struct moment *m, const struct job_record *job);

/*
 * The same for n jobs of which job_why_is_known is not true: the hosts are read once.
 * Returns 0 or -errno. Cost: O(hosts · n), and far less than n times job_why.
 */
int job_why_many(struct services *s, const struct moment *m, const struct job_record *const *jobs,
                 size_t n, char (*reasons)[JOB_REASON_MAX]);

/*
 * Whether no host, as hosts are described now, can ever run that job, drained or busy as they may
 * be. Returns 0 when one can; JOB_WHY_NEVER with the field of the job that keeps it from the most
 * hosts and the reason in words; or -errno. Cost: until the first that can.
 */
enum { JOB_WHY_NEVER = 1 };
int job_why_never(struct services *s, const struct moment *m, const struct job_record *job,
                  const char **ret_field, char to[JOB_REASON_MAX]);
