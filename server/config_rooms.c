/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/config_rooms.h"

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
		.results_free = config->results_free,
		.retention = config->retention,
		.state = config->state,
		.hosts_dir = config->hosts[0] ? config->hosts : NULL,
		.health = config->health[0] ? config->health : NULL,
		.roots = rooms->services_roots,
		.n_roots = config->n_roots,
		.boot_server = config->dhcp.boot_server,
		.api_port = config->api.port[0],
		.os_port = config->files.port[0],
		.files_port = config->files.port[config->files.n - 1],
		.upload_port = config->upload.port[0],
		.hold = config->boot_hold,
		.exports = { .server = config->exports.server,
		             .nfs_path = config->exports.nfs_path,
		             .nfs_options = config->exports.nfs_options,
		             .cifs_share = config->exports.cifs_share,
		             .cifs_options = config->exports.cifs_options,
		             .cifs_user = config->exports.cifs_user,
		             .cifs_password = config->exports.cifs_password },
		.open_to = rooms->open_to,
		.n_open_to = config->n_open_to,
		.tokens = config->tokens[0] ? config->tokens : NULL,
		.power = config->power,
		.n_power = config->n_power,
		.seed = seed,
	};
}
