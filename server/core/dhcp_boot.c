/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/dhcp_boot.h"

#include "lib/base/text.h"

#define SCRIPT_DEFAULT "boot.ipxe"

static bool is_url(const char *name)
{
	struct slice s = slice_from_text(name);

	return slice_has_prefix(s, SLICE_LITERAL("http://")) ||
	       slice_has_prefix(s, SLICE_LITERAL("https://"));
}

static int tell(const char *name, char *ret, size_t size)
{
	return text_copy(ret, size, slice_from_text(name)) == 0 ? 0 : DHCP_BOOT_UNKNOWN;
}

static int tell_url(const struct dhcp_config *config, const char *loader, uint32_t server,
                    char *ret, size_t size)
{
	struct bytes out = { .data = (uint8_t *)ret, .cap = size };
	char host[IPV4_TEXT_MAX];

	if (is_url(loader))
		return tell(loader, ret, size);
	if (config->http_port == 0)
		return DHCP_BOOT_UNKNOWN;
	bytes_printf(&out, "http://%s", ipv4_format(server, host));
	if (config->http_port != 80)
		bytes_printf(&out, ":%u", config->http_port);
	bytes_printf(&out, "%s/%s", config->http_prefix, loader);
	return out.overflow ? DHCP_BOOT_UNKNOWN : 0;
}

int dhcp_boot_file(const struct dhcp_config *config, const struct dhcp_query *query,
                   uint32_t server, char *ret, size_t size)
{
	const char *script = config->ipxe_script[0] ? config->ipxe_script : SCRIPT_DEFAULT;
	const char *loader;

	ret[0] = '\0';
	if (query->stage == DHCP_STAGE_OS)
		return 0;
	if (query->stage == DHCP_STAGE_IPXE && !query->is_ipxe_without_http)
		return tell(script, ret, size);
	loader = query->has_arch ? dhcp_arch_loader(query->arch, config->loaders, config->n_loaders)
	                         : NULL;
	if (!loader)
		return DHCP_BOOT_UNKNOWN;
	if (query->stage == DHCP_STAGE_HTTP)
		return tell_url(config, loader, server, ret, size);
	return is_url(loader) ? DHCP_BOOT_UNKNOWN : tell(loader, ret, size);
}
