/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Switches hosts on and off as core/power decides. What is to be run is fetched by the io room,
 * which says how it ended; all that is known of it is in the store.
 */
#pragma once

#include "server/core/power_command.h"
#include "server/service/context.h"
#include "server/store/power_store.h"

/* --- inside the caller's transaction; all return 0 or -errno --- */

/* The machine passed a deadline; cause is that of its attempt. A host without power: nothing. */
int power_service_missed(struct services *s, const struct moment *m, const char *host,
                         const char *cause);

/* The machine asked for its boot. */
int power_service_seen(struct services *s, const struct moment *m, const char *host);

/* Machines that were awaited and did not come. */
int power_service_timeout(struct services *s, const struct moment *m);

/* Commands that ran when an earlier ccid ended are to be run again. */
int power_service_take_up(struct services *s, const struct moment *m);

/* Somebody wants it. Also POWER_SERVICE_NONE: the configuration does not say how. */
enum { POWER_SERVICE_NONE = 1 };
int power_service_ask(struct services *s, const struct moment *m, const char *host,
                      enum power_action action);

/* The next moment (steady) at which power_service_timeout has something to do. */
int power_service_next_wait(struct services *s, usec_t *ret);

/* --- transactions of their own --- */

struct power_order {
	char host[HOST_NAME_MAX_LEN];
	usec_t limit;
	struct power_command command;
};

enum { POWER_SERVICE_NOTHING = 1 };

/*
 * Fetches the next command that is due, which then counts as begun. Returns 0 with *ret,
 * POWER_SERVICE_NOTHING, or -errno.
 */
int power_service_take(struct power_service *power, usec_t now, usec_t wall,
                       struct power_order *ret);

/* How it ended: error is NULL when it went well. Returns 0 or -errno. */
int power_service_done(struct power_service *power, usec_t now, usec_t wall, const char *host,
                       const char *error);

/* The monotonic time at which power_service_take has something; USEC_INFINITY: none known. */
usec_t power_service_deadline(struct power_service *power);
