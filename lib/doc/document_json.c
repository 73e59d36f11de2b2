/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * JSON by jansson, with the limits of a document.
 */
#include "lib/doc/document_json.h"

#include <errno.h>

#include "lib/doc/document.h"

/* Whether arrays and objects are nested deeper than `room`. */
static bool is_deeper(const json_t *value, unsigned room)
{
	const char *name;
	json_t *member;
	size_t i;

	if (!json_is_array(value) && !json_is_object(value))
		return false;
	if (room == 0)
		return true;
	json_array_foreach((json_t *)value, i, member) if (is_deeper(member, room - 1)) return true;
	json_object_foreach((json_t *)value, name,
	                    member) if (is_deeper(member, room - 1)) return true;
	return false;
}

/*
 * jansson calls some failed allocations a mistake of syntax: a real one is
 * there again, at the same place, the second time.
 */
static int load(struct slice text, json_t **ret)
{
	json_error_t first, second;
	const char *data = text.len ? (const char *)text.data : "";
	json_t *root;

	root = json_loadb(data, text.len, JSON_REJECT_DUPLICATES, &first);
	if (root) {
		*ret = root;
		return 0;
	}
	if (first.text[0] == '\0')
		return -ENOMEM;
	root = json_loadb(data, text.len, JSON_REJECT_DUPLICATES, &second);
	if (root || first.position != second.position) {
		json_decref(root);
		return -ENOMEM;
	}
	return DOCUMENT_BAD;
}

int document_json_read(struct slice text, json_t **ret)
{
	json_t *root;
	int r;

	r = load(text, &root);
	if (r != 0)
		return r;
	if (is_deeper(root, DOCUMENT_DEPTH_MAX)) {
		json_decref(root);
		return DOCUMENT_JSON_DEEP;
	}
	*ret = root;
	return 0;
}

int document_parse_json(struct slice text, json_t **ret)
{
	int r;

	if (text.len > DOCUMENT_SIZE_MAX)
		return DOCUMENT_BAD;
	r = document_json_read(text, ret);
	return r > 0 ? DOCUMENT_BAD : r;
}
