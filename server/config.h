/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid.yaml as a value: every key with its default, checked. Plain data of fixed bounds that
 * owns nothing: a configuration is copied by assignment, and nothing is to be freed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/usec.h"
#include "lib/format/netaddr.h"
#include "server/core/dhcp_config.h"
#include "server/core/power_command.h"
#include "server/core/retention.h"

#define CONFIG_PATH_MAX       512 /* of a path in the file, with its NUL */
#define CONFIG_NAME_MAX       64
#define CONFIG_INTERFACE_MAX  16 /* IFNAMSIZ */
#define CONFIG_INTERFACES_MAX 16
#define CONFIG_PORTS_MAX      8
#define CONFIG_ROOTS_MAX      16
#define CONFIG_NETS_MAX       16
#define CONFIG_POWER_MAX      256 /* hosts whose power is switched */

struct config_ports {
	uint16_t port[CONFIG_PORTS_MAX];
	size_t n;
};

/* URL path `prefix`/REST is directory/REST. */
struct config_root {
	char prefix[CONFIG_NAME_MAX]; /* "/os": one component, no slash at the end */
	char directory[CONFIG_PATH_MAX];
};

enum config_ra {
	CONFIG_RA_AUTO, /* answered in full mode */
	CONFIG_RA_OFF,
	_CONFIG_RA_MAX,
};

/* Where machines mount /os from; empty: not set. See struct boot_exports. */
#define CONFIG_OPTIONS_MAX 200
struct config_exports {
	uint32_t server;
	char nfs_path[CONFIG_PATH_MAX], nfs_options[CONFIG_OPTIONS_MAX];
	char cifs_share[CONFIG_PATH_MAX], cifs_options[CONFIG_OPTIONS_MAX];
	char cifs_user[CONFIG_NAME_MAX], cifs_password[CONFIG_NAME_MAX];
};

/* Who may submit without a token. The API tells ::1 as 127.0.0.1, so it is a net like another. */
struct config_peers {
	struct ipv4_net net;
	bool is_ipv6_loopback; /* was written ::1; net is 127.0.0.1/32 */
};

struct config {
	char interfaces[CONFIG_INTERFACES_MAX][CONFIG_INTERFACE_MAX];
	size_t n_interfaces;
	struct config_ports api, files, upload;
	unsigned workers;
	enum config_ra ra;
	char state[CONFIG_PATH_MAX];
	char results[CONFIG_PATH_MAX];
	unsigned results_free; /* percent */
	struct retention_rules retention;
	struct config_root roots[CONFIG_ROOTS_MAX]; /* in the order of the file */
	size_t n_roots;
	char tftp_root[CONFIG_PATH_MAX];
	/* dhcp, boot.server and boot.loaders; reservations come from elsewhere and are none here */
	struct dhcp_config dhcp;
	usec_t boot_hold;
	struct config_exports exports;
	char lab[CONFIG_NAME_MAX];
	char hosts[CONFIG_PATH_MAX];  /* directory of host files */
	char health[CONFIG_PATH_MAX]; /* empty: no health job */
	char tokens[CONFIG_PATH_MAX]; /* empty: no file of tokens */
	struct config_peers open_to[CONFIG_NETS_MAX];
	size_t n_open_to;
	struct power_method power[CONFIG_POWER_MAX];
	size_t n_power;
};

#define CONFIG_FILE_DEFAULT "/etc/cci/ccid.yaml"

struct config_error {
	char text[1024]; /* one line without its end: "FILE:LINE:COLUMN: KEY: expected ..." */
};

enum {
	CONFIG_BAD = 1, /* ret_error says what and where */
};

/*
 * Parses the text of a ccid.yaml. `file` is its name in messages. Pure.
 * Returns 0 with *ret, CONFIG_BAD with *ret_error, or -ENOMEM.
 */
int config_parse(const char *file, struct slice text, struct config *ret,
                 struct config_error *ret_error);

/*
 * Reads and parses the file. Looks at no other file and at no interface.
 * Returns 0 with *ret, CONFIG_BAD with *ret_error (also when the file cannot be read), or -ENOMEM.
 */
int config_load(const char *file, struct config *ret, struct config_error *ret_error);

/* Appends the configuration, defaults included, as a ccid.yaml that config_parse reads as the same
 * value. Returns 0 or -ENOMEM. */
int config_print(const struct config *config, struct buffer *out);

/* Whether router solicitations are answered: not in proxy mode, not without DHCP. */
static inline bool config_wants_ra(const struct config *config)
{
	return config->ra == CONFIG_RA_AUTO && config->dhcp.mode == DHCP_MODE_FULL;
}
