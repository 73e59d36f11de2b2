/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/disk_policy.h"

#include <stdio.h>

#include "lib/base/text.h"

/* "/dev/sdb (serial ZA1HM4ZK, WWN 5000c500a1b2c3d4)" */
static void name_disk(const struct disk_facts *f, char *to, size_t size)
{
	bool has_both = f->serial[0] && f->wwn[0];

	if (f->is_missing) {
		(void)snprintf(to, size, "%s", f->name);
		return;
	}
	(void)snprintf(to, size, "%s%s%s%s%s%s%s%s", f->node, f->serial[0] || f->wwn[0] ? " (" : "",
	               f->serial[0] ? "serial " : "", f->serial, has_both ? ", " : "",
	               f->wwn[0] ? "WWN " : "", f->wwn, f->serial[0] || f->wwn[0] ? ")" : "");
}

/* What cannot be read or written cannot be cleared. */
static bool is_beyond_help(const struct disk_facts *f)
{
	return f->error[0] || f->is_read_only || f->size < DISK_STAMP_LEAST;
}

/* What would permit to clear a foreign disk. */
static void explain_permission(const struct disk_facts *f, const char *wipe, char *to, size_t size)
{
	const char *id = f->serial[0] ? f->serial : f->wwn;

	if (is_beyond_help(f))
		(void)snprintf(to, size, "nothing permits to clear it");
	else if (f->stamp.n_tokens == DISK_STAMP_TOKENS_MAX)
		(void)snprintf(to, size,
		               "it has been cleared %d times by cci.wipe=, which is "
		               "enough: clear it by hand",
		               DISK_STAMP_TOKENS_MAX);
	else if (!id[0])
		(void)snprintf(to, size,
		               "the kernel reports no serial number and no WWN of it, so "
		               "that nothing permits to clear it");
	else if (disk_id_is_permitted(slice_from_text(wipe), f->serial, f->wwn) &&
	         disk_stamp_has(&f->stamp, wipe))
		(void)snprintf(to, size,
		               "cci.wipe=%s has been used on it already and counts once; "
		               "cci.wipe=%s:WORD with a new word would permit to clear it",
		               wipe, id);
	else
		(void)snprintf(to, size, "cci.wipe=%s would permit to clear it%s%s", id,
		               wipe[0] ? "; this is not " : "", wipe);
}

static void decide_foreign(const struct disk_facts *f, const char *wipe, const char *disk,
                           const char *found, struct disk_verdict *ret)
{
	bool is_permitted = strlen(wipe) < DISK_STAMP_TOKEN_MAX &&
	                    disk_id_is_permitted(slice_from_text(wipe), f->serial, f->wwn) &&
	                    !disk_stamp_has(&f->stamp, wipe) &&
	                    f->stamp.n_tokens < DISK_STAMP_TOKENS_MAX;
	char permission[480];

	if (is_permitted && !is_beyond_help(f)) {
		ret->act = DISK_WIPE;
		(void)snprintf(ret->why, sizeof(ret->why),
		               "%s: %s: is cleared, once, as cci.wipe=%s permits", disk, found,
		               wipe);
		return;
	}
	explain_permission(f, wipe, permission, sizeof(permission));
	(void)snprintf(ret->why, sizeof(ret->why), "%s: %s: left alone; %s", disk, found,
	               permission);
}

static void decide_one(const struct disk_facts *f, const char *wipe, struct disk_verdict *ret)
{
	char disk[sizeof(f->node) + sizeof(f->serial) + sizeof(f->wwn) + 32], found[160];
	const char *done = "";

	ret->state = disk_state_decide(f);
	ret->act = DISK_LEAVE;
	name_disk(f, disk, sizeof(disk));
	disk_state_explain(f, found, sizeof(found));
	switch (ret->state) {
	case DISK_OURS:
	case DISK_LEGACY:
		ret->act = DISK_USE;
		done = "is used";
		break;
	case DISK_BLANK:
		ret->act = DISK_TAKE;
		done = "may be taken";
		break;
	case DISK_BUSY:
		done = "left alone; nothing permits more while it is in use";
		break;
	case DISK_MISSING:
		done = "nothing can be done with it";
		break;
	case DISK_FOREIGN:
	case _DISK_STATE_MAX:
		decide_foreign(f, wipe, disk, found, ret);
		return;
	}
	(void)snprintf(ret->why, sizeof(ret->why), "%s: %s: %s", disk, found, done);
}

static bool is_same_disk(const struct disk_facts *a, const struct disk_facts *b)
{
	if (a->is_missing || b->is_missing)
		return false;
	/* two partitions of one disk are two */
	return strcmp(a->node, b->node) == 0 || strcmp(a->whole, b->node) == 0 ||
	       strcmp(a->node, b->whole) == 0;
}

/* Two disks with the number that is permitted: it names neither. */
static bool is_one_of_two(const struct disk_facts *disks, size_t n, size_t i, const char *wipe)
{
	for (size_t k = 0; k < n; k++)
		if (k != i && !disks[k].is_missing && strcmp(disks[k].whole, disks[i].whole) != 0 &&
		    disk_id_is_permitted(slice_from_text(wipe), disks[k].serial, disks[k].wwn))
			return true;
	return false;
}

void disk_policy_decide(const struct disk_facts *disks, size_t n, const char *wipe,
                        struct disk_verdict *ret)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < i && !is_same_disk(&disks[k], &disks[i]))
			k++;
		decide_one(&disks[i], wipe, &ret[i]);
		if (k < i) {
			ret[i].act = DISK_LEAVE;
			(void)snprintf(ret[i].why, sizeof(ret[i].why),
			               "%s: is %s, which rootfs_disk= has already: counts once",
			               disks[i].name, disks[k].node);
		} else if (ret[i].act == DISK_WIPE && is_one_of_two(disks, n, i, wipe)) {
			ret[i].act = DISK_LEAVE;
			(void)snprintf(ret[i].why, sizeof(ret[i].why),
			               "%s: left alone: cci.wipe=%s is the number of more than one "
			               "disk",
			               disks[i].node, wipe);
		}
	}
}
