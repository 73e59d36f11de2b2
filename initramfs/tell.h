/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a verb of cci-init says: one line on stderr, which the units send to the console and the
 * journal, and for the first failure of a boot the lines of /run/cci/state that the report reads.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/macro.h"

/* Classes of failure, as the report names them. */
#define CAUSE_REFUSED "refused" /* the command line asks for what cannot be done */
#define CAUSE_PLAN    "plan"    /* no plan, or one that cannot be read */
#define CAUSE_NETWORK "network" /* no address, no connection, or it broke too often */
#define CAUSE_TLS     "tls"     /* the server is not who it should be, or speaks no TLS with us */
#define CAUSE_STATUS  "status"  /* the server answered, but with no image */
#define CAUSE_SIZE    "size"    /* not as long as it must be */
#define CAUSE_HASH    "hash"    /* as long, but other bytes */
#define CAUSE_MEMORY  "memory"  /* no room for it */
#define CAUSE_DEVICE  "device"  /* not there, or not what it was said to be */
#define CAUSE_MOUNT   "mount"   /* the kernel would not mount it */
#define CAUSE_OVERLAY "overlay" /* the same for the overlay */
#define CAUSE_DISK    "disk"    /* no disk could be used */
#define CAUSE_DEPLOY  "deploy"  /* files could not be put into the new root */

/* Sets the step that all lines are of: "fetch", "layers" and so on; with debug tell_debug speaks.
 */
void tell_begin(const char *step, bool debug);

/* "cci: STEP: text" */
void tell(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same only with cci.debug. */
void tell_debug(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The one line of a failure: what was tried, and why it did not work. Remembers step, cause (a
 * CAUSE_x) and text in /run/cci/state unless an earlier failure is there. Returns -ECANCELED:
 * "failed, and it has been said".
 */
int tell_failure(const char *cause, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Remembers that the boot came as far as `stage` (start, root, overlay, switch) now. Failures are
 * ignored: it is only for the report.
 */
void tell_stage(const char *stage);
