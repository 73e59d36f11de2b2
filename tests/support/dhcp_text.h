/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A DHCP answer as text: what stands in golden files, and what tests look at.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/text.h"
#include "server/core/dhcp_route.h"
#include "server/proto/dhcp_message.h"

static inline void text_address(struct buffer *out, const char *name, uint32_t address)
{
	char text[IPV4_TEXT_MAX];

	if (address)
		buffer_printf(out, " %s=%s", name, ipv4_format(address, text));
}

/* One line: where it goes, type, addresses, flags, boot file, then each option as code:hex. */
static inline void text_answer(struct buffer *out, const struct dhcp_route *route,
                               struct slice packet)
{
	static const char *const kinds[] = { "udp", "broadcast", "frame" };
	char address[IPV4_TEXT_MAX], file[DHCP_FILE_SIZE + 1] = "";
	struct dhcp_option_iter iter;
	struct dhcp_message m;
	struct slice value;
	uint8_t code;

	if (dhcp_message_parse(packet, &m) != 0) {
		buffer_printf(out, "  malformed\n");
		return;
	}
	buffer_printf(out, "  %s %s:%u", kinds[route->kind], ipv4_format(route->address, address),
	              route->port);
	text_address(out, "yiaddr", m.yiaddr);
	text_address(out, "ciaddr", m.ciaddr);
	text_address(out, "siaddr", m.siaddr);
	if (m.flags)
		buffer_printf(out, " flags=%04x", m.flags);
	memcpy(file, m.file.data, DHCP_FILE_SIZE);
	if (file[0])
		buffer_printf(out, " file=%s", file);
	buffer_printf(out, " bytes=%zu\n   ", packet.len);
	dhcp_option_iter_init(&iter, &m);
	while (dhcp_option_next(&iter, &code, &value)) {
		buffer_printf(out, " %u:", code);
		for (size_t i = 0; i < value.len; i++)
			buffer_printf(out, "%02x", value.data[i]);
	}
	buffer_append_text(out, "\n");
}
