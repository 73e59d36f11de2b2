/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/print_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "initramfs/net_root.h"
#include "initramfs/paths.h"
#include "initramfs/units.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/duration.h"
#include "lib/format/size.h"
#include "lib/sys/file.h"

#define LINE_MAX_BYTES  ((size_t)64 << 10)
#define STEPS_MAX_BYTES ((size_t)16 << 10)

static const struct plan_facts default_facts = { .networkd = true, .https = true };

static void put_wait(const struct plan *plan, const char *what, struct bytes *out)
{
	char text[DURATION_TEXT_MAX];

	bytes_printf(out, "wait     %s, at most %s\n", what, duration_format(plan->timeout, text));
}

static bool is_net(const struct plan *plan)
{
	return plan->kind == PLAN_NFS || plan->kind == PLAN_CIFS;
}

/* Names no option: one of them may be a password. */
static void put_server(const struct plan *plan, struct bytes *out)
{
	static const char *const dhcp = "the server of the lease";
	const char *versions[NET_ROOT_VERSIONS_MAX];

	bytes_append_text(out, "needs    an initramfs built with cci_net_roots=yes\n");
	put_wait(plan, plan->networkd ? "an address from systemd-networkd" : "dracut's network",
	         out);
	bytes_printf(out, "server   %s, port %u", plan->net_server[0] ? plan->net_server : dhcp,
	             net_root_port(plan));
	net_root_versions(plan, UINT_MAX, versions);
	for (size_t i = 0; versions[i]; i++)
		bytes_printf(out, "%s%s", i == 0 ? ", version " : ", then ", versions[i]);
	bytes_printf(out, ", tried again %u times\n", plan->retry);
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
	if (plan->local != PLAN_LOCAL_NONE)
		bytes_append_text(out, ", if a volume is to be filled");
	bytes_printf(out, ", tried again %u times\n", plan->retry);
}

/* "os/NAME (/dev/mapper/os-NAME)" */
static void put_volume(const char *name, struct bytes *out)
{
	char node[LVM_NODE_MAX];

	bytes_printf(out, "volume   " LVM_GROUP "/%s (%s): ", name, lvm_names_node(name, node));
}

/* A volume that is made once, and only used when it is whole. */
static void put_made_volume(const struct plan *plan, const char *name, bool read_only,
                            struct bytes *out)
{
	char size[SIZE_TEXT_MAX];

	put_volume(name, out);
	bytes_printf(out,
	             "used if it is whole; else made as %s" LVM_PART
	             " of %s, filled from %s, checked, %srenamed\n",
	             name, size_format(plan->volume_size, size),
	             plan->kind == PLAN_HTTP ? plan->url : plan->source,
	             read_only ? "made read-only, " : "");
}

static void put_pair(const struct plan *plan, struct bytes *out)
{
	char size[SIZE_TEXT_MAX];

	(void)size_format(plan->volume_size, size);
	if (plan->source_must_be) {
		put_volume(plan->source_volume, out);
		bytes_append_text(out, "must be there, is not written\n");
	} else {
		put_made_volume(plan, plan->source_volume, true, out);
	}
	put_volume(plan->volume, out);
	if (plan->local == PLAN_LOCAL_SCRATCH)
		bytes_printf(out, "removed, then made as a snapshot of %s with %s for changes\n",
		             plan->source_volume, size);
	else
		bytes_printf(out,
		             "made as %s" LVM_PART
		             " of %s, filled from %s, checked; then it takes the place of the old "
		             "one\n",
		             plan->volume, size, plan->source_volume);
}

static void put_kept(const struct plan *plan, struct bytes *out)
{
	if (plan->partition[0]) {
		bytes_printf(out, "volume   %s: must be there, is used as it is\n",
		             plan->partition);
	} else if (plan->source_must_be) {
		put_volume(plan->volume, out);
		bytes_append_text(out, "must be there, is used as it is\n");
	} else {
		put_made_volume(plan, plan->volume, false, out);
	}
}

static void put_local(const struct plan *plan, struct bytes *out)
{
	bytes_printf(
		out,
		"disks    %s: of group " LVM_GROUP
		" as they are%s; blank ones join it when a volume is made; all others are left "
		"alone\n",
		plan->disks[0] ? plan->disks : "those that hold group " LVM_GROUP,
		plan->migrate ? " and marked as ours" : "");
	if (plan->wipe[0])
		bytes_printf(
			out,
			"wipe     the disk whose serial number or WWN is %s, once, and only after "
			"the server has been told\n",
			plan->wipe);
	if (plan->local == PLAN_LOCAL_KEPT)
		put_kept(plan, out);
	else
		put_pair(plan, out);
	if (!plan_may_do_without_disk(plan))
		bytes_append_text(out, "without  a disk to use the boot fails\n");
	else
		bytes_printf(out,
		             "without  a disk to use: %s below an overlay with a tmpfs of %s\n",
		             plan->source, plan->upper_size);
}

/* What the root is, or what is below it. */
static const char *name_root(const struct plan *plan, char room[LVM_NODE_MAX])
{
	if (plan->local != PLAN_LOCAL_NONE)
		return plan->volume[0] ? lvm_names_node(plan->volume, room) : plan->partition;
	if (is_net(plan))
		return plan->source;
	return plan->kind == PLAN_HTTP ? CCI_IMG_FILE : plan->device;
}

static void put_layers(const struct plan *plan, struct bytes *out)
{
	char room[LVM_NODE_MAX];

	bytes_printf(out, "lower    %s read-only on " CCI_LOWER_DIR "\n", name_root(plan, room));
	if (!plan->overlay)
		return;
	if (plan->upper == PLAN_UPPER_DEVICE)
		bytes_printf(out, "upper    %s on " CCI_RW_DIR "\n", plan->upper_device);
	else
		bytes_printf(out, "upper    tmpfs of %s on " CCI_RW_DIR "\n", plan->upper_size);
}

static void put_mount(const struct plan *plan, struct bytes *out)
{
	bool is_image = plan->kind == PLAN_HTTP && plan->local == PLAN_LOCAL_NONE;
	char room[LVM_NODE_MAX];

	if (plan->overlay)
		bytes_printf(out, "mount    overlay of " CCI_LOWER_DIR " and " CCI_UPPER_DIR
		                  " on " CCI_NEW_ROOT "\n");
	else
		bytes_printf(out, "mount    %s on " CCI_NEW_ROOT ", %s\n",
		             is_image ? CCI_LOWER_DIR : name_root(plan, room),
		             is_image || plan->read_only ? "read-only" : "read-write");
}

static void put_deploy(const struct plan *plan, struct bytes *out)
{
	bool is_own =
		!plan->overlay && (plan->kind == PLAN_DEVICE || plan->local != PLAN_LOCAL_NONE);

	if (plan->overlay || !plan->read_only)
		bytes_append_text(out, "deploy   /lkp, addons, /opt, /usr/local, /usr/src, modules "
		                       "and firmware into " CCI_NEW_ROOT);
	else
		bytes_append_text(out, "deploy   /lkp, on a tmpfs, into " CCI_NEW_ROOT);
	bytes_append_text(out, is_own ? "; its fstab waits for no missing device\n"
	                              : "; its fstab filtered\n");
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
	if (plan->local != PLAN_LOCAL_NONE)
		put_local(plan, out);
	if (plan->kind == PLAN_HTTP)
		put_fetch(plan, out);
	if (is_net(plan) && plan->local == PLAN_LOCAL_NONE)
		put_server(plan, out);
	if (plan->kind == PLAN_DEVICE)
		put_wait(plan, plan->device, out);
	if (plan->overlay && plan->upper == PLAN_UPPER_DEVICE)
		put_wait(plan, plan->upper_device, out);
	if (plan->overlay || (plan->kind == PLAN_HTTP && plan->local == PLAN_LOCAL_NONE))
		put_layers(plan, out);
	put_mount(plan, out);
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
