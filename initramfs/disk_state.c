/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/disk_state.h"

#include <stdio.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"

static const char *const state_names[_DISK_STATE_MAX] = {
	[DISK_MISSING] = "missing", [DISK_OURS] = "ours",       [DISK_LEGACY] = "legacy",
	[DISK_BLANK] = "blank",     [DISK_FOREIGN] = "foreign", [DISK_BUSY] = "busy",
};

const char *disk_state_to_name(int value)
{
	const char *name = table_name(state_names, ARRAY_SIZE(state_names), value);

	return name ? name : "?";
}

static bool is_lvm(const struct disk_facts *f)
{
	return strcmp(f->type, "LVM2_member") == 0;
}

/* A physical volume: in group os, or one that a power cut kept from getting there. */
static enum disk_state decide_lvm(const struct disk_facts *f)
{
	if (!f->is_group_known)
		return DISK_FOREIGN;
	if (strcmp(f->group, LVM_GROUP) == 0)
		return f->is_group_ours ? DISK_OURS : DISK_LEGACY;
	return f->group[0] == '\0' && f->stamp.is_there && f->stamp.is_taking ? DISK_BLANK
	                                                                      : DISK_FOREIGN;
}

enum disk_state disk_state_decide(const struct disk_facts *f)
{
	if (f->is_missing)
		return DISK_MISSING;
	if (f->used_by[0])
		return DISK_BUSY;
	if (f->error[0] || f->is_read_only || f->probe == DISK_PROBE_AMBIVALENT || f->is_damaged ||
	    f->table[0] || f->size < DISK_STAMP_LEAST)
		return DISK_FOREIGN;
	if (f->probe == DISK_PROBE_ONE)
		return is_lvm(f) ? decide_lvm(f) : DISK_FOREIGN;
	return f->is_head_zero && f->is_tail_zero ? DISK_BLANK : DISK_FOREIGN;
}

static void explain_lvm(const struct disk_facts *f, char *to, size_t size)
{
	if (!f->is_group_known)
		(void)snprintf(to, size, "a physical volume that lvm cannot read");
	else if (!f->group[0])
		(void)snprintf(to, size, "a physical volume in no group");
	else
		(void)snprintf(to, size, "volume group %s%s", f->group,
		               f->is_group_ours                   ? ", ours"
		               : strcmp(f->group, LVM_GROUP) == 0 ? ", made by the original"
		                                                  : "");
}

/* What one signature is. */
static void explain_type(const struct disk_facts *f, char *to, size_t size)
{
	static const struct {
		const char *type, *words;
	} words[] = {
		{ "crypto_LUKS", "an encrypted volume (LUKS)" },
		{ "linux_raid_member", "a member of a RAID (md)" },
		{ "zfs_member", "a member of a ZFS pool" },
		{ "swap", "swap space" },
	};

	if (is_lvm(f)) {
		explain_lvm(f, to, size);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(f->type, words[i].type) == 0) {
			(void)snprintf(to, size, "%s", words[i].words);
			return;
		}
	(void)snprintf(to, size, "%s%s%s%s", f->type, f->label[0] ? " labelled \"" : "", f->label,
	               f->label[0] ? "\"" : "");
}

void disk_state_explain(const struct disk_facts *f, char *to, size_t size)
{
	if (f->is_missing)
		(void)snprintf(to, size, "no such device");
	else if (f->used_by[0])
		(void)snprintf(to, size, "in use by %s", f->used_by);
	else if (f->error[0])
		(void)snprintf(to, size, "what is on it cannot be read (%s)", f->error);
	else if (f->is_read_only)
		(void)snprintf(to, size, "it cannot be written");
	else if (f->probe == DISK_PROBE_AMBIVALENT)
		(void)snprintf(to, size, "signatures of more than one kind");
	else if (f->table[0])
		(void)snprintf(to, size, "a %s partition table%s%s", f->table,
		               f->type[0] ? " and " : "", f->type);
	else if (f->is_damaged)
		(void)snprintf(to, size, "%s with a wrong checksum", f->type);
	else if (f->size < DISK_STAMP_LEAST)
		(void)snprintf(to, size, "it is smaller than 128 MiB");
	else if (f->probe == DISK_PROBE_ONE)
		explain_type(f, to, size);
	else if (f->is_head_zero && f->is_tail_zero)
		(void)snprintf(to, size, "nothing");
	else
		(void)snprintf(to, size, "no signature, but its %s is not empty",
		               f->is_head_zero ? "end" : "beginning");
}
