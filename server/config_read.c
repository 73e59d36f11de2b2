/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The structure of a configuration: errors with their place, sections, lists and maps of keys.
 * Single values are in config_types.c.
 */
#include "server/config_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/nearest.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "server/config.h"

#define KEYS_MAX  32 /* of one section; the largest has 10 */
#define NAMES_MAX 400

/* Parts of an error; the key is cut, so that the words behind it are always there. */
#define WORDS_MAX    480
#define KEY_TEXT_MAX 160

static int bad_va(struct config_reader *reader, const char *path, const char *format, va_list args)
{
	char *to = reader->error->text;
	size_t size = sizeof(reader->error->text);
	char words[WORDS_MAX], key[KEY_TEXT_MAX];
	unsigned line, column;

	(void)vsnprintf(words, sizeof(words), format, args);
	(void)text_escape(key, sizeof(key), slice_from_text(path));
	if (document_find_place(reader->doc, path, &line, &column))
		(void)snprintf(to, size, "%s:%u:%u: %s%s%s", reader->file, line, column, key,
		               path[0] ? ": " : "", words);
	else
		(void)snprintf(to, size, "%s: %s%s%s", reader->file, key, path[0] ? ": " : "",
		               words);
	return CONFIG_BAD;
}

int config_bad(struct config_reader *reader, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = bad_va(reader, reader->path, format, args);
	va_end(args);
	return r;
}

int config_bad_at(struct config_reader *reader, const char *path, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = bad_va(reader, path, format, args);
	va_end(args);
	return r;
}

struct slice config_string(const json_t *value)
{
	if (!json_is_string(value))
		return SLICE_NULL;
	return slice_make(json_string_value(value), json_string_length(value));
}

/* How a person would call the value. Returns `to`. */
static const char *describe(const json_t *value, char *to, size_t size)
{
	char text[64];

	switch (json_typeof(value)) {
	case JSON_STRING:
		(void)snprintf(to, size, "\"%s\"",
		               text_escape(text, sizeof(text), config_string(value)));
		break;
	case JSON_INTEGER:
		(void)snprintf(to, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		(void)snprintf(to, size, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		(void)snprintf(to, size, "%s", json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		(void)snprintf(to, size, "nothing");
		break;
	case JSON_ARRAY:
		(void)snprintf(to, size, "a list");
		break;
	case JSON_OBJECT:
		(void)snprintf(to, size, "a mapping");
		break;
	}
	return to;
}

int config_expected(struct config_reader *reader, const char *expected, const json_t *value)
{
	char text[96];

	return config_bad(reader, "expected %s, not %s", expected,
	                  describe(value, text, sizeof(text)));
}

/* Adds to the reader's path what leads to a child; the caller cuts it back to the returned length.
 */
static size_t enter(struct config_reader *reader, const char *separator, const char *name)
{
	size_t len = strlen(reader->path);

	(void)snprintf(reader->path + len, sizeof(reader->path) - len, "%s%s", len ? separator : "",
	               name);
	return len;
}

static size_t enter_member(struct config_reader *reader, size_t i)
{
	size_t len = strlen(reader->path);

	(void)snprintf(reader->path + len, sizeof(reader->path) - len, "[%zu]", i);
	return len;
}

static void leave(struct config_reader *reader, size_t len)
{
	reader->path[len] = '\0';
}

static const struct config_key *find_key(const struct config_key *section, const char *name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	return NULL;
}

static int unknown_key(struct config_reader *reader, const struct config_key *section,
                       const char *name)
{
	const char *names[KEYS_MAX];
	char all[NAMES_MAX];
	struct bytes list = BYTES_ON(all);
	const char *near;

	assert(section->n_keys <= KEYS_MAX);
	for (size_t i = 0; i < section->n_keys; i++) {
		names[i] = section->keys[i].name;
		bytes_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	near = nearest_name(names, section->n_keys, slice_from_text(name));
	if (near)
		return config_bad(reader, "unknown key, expected %s", near);
	return config_bad(reader, "unknown key, expected one of %.*s", (int)list.len, all);
}

static int read_section_key(struct config_reader *reader, const struct config_key *section,
                            const char *name, const json_t *value, void *base)
{
	const struct config_key *key = find_key(section, name);

	if (!key)
		return unknown_key(reader, section, name);
	if (json_is_null(value))
		return 0; /* a key without a value keeps its default */
	return key->type->read(reader, key, value, base);
}

static int read_section(struct config_reader *reader, const struct config_key *section,
                        const json_t *value, void *base)
{
	const char *name;
	json_t *member;
	int r;

	if (!json_is_object(value))
		return config_expected(reader, "a mapping of keys", value);
	json_object_foreach((json_t *)value, name, member)
	{
		size_t len = enter(reader, ".", name);

		r = read_section_key(reader, section, name, member, base);
		if (r != 0)
			return r;
		leave(reader, len);
	}
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct config_key *key = &section->keys[i];

		member = json_object_get(value, key->name);
		if (key->is_required && (!member || json_is_null(member)))
			return config_bad(reader, "expected key %s: %s", key->name, key->expected);
	}
	return 0;
}

static int print_section(const struct config_key *section, const void *base, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *object = json_object();

	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct config_key *key = &section->keys[i];
		json_t *value = NULL;
		int r;

		r = key->type->print(key, base, &value);
		if (r < 0)
			return r;
		if (value && json_object_set_new(object, key->name, value) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(&object);
	return 0;
}

const struct config_type config_section = { read_section, print_section };

static size_t *count_of(const struct config_key *key, void *base)
{
	return (size_t *)(void *)((char *)base + key->count_offset);
}

static void *member_of(const struct config_key *key, void *base, size_t i)
{
	return (char *)config_field(key, base) + i * key->member_size;
}

static size_t printed_count(const struct config_key *key, const void *base)
{
	return *(const size_t *)(const void *)((const char *)base + key->count_offset);
}

static const void *printed_member(const struct config_key *key, const void *base, size_t i)
{
	return (const char *)config_const_field(key, base) + i * key->member_size;
}

static int read_list(struct config_reader *reader, const struct config_key *key,
                     const json_t *value, void *base)
{
	size_t n = json_array_size(value);

	if (!json_is_array(value))
		return config_expected(reader, key->expected, value);
	if (n > key->members_max)
		return config_bad(reader, "expected at most %zu members, not %zu", key->members_max,
		                  n);
	for (size_t i = 0; i < n; i++) {
		size_t len = enter_member(reader, i);
		int r;

		memset(member_of(key, base, i), 0, key->member_size);
		r = key->keys[0].type->read(reader, &key->keys[0], json_array_get(value, i),
		                            member_of(key, base, i));
		if (r != 0)
			return r;
		leave(reader, len);
	}
	for (size_t i = n; i < key->members_max; i++)
		memset(member_of(key, base, i), 0, key->member_size);
	*count_of(key, base) = n;
	return 0;
}

static int print_list(const struct config_key *key, const void *base, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *array = json_array();

	if (!array)
		return -ENOMEM;
	for (size_t i = 0; i < printed_count(key, base); i++) {
		json_t *member = NULL;
		int r;

		r = key->keys[0].type->print(&key->keys[0], printed_member(key, base, i), &member);
		if (r < 0)
			return r;
		if (json_array_append_new(array, member) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(&array);
	return 0;
}

const struct config_type config_list = { read_list, print_list };

/* Reads one `name: value` of a map into a zeroed member. */
static int read_map_member(struct config_reader *reader, const struct config_key *key,
                           const char *name, const json_t *value, void *member)
{
	CLEANUP(json_decrefp) json_t *text = json_string(name);
	int r;

	if (!text)
		return -ENOMEM;
	r = key->keys[0].type->read(reader, &key->keys[0], text, member);
	if (r != 0)
		return r;
	return key->keys[1].type->read(reader, &key->keys[1], value, member);
}

static int read_map(struct config_reader *reader, const struct config_key *key, const json_t *value,
                    void *base)
{
	const char *name;
	json_t *member;
	size_t n = 0;

	if (!json_is_object(value))
		return config_expected(reader, key->expected, value);
	if (json_object_size(value) > key->members_max)
		return config_bad(reader, "expected at most %zu members, not %zu", key->members_max,
		                  json_object_size(value));
	memset(config_field(key, base), 0, key->members_max * key->member_size);
	json_object_foreach((json_t *)value, name, member)
	{
		size_t len = enter(reader, ".", name);
		int r;

		r = read_map_member(reader, key, name, member, member_of(key, base, n));
		if (r != 0)
			return r;
		leave(reader, len);
		n++;
	}
	*count_of(key, base) = n;
	return 0;
}

static int print_map(const struct config_key *key, const void *base, json_t **ret)
{
	CLEANUP(json_decrefp) json_t *object = json_object();

	if (!object)
		return -ENOMEM;
	for (size_t i = 0; i < printed_count(key, base); i++) {
		const void *member = printed_member(key, base, i);
		CLEANUP(json_decrefp) json_t *name = NULL;
		json_t *value = NULL;
		int r;

		r = key->keys[0].type->print(&key->keys[0], member, &name);
		if (r < 0)
			return r;
		r = key->keys[1].type->print(&key->keys[1], member, &value);
		if (r < 0)
			return r;
		if (json_object_set_new(object, json_string_value(name), value) < 0)
			return -ENOMEM;
	}
	*ret = steal_ptr(&object);
	return 0;
}

const struct config_type config_map = { read_map, print_map };
