/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Reading and printing ccid.yaml, and what has to hold between its keys.
 */
#include "server/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/doc/document.h"
#include "lib/sys/file.h"
#include "server/config_keys.h"
#include "server/config_read.h"

#define CONFIG_FILE_MAX ((size_t)1 << 20) /* a file of 1 MiB is not a configuration */
#define LEASE_DEFAULT   (24 * 3600)       /* seconds */

static int check_subnet(struct config_reader *reader, struct config *config, size_t i)
{
	struct dhcp_subnet *subnet = &config->dhcp.subnets[i];
	uint32_t mask = ipv4_net_mask(subnet->net.prefix);
	char path[64];

	(void)snprintf(path, sizeof(path), "dhcp.subnets[%zu].net", i);
	if (subnet->net.prefix < 8 || subnet->net.prefix > 30)
		return config_bad_at(reader, path, "expected a net from /8 to /30, not /%u",
		                     subnet->net.prefix);
	if ((subnet->net.address & ~mask) != 0)
		return config_bad_at(reader, path, "expected the first address of the net");
	for (size_t j = 0; j < i; j++)
		if (ipv4_net_contains(subnet->net, config->dhcp.subnets[j].net.address) ||
		    ipv4_net_contains(config->dhcp.subnets[j].net, subnet->net.address))
			return config_bad_at(reader, path,
			                     "expected a net apart from dhcp.subnets[%zu]", j);
	(void)snprintf(path, sizeof(path), "dhcp.subnets[%zu].range", i);
	if (subnet->first && (!ipv4_net_contains(subnet->net, subnet->first) ||
	                      !ipv4_net_contains(subnet->net, subnet->last)))
		return config_bad_at(reader, path, "expected addresses inside the net");
	if (subnet->first == subnet->net.address || subnet->last == (subnet->net.address | ~mask))
		return config_bad_at(reader, path,
		                     "expected no address of the net itself and no broadcast");
	(void)snprintf(path, sizeof(path), "dhcp.subnets[%zu].router", i);
	if (subnet->router && !ipv4_net_contains(subnet->net, subnet->router))
		return config_bad_at(reader, path, "expected an address inside the net");
	if (subnet->lease_sec == 0)
		subnet->lease_sec = LEASE_DEFAULT;
	return 0;
}

static int check_dhcp(struct config_reader *reader, struct config *config)
{
	for (size_t i = 0; i < config->dhcp.n_subnets; i++) {
		int r;

		r = check_subnet(reader, config, i);
		if (r != 0)
			return r;
	}
	if (config->dhcp.mode == DHCP_MODE_OFF)
		return 0;
	if (config->dhcp.n_subnets == 0)
		return config_bad_at(reader, "dhcp.subnets",
		                     "expected at least one subnet, or dhcp.mode: off");
	if (config->n_interfaces == 0)
		return config_bad_at(reader, "listen.interfaces",
		                     "expected at least one interface, or dhcp.mode: off");
	return 0;
}

static int check_interfaces(struct config_reader *reader, const struct config *config)
{
	for (size_t i = 0; i < config->n_interfaces; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(config->interfaces[i], config->interfaces[j]) == 0)
				return config_bad_at(reader, "listen.interfaces",
				                     "expected each interface once, not %s again",
				                     config->interfaces[i]);
	return 0;
}

/* One port, one listener. */
static int check_ports(struct config_reader *reader, const struct config *config)
{
	static const char *const names[] = { "listen.api", "listen.files", "listen.upload" };
	const struct config_ports *lists[] = { &config->api, &config->files, &config->upload };
	uint16_t seen[3 * CONFIG_PORTS_MAX];
	size_t n_seen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i]->n == 0)
			return config_bad_at(reader, names[i], "expected at least one port");
		for (size_t j = 0; j < lists[i]->n; j++) {
			for (size_t k = 0; k < n_seen; k++)
				if (seen[k] == lists[i]->port[j])
					return config_bad_at(
						reader, names[i],
						"expected each port once, not %u again", seen[k]);
			seen[n_seen++] = lists[i]->port[j];
		}
	}
	return 0;
}

static int check_roots(struct config_reader *reader, const struct config *config)
{
	static const char *const ours[] = { "/result",           "/v1",        "/scheduler",
		                            "/job_initrd_tmpfs", "/boot.ipxe", "/boot.grub" };

	for (size_t i = 0; i < config->n_roots; i++) {
		const char *prefix = config->roots[i].prefix;
		char path[CONFIG_NAME_MAX + 8];

		(void)snprintf(path, sizeof(path), "files.%s", prefix);
		for (size_t j = 0; j < ARRAY_SIZE(ours); j++)
			if (strcmp(prefix, ours[j]) == 0)
				return config_bad_at(
					reader, path,
					"expected another path: %s is the server's own", ours[j]);
	}
	return 0;
}

static int check(struct config_reader *reader, struct config *config)
{
	int r;

	r = check_interfaces(reader, config);
	if (r != 0)
		return r;
	r = check_ports(reader, config);
	if (r != 0)
		return r;
	r = check_roots(reader, config);
	if (r != 0)
		return r;
	if (config->exports.cifs_password[0] && !config->exports.cifs_user[0])
		return config_bad_at(reader, "exports.cifs.password",
		                     "expected exports.cifs.user beside it");
	return check_dhcp(reader, config);
}

int config_parse(const char *file, struct slice text, struct config *ret,
                 struct config_error *ret_error)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct config_reader reader = { .file = file, .error = ret_error };
	CLEANUP(freep) struct config *config = malloc(sizeof(*config)); /* large */
	struct document_error error;
	int r;

	if (!config)
		return -ENOMEM;
	*config = config_defaults;
	r = document_parse(text, &doc, &error);
	if (r < 0)
		return r;
	if (r == DOCUMENT_BAD) {
		(void)snprintf(ret_error->text, sizeof(ret_error->text), "%s:%u:%u: %s", file,
		               error.line, error.column, error.text);
		return CONFIG_BAD;
	}
	reader.doc = doc;
	r = config_section.read(&reader, &config_file_key, document_root(doc), config);
	if (r != 0)
		return r;
	reader.path[0] = '\0';
	r = check(&reader, config);
	if (r != 0)
		return r;
	*ret = *config;
	return 0;
}

int config_load(const char *file, struct config *ret, struct config_error *ret_error)
{
	struct buffer text;
	int r;

	r = file_read_all(AT_FDCWD, file, CONFIG_FILE_MAX, &text);
	if (r < 0) {
		(void)snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", file,
		               strerror(-r));
		return r == -ENOMEM ? r : CONFIG_BAD;
	}
	r = config_parse(file, buffer_slice(&text), ret, ret_error);
	buffer_deinit(&text);
	return r;
}

int config_print(const struct config *config, struct buffer *out)
{
	json_t *root = NULL;
	int r;

	r = config_section.print(&config_file_key, config, &root);
	if (r < 0)
		return r;
	document_write_yaml(out, root);
	json_decref(root);
	return buffer_error(out);
}
