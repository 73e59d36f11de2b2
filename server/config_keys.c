/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The keys of ccid.yaml and their defaults.
 */
#include "server/config_keys.h"

#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/duration.h"
#include "lib/format/netaddr.h"
#include "server/config.h"
#include "server/config_power.h"
#include "server/config_read.h"
#include "server/config_text.h"

#define LEASE_MAX (87600 * 60 * USEC_PER_MINUTE) /* ten years; DHCP counts 32 bits of seconds */
#define AGE_MAX   (876000 * USEC_PER_HOUR)       /* a hundred years */
#define HOLD_MAX  (110 * USEC_PER_SEC)           /* iPXE 2 gives a request up after 120 s */

/* --- kinds of values that only this file has --- */

/* "a.b.c.d-e.f.g.h" into first and last of a subnet */
static int read_range(struct config_reader *reader, const struct config_key *key,
                      const json_t *value, void *base)
{
	struct dhcp_subnet *subnet = base;
	struct slice rest = config_string(value);
	struct slice text = text_trim(slice_cut(&rest, '-'));
	uint32_t first, last;

	if (ipv4_parse(text, &first) != 0 || ipv4_parse(text_trim(rest), &last) != 0 ||
	    first == 0 || first > last)
		return config_expected(reader, key->expected, value);
	subnet->first = first;
	subnet->last = last;
	return 0;
}

static int print_range(const struct config_key *key, const void *base, json_t **ret)
{
	const struct dhcp_subnet *subnet = base;
	char first[IPV4_TEXT_MAX], last[IPV4_TEXT_MAX];

	if (subnet->first == 0)
		return 0;
	*ret = json_sprintf("%s-%s", ipv4_format(subnet->first, first),
	                    ipv4_format(subnet->last, last));
	return *ret ? 0 : -ENOMEM;
}

static const struct config_type type_range = { read_range, print_range };

/* A duration in whole seconds; UINT32_MAX is `infinity` (RFC 2131 section 3.3). */
static int read_lease(struct config_reader *reader, const struct config_key *key,
                      const json_t *value, void *base)
{
	uint32_t *lease_sec = config_field(key, base);
	struct config_key as_duration = *key;
	usec_t lease = 0;
	int r;

	if (text_equal(config_string(value), "infinity")) {
		*lease_sec = UINT32_MAX;
		return 0;
	}
	as_duration.offset = 0;
	r = config_duration.read(reader, &as_duration, value, &lease);
	if (r != 0)
		return r;
	*lease_sec = (uint32_t)(lease / USEC_PER_SEC);
	return 0;
}

static int print_lease(const struct config_key *key, const void *base, json_t **ret)
{
	uint32_t lease_sec = *(const uint32_t *)config_const_field(key, base);
	char text[DURATION_TEXT_MAX];

	*ret = json_string(duration_format(
		lease_sec == UINT32_MAX ? USEC_INFINITY : lease_sec * USEC_PER_SEC, text));
	return *ret ? 0 : -ENOMEM;
}

static const struct config_type type_lease = { read_lease, print_lease };

/* The mode; `proxy` is a word of the file, but no mode that the server has yet. */
static int read_mode(struct config_reader *reader, const struct config_key *key,
                     const json_t *value, void *base)
{
	if (text_equal(config_string(value), "proxy"))
		return config_bad(reader, "proxy is not built yet: expected full or off");
	return config_choice.read(reader, key, value, base);
}

static int print_mode(const struct config_key *key, const void *base, json_t **ret)
{
	return config_choice.print(key, base, ret);
}

static const struct config_type type_mode = { read_mode, print_mode };

/* The name of a loader: a number in the text of a key. */
static int read_arch(struct config_reader *reader, const struct config_key *key,
                     const json_t *value, void *base)
{
	uint64_t arch;
	int r;

	r = text_parse_u64(config_string(value), UINT16_MAX, &arch);
	if (r != 0 || (config_string(value).len > 1 &&
	               config_string(value).data[0] == '0')) /* 07 would be 7 again */
		return config_expected(reader, key->expected, value);
	*(uint16_t *)config_field(key, base) = (uint16_t)arch;
	return 0;
}

static int print_arch(const struct config_key *key, const void *base, json_t **ret)
{
	*ret = json_sprintf("%u", *(const uint16_t *)config_const_field(key, base));
	return *ret ? 0 : -ENOMEM;
}

static const struct config_type type_arch = { read_arch, print_arch };

/* A net, an address, or ::1 */
static int read_peers(struct config_reader *reader, const struct config_key *key,
                      const json_t *value, void *base)
{
	struct config_peers *peers = config_field(key, base);
	struct slice text = config_string(value);
	uint32_t address;

	if (text_equal(text, "::1")) {
		*peers = (struct config_peers){
			.net = { .address = 0x7f000001, .prefix = 32 },
			.is_ipv6_loopback = true,
		};
		return 0;
	}
	if (ipv4_parse(text, &address) == 0) {
		peers->net = (struct ipv4_net){ .address = address, .prefix = 32 };
		return 0;
	}
	if (ipv4_net_parse(text, &peers->net) != 0)
		return config_expected(reader, key->expected, value);
	return 0;
}

static int print_peers(const struct config_key *key, const void *base, json_t **ret)
{
	const struct config_peers *peers = config_const_field(key, base);
	char text[IPV4_TEXT_MAX];

	if (peers->is_ipv6_loopback)
		*ret = json_string("::1");
	else
		*ret = json_sprintf("%s/%u", ipv4_format(peers->net.address, text),
		                    peers->net.prefix);
	return *ret ? 0 : -ENOMEM;
}

static const struct config_type type_peers = { read_peers, print_peers };

/* --- the tables --- */

#define AT(member) offsetof(struct config, member)
#define SECTION(key, table)                                                                        \
	{                                                                                          \
		.name = (key), .type = &config_section, .keys = (table),                           \
		.n_keys = ARRAY_SIZE(table)                                                        \
	}
#define LIST_OF(key, table, array, count, words)                                                   \
	{                                                                                          \
		.name = (key), .type = &config_list, .offset = AT(array),                          \
		.count_offset = AT(count), .member_size = sizeof(((struct config *)0)->array[0]),  \
		.members_max = ARRAY_SIZE(((struct config *)0)->array), .keys = (table),           \
		.n_keys = 1, .expected = (words)                                                   \
	}
#define MAP_OF(key, table, array, count, words)                                                    \
	{                                                                                          \
		.name = (key), .type = &config_map, .offset = AT(array),                           \
		.count_offset = AT(count), .member_size = sizeof(((struct config *)0)->array[0]),  \
		.members_max = ARRAY_SIZE(((struct config *)0)->array), .keys = (table),           \
		.n_keys = 2, .expected = (words)                                                   \
	}
#define PATH(key, member)                                                                          \
	{                                                                                          \
		.name = (key), .type = &config_text, .offset = AT(member),                         \
		.max = sizeof(((struct config *)0)->member), .is_good = config_text_is_absolute,   \
		.expected = "an absolute path"                                                     \
	}

static const char *const ra_names[] = { [CONFIG_RA_AUTO] = "auto", [CONFIG_RA_OFF] = "off" };

static const char *const dhcp_mode_names[] = {
	[DHCP_MODE_FULL] = "full",
	[DHCP_MODE_OFF] = "off",
};

static const char *const dhcp_key_names[] = {
	[DHCP_KEY_MAC] = "mac",
	[DHCP_KEY_CLIENT_ID] = "client-id",
};

static const struct config_key interface_member[] = {
	{ .type = &config_text,
	  .max = CONFIG_INTERFACE_MAX,
	  .is_good = config_text_is_interface,
	  .expected = "the name of an interface" },
};

static const struct config_key port_member[] = {
	{ .type = &config_u16, .min = 1, .max = UINT16_MAX, .expected = "a port from 1 to 65535" },
};

static const struct config_key listen_keys[] = {
	LIST_OF("interfaces", interface_member, interfaces, n_interfaces,
	        "a list of interfaces as [br0]"),
	LIST_OF("api", port_member, api.port, api.n, "a list of ports as [3000]"),
	LIST_OF("files", port_member, files.port, files.n, "a list of ports as [8000, 8800]"),
	LIST_OF("upload", port_member, upload.port, upload.n, "a list of ports as [3080]"),
	{ .name = "workers",
	  .type = &config_unsigned,
	  .offset = AT(workers),
	  .min = 1,
	  .max = 64, /* one process each */
	  .expected = "a number from 1 to 64" },
	{ .name = "ra",
	  .type = &config_choice,
	  .offset = AT(ra),
	  .names = ra_names,
	  .n_keys = ARRAY_SIZE(ra_names),
	  .expected = "auto or off" },
	{ .name = "tls", .type = &config_not_built },
};

static const struct config_key root_member[] = {
	{ .type = &config_text,
	  .offset = offsetof(struct config_root, prefix),
	  .max = CONFIG_NAME_MAX,
	  .is_good = config_text_is_url_prefix,
	  .expected = "the beginning of a URL path as /os" },
	{ .type = &config_text,
	  .offset = offsetof(struct config_root, directory),
	  .max = CONFIG_PATH_MAX,
	  .is_good = config_text_is_absolute,
	  .expected = "an absolute path" },
};

static const struct config_key address_member[] = {
	{ .type = &config_ipv4, .expected = "an IPv4 address" },
};

static const struct config_key subnet_keys[] = {
	{ .name = "net",
	  .type = &config_net,
	  .offset = offsetof(struct dhcp_subnet, net),
	  .is_required = true,
	  .expected = "a net as 172.168.0.0/16" },
	{ .name = "range",
	  .type = &type_range,
	  .expected = "a range FIRST-LAST of IPv4 addresses" },
	{ .name = "router",
	  .type = &config_ipv4,
	  .offset = offsetof(struct dhcp_subnet, router),
	  .expected = "an IPv4 address" },
	{ .name = "dns",
	  .type = &config_list,
	  .offset = offsetof(struct dhcp_subnet, dns),
	  .count_offset = offsetof(struct dhcp_subnet, n_dns),
	  .member_size = sizeof(uint32_t),
	  .members_max = DHCP_DNS_MAX,
	  .keys = address_member,
	  .n_keys = 1,
	  .expected = "a list of IPv4 addresses" },
	{ .name = "lease",
	  .type = &type_lease,
	  .offset = offsetof(struct dhcp_subnet, lease_sec),
	  .min = USEC_PER_MINUTE,
	  .max = LEASE_MAX,
	  .expected = "a duration from 1m to 87600h as 1440h, or infinity" },
};

static const struct config_key subnet_member[] = {
	{ .type = &config_section, .keys = subnet_keys, .n_keys = ARRAY_SIZE(subnet_keys) },
};

static const struct config_key dhcp_keys[] = {
	{ .name = "mode",
	  .type = &type_mode,
	  .offset = AT(dhcp.mode),
	  .names = dhcp_mode_names,
	  .n_keys = ARRAY_SIZE(dhcp_mode_names),
	  .expected = "full, proxy or off" },
	{ .name = "key",
	  .type = &config_choice,
	  .offset = AT(dhcp.key),
	  .names = dhcp_key_names,
	  .n_keys = ARRAY_SIZE(dhcp_key_names),
	  .expected = "mac or client-id" },
	LIST_OF("subnets", subnet_member, dhcp.subnets, dhcp.n_subnets,
	        "a list of {net, range, router, dns, lease}"),
};

static const struct config_key tftp_keys[] = {
	PATH("root", tftp_root),
};

static const struct config_key loader_member[] = {
	{ .type = &type_arch,
	  .offset = offsetof(struct dhcp_loader, arch),
	  .expected = "the number of an architecture as 7" },
	{ .type = &config_text,
	  .offset = offsetof(struct dhcp_loader, file),
	  .max = DHCP_LOADER_MAX,
	  .is_good = config_text_is_relative,
	  .expected = "a path below tftp.root, or a URL" },
};

static const struct config_key boot_keys[] = {
	{ .name = "server",
	  .type = &config_ipv4,
	  .offset = AT(dhcp.boot_server),
	  .expected = "an IPv4 address" },
	MAP_OF("loaders", loader_member, dhcp.loaders, dhcp.n_loaders,
	       "a mapping of architectures to files as {7: snp.efi}"),
	{ .name = "hold",
	  .type = &config_duration,
	  .offset = AT(boot_hold),
	  .max = HOLD_MAX,
	  .expected = "a duration from 0s to 110s as 45s" },
};

static const struct config_key nfs_keys[] = {
	{ .name = "path",
	  .type = &config_text,
	  .offset = AT(exports.nfs_path),
	  .max = CONFIG_PATH_MAX,
	  .is_good = config_text_is_export_path,
	  .expected = "an absolute path without colons and spaces as /os" },
	{ .name = "options",
	  .type = &config_text,
	  .offset = AT(exports.nfs_options),
	  .max = CONFIG_OPTIONS_MAX,
	  .is_good = config_text_is_one_word,
	  .expected = "mount options without spaces as vers=3,nolock" },
};

static const struct config_key cifs_keys[] = {
	{ .name = "share",
	  .type = &config_text,
	  .offset = AT(exports.cifs_share),
	  .max = CONFIG_PATH_MAX,
	  .is_good = config_text_is_share,
	  .expected = "SHARE or SHARE/DIRECTORY without a slash before it, commas and spaces" },
	{ .name = "options",
	  .type = &config_text,
	  .offset = AT(exports.cifs_options),
	  .max = CONFIG_OPTIONS_MAX,
	  .is_good = config_text_is_cifs_options,
	  .expected = "mount options without spaces as ro,vers=3.1.1, without guest, user and "
	              "password" },
	{ .name = "user",
	  .type = &config_text,
	  .offset = AT(exports.cifs_user),
	  .max = CONFIG_NAME_MAX,
	  .is_good = config_text_is_credential,
	  .expected = "a name without spaces and , : @ /" },
	{ .name = "password",
	  .type = &config_text,
	  .offset = AT(exports.cifs_password),
	  .max = CONFIG_NAME_MAX,
	  .is_good = config_text_is_credential,
	  .expected = "a password without spaces and , : @ /" },
};

static const struct config_key exports_keys[] = {
	{ .name = "server",
	  .type = &config_ipv4,
	  .offset = AT(exports.server),
	  .expected = "an IPv4 address" },
	SECTION("nfs", nfs_keys),
	SECTION("cifs", cifs_keys),
};

static const struct config_key peers_member[] = {
	{ .type = &type_peers, .expected = "a net as 10.0.0.0/8, an address, or ::1" },
};

static const struct config_key api_keys[] = {
	PATH("tokens", tokens),
	LIST_OF("open_to", peers_member, open_to, n_open_to, "a list of nets"),
};

static const struct config_key retention_keys[] = {
	{ .name = "results_age",
	  .type = &config_age,
	  .offset = AT(retention.results_age),
	  .min = USEC_PER_HOUR,
	  .max = AGE_MAX,
	  .expected = "a duration from 1h as 90d, or 0 for ever" },
	{ .name = "room",
	  .type = &config_unsigned,
	  .offset = AT(retention.room),
	  .max = 90,
	  .expected = "a number of percent, 0 to 90" },
	{ .name = "events_age",
	  .type = &config_age,
	  .offset = AT(retention.events_age),
	  .min = USEC_PER_HOUR,
	  .max = AGE_MAX,
	  .expected = "a duration from 1h as 30d, or 0 for ever" },
};

static const struct config_key root_keys[] = {
	SECTION("listen", listen_keys),
	PATH("state", state),
	PATH("results", results),
	{ .name = "results_free",
	  .type = &config_unsigned,
	  .offset = AT(results_free),
	  .max = 90,
	  .expected = "a number of percent, 0 to 90" },
	SECTION("retention", retention_keys),
	MAP_OF("files", root_member, roots, n_roots,
	       "a mapping of URL paths to directories as {/os: /srv/os}"),
	SECTION("dhcp", dhcp_keys),
	SECTION("tftp", tftp_keys),
	SECTION("boot", boot_keys),
	SECTION("exports", exports_keys),
	{ .name = "lab",
	  .type = &config_text,
	  .offset = AT(lab),
	  .max = CONFIG_NAME_MAX,
	  .is_good = config_text_is_lab,
	  .expected = "a name of letters, digits, - and _" },
	PATH("hosts", hosts),
	PATH("health", health),
	SECTION("api", api_keys),
	MAP_OF("power", config_power_member, power, n_power,
	       "a mapping of hosts to {command} or {ipmi}"),
};

const struct config_key config_file_key = SECTION("", root_keys);

const struct config config_defaults = {
	.api = { .port = { 3000 }, .n = 1 },
	.files = { .port = { 8000, 8800 }, .n = 2 },
	.upload = { .port = { 3080 }, .n = 1 },
	.workers = 2,
	.state = "/var/lib/cci",
	.results = "/srv/result",
	.results_free = 5,
	.roots = {
		{ "/os", "/srv/os" },
		{ "/initrd", "/srv/initrd" },
		{ "/kernel", "/srv/kernel" },
		{ "/upload-files", "/srv/upload-files" },
	},
	.n_roots = 4,
	.tftp_root = "/srv/tftp",
	.boot_hold = 45 * USEC_PER_SEC,
	/* Compass-CI's own (compass-ci-protocol.md 4.1) */
	.exports = { .nfs_path = "/os",
	             .cifs_share = "os",
	             .cifs_options = "ro,hard,vers=1.0,noacl,nouser_xattr,noserverino" },
	.lab = "lab1",
	.hosts = "/etc/cci/hosts.d",
	.open_to = {
		{ .net = { 0x7f000000, 8 } },
		{ .net = { 0x7f000001, 32 }, .is_ipv6_loopback = true },
	},
	.n_open_to = 2,
};
