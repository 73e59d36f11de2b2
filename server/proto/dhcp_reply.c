/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/dhcp_reply.h"

#include <assert.h>

#include "lib/base/macro.h"
#include "lib/format/netaddr.h"

#define IP_UDP_HEADERS  28
#define DATAGRAM_MIN    576 /* every host takes this much (RFC 791) */
#define OVERLOAD_SIZE   3   /* option 52 itself */
#define PXE_DISCOVERY   6   /* sub-option of 43: PXE_DISCOVERY_CONTROL */
#define PXE_BOOT_DIRECT 8   /* bit 3: boot the file that the offer names */
#define IPXE_NO_PROXY   176 /* sub-option of 175: no ProxyDHCP answer will come */

/* Three places for options, filled in this order. */
struct writer {
	struct bytes main, file, sname;
	uint8_t main_area[DHCP_REPLY_SIZE_MAX], file_area[DHCP_FILE_SIZE],
		sname_area[DHCP_SNAME_SIZE];
	bool may_overload;
	unsigned overload;  /* option 52 */
	bool has_boot_file; /* option 67 found its place */
};

size_t dhcp_reply_limit(const struct dhcp_query *query, size_t mtu)
{
	size_t sender = MAX((size_t)query->max_size, (size_t)DATAGRAM_MIN);
	size_t path = MAX(mtu, (size_t)DATAGRAM_MIN);
	size_t datagram = MIN(sender, path);

	return MIN(datagram - IP_UDP_HEADERS, (size_t)DHCP_REPLY_SIZE_MAX);
}

/* Puts an option into an area when it fits together with the area's END. */
static bool put_into(struct bytes *area, uint8_t code, struct slice value)
{
	if (area->cap - area->len < value.len + 3)
		return false;
	dhcp_option_append(area, code, value);
	return true;
}

/* Puts an option where there is room; leaves it out, and says so, otherwise. */
static bool put(struct writer *w, uint8_t code, struct slice value)
{
	if (value.len > DHCP_OPTION_SIZE_MAX)
		return false;
	if (put_into(&w->main, code, value))
		return true;
	if (!w->may_overload)
		return false;
	if (w->file.cap > 0 && put_into(&w->file, code, value)) {
		w->overload |= 1;
		return true;
	}
	if (put_into(&w->sname, code, value)) {
		w->overload |= 2;
		return true;
	}
	return false;
}

static void put_u8(struct writer *w, uint8_t code, uint8_t v)
{
	(void)put(w, code, slice_make(&v, 1)); /* left out when space is short, as all below */
}

static void put_u32(struct writer *w, uint8_t code, uint32_t v)
{
	uint8_t wire[4];

	put_be32(wire, v);
	(void)put(w, code, slice_make(wire, sizeof(wire)));
}

static void put_text(struct writer *w, uint8_t code, const char *text)
{
	(void)put(w, code, slice_from_text(text));
}

/* T1 and T2 are the shares that RFC 2131 section 4.4.5 gives; a lease for ever has neither. */
static void put_lease(struct writer *w, uint32_t lease_sec)
{
	if (lease_sec == 0)
		return;
	put_u32(w, DHCP_OPTION_LEASE_TIME, lease_sec);
	if (lease_sec == UINT32_MAX)
		return;
	put_u32(w, DHCP_OPTION_T1, lease_sec / 2);
	put_u32(w, DHCP_OPTION_T2, lease_sec - lease_sec / 8);
}

/* What makes each kind of booting client take the boot file of this very answer. */
static void put_boot_marks(struct writer *w, const struct dhcp_query *query)
{
	static const uint8_t pxe[] = { PXE_DISCOVERY, 1, PXE_BOOT_DIRECT, DHCP_OPTION_END };
	static const uint8_t ipxe[] = { IPXE_NO_PROXY, 1, 1, DHCP_OPTION_END };

	switch (query->stage) {
	case DHCP_STAGE_PXE:
		put_text(w, DHCP_OPTION_VENDOR_CLASS, "PXEClient");
		(void)put(w, DHCP_OPTION_VENDOR, slice_make(pxe, sizeof(pxe)));
		break;
	case DHCP_STAGE_HTTP:
		put_text(w, DHCP_OPTION_VENDOR_CLASS, "HTTPClient");
		break;
	case DHCP_STAGE_IPXE:
		(void)put(w, DHCP_OPTION_IPXE, slice_make(ipxe, sizeof(ipxe)));
		break;
	case DHCP_STAGE_OS:
	case _DHCP_STAGE_MAX:
		break;
	}
	if (query->uuid.len > 0)
		(void)put(w, DHCP_OPTION_UUID, query->uuid);
}

static void put_boot_file(struct writer *w, const struct dhcp_query *query,
                          const struct dhcp_reply *reply)
{
	char text[IPV4_TEXT_MAX];

	if (reply->boot_file[0] == '\0')
		return;
	if (dhcp_query_asks(query, DHCP_OPTION_BOOT_FILE))
		w->has_boot_file = put(w, DHCP_OPTION_BOOT_FILE, slice_from_text(reply->boot_file));
	if (dhcp_query_asks(query, DHCP_OPTION_TFTP_SERVER))
		put_text(w, DHCP_OPTION_TFTP_SERVER, ipv4_format(reply->next_server, text));
}

static void put_dns(struct writer *w, const struct dhcp_reply *reply)
{
	uint8_t wire[4 * DHCP_REPLY_DNS_MAX];

	if (reply->n_dns == 0)
		return;
	for (size_t i = 0; i < reply->n_dns; i++)
		put_be32(wire + 4 * i, reply->dns[i]);
	(void)put(w, DHCP_OPTION_DNS, slice_make(wire, 4 * reply->n_dns));
}

/* The address that all hosts of the subnet listen to. */
static uint32_t broadcast_address(const struct dhcp_reply *reply, uint32_t address)
{
	return address | ~ipv4_net_mask(reply->prefix);
}

/* The client's own order of preference decides who gets the space that is left. */
static void put_asked(struct writer *w, const struct dhcp_query *query,
                      const struct dhcp_reply *reply)
{
	static const uint8_t all[] = { DHCP_OPTION_ROUTER, DHCP_OPTION_DNS, DHCP_OPTION_BROADCAST };
	struct slice asked = query->parameters;
	uint32_t address = reply->yiaddr ? reply->yiaddr : query->message.ciaddr;
	bool done[256] = { false };

	if (asked.len == 0)
		asked = slice_make(all, sizeof(all));
	for (size_t i = 0; i < asked.len; i++) {
		if (done[asked.data[i]])
			continue;
		done[asked.data[i]] = true;
		if (asked.data[i] == DHCP_OPTION_ROUTER && reply->router)
			put_u32(w, DHCP_OPTION_ROUTER, reply->router);
		else if (asked.data[i] == DHCP_OPTION_DNS)
			put_dns(w, reply);
		else if (asked.data[i] == DHCP_OPTION_BROADCAST)
			put_u32(w, DHCP_OPTION_BROADCAST, broadcast_address(reply, address));
	}
}

static void put_options(struct writer *w, const struct dhcp_query *query,
                        const struct dhcp_reply *reply)
{
	put_u8(w, DHCP_OPTION_TYPE, (uint8_t)reply->type);
	put_u32(w, DHCP_OPTION_SERVER_ID, reply->server_id);
	if (reply->type == DHCP_NAK) {
		if (reply->message)
			put_text(w, DHCP_OPTION_MESSAGE, reply->message);
		if (query->client_id.len > 0)
			(void)put(w, DHCP_OPTION_CLIENT_ID, query->client_id);
		return;
	}
	put_lease(w, reply->lease_sec);
	put_u32(w, DHCP_OPTION_NETMASK, ipv4_net_mask(reply->prefix));
	put_boot_marks(w, query);
	put_boot_file(w, query, reply);
	if (query->client_id.len > 0)
		(void)put(w, DHCP_OPTION_CLIENT_ID, query->client_id);
	put_asked(w, query, reply);
}

/* Header of the answer (RFC 2131 table 3); the areas may hold options instead of names. */
static struct dhcp_message make_header(const struct writer *w, const struct dhcp_query *query,
                                       const struct dhcp_reply *reply)
{
	const struct dhcp_message *from = &query->message;
	struct dhcp_message m = {
		.op = DHCP_OP_REPLY,
		.htype = from->htype,
		.hlen = from->hlen,
		.xid = from->xid,
		.flags = from->flags,
		.giaddr = from->giaddr,
		.sname = bytes_slice(&w->sname),
		.file = bytes_slice(&w->file),
	};

	memcpy(m.chaddr, from->chaddr, sizeof(m.chaddr));
	if (reply->type == DHCP_NAK) {
		if (from->giaddr)
			m.flags |= DHCP_FLAG_BROADCAST; /* RFC 2131 section 4.3.2 */
		return m;
	}
	m.ciaddr = reply->type == DHCP_ACK ? from->ciaddr : 0;
	m.yiaddr = reply->yiaddr;
	if (reply->boot_file[0]) {
		m.siaddr = reply->next_server;
		if (strlen(reply->boot_file) < DHCP_FILE_SIZE)
			m.file = slice_from_text(reply->boot_file);
	}
	return m;
}

static void close_areas(struct writer *w)
{
	if (w->overload & 1)
		bytes_append_u8(&w->file, DHCP_OPTION_END);
	if (w->overload & 2)
		bytes_append_u8(&w->sname, DHCP_OPTION_END);
	if (w->overload)
		dhcp_option_append(&w->main, DHCP_OPTION_OVERLOAD,
		                   slice_make(&(uint8_t){ (uint8_t)w->overload }, 1));
}

/* Space that option 82 will take, in as many parts as it needs. */
static size_t relay_size(const struct dhcp_query *query)
{
	size_t n_parts;

	if (!query->has_relay)
		return 0;
	n_parts = query->relay.len / DHCP_OPTION_SIZE_MAX + 1;
	return query->relay.len + 2 * n_parts;
}

int dhcp_reply_build(const struct dhcp_query *query, const struct dhcp_reply *reply, size_t limit,
                     struct bytes *out)
{
	size_t relay = relay_size(query), kept;
	bool is_firmware = query->stage == DHCP_STAGE_PXE || query->stage == DHCP_STAGE_HTTP;
	/* type, server, lease times, netmask and END must fit in any case */
	const size_t least = DHCP_HEADER_SIZE + 3 + 6 + 18 + 6 + 1;
	struct dhcp_message header;
	struct writer w;

	assert(limit >= DHCP_REPLY_MIN && limit <= DHCP_REPLY_SIZE_MAX && out->len == 0);
	w.may_overload = !is_firmware && reply->type != DHCP_NAK;
	w.overload = 0;
	w.has_boot_file = false;
	kept = relay + (w.may_overload ? OVERLOAD_SIZE : 0);
	if (limit < least + kept)
		return DHCP_REPLY_NO_ROOM;
	w.main = (struct bytes){ .data = w.main_area, .cap = limit - DHCP_HEADER_SIZE - kept };
	w.file = (struct bytes){ .data = w.file_area,
		                 .cap = reply->boot_file[0] ? 0 : sizeof(w.file_area) };
	w.sname = BYTES_ON(w.sname_area);
	put_options(&w, query, reply);
	if (strlen(reply->boot_file) >= DHCP_FILE_SIZE && !w.has_boot_file)
		return DHCP_REPLY_NO_ROOM;
	w.main.cap = sizeof(w.main_area); /* the space kept is for what follows */
	close_areas(&w);
	header = make_header(&w, query, reply);
	dhcp_message_build(&header, out);
	bytes_append_slice(out, bytes_slice(&w.main));
	if (query->has_relay)
		dhcp_option_append(out, DHCP_OPTION_RELAY, query->relay);
	bytes_append_u8(out, DHCP_OPTION_END);
	if (out->len < DHCP_REPLY_MIN)
		bytes_append_zeros(out, DHCP_REPLY_MIN - out->len);
	assert(out->overflow || out->len <= limit);
	return out->overflow ? DHCP_REPLY_NO_ROOM : 0;
}
