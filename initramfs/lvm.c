/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/lvm.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "initramfs/module.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"

#define OUTPUT_MAX    ((size_t)256 << 10)
#define CONFIG_MAX    8192
#define ARGUMENTS_MAX 32

/* hints and the devices file are of 2.03.10 and later; earlier ones ignore what they do not know */
#define CONFIG                                                                                     \
	"global{use_lvmpolld=0 notify_dbus=0 use_lvmetad=0} backup{backup=0 archive=0} "           \
	"activation{monitoring=0 udev_sync=0 udev_rules=0} "                                       \
	"devices{use_devicesfile=0 hints=\"none\" "

/* Runs lvm. Returns its exit status or -errno. */
static int run(struct lvm *lvm, const char *const arguments[], const char *config,
               struct buffer *out)
{
	const char *argv[ARGUMENTS_MAX] = { "lvm", arguments[0], "--config", config };
	size_t n = 4;

	/* it is called where the kernel has no device-mapper only to read */
	if (!lvm->has_mapper) {
		argv[n++] = "--driverloaded";
		argv[n++] = "n";
	}
	for (size_t i = 1; arguments[i]; i++) {
		assert(n + 1 < ARRAY_SIZE(argv));
		argv[n++] = arguments[i];
	}
	return program_run(argv, out, lvm->error);
}

/* A report about everything that there is. Returns 0, 1 when lvm found fault with something, or
 * -errno. */
static int report(struct lvm *lvm, const char *const arguments[], struct buffer *out)
{
	int r = run(lvm, arguments, CONFIG "}", out);

	if (r < 0)
		return r;
	if (buffer_error(out) < 0)
		return -ENOMEM;
	return r == 0 ? 0 : 1;
}

static int read_disks(struct lvm *lvm)
{
	static const char *const arguments[] = { "pvs", LVM_REPORT_FORMAT, "-o", LVM_REPORT_DISKS,
		                                 NULL };

	buffer_deinit(&lvm->disks);
	lvm->disks = (struct buffer){ .max = OUTPUT_MAX };
	return report(lvm, arguments, &lvm->disks);
}

static int read_volumes(struct lvm *lvm)
{
	static const char *const arguments[] = {
		"lvs", LVM_REPORT_FORMAT,  "-O",      "lv_time",
		"-o",  LVM_REPORT_VOLUMES, LVM_GROUP, NULL,
	};
	struct buffer out = { .max = OUTPUT_MAX };
	int r = report(lvm, arguments, &out);

	if (r == 1)
		r = -EUCLEAN;
	if (r == 0 && lvm_report_volumes(buffer_slice(&out), &lvm->group) != 0)
		r = -EUCLEAN;
	buffer_deinit(&out);
	return r;
}

/* -S: the group by its name, and no error when there is none. */
static int read_group(struct lvm *lvm)
{
	static const char only_ours[] = "vg_name=" LVM_GROUP;
	static const char *const arguments[] = {
		"vgs", LVM_REPORT_FORMAT, "-o", LVM_REPORT_GROUPS, "-S", only_ours, NULL,
	};
	struct buffer out = { .max = OUTPUT_MAX };
	int r = report(lvm, arguments, &out);

	/* fault with some other group is none with ours */
	if (r >= 0)
		r = lvm_report_group(buffer_slice(&out), &lvm->group) == 0 ? 0 : -EUCLEAN;
	buffer_deinit(&out);
	if (r < 0 || !lvm->group.exists)
		return r;
	return read_volumes(lvm);
}

int lvm_refresh(struct lvm *lvm)
{
	int r = read_disks(lvm);

	lvm->group = (struct lvm_group){ .exists = false };
	return r < 0 ? r : read_group(lvm);
}

int lvm_open(struct lvm *lvm)
{
	int r;

	*lvm = (struct lvm){ .is_there = true };
	(void)module_load("dm_mod"); /* built in, or missed below */
	(void)module_load("dm_snapshot");
	lvm->has_mapper = access("/sys/class/misc/device-mapper", F_OK) == 0;
	r = lvm_refresh(lvm);
	if (r == -ENOENT) {
		lvm->is_there = false;
		return 0;
	}
	return r;
}

void lvm_close(struct lvm *lvm)
{
	buffer_deinit(&lvm->disks);
}

void lvm_fill_facts(const struct lvm *lvm, struct disk_facts *facts)
{
	facts->group[0] = '\0';
	facts->is_group_known =
		lvm->is_there &&
		lvm_report_group_of(buffer_slice(&lvm->disks), facts->node, facts->group) == 0;
	facts->is_group_ours = lvm->group.exists && lvm->group.is_ours;
}

/* A node as part of a filter. False: it has characters that a pattern would read otherwise. */
static bool append_accepted(struct bytes *out, struct slice node)
{
	for (size_t i = 0; i < node.len; i++) {
		char c = (char)node.data[i];

		if (!char_is_alnum(c) && c != '/' && c != '-' && c != '_')
			return false;
	}
	bytes_append_text(out, "\"a|^");
	bytes_append_slice(out, node);
	bytes_append_text(out, "$|\", ");
	return true;
}

static int make_config(const struct lvm *lvm, const char *node, struct bytes *out)
{
	struct slice rest = buffer_slice(&lvm->disks);

	bytes_append_text(out, CONFIG "global_filter=[");
	while (rest.len > 0) {
		struct slice group = text_trim(slice_cut(&rest, '\n'));
		struct slice disk = slice_cut(&group, '|');

		if (!text_equal(group, LVM_GROUP) ||
		    slice_has_prefix(disk, SLICE_LITERAL("["))) /* "[unknown]": not there */
			continue;
		if (!append_accepted(out, disk))
			return -EUCLEAN;
	}
	if (node && !append_accepted(out, slice_from_text(node)))
		return -EUCLEAN;
	bytes_append_text(out, "\"r|.*|\"]}");
	bytes_append_u8(out, '\0');
	return out->overflow ? -E2BIG : 0;
}

int lvm_do(struct lvm *lvm, const char *node, const char *const arguments[])
{
	char config[CONFIG_MAX];
	struct bytes text = BYTES_ON(config);
	struct buffer out = { .max = OUTPUT_MAX };
	int r = make_config(lvm, node, &text);

	lvm->error[0] = '\0';
	if (r == 0)
		r = run(lvm, arguments, config, &out);
	buffer_deinit(&out);
	if (r > 0 && !lvm->error[0])
		(void)snprintf(lvm->error, sizeof(lvm->error), "exit status %d", r);
	return r > 0 ? -EIO : r;
}
