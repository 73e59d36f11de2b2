/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What SIGHUP changes while ccid runs: the host files, and of ccid.yaml the section dhcp. The other
 * sections are compared; a difference is said to want a restart.
 */
#pragma once

#include "server/config.h"
#include "server/server.h"

struct db;
struct dhcp_config;
struct dhcp_reservation;
struct dhcp_service;
struct services;

/* What DHCP is told, and what that borrows. */
struct reload_dhcp {
	struct dhcp_config *config;
	struct dhcp_reservation *reservations;
};

/*
 * Makes it from the configuration and from the hosts of the store.
 * Returns 0; SERVER_REFUSED with error[] when two hosts have one address; or -errno.
 */
int reload_dhcp_make(const struct config *config, struct db *db, struct reload_dhcp *ret,
                     char error[SERVER_ERROR_MAX]);

void reload_dhcp_free(struct reload_dhcp *dhcp);

/*
 * Reads everything anew. dhcp may be NULL (mode off). On success *dhcp_config is the new one.
 * Returns 0; SERVER_REFUSED with error[], or -errno: then what was in force stays so.
 */
int reload_all(const struct config *running, const char *config_path, struct db *db,
               struct services *services, struct dhcp_service *dhcp,
               struct reload_dhcp *dhcp_config, char error[SERVER_ERROR_MAX]);
