/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/dhcp_message.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"

static const uint8_t cookie[4] = { 0x63, 0x82, 0x53, 0x63 }; /* RFC 1497 */

static const char *const type_names[_DHCP_TYPE_MAX] = {
	[DHCP_DISCOVER] = "DISCOVER", [DHCP_OFFER] = "OFFER",   [DHCP_REQUEST] = "REQUEST",
	[DHCP_DECLINE] = "DECLINE",   [DHCP_ACK] = "ACK",       [DHCP_NAK] = "NAK",
	[DHCP_RELEASE] = "RELEASE",   [DHCP_INFORM] = "INFORM",
};

DEFINE_NAME_TABLE(dhcp_type, type_names);

enum { STEP_OPTION, STEP_END, STEP_BROKEN };

/* One step over a field of options: PADs are skipped; STEP_END at END or at the field's end. */
static int step(struct slice *rest, uint8_t *ret_code, struct slice *ret_value)
{
	size_t len;

	while (rest->len > 0 && rest->data[0] == DHCP_OPTION_PAD)
		(void)slice_take(rest, 1);
	if (rest->len == 0 || rest->data[0] == DHCP_OPTION_END)
		return STEP_END;
	if (rest->len < 2)
		return STEP_BROKEN;
	len = rest->data[1];
	if (len > rest->len - 2)
		return STEP_BROKEN;
	*ret_code = rest->data[0];
	(void)slice_take(rest, 2);
	*ret_value = slice_take(rest, len);
	return STEP_OPTION;
}

/* Walks a field to its end; reports option 52 where the caller wants it. */
static bool field_is_sound(struct slice field, unsigned *ret_overload)
{
	struct slice value;
	uint8_t code;
	int r;

	while ((r = step(&field, &code, &value)) == STEP_OPTION)
		if (ret_overload && code == DHCP_OPTION_OVERLOAD && value.len == 1 &&
		    value.data[0] >= 1 && value.data[0] <= 3)
			*ret_overload = value.data[0];
	return r == STEP_END;
}

int dhcp_message_parse(struct slice packet, struct dhcp_message *ret)
{
	const uint8_t *p = packet.data;
	struct dhcp_message m;

	if (packet.len < DHCP_HEADER_SIZE)
		return DHCP_MESSAGE_SHORT;
	if (memcmp(p + 236, cookie, sizeof(cookie)) != 0)
		return DHCP_MESSAGE_BAD_COOKIE;
	m = (struct dhcp_message){
		.op = p[0],
		.htype = p[1],
		.hlen = p[2],
		.hops = p[3],
		.xid = get_be32(p + 4),
		.secs = get_be16(p + 8),
		.flags = get_be16(p + 10),
		.ciaddr = get_be32(p + 12),
		.yiaddr = get_be32(p + 16),
		.siaddr = get_be32(p + 20),
		.giaddr = get_be32(p + 24),
		.sname = slice_make(p + 44, DHCP_SNAME_SIZE),
		.file = slice_make(p + 108, DHCP_FILE_SIZE),
		.options = slice_make(p + DHCP_HEADER_SIZE, packet.len - DHCP_HEADER_SIZE),
	};
	memcpy(m.chaddr, p + 28, sizeof(m.chaddr));
	if (!field_is_sound(m.options, &m.overload))
		return DHCP_MESSAGE_BAD_OPTIONS;
	if ((m.overload & 1) && !field_is_sound(m.file, NULL))
		return DHCP_MESSAGE_BAD_OPTIONS;
	if ((m.overload & 2) && !field_is_sound(m.sname, NULL))
		return DHCP_MESSAGE_BAD_OPTIONS;
	*ret = m;
	return 0;
}

/* A field of fixed size: the text cut or padded with zeros. */
static void append_field(struct bytes *out, struct slice text, size_t size)
{
	size_t len = MIN(text.len, size);

	bytes_append(out, text.data, len);
	bytes_append_zeros(out, size - len);
}

void dhcp_message_build(const struct dhcp_message *message, struct bytes *out)
{
	bytes_append_u8(out, message->op);
	bytes_append_u8(out, message->htype);
	bytes_append_u8(out, message->hlen);
	bytes_append_u8(out, message->hops);
	bytes_append_be32(out, message->xid);
	bytes_append_be16(out, message->secs);
	bytes_append_be16(out, message->flags);
	bytes_append_be32(out, message->ciaddr);
	bytes_append_be32(out, message->yiaddr);
	bytes_append_be32(out, message->siaddr);
	bytes_append_be32(out, message->giaddr);
	bytes_append(out, message->chaddr, sizeof(message->chaddr));
	append_field(out, message->sname, DHCP_SNAME_SIZE);
	append_field(out, message->file, DHCP_FILE_SIZE);
	bytes_append(out, cookie, sizeof(cookie));
}

void dhcp_option_iter_init(struct dhcp_option_iter *iter, const struct dhcp_message *message)
{
	*iter = (struct dhcp_option_iter){ .message = message, .rest = message->options };
}

/* Moves to the next field that holds options; false when there is none. */
static bool enter_next_field(struct dhcp_option_iter *iter)
{
	const struct dhcp_message *m = iter->message;

	while (iter->field < 3) {
		iter->field++;
		if (iter->field == 1 && (m->overload & 1)) {
			iter->rest = m->file;
			return true;
		}
		if (iter->field == 2 && (m->overload & 2)) {
			iter->rest = m->sname;
			return true;
		}
	}
	return false;
}

bool dhcp_option_next(struct dhcp_option_iter *iter, uint8_t *ret_code, struct slice *ret_value)
{
	while (iter->field < 3) {
		if (step(&iter->rest, ret_code, ret_value) == STEP_OPTION)
			return true;
		if (!enter_next_field(iter))
			return false;
	}
	return false;
}

int dhcp_message_option(const struct dhcp_message *message, uint8_t code, struct bytes *scratch,
                        struct slice *ret)
{
	struct dhcp_option_iter iter;
	struct slice value, whole = SLICE_NULL;
	unsigned n_parts = 0;
	size_t start = scratch->len;
	uint8_t found;

	dhcp_option_iter_init(&iter, message);
	while (dhcp_option_next(&iter, &found, &value)) {
		if (found != code)
			continue;
		if (n_parts++ == 1)
			bytes_append_slice(scratch, whole); /* the first part, until now a view */
		if (n_parts > 1)
			bytes_append_slice(scratch, value);
		else
			whole = value;
	}
	if (n_parts == 0)
		return DHCP_OPTION_ABSENT;
	if (scratch->overflow)
		return DHCP_OPTION_NO_ROOM;
	*ret = n_parts == 1 ? whole : slice_make(scratch->data + start, scratch->len - start);
	return 0;
}

bool dhcp_encapsulated_next(struct slice *rest, uint8_t *ret_code, struct slice *ret_value)
{
	return step(rest, ret_code, ret_value) == STEP_OPTION;
}

void dhcp_option_append(struct bytes *out, uint8_t code, struct slice value)
{
	do {
		struct slice part =
			slice_take(&value, MIN(value.len, (size_t)DHCP_OPTION_SIZE_MAX));

		bytes_append_u8(out, code);
		bytes_append_u8(out, (uint8_t)part.len);
		bytes_append_slice(out, part);
	} while (value.len > 0);
}
