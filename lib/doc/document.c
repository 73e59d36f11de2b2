/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * YAML events of libyaml to a jansson tree. JSON goes through jansson itself: it is stricter and
 * knows surrogate pairs.
 */
#include "lib/doc/document.h"

#include <errno.h>
#include <stdio.h>
#include <yaml.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document_colon.h"
#include "lib/doc/document_json.h"

struct place {
	struct map_node node;
	unsigned line, column;
	char path[];
};

struct document {
	json_t *root;
	struct map places; /* struct place by path */
};

/* State of one parse. The path grows and shrinks as the parser descends. */
struct reader {
	yaml_parser_t parser;
	struct document *doc;
	struct document_error *error;
	struct document_colons *colons;
	struct buffer path;
	unsigned depth;
};

static inline void event_deletep(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static struct slice place_key(const struct map_node *node)
{
	return slice_from_text(CONTAINER_OF(node, struct place, node)->path);
}

static unsigned column_of(const struct reader *r, yaml_mark_t mark)
{
	return (unsigned)document_colons_column(r->colons, mark.line, mark.column) + 1;
}

static int bad(struct reader *r, yaml_mark_t mark, const char *text)
{
	r->error->line = (unsigned)mark.line + 1;
	r->error->column = column_of(r, mark);
	(void)snprintf(r->error->text, sizeof(r->error->text), "%s", text);
	return DOCUMENT_BAD;
}

static int next_event(struct reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return bad(r, r->parser.problem_mark,
	           r->parser.problem ? r->parser.problem : "this is not YAML");
}

static int remember_place(struct reader *r, yaml_mark_t mark)
{
	struct slice path = buffer_slice(&r->path);
	struct place *place;
	int q;

	if (r->path.failed)
		return -ENOMEM;
	place = malloc(sizeof(*place) + path.len + 1);
	if (!place)
		return -ENOMEM;
	place->line = (unsigned)mark.line + 1;
	place->column = column_of(r, mark);
	(void)text_copy(place->path, path.len + 1, path);
	if (map_find(&r->doc->places, place_key(&place->node))) {
		free(place);
		return 0;
	}
	q = map_insert(&r->doc->places, &place->node);
	if (q < 0)
		free(place);
	return q;
}

static bool is_integer(struct slice s)
{
	bool negative = s.len > 0 && s.data[0] == '-';
	uint64_t value;

	if (negative)
		(void)slice_take(&s, 1);
	if (s.len > 1 && s.data[0] == '0')
		return false; /* 007 is a text: nobody agrees on its number */
	return text_parse_u64(s, (uint64_t)INT64_MAX + negative, &value) == 0;
}

static json_t *plain_scalar(struct slice s)
{
	if (s.len == 0 || text_equal(s, "~") || text_equal(s, "null") || text_equal(s, "Null") ||
	    text_equal(s, "NULL"))
		return json_null();
	if (text_equal(s, "true") || text_equal(s, "True") || text_equal(s, "TRUE"))
		return json_true();
	if (text_equal(s, "false") || text_equal(s, "False") || text_equal(s, "FALSE"))
		return json_false();
	if (is_integer(s)) {
		bool negative = s.data[0] == '-';
		uint64_t value = 0;

		(void)text_parse_u64(slice_sub(s, negative, s.len), UINT64_MAX, &value);
		return json_integer((json_int_t)(negative ? 0 - value : value));
	}
	return json_stringn((const char *)s.data, s.len);
}

static int read_scalar(struct reader *r, const yaml_event_t *event, json_t **ret)
{
	struct slice s = slice_make(event->data.scalar.value, event->data.scalar.length);
	json_t *value;

	if (slice_find(s, 0, 0) < s.len)
		return bad(r, event->start_mark, "a NUL in a text is not accepted");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		value = plain_scalar(s);
	else
		value = json_stringn((const char *)s.data, s.len);
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

static int read_value(struct reader *r, const yaml_event_t *event, json_t **ret);

/* Reads one value under the path extended by what the caller appended since `mark_len`. */
static int read_member(struct reader *r, const yaml_event_t *event, size_t path_len, json_t **ret)
{
	int q = remember_place(r, event->start_mark);

	if (q == 0)
		q = read_value(r, event, ret);
	r->path.len = path_len;
	return q;
}

static int read_sequence(struct reader *r, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *array = json_array();

	if (!array)
		return -ENOMEM;
	for (size_t i = 0;; i++) {
		CLEANUP(event_deletep) yaml_event_t event = { 0 };
		size_t path_len = r->path.len;
		json_t *member = NULL;
		int q = next_event(r, &event);

		if (q != 0)
			return q;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		buffer_printf(&r->path, "[%zu]", i);
		q = read_member(r, &event, path_len, &member);
		if (q != 0)
			return q;
		if (json_array_append_new(array, member) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(&array);
	return 0;
}

/* Reads the value of one key whose scalar event is given, and adds both to the object. */
static int read_pair(struct reader *r, const yaml_event_t *key_event, json_t *object)
{
	struct slice key = slice_make(key_event->data.scalar.value, key_event->data.scalar.length);
	CLEANUP(event_deletep) yaml_event_t event = { 0 };
	size_t path_len = r->path.len;
	json_t *member = NULL;
	int q;

	if (slice_find(key, 0, 0) < key.len)
		return bad(r, key_event->start_mark, "a NUL in a key is not accepted");
	if (text_equal(key, "<<") && key_event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return bad(r, key_event->start_mark, "merge keys (<<) are not accepted");
	if (json_object_getn(object, (const char *)key.data, key.len))
		return bad(r, key_event->start_mark, "this key stands here twice");
	q = next_event(r, &event);
	if (q != 0)
		return q;
	if (path_len > 0)
		buffer_append_text(&r->path, ".");
	buffer_append_slice(&r->path, key);
	q = remember_place(r, key_event->start_mark);
	if (q == 0)
		q = read_value(r, &event, &member);
	r->path.len = path_len;
	if (q != 0)
		return q;
	if (json_object_setn_new(object, (const char *)key.data, key.len, member) < 0)
		return -ENOMEM; /* libyaml has seen to it that the key is UTF-8 */
	return 0;
}

static int read_mapping(struct reader *r, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *object = json_object();

	if (!object)
		return -ENOMEM;
	for (;;) {
		CLEANUP(event_deletep) yaml_event_t event = { 0 };
		int q = next_event(r, &event);

		if (q != 0)
			return q;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		if (event.type != YAML_SCALAR_EVENT)
			return bad(r, event.start_mark, "a key must be a plain text");
		q = read_pair(r, &event, object);
		if (q != 0)
			return q;
	}
	*ret = steal_ptr(&object);
	return 0;
}

static int read_value(struct reader *r, const yaml_event_t *event, json_t **ret)
{
	int q;

	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event, ret);
	if (event->type == YAML_ALIAS_EVENT)
		return bad(r, event->start_mark, "aliases (*name) are not accepted");
	if (r->depth >= DOCUMENT_DEPTH_MAX)
		return bad(r, event->start_mark, "nested too deep");
	r->depth++;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		q = read_sequence(r, ret);
	else if (event->type == YAML_MAPPING_START_EVENT)
		q = read_mapping(r, ret);
	else
		q = bad(r, event->start_mark, "a value is missing here");
	r->depth--;
	return q;
}

/* Reads events up to and including one of that type; anything else than the start of the stream or
 * of the document is a mistake. */
static int expect_event(struct reader *r, yaml_event_type_t type, const char *otherwise)
{
	CLEANUP(event_deletep) yaml_event_t event = { 0 };
	int q = next_event(r, &event);

	if (q != 0)
		return q;
	return event.type == type ? 0 : bad(r, event.start_mark, otherwise);
}

static int read_document(struct reader *r)
{
	CLEANUP(event_deletep) yaml_event_t event = { 0 };
	int q;

	q = expect_event(r, YAML_STREAM_START_EVENT, "this is not YAML");
	if (q != 0)
		return q;
	q = expect_event(r, YAML_DOCUMENT_START_EVENT, "the document is empty");
	if (q != 0)
		return q;
	q = next_event(r, &event);
	if (q != 0)
		return q;
	q = read_member(r, &event, 0, &r->doc->root);
	if (q != 0)
		return q;
	q = expect_event(r, YAML_DOCUMENT_END_EVENT, "something stands after the document");
	if (q != 0)
		return q;
	return expect_event(r, YAML_STREAM_END_EVENT, "only one document is accepted");
}

static void forget_places(struct map *places)
{
	for (struct map_node *n = map_first(places); n; n = map_first(places)) {
		map_remove(places, n);
		free(CONTAINER_OF(n, struct place, node));
	}
}

/* One attempt; *ret_mark is where libyaml stopped, if it did. */
static int parse_yaml_once(struct slice text, struct document *doc, struct document_colons *colons,
                           struct document_error *error, yaml_mark_t *ret_mark)
{
	struct reader r = { .doc = doc, .error = error, .colons = colons };
	int q;

	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&r.parser, text.len ? text.data : (const uint8_t *)"",
	                             text.len);
	q = read_document(&r);
	*ret_mark = r.parser.problem_mark;
	yaml_parser_delete(&r.parser);
	buffer_deinit(&r.path);
	return q;
}

static int parse_yaml(struct slice text, struct document *doc, struct document_error *error)
{
	struct document_colons colons = { .n = 0 };
	struct buffer quoted = BUFFER_NULL;
	yaml_mark_t mark = { 0 };
	int q;

	q = parse_yaml_once(text, doc, &colons, error, &mark);
	while (q == DOCUMENT_BAD) {
		if (colons.n == 0)
			buffer_append_slice(&quoted, text);
		if (!document_colons_quote(&colons, &quoted, mark.index, mark.line, mark.column))
			break;
		forget_places(&doc->places);
		json_decref(doc->root);
		doc->root = NULL;
		q = parse_yaml_once(buffer_slice(&quoted), doc, &colons, error, &mark);
	}
	if (q == DOCUMENT_BAD && quoted.failed)
		q = -ENOMEM;
	buffer_deinit(&quoted);
	return q;
}

static bool looks_like_json(struct slice text)
{
	text = text_trim(text);
	return text.len > 0 && (text.data[0] == '{' || text.data[0] == '[');
}

int document_parse(struct slice text, struct document **ret, struct document_error *ret_error)
{
	static const uint64_t no_seed[2] = {
		0, 0
	}; /* paths come from one sender, who harms himself */
	CLEANUP(document_freep) struct document *doc = NULL;
	int q;

	*ret_error = (struct document_error){ .text = "" };
	if (text.len > DOCUMENT_SIZE_MAX) {
		(void)snprintf(ret_error->text, sizeof(ret_error->text),
		               "the document is larger than 16 MiB");
		return DOCUMENT_BAD;
	}
	doc = calloc(1, sizeof(*doc));
	if (!doc)
		return -ENOMEM;
	map_init(&doc->places, no_seed, place_key);
	if (looks_like_json(text)) {
		q = document_json_read(text, &doc->root);
		if (q < 0)
			return q;
		if (q == DOCUMENT_JSON_DEEP) {
			(void)snprintf(ret_error->text, sizeof(ret_error->text), "nested too deep");
			return DOCUMENT_BAD;
		}
	}
	if (!doc->root) {
		q = parse_yaml(text, doc, ret_error);
		if (q != 0)
			return q;
	}
	*ret = steal_ptr(&doc);
	return 0;
}

void document_free(struct document *doc)
{
	if (!doc)
		return;
	forget_places(&doc->places);
	map_deinit(&doc->places);
	json_decref(doc->root);
	free(doc);
}

json_t *document_root(const struct document *doc)
{
	return doc->root;
}

bool document_find_place(const struct document *doc, const char *path, unsigned *ret_line,
                         unsigned *ret_column)
{
	const struct map_node *node = map_find(&doc->places, slice_from_text(path));
	const struct place *place = node ? CONTAINER_OF(node, struct place, node) : NULL;

	*ret_line = place ? place->line : 0;
	*ret_column = place ? place->column : 0;
	return place != NULL;
}
