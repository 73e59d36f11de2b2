/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Names on the way from root= to systemd: LABEL=x → /dev/disk/by-label/x → its device unit. Pure.
 */
#pragma once

#include "lib/base/bytes.h"

#define UNIT_NAME_MAX 254 /* systemd allows 255 bytes; ".d" must still fit behind it */

enum { UNIT_NAME_TOO_LONG = 1 };

/*
 * Writes the name of the device unit of a node: /dev/disk/by-label/x →
 * dev-disk-by\x2dlabel-x.device (systemd.unit(5), "String Escaping for Inclusion in Unit Names").
 * Returns 0 or UNIT_NAME_TOO_LONG.
 */
int unit_name_from_node(const char *node, char to[UNIT_NAME_MAX]);

/*
 * Writes the link that udev makes for a tag: dir ("by-label") and the value, in which udev replaces
 * all but letters, digits, #+-.:=@_ and whole UTF-8 characters by \xHH. Returns 0 or
 * UNIT_NAME_TOO_LONG when it does not fit size.
 */
int unit_name_tag_node(const char *dir, struct slice value, char *to, size_t size);

/*
 * Appends text as part of an argument of ExecStart= or a value: % is doubled, since systemd takes
 * it for a specifier (systemd.unit(5)).
 */
void unit_name_append_value(struct bytes *out, const char *text);
