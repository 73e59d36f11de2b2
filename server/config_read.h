/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Tables of keys: each key of the configuration is described once, by its name, its type and the
 * place of its value in a struct; reading, checking and printing follow from that.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

struct config_error;
struct config_key;
struct document;

#define CONFIG_KEY_PATH_MAX 256

/* Where a reader is. */
struct config_reader {
	const char *file;
	const struct document *doc;
	char path[CONFIG_KEY_PATH_MAX]; /* of the key being read: "dhcp.subnets[0].net" */
	struct config_error *error;
};

/*
 * How values of one kind are read and printed. `base` is the struct that the key's offset counts
 * from. read returns 0, CONFIG_BAD (the error is written) or -ENOMEM. print returns 0 with a new
 * reference, or with NULL for a value that is printed by leaving it out; or -ENOMEM.
 */
struct config_type {
	int (*read)(struct config_reader *reader, const struct config_key *key, const json_t *value,
	            void *base);
	int (*print)(const struct config_key *key, const void *base, json_t **ret);
};

struct config_key {
	const char *name;
	const struct config_type *type;
	size_t offset;        /* of the value in its struct */
	const char *expected; /* in words, for the error: "a duration as 45s" */
	bool is_required;     /* an absent key is an error */
	uint64_t min, max;    /* numbers and durations; texts: max is the size of the array */
	bool (*is_good)(struct slice text); /* texts: NULL accepts every text that is not empty */
	const char *const *names;           /* choices: the words, indexed by the value */
	const struct config_key *keys; /* sections: the keys; maps: [0] the name, [1] the value;
	                                  lists: [0] the member */
	size_t n_keys;
	size_t count_offset, member_size, members_max; /* lists and maps */
};

/* Text into char[max]. Absent prints as nothing when it is empty. */
extern const struct config_type config_text;
/* Numbers from min to max into unsigned, and into uint16_t. */
extern const struct config_type config_unsigned;
extern const struct config_type config_u16;
/* One of names (n_keys of them) into an enum. */
extern const struct config_type config_choice;
/* 45s, from min to max microseconds, into usec_t. */
extern const struct config_type config_duration;
extern const struct config_type config_age; /* the same, or 0: for ever; min is of what is not 0 */
/* a.b.c.d into uint32_t; 0 prints as nothing. */
extern const struct config_type config_ipv4;
/* a.b.c.d/n into struct ipv4_net. */
extern const struct config_type config_net;
/* A mapping of known keys; offset counts from the same base as those of its keys. */
extern const struct config_type config_section;
/* A sequence into an array of members_max members, whose number goes to count_offset. */
extern const struct config_type config_list;
/* A mapping of free names into such an array; keys[0] reads the name, keys[1] the value. */
extern const struct config_type config_map;
/* A key of a later version: every value but nothing is refused. */
extern const struct config_type config_not_built;

static inline void *config_field(const struct config_key *key, void *base)
{
	return (char *)base + key->offset;
}

static inline const void *config_const_field(const struct config_key *key, const void *base)
{
	return (const char *)base + key->offset;
}

/* Writes "FILE:LINE:COLUMN: KEY: ..." for the key at reader->path. Returns CONFIG_BAD. */
int config_bad(struct config_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As config_bad, for the key at another path. */
int config_bad_at(struct config_reader *reader, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes "expected <expected>, not <value>". Returns CONFIG_BAD. */
int config_expected(struct config_reader *reader, const char *expected, const json_t *value);

/* The text of a JSON string, or the empty slice. */
struct slice config_string(const json_t *value);
