/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/format/netaddr.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

int mac_parse(struct slice text, struct mac *ret)
{
	struct mac mac;
	uint8_t separator;

	if (text.len != 17)
		return NETADDR_BAD;
	separator = text.data[2];
	if (separator != ':' && separator != '-')
		return NETADDR_BAD;
	for (size_t i = 0; i < 6; i++) {
		int high = char_hex_value((char)text.data[3 * i]);
		int low = char_hex_value((char)text.data[3 * i + 1]);

		if (high < 0 || low < 0 || (i < 5 && text.data[3 * i + 2] != separator))
			return NETADDR_BAD;
		mac.octet[i] = (uint8_t)(high << 4 | low);
	}
	*ret = mac;
	return 0;
}

const char *mac_format(struct mac mac, char separator, char to[MAC_TEXT_MAX])
{
	(void)snprintf(to, MAC_TEXT_MAX, "%02x%c%02x%c%02x%c%02x%c%02x%c%02x", mac.octet[0],
	               separator, mac.octet[1], separator, mac.octet[2], separator, mac.octet[3],
	               separator, mac.octet[4], separator, mac.octet[5]);
	return to;
}

bool mac_equal(struct mac a, struct mac b)
{
	return memcmp(a.octet, b.octet, sizeof(a.octet)) == 0;
}

bool mac_is_zero(struct mac mac)
{
	return mac_equal(mac, (struct mac){ { 0 } });
}

int ipv4_parse(struct slice text, uint32_t *ret)
{
	uint32_t address = 0;

	for (int i = 0; i < 4; i++) {
		bool has_dot = slice_find(text, '.', 0) < text.len;
		struct slice part = slice_cut(&text, '.');
		uint64_t octet;

		if (has_dot != (i < 3) || (part.len > 1 && part.data[0] == '0'))
			return NETADDR_BAD;
		if (text_parse_u64(part, 255, &octet) != 0)
			return NETADDR_BAD;
		address = address << 8 | (uint32_t)octet;
	}
	*ret = address;
	return 0;
}

const char *ipv4_format(uint32_t address, char to[IPV4_TEXT_MAX])
{
	(void)snprintf(to, IPV4_TEXT_MAX, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
	               address >> 8 & 255, address & 255);
	return to;
}

int ipv4_net_parse(struct slice text, struct ipv4_net *ret)
{
	struct slice address = slice_cut(&text, '/');
	struct ipv4_net net;
	uint64_t prefix;

	if (ipv4_parse(address, &net.address) != 0 || text_parse_u64(text, 32, &prefix) != 0)
		return NETADDR_BAD;
	net.prefix = (unsigned)prefix;
	*ret = net;
	return 0;
}
