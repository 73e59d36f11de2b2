/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Content-Type of the files we serve, from their names. What a test machine has uploaded is never
 * given a type that a browser would run.
 */
#pragma once

#include "lib/base/bytes.h"

/*
 * For a decoded path. A last component without a dot is text below /result (output, stdout, kmsg),
 * octets elsewhere (vmlinuz). Returns constant text.
 */
const char *http_media_type(struct slice path);
