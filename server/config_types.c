/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The kinds of single values a configuration has: each reads one JSON value and prints it again.
 */
#include "server/config_read.h"

#include <errno.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/nearest.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/base/usec.h"
#include "lib/format/duration.h"
#include "lib/format/netaddr.h"
#include "server/config.h"

/* Takes a new value for a print function: 0, or -ENOMEM when it could not be made. */
static int printed(json_t *value, json_t **ret)
{
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

static int read_text(struct config_reader *reader, const struct config_key *key,
                     const json_t *value, void *base)
{
	struct slice text = config_string(value);

	if (text.len == 0 || (key->is_good && !key->is_good(text)))
		return config_expected(reader, key->expected, value);
	if (text_copy(config_field(key, base), key->max, text) != 0)
		return config_bad(reader, "expected %s of at most %zu characters, not %zu",
		                  key->expected, (size_t)key->max - 1, text.len);
	return 0;
}

static int print_text(const struct config_key *key, const void *base, json_t **ret)
{
	const char *text = config_const_field(key, base);

	return text[0] ? printed(json_string(text), ret) : 0;
}

const struct config_type config_text = { read_text, print_text };

/* A whole number from min to max into *ret. */
static int read_number(struct config_reader *reader, const struct config_key *key,
                       const json_t *value, uint64_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number < key->min ||
	    (uint64_t)number > key->max)
		return config_expected(reader, key->expected, value);
	*ret = (uint64_t)number;
	return 0;
}

static int read_unsigned(struct config_reader *reader, const struct config_key *key,
                         const json_t *value, void *base)
{
	uint64_t number = 0;
	int r;

	r = read_number(reader, key, value, &number);
	if (r != 0)
		return r;
	*(unsigned *)config_field(key, base) = (unsigned)number;
	return 0;
}

static int print_unsigned(const struct config_key *key, const void *base, json_t **ret)
{
	return printed(json_integer(*(const unsigned *)config_const_field(key, base)), ret);
}

const struct config_type config_unsigned = { read_unsigned, print_unsigned };

static int read_u16(struct config_reader *reader, const struct config_key *key, const json_t *value,
                    void *base)
{
	uint64_t number = 0;
	int r;

	r = read_number(reader, key, value, &number);
	if (r != 0)
		return r;
	*(uint16_t *)config_field(key, base) = (uint16_t)number;
	return 0;
}

static int print_u16(const struct config_key *key, const void *base, json_t **ret)
{
	return printed(json_integer(*(const uint16_t *)config_const_field(key, base)), ret);
}

const struct config_type config_u16 = { read_u16, print_u16 };

static int read_choice(struct config_reader *reader, const struct config_key *key,
                       const json_t *value, void *base)
{
	int choice = table_value(key->names, key->n_keys, config_string(value));
	const char *near;

	if (choice < 0) {
		near = nearest_name(key->names, key->n_keys, config_string(value));
		return config_expected(reader, near ? near : key->expected, value);
	}
	*(unsigned *)config_field(key, base) = (unsigned)choice;
	return 0;
}

static int print_choice(const struct config_key *key, const void *base, json_t **ret)
{
	unsigned choice = *(const unsigned *)config_const_field(key, base);

	return printed(json_string(table_name(key->names, key->n_keys, (int)choice)), ret);
}

const struct config_type config_choice = { read_choice, print_choice };

static int read_duration(struct config_reader *reader, const struct config_key *key,
                         const json_t *value, void *base)
{
	json_int_t seconds = json_integer_value(value);
	usec_t duration = 0;
	int r;

	if (json_is_integer(value) && seconds >= 0)
		r = __builtin_mul_overflow((uint64_t)seconds, USEC_PER_SEC, &duration);
	else
		r = duration_parse(config_string(value), &duration);
	if (r != 0 || duration < key->min || duration > key->max)
		return config_expected(reader, key->expected, value);
	*(usec_t *)config_field(key, base) = duration;
	return 0;
}

static int print_duration(const struct config_key *key, const void *base, json_t **ret)
{
	char text[DURATION_TEXT_MAX];

	return printed(
		json_string(duration_format(*(const usec_t *)config_const_field(key, base), text)),
		ret);
}

const struct config_type config_duration = { read_duration, print_duration };

static int read_age(struct config_reader *reader, const struct config_key *key, const json_t *value,
                    void *base)
{
	struct config_key or_zero = *key;
	usec_t age = 0;
	int r;

	or_zero.offset = 0;
	or_zero.min = 0;
	r = read_duration(reader, &or_zero, value, &age);
	if (r != 0)
		return r;
	if (age > 0 && age < key->min)
		return config_expected(reader, key->expected, value);
	*(usec_t *)config_field(key, base) = age;
	return 0;
}

const struct config_type config_age = { read_age, print_duration };

static int read_ipv4(struct config_reader *reader, const struct config_key *key,
                     const json_t *value, void *base)
{
	uint32_t address = 0;
	int r;

	r = ipv4_parse(config_string(value), &address);
	if (r != 0 || address == 0)
		return config_expected(reader, key->expected, value);
	*(uint32_t *)config_field(key, base) = address;
	return 0;
}

static int print_ipv4(const struct config_key *key, const void *base, json_t **ret)
{
	uint32_t address = *(const uint32_t *)config_const_field(key, base);
	char text[IPV4_TEXT_MAX];

	return address ? printed(json_string(ipv4_format(address, text)), ret) : 0;
}

const struct config_type config_ipv4 = { read_ipv4, print_ipv4 };

static int read_net(struct config_reader *reader, const struct config_key *key, const json_t *value,
                    void *base)
{
	struct ipv4_net net;
	int r;

	r = ipv4_net_parse(config_string(value), &net);
	if (r != 0)
		return config_expected(reader, key->expected, value);
	*(struct ipv4_net *)config_field(key, base) = net;
	return 0;
}

static int print_net(const struct config_key *key, const void *base, json_t **ret)
{
	const struct ipv4_net *net = config_const_field(key, base);
	char text[IPV4_TEXT_MAX];

	return printed(json_sprintf("%s/%u", ipv4_format(net->address, text), net->prefix), ret);
}

const struct config_type config_net = { read_net, print_net };

static int read_not_built(struct config_reader *reader, const struct config_key *key,
                          const json_t *value, void *base)
{
	if (json_is_object(value) && json_object_size(value) == 0)
		return 0; /* `power: {}` asks for nothing */
	return config_bad(reader, "not built yet: expected no such key");
}

static int print_not_built(const struct config_key *key, const void *base, json_t **ret)
{
	return 0;
}

const struct config_type config_not_built = { read_not_built, print_not_built };
