/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Jobs out of the server's paged list.
 */
#pragma once

#include "cli/cci.h"

/*
 * Appends the newest `limit` jobs in that state, of that host (NULL: any) to the array, page by
 * page. Returns the status, having said what went wrong.
 */
int list_jobs(struct cci *cci, const char *state, const char *host, size_t limit, json_t *jobs);

/* Orders jobs by their number, the newest first, and cuts the array to `limit`. */
void list_jobs_sort(json_t *jobs, size_t limit);
