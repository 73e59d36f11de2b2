/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A document: YAML or JSON text as one jansson tree, with the line and column of each value, so
 * that who reads it can name the place of a mistake.
 *
 * Of YAML: mappings, sequences, scalars in every style, comments. Not: aliases, merge keys, tags,
 * several documents (each is an error that says so). A plain scalar becomes null (`~`, `null`,
 * empty), true, false, or a decimal integer; everything else stays the text it is, so that 20.10
 * remains a version and 1440h a duration.
 */
#pragma once

#include <jansson.h>

#include "lib/base/bytes.h"
#include "lib/base/macro.h"

#define DOCUMENT_DEPTH_MAX 64
#define DOCUMENT_SIZE_MAX  ((size_t)16 << 20)

struct document;

struct document_error {
	unsigned line, column; /* from 1; 0 when the place is not known */
	char text[200];        /* what is wrong, in words */
};

enum {
	DOCUMENT_BAD = 1, /* the text is no document we accept; the error says why */
};

/*
 * Parses text (at most 16 MiB, at most 64 levels deep).
 * Returns 0 and a document for document_free; DOCUMENT_BAD with *ret_error filled; -ENOMEM.
 */
int document_parse(struct slice text, struct document **ret, struct document_error *ret_error);

/*
 * Parses text that must be JSON, with the limits of document_parse and without places.
 * Returns 0 with a new reference, DOCUMENT_BAD, or -ENOMEM.
 */
int document_parse_json(struct slice text, json_t **ret);

void document_free(struct document *doc);

DEFINE_FREEP(struct document, document_free);

/* The tree; borrowed, lives as long as the document. json_incref it to keep a part. */
json_t *document_root(const struct document *doc);

/*
 * Where the value at `path` stands ("dhcp.subnets[0].net"; "" is the root). Returns false (and 0,
 * 0) when there is none, or the text was JSON.
 */
bool document_find_place(const struct document *doc, const char *path, unsigned *ret_line,
                         unsigned *ret_column);

/*
 * Writes a tree as block-style YAML with unquoted scalars where they read back as the same text, as
 * clients that grep a job.yaml line by line need it. Keys in insertion order.
 */
struct buffer;
void document_write_yaml(struct buffer *out, const json_t *root);
