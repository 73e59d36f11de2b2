/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/power/power_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISKS_MAX 8
#define SECTOR    512

/* One write since the last sync; data NULL: the file was cut to `at` bytes. */
struct change {
	struct change *next;
	sqlite3_int64 at;
	size_t len;
	uint8_t *data;
};

/* A file by its name, and what of it is certain. */
struct disk {
	char path[256];
	uint8_t *kept;
	size_t len_kept, room;
	bool exists_kept;
	bool exists; /* as programs see it */
	struct change *changes, **end;
};

/* What SQLite holds; the system's own file follows it. */
struct power_file {
	sqlite3_file base;
	struct disk *disk; /* NULL: temporary */
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs, *real;
	struct rng *rng;
	struct disk disks[DISKS_MAX];
	size_t n_disks;
	unsigned left; /* calls until the cut; 0: none */
	bool is_cut, is_lying;
} power;

static struct power_file *file_of(sqlite3_file *file)
{
	return (struct power_file *)file;
}

static struct disk *disk_of(const char *path)
{
	struct disk *disk;

	for (size_t i = 0; i < power.n_disks; i++)
		if (strcmp(power.disks[i].path, path) == 0)
			return &power.disks[i];
	assert(power.n_disks < DISKS_MAX);
	disk = &power.disks[power.n_disks++];
	memset(disk, 0, sizeof(*disk));
	(void)snprintf(disk->path, sizeof(disk->path), "%s", path);
	disk->end = &disk->changes;
	return disk;
}

static void drop_changes(struct disk *disk)
{
	while (disk->changes) {
		struct change *change = disk->changes;

		disk->changes = change->next;
		free(change->data);
		free(change);
	}
	disk->end = &disk->changes;
}

static void add_change(struct disk *disk, const void *data, size_t len, sqlite3_int64 at)
{
	struct change *change = calloc(1, sizeof(*change));

	assert(change);
	change->at = at;
	change->len = len;
	if (data) {
		change->data = malloc(len);
		assert(change->data);
		memcpy(change->data, data, len);
	}
	*disk->end = change;
	disk->end = &change->next;
}

static void resize(struct disk *disk, size_t len)
{
	if (len >= disk->room) {
		disk->room = 2 * len + 65536;
		disk->kept = realloc(disk->kept, disk->room);
		assert(disk->kept);
	}
	if (len > disk->len_kept)
		memset(disk->kept + disk->len_kept, 0, len - disk->len_kept);
	disk->len_kept = len;
}

/* Writes those sectors of a change that a coin of `chance` in 256 lets through. */
static void apply(struct disk *disk, const struct change *change, unsigned chance)
{
	size_t done = 0;

	if (!change->data) {
		if (rng_between(power.rng, 0, 255) < chance)
			resize(disk, (size_t)change->at);
		return;
	}
	while (done < change->len) {
		size_t at = (size_t)change->at + done;
		size_t n = SECTOR - at % SECTOR;

		n = n < change->len - done ? n : change->len - done;
		if (rng_between(power.rng, 0, 255) < chance) {
			if (at + n > disk->len_kept)
				resize(disk, at + n);
			memcpy(disk->kept + at, change->data + done, n);
		}
		done += n;
	}
}

/* Counts a call that would reach the disk. Returns whether there is no power any more. */
static bool is_dead(void)
{
	if (!power.is_cut && power.left > 0 && --power.left == 0)
		power.is_cut = true;
	return power.is_cut;
}

/* ---- a file ---- */

static int on_close(sqlite3_file *file)
{
	struct power_file *f = file_of(file);

	return f->real->pMethods ? f->real->pMethods->xClose(f->real) : SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	return file_of(file)->real->pMethods->xRead(file_of(file)->real, to, n, at);
}

static int on_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 at)
{
	struct power_file *f = file_of(file);
	bool was_cut = power.is_cut;

	/* the write in which the power goes may be on its way already */
	if (f->disk && is_dead() && was_cut)
		return SQLITE_IOERR_WRITE;
	if (f->disk)
		add_change(f->disk, data, (size_t)n, at);
	return power.is_cut ? SQLITE_IOERR_WRITE : f->real->pMethods->xWrite(f->real, data, n, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct power_file *f = file_of(file);

	if (f->disk && is_dead())
		return SQLITE_IOERR_TRUNCATE;
	if (f->disk)
		add_change(f->disk, NULL, 0, size);
	return f->real->pMethods->xTruncate(f->real, size);
}

/* All names of the one directory there is. */
static void sync_names(void)
{
	for (size_t i = 0; i < power.n_disks; i++) {
		struct disk *disk = &power.disks[i];

		disk->exists_kept = disk->exists;
		if (disk->exists)
			continue;
		drop_changes(disk);
		resize(disk, 0);
	}
}

static int on_sync(sqlite3_file *file, int flags)
{
	struct disk *disk = file_of(file)->disk;

	if (!disk)
		return SQLITE_OK;
	if (is_dead())
		return SQLITE_IOERR_FSYNC;
	if (power.is_lying)
		return SQLITE_OK;
	for (const struct change *c = disk->changes; c; c = c->next)
		apply(disk, c, 256);
	drop_changes(disk);
	if (!disk->exists_kept)
		sync_names(); /* SQLite's own syncs the directory of a new file with it */
	return SQLITE_OK;
}

#define PASS(name, parameters, ...)                                                                \
	static int name parameters                                                                 \
	{                                                                                          \
		sqlite3_file *real = file_of(file)->real;                                          \
		return real->pMethods->__VA_ARGS__;                                                \
	}

PASS(on_size, (sqlite3_file * file, sqlite3_int64 *ret), xFileSize(real, ret))
PASS(on_lock, (sqlite3_file * file, int level), xLock(real, level))
PASS(on_unlock, (sqlite3_file * file, int level), xUnlock(real, level))
PASS(on_check, (sqlite3_file * file, int *ret), xCheckReservedLock(real, ret))
PASS(on_control, (sqlite3_file * file, int op, void *arg), xFileControl(real, op, arg))
PASS(on_shm_map, (sqlite3_file * file, int page, int size, int extend, void volatile **ret),
     xShmMap(real, page, size, extend, ret))
PASS(on_shm_lock, (sqlite3_file * file, int offset, int n, int flags),
     xShmLock(real, offset, n, flags))
PASS(on_shm_unmap, (sqlite3_file * file, int is_deleted), xShmUnmap(real, is_deleted))

static void on_shm_barrier(sqlite3_file *file)
{
	file_of(file)->real->pMethods->xShmBarrier(file_of(file)->real);
}

static int on_sector(sqlite3_file *file)
{
	return SECTOR;
}

/* Nothing is promised: no atomic writes, no order, no safe append, no power-safe overwrite. */
static int on_traits(sqlite3_file *file)
{
	return 0;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

/* ---- the file system ---- */

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret)
{
	struct power_file *f = file_of(file);
	int r;

	f->base.pMethods = NULL;
	f->real = (sqlite3_file *)(f + 1);
	f->disk = NULL;
	if (power.is_cut)
		return SQLITE_CANTOPEN;
	r = power.real->xOpen(power.real, path, f->real, flags, ret);
	if (r != SQLITE_OK)
		return r;
	f->base.pMethods = &methods;
	if (path && !(flags & SQLITE_OPEN_DELETEONCLOSE)) {
		f->disk = disk_of(path);
		f->disk->exists = true;
	}
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int is_synced)
{
	struct disk *disk = disk_of(path);

	if (is_dead())
		return SQLITE_IOERR_DELETE;
	disk->exists = false;
	if (is_synced) {
		disk->exists_kept = false;
		drop_changes(disk);
		resize(disk, 0);
	}
	return power.real->xDelete(power.real, path, is_synced);
}

void power_vfs_install(struct rng *rng)
{
	power.rng = rng;
	if (power.real)
		return;
	power.real = sqlite3_vfs_find(NULL);
	power.vfs = *power.real;
	power.vfs.zName = "power";
	power.vfs.szOsFile = (int)sizeof(struct power_file) + power.real->szOsFile;
	power.vfs.xOpen = on_open;
	power.vfs.xDelete = on_delete;
	assert(sqlite3_vfs_register(&power.vfs, 1) == SQLITE_OK);
}

void power_vfs_cut_after(unsigned n_calls)
{
	power.left = n_calls;
}

void power_vfs_cut(void)
{
	power.is_cut = true;
}

bool power_vfs_is_cut(void)
{
	return power.is_cut;
}

void power_vfs_set_lying(bool is_lying)
{
	power.is_lying = is_lying;
}

static void write_out(const struct disk *disk)
{
	int fd = open(disk->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;

	assert(fd >= 0);
	while (done < disk->len_kept) {
		ssize_t n = write(fd, disk->kept + done, disk->len_kept - done);

		assert(n > 0);
		done += (size_t)n;
	}
	assert(close(fd) == 0);
}

static void restore(struct disk *disk)
{
	static const unsigned chances[] = { 0, 128, 256, 32 };
	unsigned chance = chances[rng_between(power.rng, 0, 3)];
	bool exists = disk->exists_kept;
	char shm[sizeof(disk->path) + 8];

	/* a name that was made or taken away, and not synced, may be as it was */
	if (disk->exists != disk->exists_kept && rng_between(power.rng, 0, 1) == 0)
		exists = disk->exists;
	for (const struct change *c = disk->changes; c; c = c->next)
		apply(disk, c, chance);
	drop_changes(disk);
	if (exists) {
		write_out(disk);
	} else {
		(void)unlink(disk->path); /* or it was not there */
		resize(disk, 0);
	}
	disk->exists = disk->exists_kept = exists;
	(void)snprintf(shm, sizeof(shm), "%s-shm", disk->path);
	(void)unlink(shm); /* memory that has gone */
}

void power_vfs_restore(void)
{
	for (size_t i = 0; i < power.n_disks; i++)
		restore(&power.disks[i]);
	power.is_cut = false;
	power.left = 0;
}

void power_vfs_forget(void)
{
	for (size_t i = 0; i < power.n_disks; i++) {
		drop_changes(&power.disks[i]);
		free(power.disks[i].kept);
	}
	power.n_disks = 0;
	power.left = 0;
	power.is_cut = power.is_lying = false;
}
