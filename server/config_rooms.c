/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/config_rooms.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"

static_assert(CONFIG_SUBNETS_MAX <= DHCP_SUBNETS_MAX, "every subnet of the file fits");
static_assert(CONFIG_LOADERS_MAX <= DHCP_LOADERS_MAX, "every loader of the file fits");
static_assert(CONFIG_DNS_MAX <= DHCP_DNS_MAX, "every name server of the file fits");

static struct dhcp_subnet to_subnet(const struct config_subnet *subnet)
{
	struct dhcp_subnet to = {
		.net = subnet->net,
		.first = subnet->range.first,
		.last = subnet->range.last,
		.router = subnet->router,
		.n_dns = subnet->n_dns,
		.lease_sec = UINT32_MAX, /* for ever */
	};

	memcpy(to.dns, subnet->dns, subnet->n_dns * sizeof(to.dns[0]));
	if (subnet->lease / USEC_PER_SEC < UINT32_MAX)
		to.lease_sec = (uint32_t)(subnet->lease / USEC_PER_SEC);
	return to;
}

void config_to_dhcp(const struct config *config, struct dhcp_config *ret)
{
	struct dhcp_config to = {
		.mode = config->dhcp_mode == CONFIG_DHCP_FULL ? DHCP_MODE_FULL : DHCP_MODE_OFF,
		.key = config->dhcp_key == CONFIG_DHCP_KEY_MAC ? DHCP_KEY_MAC : DHCP_KEY_CLIENT_ID,
		.n_subnets = config->n_subnets,
		.n_loaders = config->n_loaders,
		.boot_server = config->boot_server,
	};

	for (size_t i = 0; i < config->n_subnets; i++)
		to.subnets[i] = to_subnet(&config->subnets[i]);
	for (size_t i = 0; i < config->n_loaders; i++) {
		to.loaders[i].arch = config->loaders[i].arch;
		(void)snprintf(to.loaders[i].file, sizeof(to.loaders[i].file), "%s",
		               config->loaders[i].file);
	}
	*ret = to;
}

void config_rooms_init(struct config_rooms *rooms, const struct config *config)
{
	*rooms = (struct config_rooms){
		.tftp_root = { .prefix = NULL, .directory = config->tftp_root },
	};
	for (size_t i = 0; i < config->n_roots; i++) {
		rooms->services_roots[i].url = config->roots[i].prefix;
		rooms->services_roots[i].path = config->roots[i].directory;
	}
	for (size_t i = 0; i < config->n_open_to; i++)
		rooms->open_to[i] = config->open_to[i].net;
	for (size_t i = 0; i < config->n_interfaces; i++)
		rooms->interfaces[i] = config->interfaces[i];
}

void config_to_services(const struct config *config, const struct config_rooms *rooms,
                        uint64_t seed, struct services_config *ret)
{
	*ret = (struct services_config){
		.lab = config->lab,
		.results = config->results,
		.state = config->state,
		.hosts_dir = config->hosts[0] ? config->hosts : NULL,
		.roots = rooms->services_roots,
		.n_roots = config->n_roots,
		.boot_server = config->boot_server,
		.api_port = config->api.port[0],
		.os_port = config->files.port[0],
		.files_port = config->files.port[config->files.n - 1],
		.upload_port = config->upload.port[0],
		.hold = config->boot_hold,
		.open_to = rooms->open_to,
		.n_open_to = config->n_open_to,
		.seed = seed,
	};
}
