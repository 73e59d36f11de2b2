/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/sys/clock.h"
#include "server/service/dhcp_service.h"
#include "server/service/services.h"
#include "server/store/reservation_store.h"

static_assert(SERVICES_ERROR_MAX <= SERVER_ERROR_MAX, "one error array serves both");

void reload_dhcp_free(struct reload_dhcp *dhcp)
{
	free(dhcp->config);
	free(dhcp->reservations);
	*dhcp = (struct reload_dhcp){ .config = NULL };
}

int reload_dhcp_make(const struct config *config, struct db *db, struct reload_dhcp *ret,
                     char error[SERVER_ERROR_MAX])
{
	CLEANUP(reload_dhcp_free) struct reload_dhcp dhcp = { .config = NULL };
	struct reservation_clash clash;
	char address[IPV4_TEXT_MAX];
	int r;

	dhcp.config = calloc(1, sizeof(*dhcp.config));
	if (!dhcp.config)
		return -ENOMEM;
	*dhcp.config = config->dhcp;
	r = reservation_store_list(db, &dhcp.reservations, &dhcp.config->n_reservations, &clash);
	if (r > 0) {
		(void)snprintf(error, SERVER_ERROR_MAX,
		               "hosts %s and %s: both have address %s; give each its own",
		               clash.first, clash.second, ipv4_format(clash.address, address));
		return SERVER_REFUSED;
	}
	if (r < 0)
		return r;
	dhcp.config->reservations = dhcp.reservations;
	*ret = dhcp;
	dhcp = (struct reload_dhcp){ .config = NULL }; /* handed over */
	return 0;
}

/* Whether only the section dhcp differs: both printed with the same one. */
static int differs_elsewhere(const struct config *running, struct config *next, bool *ret)
{
	struct buffer a = BUFFER_NULL, b = BUFFER_NULL;
	CLEANUP(freep) struct config *other = malloc(sizeof(*other));
	int r;

	if (!other)
		return -ENOMEM;
	*other = *next;
	other->dhcp = running->dhcp;
	other->dhcp.mode = next->dhcp.mode;
	other->dhcp.boot_server = next->dhcp.boot_server;
	r = config_print(running, &a);
	if (r == 0)
		r = config_print(other, &b);
	if (r == 0)
		*ret = !slice_equal(buffer_slice(&a), buffer_slice(&b));
	buffer_deinit(&a);
	buffer_deinit(&b);
	return r;
}

static int load(const struct config *running, const char *path, struct config *ret,
                char error[SERVER_ERROR_MAX])
{
	struct config_error mistake;
	bool differs = false;
	int r = config_load(path, ret, &mistake);

	if (r > 0) {
		(void)snprintf(error, SERVER_ERROR_MAX, "%s", mistake.text);
		return SERVER_REFUSED;
	}
	if (r == 0)
		r = differs_elsewhere(running, ret, &differs);
	if (r == 0 && differs)
		log_warning(
			"%s: changes outside of dhcp subnets, loaders and key wait for a restart",
			path);
	return r;
}

int reload_all(const struct config *running, const char *config_path, struct db *db,
               struct services *services, struct dhcp_service *dhcp,
               struct reload_dhcp *dhcp_config, char error[SERVER_ERROR_MAX])
{
	CLEANUP(freep) struct config *next = calloc(1, sizeof(*next));
	CLEANUP(reload_dhcp_free) struct reload_dhcp made = { .config = NULL };
	struct reload_dhcp before;
	int r;

	if (!next)
		return -ENOMEM;
	r = load(running, config_path, next, error);
	if (r != 0)
		return r;
	r = services_reload(services, clock_now(), clock_wall(), error);
	if (r != 0 || !dhcp)
		return r;
	r = reload_dhcp_make(next, db, &made, error);
	if (r == 0)
		r = dhcp_service_reload(dhcp, made.config, clock_now());
	if (r != 0)
		return r;
	before = *dhcp_config;
	*dhcp_config = made;
	made = before; /* freed now that nobody borrows it */
	return 0;
}
