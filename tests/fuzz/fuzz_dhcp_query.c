/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any packet of a client, and answers to those that make sense: an answer parses, keeps its limit,
 * and gives option 82 back unchanged.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/base/macro.h"
#include "server/proto/dhcp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct dhcp_query *q, enum dhcp_type type, const char *boot_file)
{
	struct dhcp_reply reply = { .type = type,
		                    .yiaddr = 0x0a000005,
		                    .server_id = 0x0a000001,
		                    .lease_sec = 600,
		                    .prefix = 24,
		                    .router = 0x0a000001,
		                    .dns = { 1, 2 },
		                    .n_dns = 2,
		                    .next_server = 0x0a000001 };
	uint8_t wire[DHCP_REPLY_SIZE_MAX], scratch[2048];
	struct bytes out = BYTES_ON(wire), joined = BYTES_ON(scratch);
	size_t limit = dhcp_reply_limit(q, 1500);
	struct dhcp_message m;
	struct slice relay;

	assert(strlen(boot_file) < sizeof(reply.boot_file));
	memcpy(reply.boot_file, boot_file, strlen(boot_file) + 1);
	if (dhcp_reply_build(q, &reply, limit, &out) != 0)
		return;
	assert(out.len >= DHCP_REPLY_MIN && out.len <= limit);
	assert(dhcp_message_parse(bytes_slice(&out), &m) == 0);
	assert(m.op == DHCP_OP_REPLY && m.xid == q->message.xid);
	if (q->has_relay) {
		assert(dhcp_message_option(&m, DHCP_OPTION_RELAY, &joined, &relay) == 0);
		assert(slice_equal(relay, q->relay));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {
		"",
		"ipxe/bin-x86_64-efi/snponly.efi",
		("http://10.0.0.1:8000/a/name/that/is/longer/than/the/file/field/of/a/message/"
		 "which/has/no/more/than/one/hundred/and/twenty/eight/bytes/snponly.efi"),
	};
	struct dhcp_query q;

	if (dhcp_query_parse(slice_make(data, size), &q) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		check_answer(&q, DHCP_OFFER, files[i]);
		check_answer(&q, DHCP_ACK, files[i]);
	}
	check_answer(&q, DHCP_NAK, "");
	return 0;
}
