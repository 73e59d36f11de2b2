/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From the one configuration to what each room wants to be told. Pure: copies and views, nothing
 * else. Everything has been checked by config_parse.
 */
#pragma once

#include "server/config.h"
#include "server/service/file_service.h"
#include "server/service/services.h"

/* Arrays the rooms borrow: they live here, beside the configuration they point into. */
struct config_rooms {
	struct services_root services_roots[CONFIG_ROOTS_MAX];
	struct ipv4_net open_to[CONFIG_NETS_MAX];
	struct file_service_root tftp_root;
	const char *interfaces[CONFIG_INTERFACES_MAX];
};

/* Fills *rooms with views into config. */
void config_rooms_init(struct config_rooms *rooms, const struct config *config);

/* Views into config and rooms, which must live as long. seed: any unpredictable number. */
void config_to_services(const struct config *config, const struct config_rooms *rooms,
                        uint64_t seed, struct services_config *ret);
