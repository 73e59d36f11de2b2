/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The numbers that a disk has from its maker, as the kernel shows them, and what people write of
 * them. Pure.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/bytes.h"

#define DISK_ID_MAX 96

/* A serial number from a file of sysfs: blanks at the ends off, inner ones '_' as udev writes them,
 * other bytes that do not print left out. */
void disk_id_from_text(struct slice text, char to[DISK_ID_MAX]);

/* The same from page 0x80 of SCSI's vital product data (SPC-6 7.7.19), header and all. "": none. */
void disk_id_from_page80(struct slice page, char to[DISK_ID_MAX]);

/*
 * A World Wide Name as sysfs has it (naa.5000c500a1b2c3d4, eui.0025..., t10.ATA ..., nvme...), as
 * hexadecimal digits in lower case, or "" when it is of a kind that has none.
 */
void disk_id_from_wwid(struct slice text, char to[DISK_ID_MAX]);

/*
 * Whether `written` (a serial number; a WWN with or without 0x, wwn-0x, naa., eui.) is one of the
 * two. An empty one is nobody's.
 */
bool disk_id_is(struct slice written, const char *serial, const char *wwn);

/*
 * The same for cci.wipe=, where ":WORD" of letters, digits, '.', '_' and '-' may follow: a
 * permission of its own.
 */
bool disk_id_is_permitted(struct slice token, const char *serial, const char *wwn);
