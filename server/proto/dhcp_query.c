/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From options to meaning. A strange value of an option that only informs is left out; one that
 * decides what we do makes the packet malformed.
 */
#include "server/proto/dhcp_query.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "server/proto/dhcp_arch.h"

/* Sub-options of 82. */
#define RELAY_LINK            5
#define RELAY_SERVER_OVERRIDE 11

/* Sub-options of 175 (ipxe.org/howto/dhcpd): 16..63 are feature flags. */
#define IPXE_FEATURE_FIRST 16
#define IPXE_FEATURE_LAST  63
#define IPXE_FEATURE_HTTP  19

static const char *const stage_names[_DHCP_STAGE_MAX] = {
	[DHCP_STAGE_OS] = "os",
	[DHCP_STAGE_PXE] = "pxe",
	[DHCP_STAGE_HTTP] = "http",
	[DHCP_STAGE_IPXE] = "ipxe",
};

DEFINE_NAME_TABLE(dhcp_stage, stage_names);

static const char *const outcome_names[_DHCP_QUERY_OUTCOME_MAX] = {
	[0] = "good",
	[DHCP_QUERY_SHORT] = "short",
	[DHCP_QUERY_BAD_COOKIE] = "bad_cookie",
	[DHCP_QUERY_BAD_OPTIONS] = "bad_options",
	[DHCP_QUERY_NOT_REQUEST] = "not_request",
	[DHCP_QUERY_BAD_HARDWARE] = "bad_hardware",
	[DHCP_QUERY_LOOP] = "loop",
	[DHCP_QUERY_NO_TYPE] = "no_type",
	[DHCP_QUERY_BAD_TYPE] = "bad_type",
	[DHCP_QUERY_BAD_VALUE] = "bad_value",
};

DEFINE_NAME_TABLE(dhcp_query_outcome, outcome_names);

struct reader {
	const struct dhcp_message *message;
	struct bytes scratch;
	bool failed; /* scratch was too small */
};

/* The value of an option, or the empty slice; *ret_is_there says which. */
static struct slice read_option(struct reader *reader, uint8_t code, bool *ret_is_there)
{
	struct slice value = SLICE_NULL;
	int r = dhcp_message_option(reader->message, code, &reader->scratch, &value);

	if (r == DHCP_OPTION_NO_ROOM)
		reader->failed = true;
	if (ret_is_there)
		*ret_is_there = r == 0;
	return value;
}

/* Option of exactly four bytes; 0 when absent. False when it has another length. */
static bool read_address(struct reader *reader, uint8_t code, uint32_t *ret)
{
	bool is_there;
	struct slice value = read_option(reader, code, &is_there);

	*ret = 0;
	if (!is_there)
		return true;
	if (value.len != 4)
		return false;
	*ret = get_be32(value.data);
	return true;
}

static struct slice without_trailing_nuls(struct slice text)
{
	while (text.len > 0 && text.data[text.len - 1] == 0)
		text.len--;
	return text;
}

static int read_type(struct reader *reader, enum dhcp_type *ret)
{
	bool is_there;
	struct slice value = read_option(reader, DHCP_OPTION_TYPE, &is_there);

	if (!is_there)
		return DHCP_QUERY_NO_TYPE;
	if (value.len != 1)
		return DHCP_QUERY_BAD_VALUE;
	switch (value.data[0]) {
	case DHCP_DISCOVER:
	case DHCP_REQUEST:
	case DHCP_DECLINE:
	case DHCP_RELEASE:
	case DHCP_INFORM:
		*ret = (enum dhcp_type)value.data[0];
		return 0;
	default:
		return DHCP_QUERY_BAD_TYPE;
	}
}

/*
 * Whether a user class names iPXE: as one raw text, as iPXE itself sends it, or as one of the
 * length-prefixed texts of RFC 3004.
 */
static bool user_class_is_ipxe(struct slice user_class)
{
	const struct slice name = SLICE_LITERAL("iPXE");

	if (slice_equal(without_trailing_nuls(user_class), name))
		return true;
	while (user_class.len > 0) {
		size_t len = slice_take(&user_class, 1).data[0];

		if (len > user_class.len)
			return false;
		if (slice_equal(slice_take(&user_class, len), name))
			return true;
	}
	return false;
}

/* Whether option 175 lists features but not HTTP: such an iPXE cannot run what boot.ipxe says. */
static bool lacks_http(struct slice ipxe)
{
	bool has_features = false, has_http = false;
	struct slice value;
	uint8_t code;

	while (dhcp_encapsulated_next(&ipxe, &code, &value)) {
		if (code < IPXE_FEATURE_FIRST || code > IPXE_FEATURE_LAST)
			continue;
		has_features = true;
		if (code == IPXE_FEATURE_HTTP && value.len > 0 && value.data[0] != 0)
			has_http = true;
	}
	return has_features && !has_http;
}

static void read_relay(struct reader *reader, struct dhcp_query *query)
{
	struct slice rest, value;
	uint8_t code;

	query->relay = read_option(reader, DHCP_OPTION_RELAY, &query->has_relay);
	if (query->message.giaddr == 0)
		return; /* nobody we know put it there: echoed, not believed (RFC 3046 section 2.1)
		         */
	rest = query->relay;
	while (dhcp_encapsulated_next(&rest, &code, &value)) {
		if (code == RELAY_LINK && value.len == 4)
			query->link = get_be32(value.data);
		if (code == RELAY_SERVER_OVERRIDE && value.len == 4)
			query->server_override = get_be32(value.data);
	}
}

static int read_arch(struct reader *reader, struct dhcp_query *query)
{
	int r = dhcp_arch_from_option(read_option(reader, DHCP_OPTION_ARCH, NULL), &query->arch);

	if (r == DHCP_ARCH_MALFORMED)
		return DHCP_QUERY_BAD_VALUE;
	if (r == DHCP_ARCH_NONE)
		r = dhcp_arch_from_vendor_class(query->vendor_class, &query->arch);
	query->has_arch = r == 0;
	return 0;
}

/* iPXE is looked for first: it sends the vendor class and the architecture of firmware too. */
static enum dhcp_stage find_stage(const struct dhcp_query *query, bool has_ipxe_option)
{
	if (has_ipxe_option || user_class_is_ipxe(query->user_class))
		return DHCP_STAGE_IPXE;
	if (slice_has_prefix(query->vendor_class, SLICE_LITERAL("HTTPClient")))
		return DHCP_STAGE_HTTP;
	if (slice_has_prefix(query->vendor_class, SLICE_LITERAL("PXEClient")))
		return DHCP_STAGE_PXE;
	if (query->has_arch)
		return dhcp_arch_is_http(query->arch) ? DHCP_STAGE_HTTP : DHCP_STAGE_PXE;
	return DHCP_STAGE_OS;
}

static int read_options(struct reader *reader, struct dhcp_query *query)
{
	struct slice max_size, ipxe;
	bool has_ipxe_option;
	int r;

	r = read_type(reader, &query->type);
	if (r != 0)
		return r;
	if (!read_address(reader, DHCP_OPTION_REQUESTED, &query->requested) ||
	    !read_address(reader, DHCP_OPTION_SERVER_ID, &query->server_id) ||
	    !read_address(reader, DHCP_OPTION_SUBNET, &query->link))
		return DHCP_QUERY_BAD_VALUE;
	max_size = read_option(reader, DHCP_OPTION_MAX_SIZE, NULL);
	if (max_size.len == 2)
		query->max_size = get_be16(max_size.data);
	query->client_id = read_option(reader, DHCP_OPTION_CLIENT_ID, NULL);
	query->parameters = read_option(reader, DHCP_OPTION_PARAMETERS, NULL);
	query->vendor_class =
		without_trailing_nuls(read_option(reader, DHCP_OPTION_VENDOR_CLASS, NULL));
	query->user_class = read_option(reader, DHCP_OPTION_USER_CLASS, NULL);
	query->hostname = without_trailing_nuls(read_option(reader, DHCP_OPTION_HOSTNAME, NULL));
	query->uuid = read_option(reader, DHCP_OPTION_UUID, NULL);
	ipxe = read_option(reader, DHCP_OPTION_IPXE, &has_ipxe_option);
	query->is_ipxe_without_http = has_ipxe_option && lacks_http(ipxe);
	read_relay(reader, query);
	r = read_arch(reader, query);
	if (r != 0)
		return r;
	query->stage = find_stage(query, has_ipxe_option);
	return reader->failed ? DHCP_QUERY_BAD_OPTIONS : 0;
}

static int check_header(const struct dhcp_message *message)
{
	const struct slice chaddr = slice_make(message->chaddr, 6);

	if (message->op != DHCP_OP_REQUEST)
		return DHCP_QUERY_NOT_REQUEST;
	if (message->htype != DHCP_HTYPE_ETHERNET || message->hlen != 6)
		return DHCP_QUERY_BAD_HARDWARE;
	/* the address of one card: neither a group's nor nobody's */
	if ((chaddr.data[0] & 1) || slice_equal(chaddr, SLICE_LITERAL("\0\0\0\0\0\0")))
		return DHCP_QUERY_BAD_HARDWARE;
	return message->hops > DHCP_HOPS_MAX ? DHCP_QUERY_LOOP : 0;
}

int dhcp_query_parse(struct slice packet, struct dhcp_query *ret)
{
	struct reader reader;
	int r;

	memset(ret, 0, offsetof(struct dhcp_query, joined));
	r = dhcp_message_parse(packet, &ret->message);
	switch (r) {
	case 0:
		break;
	case DHCP_MESSAGE_SHORT:
		return DHCP_QUERY_SHORT;
	case DHCP_MESSAGE_BAD_COOKIE:
		return DHCP_QUERY_BAD_COOKIE;
	default:
		return DHCP_QUERY_BAD_OPTIONS;
	}
	r = check_header(&ret->message);
	if (r != 0)
		return r;
	memcpy(ret->mac.octet, ret->message.chaddr, sizeof(ret->mac.octet));
	reader = (struct reader){ .message = &ret->message, .scratch = BYTES_ON(ret->joined) };
	return read_options(&reader, ret);
}

bool dhcp_query_asks(const struct dhcp_query *query, uint8_t code)
{
	return query->parameters.len == 0 ||
	       slice_find(query->parameters, code, 0) < query->parameters.len;
}
