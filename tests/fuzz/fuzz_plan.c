/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any command line: its plan survives being written and read, and its units hold nothing that the
 * line could have smuggled in: no byte below a space except the ends of their own lines.
 */
#include <assert.h>
#include <stdlib.h>

#include "initramfs/net_root.h"
#include "initramfs/plan.h"
#include "initramfs/plan_file.h"
#include "initramfs/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count_lines(struct slice text)
{
	unsigned n = 0;

	for (size_t i = 0; i < text.len; i++) {
		assert(text.data[i] >= 0x20 || text.data[i] == '\n');
		n += text.data[i] == '\n';
	}
	return n;
}

/* The same kind of plan with plain values: its units must have as many lines. */
static struct plan plain_like(const struct plan *plan)
{
	struct plan plain = *plan;

	if (plain.device[0])
		(void)strcpy(plain.device, "/dev/a");
	if (plain.upper_device[0])
		(void)strcpy(plain.upper_device, "/dev/b");
	return plain;
}

static void check_plan(const struct plan *plan)
{
	static struct units units, plain_units;
	static uint8_t room[PLAN_FILE_MAX], room_again[PLAN_FILE_MAX];
	struct bytes text = BYTES_ON(room), again = BYTES_ON(room_again);
	struct plan read, plain = plain_like(plan);
	unsigned line;

	plan_write(plan, &text);
	assert(!text.overflow);
	assert(plan_read(bytes_slice(&text), &read, &line) == 0);
	plan_write(&read, &again);
	assert(slice_equal(bytes_slice(&text), bytes_slice(&again)));
	units_make(plan, &units);
	units_make(&plain, &plain_units);
	assert(units.n_units == plain_units.n_units);
	for (size_t i = 0; i < units.n_units; i++) {
		assert(strncmp(units.units[i].name, "..", 2) != 0);
		assert(count_lines(units_text(&units, &units.units[i])) ==
		       count_lines(units_text(&plain_units, &plain_units.units[i])));
	}
}

/* Any options become a mount or a refusal, within their bounds. */
static void check_server(const struct plan *plan)
{
	static struct net_root root;
	const struct net_root_facts facts = { .server = "h",
		                              .address = "10.0.0.1",
		                              .version = "3" };

	if (plan->kind != PLAN_NFS && plan->kind != PLAN_CIFS)
		return;
	if (net_root_compose(plan, &facts, &root))
		return;
	assert(root.n_options <= NET_ROOT_OPTIONS_MAX);
	for (size_t i = 0; i < root.n_options; i++)
		assert(root.options[i].key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct plan_facts facts = { .networkd = size % 2,
		                    .shell = size % 3 == 0,
		                    .https = size % 5 < 3 };
	static struct units units;
	struct plan plan;
	unsigned line;

	(void)plan_is_stray_initrd(text);
	if (plan_from_cmdline(text, &facts, &plan) != PLAN_NOT_OURS) {
		check_plan(&plan);
		check_server(&plan);
	}
	if (plan_read(text, &plan, &line) == 0) {
		units_make(&plan, &units);
		check_server(&plan);
	}
	return 0;
}
