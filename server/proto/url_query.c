/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/url_query.h"

#include "lib/base/text.h"

bool url_query_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
	while (rest->len > 0) {
		struct slice value = slice_cut(rest, '&');
		struct slice key = slice_cut(&value, '=');

		if (key.len == 0 && value.len == 0)
			continue;
		*ret_key = key;
		*ret_value = value;
		return true;
	}
	return false;
}

/* Takes one decoded byte off *raw, which is not empty. */
static uint8_t take_decoded(struct slice *raw)
{
	uint8_t c = raw->data[0];

	if (c == '%' && raw->len >= 3) {
		int high = char_hex_value((char)raw->data[1]);
		int low = char_hex_value((char)raw->data[2]);

		if (high >= 0 && low >= 0) {
			(void)slice_take(raw, 3);
			return (uint8_t)(high << 4 | low);
		}
	}
	(void)slice_take(raw, 1);
	return c == '+' ? ' ' : c;
}

void url_query_decode(struct slice raw, struct bytes *out)
{
	while (raw.len > 0)
		bytes_append_u8(out, take_decoded(&raw));
}

static bool decodes_to(struct slice raw, const char *text)
{
	for (; raw.len > 0; text++) {
		uint8_t c = take_decoded(&raw);

		if (c == 0 || c != (uint8_t)*text)
			return false;
	}
	return *text == '\0';
}

int url_query_find(struct slice query, const char *key, struct bytes *out)
{
	struct slice raw_key, raw_value;
	size_t before = out->len;

	if (out->overflow)
		return URL_QUERY_TOO_LONG;
	while (url_query_next(&query, &raw_key, &raw_value)) {
		if (!decodes_to(raw_key, key))
			continue;
		url_query_decode(raw_value, out);
		if (!out->overflow)
			return 0;
		out->len = before;
		out->overflow = false;
		return URL_QUERY_TOO_LONG;
	}
	return URL_QUERY_ABSENT;
}
