/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Packets of TFTP (RFC 1350) with options (RFC 2347, 2348, 2349, 7440).
 *
 *   RRQ, WRQ   opcode | name NUL | mode NUL | (option NUL | value NUL)...
 *   DATA       opcode | block    | 0..blksize bytes
 *   ACK        opcode | block
 *   ERROR      opcode | code     | message NUL
 *   OACK       opcode | (option NUL | value NUL)...
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/bytes.h"

enum tftp_opcode {
	TFTP_RRQ = 1,
	TFTP_WRQ = 2,
	TFTP_DATA = 3,
	TFTP_ACK = 4,
	TFTP_ERROR = 5,
	TFTP_OACK = 6,
};

enum tftp_error {
	TFTP_ERROR_UNDEFINED = 0,
	TFTP_ERROR_NOT_FOUND = 1,
	TFTP_ERROR_ACCESS = 2,
	TFTP_ERROR_DISK_FULL = 3,
	TFTP_ERROR_ILLEGAL = 4,
	TFTP_ERROR_UNKNOWN_TID = 5,
	TFTP_ERROR_EXISTS = 6,
	TFTP_ERROR_NO_USER = 7,
	TFTP_ERROR_OPTION = 8, /* RFC 2347: the client does not want what the OACK said */
};

enum tftp_mode {
	TFTP_MODE_OCTET,
	TFTP_MODE_NETASCII,
	TFTP_MODE_OTHER,
};

#define TFTP_PORT            69
#define TFTP_HEADER_SIZE     4
#define TFTP_BLKSIZE_DEFAULT 512
#define TFTP_BLKSIZE_MIN     8     /* RFC 2348 */
#define TFTP_BLKSIZE_MAX     65464 /* RFC 2348 */

struct tftp_options {
	bool has_blksize, has_tsize, has_timeout, has_utimeout, has_windowsize;
	uint32_t blksize;    /* TFTP_BLKSIZE_MIN..TFTP_BLKSIZE_MAX */
	uint64_t tsize;      /* bytes; 0 in a request that asks for the size */
	uint32_t timeout;    /* seconds, 1..255 */
	uint32_t utimeout;   /* microseconds, 10,000..255,000,000; not in an RFC, tftp-hpa's */
	uint32_t windowsize; /* blocks, 1..65535 */
};

struct tftp_packet {
	enum tftp_opcode opcode;
	struct slice name;           /* RRQ, WRQ: as sent, without the NUL */
	enum tftp_mode mode;         /* RRQ, WRQ */
	struct tftp_options options; /* RRQ, WRQ, OACK */
	uint16_t block;              /* DATA, ACK */
	struct slice data;           /* DATA */
	uint16_t error;              /* ERROR: code */
	struct slice message;        /* ERROR: may be empty */
};

/*
 * Reads a datagram. Names of options and modes count in any letter case; an unknown option, a
 * second one of the same name and a value that is no number or out of range are passed over (RFC
 * 2347: they are then just not acknowledged); a blksize above the maximum counts as the maximum. A
 * missing NUL at the very end is forgiven. Returns 0, or TFTP_MALFORMED. Slices of *ret are views
 * into the packet.
 */
enum { TFTP_MALFORMED = 1 };
int tftp_packet_decode(struct slice raw, struct tftp_packet *ret);

/*
 * Appends the packet: the fields that its opcode uses. `out` overflows when it does not fit.
 * Decoding what was built gives the same value.
 */
void tftp_packet_build(const struct tftp_packet *packet, struct bytes *out);

/* Appends the 4 bytes in front of a block, so that its data need not be copied. */
void tftp_packet_build_data_header(uint16_t block, struct bytes *out);

/* Appends an ERROR packet. */
void tftp_packet_build_error(enum tftp_error code, const char *message, struct bytes *out);
