/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The whole life of a worker process: what `ccid --worker` runs.
 */
#pragma once

/*
 * Drops every capability, makes sure to die with main, and serves files and uploads until main has
 * gone. Returns 0 when main has gone, or -errno.
 */
int worker_main(void);
