/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/dhcp_config.h"

const struct dhcp_subnet *dhcp_config_subnet(const struct dhcp_config *config, uint32_t address)
{
	for (size_t i = 0; i < config->n_subnets; i++)
		if (ipv4_net_contains(config->subnets[i].net, address))
			return &config->subnets[i];
	return NULL;
}

uint32_t dhcp_config_reservation(const struct dhcp_config *config, const struct dhcp_subnet *subnet,
                                 struct mac mac)
{
	for (size_t i = 0; i < config->n_reservations; i++)
		if (mac_equal(config->reservations[i].mac, mac) &&
		    ipv4_net_contains(subnet->net, config->reservations[i].address))
			return config->reservations[i].address;
	return 0;
}
