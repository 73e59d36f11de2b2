/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A client's message with the meaning of its options: what the server has to know to answer it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/format/netaddr.h"
#include "server/proto/dhcp_message.h"

#define DHCP_HOPS_MAX    16   /* RFC 1542 section 4.1.1: more is a loop */
#define DHCP_QUERY_JOINS 2048 /* joined options; a packet of an Ethernet has no more */

/* Who speaks. Later ones never get the loader of earlier ones: that would be a loop. */
enum dhcp_stage {
	DHCP_STAGE_OS,   /* kernel, initramfs, installed system: no boot file */
	DHCP_STAGE_PXE,  /* firmware that loads by TFTP */
	DHCP_STAGE_HTTP, /* firmware that wants a URL */
	DHCP_STAGE_IPXE,
	_DHCP_STAGE_MAX,
};

const char *dhcp_stage_to_name(int value);
int dhcp_stage_from_name(struct slice name);

/* Not to be copied: slices point into the packet and into `joined`. */
struct dhcp_query {
	enum dhcp_type type;
	enum dhcp_stage stage;
	struct dhcp_message message;
	struct mac mac;     /* the first six octets of chaddr */
	uint32_t requested; /* option 50; 0 when absent */
	uint32_t server_id; /* option 54; 0 when absent */
	uint16_t max_size;  /* option 57: of the IP datagram; 0 when absent */
	bool has_arch;      /* option 93, else what option 60 says */
	uint16_t arch;
	bool is_ipxe_without_http; /* an iPXE whose option 175 lists features, HTTP not among them
	                            */
	struct slice client_id;    /* option 61; empty when absent */
	struct slice parameters;   /* option 55: codes in order of preference; empty when absent */
	struct slice vendor_class; /* option 60 */
	struct slice user_class;   /* option 77, as sent */
	struct slice hostname;     /* option 12, without a trailing NUL */
	struct slice uuid;         /* option 97, as sent */
	struct slice relay;        /* option 82, as sent */
	bool has_relay;            /* option 82 is there, perhaps empty */
	uint32_t link;             /* 82.5 (RFC 3527) or 118 (RFC 3011): beats giaddr; 0: none */
	uint32_t server_override;  /* 82.11 (RFC 5107): option 54 to answer with; 0: none */
	uint8_t joined[DHCP_QUERY_JOINS];
};

/*
 * Parses a packet of a client on an Ethernet.
 * Returns 0, or why the packet is dropped (each reason is counted by its number).
 */
enum dhcp_query_outcome {
	DHCP_QUERY_SHORT = 1,
	DHCP_QUERY_BAD_COOKIE,
	DHCP_QUERY_BAD_OPTIONS,  /* an option past its field, or more of them than fit */
	DHCP_QUERY_NOT_REQUEST,  /* op is not 1: another server's answer */
	DHCP_QUERY_BAD_HARDWARE, /* not Ethernet, or chaddr is no address of one card */
	DHCP_QUERY_LOOP,         /* more hops than any sane relay chain */
	DHCP_QUERY_NO_TYPE,      /* BOOTP, which we do not serve */
	DHCP_QUERY_BAD_TYPE,     /* a type only servers send, or an unknown one */
	DHCP_QUERY_BAD_VALUE,    /* an option that decides has a wrong length */
	_DHCP_QUERY_OUTCOME_MAX,
};
int dhcp_query_parse(struct slice packet, struct dhcp_query *ret);

/* "short" and so on, for logs and metrics. */
const char *dhcp_query_outcome_to_name(int value);
int dhcp_query_outcome_from_name(struct slice name);

/* Whether the client asks for an option (55). One that sends no list is taken to want all. */
bool dhcp_query_asks(const struct dhcp_query *query, uint8_t code);
