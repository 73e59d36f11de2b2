/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/router_advert.h"

#define SOLICIT_SIZE         8
#define OPTION_SOURCE_LINK   1
#define OPTION_LINK_ETHERNET 1 /* length in units of 8 bytes: type, length, six octets */

int router_solicit_parse(struct slice message, unsigned hop_limit, bool source_is_unspecified,
                         struct router_solicit *ret)
{
	struct router_solicit solicit = { .mac = { { 0 } } };
	struct slice rest = message;

	if (message.len == 0 || message.data[0] != ROUTER_SOLICIT_TYPE)
		return ROUTER_SOLICIT_OTHER;
	if (hop_limit != ROUTER_HOP_LIMIT)
		return ROUTER_SOLICIT_FORWARDED;
	if (message.len < SOLICIT_SIZE)
		return ROUTER_SOLICIT_SHORT;
	if (message.data[1] != 0)
		return ROUTER_SOLICIT_BAD_CODE;
	(void)slice_take(&rest, SOLICIT_SIZE);
	while (rest.len > 0) {
		size_t len = rest.len >= 2 ? (size_t)rest.data[1] * 8 : 0;
		struct slice option;

		if (len == 0 || len > rest.len)
			return ROUTER_SOLICIT_BAD_OPTIONS;
		option = slice_take(&rest, len);
		if (option.data[0] != OPTION_SOURCE_LINK)
			continue;
		if (source_is_unspecified)
			return ROUTER_SOLICIT_BAD_SOURCE;
		memcpy(solicit.mac.octet, option.data + 2, sizeof(solicit.mac.octet));
	}
	*ret = solicit;
	return 0;
}

void router_advert_build(struct mac mac, struct bytes *out)
{
	bytes_append_u8(out, ROUTER_ADVERT_TYPE);
	bytes_append_u8(out, 0);   /* code */
	bytes_append_be16(out, 0); /* checksum */
	bytes_append_u8(out, 0);   /* hop limit: not ours to say */
	bytes_append_u8(out, 0);   /* neither managed nor other: no DHCPv6 */
	bytes_append_be16(out, 0); /* router lifetime: no default router */
	bytes_append_be32(out, 0); /* reachable time: not ours to say */
	bytes_append_be32(out, 0); /* retransmission timer: neither */
	if (mac_is_zero(mac))
		return;
	bytes_append_u8(out, OPTION_SOURCE_LINK);
	bytes_append_u8(out, OPTION_LINK_ETHERNET);
	bytes_append(out, mac.octet, sizeof(mac.octet));
}
