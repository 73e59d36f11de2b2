/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/handover_text.h"

#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"

#define SERVERS_MAX 3 /* MAXNS of resolv.conf(5): more are not asked */

static bool is_address(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (char_hex_value((char)s.data[i]) < 0 && s.data[i] != '.' && s.data[i] != ':')
			return false;
	return s.len > 0 && s.len < 64;
}

static bool is_domain(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_alnum((char)s.data[i]) && s.data[i] != '.' && s.data[i] != '-' &&
		    s.data[i] != '_')
			return false;
	return s.len > 0 && s.len < 256;
}

unsigned handover_resolv_text(struct slice lease, struct buffer *out)
{
	unsigned n = 0;

	while (lease.len > 0) {
		struct slice value = slice_cut(&lease, '\n'), key = slice_cut(&value, '=');

		while (text_equal(key, "DNS") && value.len > 0) {
			struct slice address = slice_cut(&value, ' ');

			if (n == SERVERS_MAX || !is_address(address))
				continue;
			buffer_append_text(out, "nameserver ");
			buffer_append_slice(out, address);
			buffer_append_text(out, "\n");
			n++;
		}
		if (text_equal(key, "DOMAINNAME") && is_domain(value)) {
			buffer_append_text(out, "search ");
			buffer_append_slice(out, value);
			buffer_append_text(out, "\n");
		}
	}
	return n;
}

bool handover_lease_server(struct slice lease, char *to, size_t size)
{
	struct slice next = SLICE_NULL, dhcp = SLICE_NULL;

	while (lease.len > 0) {
		struct slice value = slice_cut(&lease, '\n'), key = slice_cut(&value, '=');

		if (text_equal(key, "NEXT_SERVER") && is_address(value))
			next = value;
		else if (text_equal(key, "SERVER_ADDRESS") && is_address(value))
			dhcp = value;
	}
	if (next.len == 0 || text_equal(next, "0.0.0.0"))
		next = dhcp;
	return next.len > 0 && text_copy(to, size, next) == 0;
}

static void put_match(struct buffer *out, const char *mac)
{
	buffer_append_text(out, "# Left by the initramfs of cci.\n[Match]\n");
	buffer_printf(out, "MACAddress=%s\n", mac);
}

void handover_network_text(struct buffer *out, const struct handover_link *link)
{
	put_match(out, link->mac);
	buffer_printf(out, "Name=%s\n\n[Network]\nKeepConfiguration=yes\n", link->name);
	if (link->address)
		buffer_printf(out, "Address=%s\n", link->address);
	else
		buffer_append_text(out, "DHCP=ipv4\n\n[DHCPv4]\nClientIdentifier=mac\n");
}

void handover_link_text(struct buffer *out, const struct handover_link *link)
{
	put_match(out, link->mac);
	buffer_printf(out, "OriginalName=%s\n\n[Link]\nNamePolicy=\nName=%s\n", link->name,
	              link->name);
}

void handover_machine_id(struct slice hardware, char text[HANDOVER_MACHINE_ID_SIZE])
{
	/* any keys do, as long as they never change */
	static const uint64_t keys[2][2] = {
		{ 0x6363692d6d616368, 0x696e652d69640001 },
		{ 0x6363692d6d616368, 0x696e652d69640002 },
	};
	uint8_t id[16];

	for (unsigned half = 0; half < 2; half++) {
		uint64_t hash = hash_siphash(keys[half], hardware);

		put_be32(id + 8 * half, (uint32_t)(hash >> 32));
		put_be32(id + 8 * half + 4, (uint32_t)hash);
	}
	/* of the form of a random UUID, as machine-id(5) wants it */
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	text_hex(text, id, sizeof(id));
	memcpy(text + 32, "\n", 2);
}
