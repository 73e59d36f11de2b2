/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/disk_look.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "initramfs/disk_find.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define CHUNK      ((size_t)1 << 20)
#define LOCK_TRIES 100
#define LOCK_PAUSE ((struct timespec){ .tv_nsec = 50 * 1000 * 1000 })
#define TABLE_MAX  ((size_t)1 << 20) /* of mounts */

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

static void free_probe(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

static void fail(struct disk_facts *facts, const char *what, int error)
{
	if (!facts->error[0])
		(void)snprintf(facts->error, sizeof(facts->error), "%s: %.40s", what,
		               strerror(error));
}

/* Whether a device above ours is a volume of group os. */
static bool is_own_volume(const char *holder)
{
	char name[128], node[80];

	(void)snprintf(node, sizeof(node), "/dev/%.64s", holder);
	disk_find_attribute(node, "dm/name", name, sizeof(name));
	/* "os--x-y" is of group os-x */
	return strncmp(name, LVM_GROUP "-", 3) == 0 && name[3] != '-';
}

/* Devices above the disk. Returns whether volumes of group os are among them. */
static bool look_at_holders(struct disk_facts *facts)
{
	CLEANUP(close_directory) DIR *holders = NULL;
	const struct dirent *entry;
	bool has_own = false;
	char path[128];

	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/holders",
	               facts->node + strlen("/dev/"));
	holders = opendir(path);
	while (holders && (entry = readdir(holders))) {
		if (entry->d_name[0] == '.')
			continue;
		if (is_own_volume(entry->d_name))
			has_own = true;
		else
			(void)snprintf(facts->used_by, sizeof(facts->used_by), "%.60s",
			               entry->d_name);
	}
	return has_own;
}

/* Mounts of the device, from lines "ID PARENT MAJOR:MINOR ROOT TARGET ..." (proc(5)). */
static void look_at_mounts(struct disk_facts *facts, dev_t dev)
{
	struct buffer table = BUFFER_NULL;
	struct slice rest;
	char number[32];

	(void)snprintf(number, sizeof(number), "%u:%u", major(dev), minor(dev));
	if (file_read_all(AT_FDCWD, "/proc/self/mountinfo", TABLE_MAX, &table) < 0)
		fail(facts, "mounts", EIO);
	rest = buffer_slice(&table);
	while (rest.len > 0) {
		struct slice line = slice_cut(&rest, '\n'), fields[5];

		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			fields[i] = slice_cut(&line, ' ');
		if (text_equal(fields[2], number))
			(void)snprintf(facts->used_by, sizeof(facts->used_by), "%.*s",
			               (int)MIN(fields[4].len, (size_t)60),
			               (const char *)fields[4].data);
	}
	buffer_deinit(&table);
}

/* Whether [at, at + len) is all zeros, but for our own stamps. Returns 1, 0 or -errno. */
static int is_zero(int fd, uint64_t at, uint64_t len, uint64_t size, char *room)
{
	while (len > 0) {
		size_t n = (size_t)MIN(len, (uint64_t)CHUNK);
		ssize_t got = fd_pread_all(fd, room, n, (off_t)at);

		if (got < 0)
			return (int)got;
		if ((size_t)got != n)
			return -EIO;
		for (unsigned copy = 0; copy < 2; copy++) {
			uint64_t stamp = disk_stamp_offset(size, copy);
			struct disk_stamp read;

			/* chunks begin at multiples of the stamp's size, as stamps do */
			if (stamp >= at && stamp + DISK_STAMP_SIZE <= at + n &&
			    disk_stamp_parse((uint8_t *)room + (stamp - at), &read) == 0)
				memset(room + (stamp - at), 0, DISK_STAMP_SIZE);
		}
		for (size_t i = 0; i < n; i++)
			if (room[i])
				return 0;
		at += n;
		len -= n;
	}
	return 1;
}

static void look_at_ends(struct disk_facts *facts, int fd)
{
	CLEANUP(freep) char *room = NULL;
	uint64_t tail = facts->size - DISK_TAIL_BYTES;
	int r;

	if (facts->size < DISK_STAMP_LEAST)
		return;
	room = malloc(CHUNK);
	if (!room) {
		fail(facts, "read", ENOMEM);
		return;
	}
	tail &= ~((uint64_t)DISK_STAMP_SIZE - 1);
	r = is_zero(fd, 0, DISK_HEAD_BYTES, facts->size, room);
	facts->is_head_zero = r == 1;
	if (r >= 0) {
		r = is_zero(fd, tail, facts->size - tail, facts->size, room);
		facts->is_tail_zero = r == 1;
	}
	if (r < 0)
		fail(facts, "read", -r);
}

/* The newest whole copy; they differ only if a power cut came between them. */
static void look_for_stamp(struct disk_facts *facts, int fd)
{
	uint8_t block[DISK_STAMP_SIZE];

	facts->stamp = (struct disk_stamp){ .is_there = false };
	if (facts->size < DISK_STAMP_LEAST)
		return;
	for (unsigned copy = 0; copy < 2 && !facts->stamp.is_there; copy++) {
		uint64_t at = disk_stamp_offset(facts->size, copy);

		if (fd_pread_all(fd, block, sizeof(block), (off_t)at) == sizeof(block))
			(void)disk_stamp_parse(block, &facts->stamp);
	}
}

static void take_value(blkid_probe probe, const char *name, char *to, size_t size)
{
	const char *value;

	to[0] = '\0';
	if (blkid_probe_lookup_value(probe, name, &value, NULL) == 0)
		(void)text_escape(to, size, slice_from_text(value));
}

static void look_for_signatures(struct disk_facts *facts, int fd)
{
	CLEANUP(free_probe) blkid_probe probe = blkid_new_probe();
	const char *bad;
	int r;

	if (!probe || blkid_probe_set_device(probe, fd, 0, 0) != 0) {
		fail(facts, "probe", errno ? errno : ENOMEM);
		return;
	}
	(void)blkid_probe_enable_superblocks(probe, 1);
	(void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
	                                                       BLKID_SUBLKS_USAGE |
	                                                       BLKID_SUBLKS_BADCSUM);
	(void)blkid_probe_enable_partitions(probe, 1);
	errno = 0;
	r = blkid_do_safeprobe(probe);
	facts->probe = r == 1    ? DISK_PROBE_NOTHING
	               : r == -2 ? DISK_PROBE_AMBIVALENT
	                         : DISK_PROBE_ONE;
	if (r < 0 && r != -2)
		fail(facts, "probe", errno ? errno : EIO);
	take_value(probe, "TYPE", facts->type, sizeof(facts->type));
	take_value(probe, "LABEL", facts->label, sizeof(facts->label));
	take_value(probe, "PTTYPE", facts->table, sizeof(facts->table));
	facts->is_damaged = blkid_probe_lookup_value(probe, "SBBADCSUM", &bad, NULL) == 0;
}

/* Opens it so that nobody else has it, unless that is our own group. Returns an fd or -1. */
static int open_node(struct disk_facts *facts, bool has_own)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	int fd = open(facts->node, has_own ? flags : flags | O_EXCL);

	if (fd < 0 && errno == EBUSY && !has_own) {
		if (!facts->used_by[0])
			(void)snprintf(facts->used_by, sizeof(facts->used_by), "the kernel");
		fd = open(facts->node, flags);
	}
	if (fd < 0)
		fail(facts, "open", errno);
	return fd;
}

void disk_look(struct disk_facts *facts, int fd)
{
	CLEANUP(fd_closep) int own = -1;
	struct stat st;
	bool has_own;
	int is_read_only = 0;

	facts->error[0] = facts->used_by[0] = '\0';
	has_own = look_at_holders(facts);
	if (fd < 0) {
		own = fd = open_node(facts, has_own);
		if (fd < 0)
			return;
	}
	if (fstat(fd, &st) < 0 || ioctl(fd, BLKGETSIZE64, &facts->size) < 0 ||
	    ioctl(fd, BLKROGET, &is_read_only) < 0) {
		fail(facts, "open", errno);
		return;
	}
	facts->is_read_only = is_read_only;
	look_at_mounts(facts, st.st_rdev);
	look_for_signatures(facts, fd);
	look_for_stamp(facts, fd);
	look_at_ends(facts, fd);
}

int disk_look_lock(int fd)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		(void)nanosleep(&LOCK_PAUSE, NULL); /* woken early: tried early */
	}
	return -EBUSY;
}
