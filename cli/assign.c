/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "cli/assign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"

/* Most mappings a dotted key may descend through. */
#define DEPTH_MAX 16

static int bad(char error[ASSIGN_ERROR_MAX], const char *assignment, const char *why)
{
	(void)snprintf(error, ASSIGN_ERROR_MAX, "%.60s: %s", assignment, why);
	return ASSIGN_BAD;
}

/* Jansson takes no text that is not UTF-8, and does not tell that from short memory: ASCII is never
 * the former. */
static int refused_text(struct slice text, const char *assignment, char error[ASSIGN_ERROR_MAX])
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] > 0x7f)
			return bad(error, assignment, "this is not UTF-8");
	return -ENOMEM;
}

/* Whether the text asks to be read as YAML or JSON. */
static bool is_written_as_document(struct slice value)
{
	return value.len > 0 && strchr("[{\"", value.data[0]) != NULL;
}

static int read_value(struct slice text, const char *assignment, json_t **ret,
                      char error[ASSIGN_ERROR_MAX])
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error why = { .text = "" };
	bool has_space =
		slice_find(text, ' ', 0) < text.len || slice_find(text, '\n', 0) < text.len;
	int q;

	if (has_space && !is_written_as_document(text))
		q = DOCUMENT_BAD;
	else
		q = document_parse(text, &doc, &why);
	if (q < 0)
		return q;
	if (q == DOCUMENT_BAD && is_written_as_document(text))
		return bad(error, assignment, why.text[0] ? why.text : "this is no value");
	if (q == 0 && (is_written_as_document(text) || json_is_integer(document_root(doc)) ||
	               json_is_boolean(document_root(doc))))
		*ret = json_incref(document_root(doc));
	else
		*ret = json_stringn((const char *)text.data, text.len);
	return *ret ? 0 : refused_text(text, assignment, error);
}

/* The mapping of that name below *object, made when there is nothing. */
static int descend(json_t **object, struct slice name, const char *assignment,
                   char error[ASSIGN_ERROR_MAX])
{
	json_t *member = json_object_getn(*object, (const char *)name.data, name.len);

	if (!member || json_is_null(member)) {
		member = json_object();
		if (!member)
			return -ENOMEM;
		if (json_object_setn_new(*object, (const char *)name.data, name.len, member) < 0)
			return refused_text(name, assignment, error);
	}
	if (!json_is_object(member))
		return bad(error, assignment, "the key leads through no mapping");
	*object = member;
	return 0;
}

/* Follows a dotted key to the mapping that has its last part, *ret_name. */
static int find_place(json_t **object, struct slice key, const char *assignment,
                      struct slice *ret_name, char error[ASSIGN_ERROR_MAX])
{
	for (size_t depth = 0; depth < DEPTH_MAX; depth++) {
		struct slice name = slice_cut(&key, '.');
		int q;

		if (name.len == 0 || (key.len == 0 && ((const char *)name.data)[name.len] == '.'))
			return bad(error, assignment, "a part of the key is empty");
		if (key.len == 0) {
			*ret_name = name;
			return 0;
		}
		q = descend(object, name, assignment, error);
		if (q != 0)
			return q;
	}
	return bad(error, assignment, "the key has too many parts");
}

int assign_apply(json_t *document, const char *assignment, char ret_error[ASSIGN_ERROR_MAX])
{
	struct slice value = slice_from_text(assignment), key = slice_cut(&value, '=');
	json_t *object = document, *member = NULL;
	struct slice name;
	int q;

	if (!json_is_object(document))
		return bad(ret_error, assignment, "the job is not a mapping");
	if (key.len == strlen(assignment) || key.len == 0)
		return bad(ret_error, assignment, "expected KEY=VALUE");
	q = find_place(&object, key, assignment, &name, ret_error);
	if (q != 0)
		return q;
	if (value.len == 0) {
		(void)json_object_deln(object, (const char *)name.data, name.len);
		return 0;
	}
	q = read_value(value, assignment, &member, ret_error);
	if (q != 0)
		return q;
	if (json_object_setn_new(object, (const char *)name.data, name.len, member) < 0)
		return refused_text(name, assignment, ret_error);
	return 0;
}
