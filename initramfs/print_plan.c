/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/print_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "initramfs/paths.h"
#include "initramfs/units.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/duration.h"
#include "lib/sys/file.h"

#define LINE_MAX_BYTES  ((size_t)64 << 10)
#define STEPS_MAX_BYTES ((size_t)16 << 10)

static const struct plan_facts default_facts = { .networkd = true, .https = true };

static void put_wait(const struct plan *plan, const char *what, struct bytes *out)
{
	char text[DURATION_TEXT_MAX];

	bytes_printf(out, "wait     %s, at most %s\n", what, duration_format(plan->timeout, text));
}

static void put_fetch(const struct plan *plan, struct bytes *out)
{
	if (strncmp(plan->url, "https:", 6) == 0)
		bytes_append_text(out, "needs    an initramfs built with cci_https=yes\n");
	put_wait(plan, plan->networkd ? "an address from systemd-networkd" : "dracut's network",
	         out);
	bytes_printf(out, "fetch    %s to " CCI_IMG_FILE, plan->url);
	if (plan->size > 0)
		bytes_printf(out, ", %llu bytes", (unsigned long long)plan->size);
	if (plan->sha256[0])
		bytes_printf(out, ", sha256 %s", plan->sha256);
	bytes_printf(out, ", tried again %u times\n", plan->retry);
}

static void put_layers(const struct plan *plan, struct bytes *out)
{
	bytes_printf(out, "lower    %s read-only on " CCI_LOWER_DIR "\n",
	             plan->kind == PLAN_HTTP ? CCI_IMG_FILE : plan->device);
	if (!plan->overlay)
		return;
	if (plan->upper == PLAN_UPPER_DEVICE)
		bytes_printf(out, "upper    %s on " CCI_RW_DIR "\n", plan->upper_device);
	else
		bytes_printf(out, "upper    tmpfs of %s on " CCI_RW_DIR "\n", plan->upper_size);
}

static void put_mount(const struct plan *plan, struct bytes *out)
{
	if (plan->overlay)
		bytes_printf(out, "mount    overlay of " CCI_LOWER_DIR " and " CCI_UPPER_DIR
		                  " on " CCI_NEW_ROOT "\n");
	else
		bytes_printf(out, "mount    %s on " CCI_NEW_ROOT ", %s\n",
		             plan->kind == PLAN_HTTP ? CCI_LOWER_DIR : plan->device,
		             plan->kind == PLAN_HTTP || plan->read_only ? "read-only"
		                                                        : "read-write");
}

static void put_deploy(const struct plan *plan, struct bytes *out)
{
	bytes_append_text(out, "deploy   /lkp, addons, /opt, /usr/local, /usr/src, modules and "
	                       "firmware into " CCI_NEW_ROOT);
	bytes_append_text(out, plan->overlay ? "; its fstab filtered\n" : "\n");
}

static void put_failure(const struct plan *plan, struct bytes *out)
{
	enum boot_onfail onfail = plan->onfail;

	if (onfail == BOOT_ONFAIL_SHELL && !plan->has_shell)
		onfail = BOOT_ONFAIL_REBOOT;
	bytes_printf(out, "failure  report to %s, then %s\n",
	             plan->server[0] ? plan->server : "the server in " CCI_ATTEMPT_FILE,
	             plan_onfail_to_name((int)onfail));
}

void print_plan_steps(const struct plan *plan, struct bytes *out)
{
	if (plan->kind == PLAN_HTTP)
		put_fetch(plan, out);
	if (plan->kind == PLAN_DEVICE)
		put_wait(plan, plan->device, out);
	if (plan->overlay && plan->upper == PLAN_UPPER_DEVICE)
		put_wait(plan, plan->upper_device, out);
	if (plan->overlay || plan->kind == PLAN_HTTP)
		put_layers(plan, out);
	put_mount(plan, out);
	if (plan->deploy)
		put_deploy(plan, out);
	put_failure(plan, out);
}

static void print_units(const struct plan *plan)
{
	static struct units units;

	units_make(plan, &units);
	for (size_t i = 0; i < units.n_units; i++) {
		const struct unit *unit = &units.units[i];
		struct slice text = units_text(&units, unit);

		if (unit->is_link)
			printf("\nlink %s -> %.*s\n", unit->name, (int)text.len,
			       (const char *)text.data);
		else
			printf("\nunit %s\n%.*s", unit->name, (int)text.len,
			       (const char *)text.data);
	}
}

/* Reads the facts' file. Returns 0, or 1 after saying what is wrong. */
static int read_facts(const char *path, struct plan_facts *facts)
{
	struct buffer text;
	struct slice rest;
	int r = file_read_all(AT_FDCWD, path, LINE_MAX_BYTES, &text);

	if (r < 0) {
		fprintf(stderr, "cci-init: %s: %s\n", path, strerror(-r));
		return 1;
	}
	rest = buffer_slice(&text);
	while (rest.len > 0 && r == 0) {
		struct slice value = text_trim(slice_cut(&rest, '\n'));
		struct slice key;

		if (value.len == 0 || value.data[0] == '#')
			continue;
		key = slice_cut(&value, '=');
		if (!text_equal(value, "yes") && !text_equal(value, "no"))
			r = 1;
		else if (text_equal(key, "networkd"))
			facts->networkd = text_equal(value, "yes");
		else if (text_equal(key, "shell"))
			facts->shell = text_equal(value, "yes");
		else if (text_equal(key, "https"))
			facts->https = text_equal(value, "yes");
		else
			r = 1;
	}
	if (r != 0)
		fprintf(stderr,
		        "cci-init: %s: expected lines networkd=yes|no, shell=yes|no and "
		        "https=yes|no\n",
		        path);
	buffer_deinit(&text);
	return r;
}

static int print_line(struct slice line, const struct plan_facts *facts)
{
	static uint8_t room[STEPS_MAX_BYTES];
	struct bytes steps = BYTES_ON(room);
	struct plan plan;
	int r = plan_from_cmdline(line, facts, &plan);

	if (r == PLAN_NOT_OURS) {
		fprintf(stderr, "cci-init: nothing on this line is for us%s\n",
		        plan_is_stray_initrd(line) ? ": the initramfs is the system" : "");
		return 0;
	}
	if (r == PLAN_REFUSED) {
		fprintf(stderr, "cci-init: %s\n", plan.refused);
		return 1;
	}
	print_plan_steps(&plan, &steps);
	assert(!steps.overflow);
	printf("%.*s", (int)steps.len, (const char *)steps.data);
	print_units(&plan);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "cci-init: standard output: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: cci-init print-plan [CMDLINE] [--facts FILE]\n");
	return 2;
}

int print_plan_main(int argc, char *argv[])
{
	struct plan_facts facts = default_facts;
	const char *given = NULL;
	struct buffer text;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--facts") == 0) {
			if (++i == argc)
				return usage();
			r = read_facts(argv[i], &facts);
			if (r != 0)
				return r;
		} else if (given || strncmp(argv[i], "--", 2) == 0) {
			return usage();
		} else {
			given = argv[i];
		}
	}
	if (given)
		return print_line(slice_from_text(given), &facts);
	r = file_read_all(AT_FDCWD, "/proc/cmdline", LINE_MAX_BYTES, &text);
	if (r < 0) {
		fprintf(stderr, "cci-init: /proc/cmdline: %s\n", strerror(-r));
		return 1;
	}
	r = print_line(buffer_slice(&text), &facts);
	buffer_deinit(&text);
	return r;
}
