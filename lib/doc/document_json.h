/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The JSON half of document, in a file of its own so that a program which reads no YAML does not
 * need libyaml: the agent, whose libraries every boot has to load.
 */
#pragma once

#include <jansson.h>

#include "lib/base/bytes.h"

enum { DOCUMENT_JSON_DEEP = 2 };

/*
 * Parses text of any size.
 * Returns 0 with a new reference; DOCUMENT_BAD, when it is no JSON; DOCUMENT_JSON_DEEP, when it is
 * nested deeper than DOCUMENT_DEPTH_MAX; -ENOMEM.
 */
int document_json_read(struct slice text, json_t **ret);
