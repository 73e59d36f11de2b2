/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/tftp_packet.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

enum option { BLKSIZE, TSIZE, TIMEOUT, UTIMEOUT, WINDOWSIZE, N_OPTIONS };

/* What a value may be; one that is larger than max is passed over, or taken as max. */
static const struct {
	const char *name;
	uint64_t min, max;
	bool is_clamped;
} options[N_OPTIONS] = {
	[BLKSIZE] = { "blksize", TFTP_BLKSIZE_MIN, TFTP_BLKSIZE_MAX, true },
	[TSIZE] = { "tsize", 0, INT64_MAX, false },
	[TIMEOUT] = { "timeout", 1, 255, false },
	[UTIMEOUT] = { "utimeout", 10000, 255000000, false },
	[WINDOWSIZE] = { "windowsize", 1, 65535, true },
};

/* Stores a value that is in range. An option that is there already stays as it is. */
static void set_option(struct tftp_options *to, enum option option, uint64_t value)
{
	switch (option) {
	case BLKSIZE:
		to->blksize = to->has_blksize ? to->blksize : (uint32_t)value;
		to->has_blksize = true;
		break;
	case TSIZE:
		to->tsize = to->has_tsize ? to->tsize : value;
		to->has_tsize = true;
		break;
	case TIMEOUT:
		to->timeout = to->has_timeout ? to->timeout : (uint32_t)value;
		to->has_timeout = true;
		break;
	case UTIMEOUT:
		to->utimeout = to->has_utimeout ? to->utimeout : (uint32_t)value;
		to->has_utimeout = true;
		break;
	case WINDOWSIZE:
		to->windowsize = to->has_windowsize ? to->windowsize : (uint32_t)value;
		to->has_windowsize = true;
		break;
	case N_OPTIONS:
		break;
	}
}

static void read_option(struct slice name, struct slice text, struct tftp_options *to)
{
	uint64_t value;

	for (int i = 0; i < N_OPTIONS; i++) {
		if (!slice_equal_nocase(name, slice_from_text(options[i].name)))
			continue;
		if (text_parse_u64(text, UINT64_MAX, &value) != 0 || value < options[i].min)
			return;
		if (value > options[i].max && !options[i].is_clamped)
			return;
		set_option(to, (enum option)i, MIN(value, options[i].max));
		return;
	}
}

static void read_options(struct slice rest, struct tftp_options *to)
{
	*to = (struct tftp_options){ .has_blksize = false };
	while (rest.len > 0) {
		struct slice name = slice_cut(&rest, '\0');

		if (name.len == 0) /* padding */
			continue;
		read_option(name, slice_cut(&rest, '\0'), to);
	}
}

static enum tftp_mode read_mode(struct slice text)
{
	if (slice_equal_nocase(text, SLICE_LITERAL("octet")))
		return TFTP_MODE_OCTET;
	if (slice_equal_nocase(text, SLICE_LITERAL("netascii")))
		return TFTP_MODE_NETASCII;
	return TFTP_MODE_OTHER;
}

static int read_request(struct slice rest, struct tftp_packet *packet)
{
	struct slice mode;

	packet->name = slice_cut(&rest, '\0');
	mode = slice_cut(&rest, '\0');
	if (packet->name.len == 0 || mode.len == 0)
		return TFTP_MALFORMED;
	packet->mode = read_mode(mode);
	read_options(rest, &packet->options);
	return 0;
}

int tftp_packet_decode(struct slice raw, struct tftp_packet *ret)
{
	struct tftp_packet packet = { .opcode = TFTP_RRQ };
	uint16_t number;
	int r = 0;

	if (raw.len < 2)
		return TFTP_MALFORMED;
	number = get_be16(slice_take(&raw, 2).data);
	if (number < TFTP_RRQ || number > TFTP_OACK)
		return TFTP_MALFORMED;
	packet.opcode = (enum tftp_opcode)number;
	if (number == TFTP_DATA || number == TFTP_ACK || number == TFTP_ERROR) {
		if (raw.len < 2)
			return TFTP_MALFORMED;
		number = get_be16(slice_take(&raw, 2).data);
	}
	switch (packet.opcode) {
	case TFTP_RRQ:
	case TFTP_WRQ:
		r = read_request(raw, &packet);
		break;
	case TFTP_DATA:
		packet.block = number;
		packet.data = raw;
		break;
	case TFTP_ACK: /* some ROMs pad it */
		packet.block = number;
		break;
	case TFTP_ERROR:
		packet.error = number;
		packet.message = slice_cut(&raw, '\0');
		break;
	case TFTP_OACK:
		read_options(raw, &packet.options);
		break;
	}
	if (r == 0)
		*ret = packet;
	return r;
}

static void append_option(struct bytes *out, bool is_there, enum option option, uint64_t value)
{
	if (!is_there)
		return;
	bytes_append_text(out, options[option].name);
	bytes_append_u8(out, 0);
	bytes_printf(out, "%llu", (unsigned long long)value);
	bytes_append_u8(out, 0);
}

static void append_options(struct bytes *out, const struct tftp_options *from)
{
	append_option(out, from->has_blksize, BLKSIZE, from->blksize);
	append_option(out, from->has_tsize, TSIZE, from->tsize);
	append_option(out, from->has_timeout, TIMEOUT, from->timeout);
	append_option(out, from->has_utimeout, UTIMEOUT, from->utimeout);
	append_option(out, from->has_windowsize, WINDOWSIZE, from->windowsize);
}

static void append_request(struct bytes *out, const struct tftp_packet *packet)
{
	static const char *const modes[] = {
		[TFTP_MODE_OCTET] = "octet",
		[TFTP_MODE_NETASCII] = "netascii",
		[TFTP_MODE_OTHER] = "mail", /* the one other mode of RFC 1350 */
	};

	bytes_append_slice(out, packet->name);
	bytes_append_u8(out, 0);
	bytes_append_text(out, modes[packet->mode]);
	bytes_append_u8(out, 0);
	append_options(out, &packet->options);
}

void tftp_packet_build(const struct tftp_packet *packet, struct bytes *out)
{
	bytes_append_be16(out, (uint16_t)packet->opcode);
	switch (packet->opcode) {
	case TFTP_RRQ:
	case TFTP_WRQ:
		append_request(out, packet);
		break;
	case TFTP_DATA:
		bytes_append_be16(out, packet->block);
		bytes_append_slice(out, packet->data);
		break;
	case TFTP_ACK:
		bytes_append_be16(out, packet->block);
		break;
	case TFTP_ERROR:
		bytes_append_be16(out, packet->error);
		bytes_append_slice(out, packet->message);
		bytes_append_u8(out, 0);
		break;
	case TFTP_OACK:
		append_options(out, &packet->options);
		break;
	}
}

void tftp_packet_build_data_header(uint16_t block, struct bytes *out)
{
	tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_DATA, .block = block }, out);
}

void tftp_packet_build_error(enum tftp_error code, const char *message, struct bytes *out)
{
	tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_ERROR,
	                                         .error = (uint16_t)code,
	                                         .message = slice_from_text(message) },
	                  out);
}
