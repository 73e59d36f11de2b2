/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The wire form of a DHCPv4 message (RFC 2131 section 2): fixed header, options wherever they hide.
 *
 *      0 op | htype | hlen | hops      28 chaddr (16)       236 magic cookie 63 82 53 63
 *      4 xid                           44 sname (64)        240 options: code, length, value ...
 *      8 secs (2) | flags (2)         108 file (128)
 *     12 ciaddr  16 yiaddr  20 siaddr  24 giaddr
 *
 * Code 0 (PAD) and 255 (END) are single bytes. Option 52 says that `file` and/or `sname` hold
 * options too (RFC 2132 section 9.3). An option may come in parts, which belong together in the
 * order options, file, sname (RFC 3396).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define DHCP_SERVER_PORT     67
#define DHCP_CLIENT_PORT     68
#define DHCP_HEADER_SIZE     240 /* up to the first option, cookie included */
#define DHCP_CHADDR_SIZE     16
#define DHCP_SNAME_SIZE      64
#define DHCP_FILE_SIZE       128
#define DHCP_REPLY_MIN       300    /* of BOOTP; relays drop shorter ones */
#define DHCP_FLAG_BROADCAST  0x8000 /* RFC 2131 figure 2 */
#define DHCP_HTYPE_ETHERNET  1
#define DHCP_OPTION_SIZE_MAX 255

enum dhcp_op {
	DHCP_OP_REQUEST = 1,
	DHCP_OP_REPLY = 2,
};

/* Option 53 (RFC 2132 section 9.6). */
enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
	DHCP_INFORM = 8,
	_DHCP_TYPE_MAX,
};

/* "DISCOVER" and so on; "?" for a number that is none. */
const char *dhcp_type_to_name(int value);
int dhcp_type_from_name(struct slice name);

/* RFC 2132 where nothing else is said. */
enum dhcp_option {
	DHCP_OPTION_PAD = 0,
	DHCP_OPTION_NETMASK = 1,
	DHCP_OPTION_ROUTER = 3,
	DHCP_OPTION_DNS = 6,
	DHCP_OPTION_HOSTNAME = 12,
	DHCP_OPTION_BROADCAST = 28,
	DHCP_OPTION_VENDOR = 43,
	DHCP_OPTION_REQUESTED = 50,
	DHCP_OPTION_LEASE_TIME = 51,
	DHCP_OPTION_OVERLOAD = 52,
	DHCP_OPTION_TYPE = 53,
	DHCP_OPTION_SERVER_ID = 54,
	DHCP_OPTION_PARAMETERS = 55,
	DHCP_OPTION_MESSAGE = 56,
	DHCP_OPTION_MAX_SIZE = 57,
	DHCP_OPTION_T1 = 58,
	DHCP_OPTION_T2 = 59,
	DHCP_OPTION_VENDOR_CLASS = 60,
	DHCP_OPTION_CLIENT_ID = 61,
	DHCP_OPTION_TFTP_SERVER = 66,
	DHCP_OPTION_BOOT_FILE = 67,
	DHCP_OPTION_USER_CLASS = 77, /* RFC 3004 */
	DHCP_OPTION_RELAY = 82,      /* RFC 3046 */
	DHCP_OPTION_ARCH = 93,       /* RFC 4578 */
	DHCP_OPTION_UUID = 97,       /* RFC 4578 */
	DHCP_OPTION_SUBNET = 118,    /* RFC 3011 */
	DHCP_OPTION_IPXE = 175,      /* encapsulated options of Etherboot, iPXE */
	DHCP_OPTION_END = 255,
};

struct dhcp_message {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr; /* host order */
	uint8_t chaddr[DHCP_CHADDR_SIZE];
	struct slice sname, file; /* whole fields, as on the wire */
	struct slice options;     /* what follows the cookie */
	unsigned overload;        /* option 52: bit 0 file, bit 1 sname hold options; 0 for none */
};

/*
 * Views a packet as a message; the slices live as long as the packet. Every option has been walked
 * once: iteration afterwards cannot meet a length past its field.
 * Returns 0, or one of these outcomes.
 */
enum {
	DHCP_MESSAGE_SHORT = 1,       /* no whole header */
	DHCP_MESSAGE_BAD_COOKIE = 2,  /* plain BOOTP of before 1993, or no DHCP at all */
	DHCP_MESSAGE_BAD_OPTIONS = 3, /* an option runs past the end of its field */
};
int dhcp_message_parse(struct slice packet, struct dhcp_message *ret);

/* Appends header, the two fields (padded with zeros) and the cookie; not the options. */
void dhcp_message_build(const struct dhcp_message *message, struct bytes *out);

/* A walk over all options of a message in the order of RFC 3396. */
struct dhcp_option_iter {
	const struct dhcp_message *message;
	struct slice rest;
	unsigned field; /* 0 options, 1 file, 2 sname, 3 end */
};

void dhcp_option_iter_init(struct dhcp_option_iter *iter, const struct dhcp_message *message);

/* The next option, PAD and END left out. Returns false at the end. */
bool dhcp_option_next(struct dhcp_option_iter *iter, uint8_t *ret_code, struct slice *ret_value);

/*
 * The whole value of an option. A single part is a view into the packet; parts are joined in
 * `scratch`, and the view is into that.
 * Returns 0, DHCP_OPTION_ABSENT, or DHCP_OPTION_NO_ROOM when scratch is too small.
 */
enum { DHCP_OPTION_ABSENT = 1, DHCP_OPTION_NO_ROOM = 2 };
int dhcp_message_option(const struct dhcp_message *message, uint8_t code, struct bytes *scratch,
                        struct slice *ret);

/* The next option of an encapsulated list (option 43 or 175): code, length, value; END ends it, and
 * so does a length that runs past it. Returns false at the end. */
bool dhcp_encapsulated_next(struct slice *rest, uint8_t *ret_code, struct slice *ret_value);

/* Appends an option; a value longer than 255 bytes goes out in parts (RFC 3396). */
void dhcp_option_append(struct bytes *out, uint8_t code, struct slice value);
