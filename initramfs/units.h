/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A plan as systemd units: files and links below the generator's early directory, in the order in
 * which a boot reaches them. Pure; the same plan gives the same bytes.
 */
#pragma once

#include "initramfs/plan.h"

#define UNITS_MAX      24
#define UNITS_NAME_MAX 320 /* a directory made of a device's unit, and a name in it */
#define UNITS_TEXT_MAX 12288

struct unit {
	char name[UNITS_NAME_MAX]; /* below the directory: "cci-layers.service", "x.wants/y" */
	bool is_link;              /* then text is what it points to */
	size_t offset, len;        /* its text in units.text */
};

struct units {
	size_t n_units;
	struct unit units[UNITS_MAX];
	char text[UNITS_TEXT_MAX]; /* all texts, one after the other */
	size_t text_len;
};

/* Makes the units of a plan. Any plan that plan.h makes or plan_file.h reads fits. */
void units_make(const struct plan *plan, struct units *ret);

/* The content of a unit, or the target of a link. A view into *units. */
struct slice units_text(const struct units *units, const struct unit *unit);
