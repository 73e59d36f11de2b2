/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The order is what counts. Clearing: the server is told; the stamp says that these words have been
 * used; the ends are emptied; nothing may be found there then. Taking: the stamp says that we have
 * begun, so that a power cut leaves a disk which is still ours to take; lvm writes; the stamp says
 * that it is done.
 */
#include "initramfs/disk_take.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "initramfs/disk_look.h"
#include "initramfs/report.h"
#include "initramfs/tell.h"
#include "initramfs/volume_source.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define CHUNK ((size_t)1 << 20)

struct taker {
	const struct plan *plan;
	struct lvm *lvm;
	struct disk_facts facts;
	int lock_fd; /* the whole disk, for udev to see */
	int fd;      /* the device itself, ours alone */
	char *error;
};

static int fail(struct taker *t, const char *what, const char *why)
{
	(void)snprintf(t->error, DISK_ERROR_MAX, "%s: %s: %s", t->facts.node, what, why);
	return -ECANCELED;
}

static int write_at(int fd, const void *data, size_t len, uint64_t at)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_stamp(struct taker *t, bool is_taking)
{
	uint8_t block[DISK_STAMP_SIZE];
	int r = 0;

	t->facts.stamp.is_there = true;
	t->facts.stamp.is_taking = is_taking;
	disk_stamp_build(&t->facts.stamp, block);
	for (unsigned copy = 0; copy < 2 && r == 0; copy++) {
		r = write_at(t->fd, block, sizeof(block), disk_stamp_offset(t->facts.size, copy));
		/* one whole copy is there at any time */
		if (r == 0 && fsync(t->fd) < 0)
			r = -errno;
	}
	return r < 0 ? fail(t, "cannot write our stamp", strerror(-r)) : 0;
}

static int write_zeros(int fd, uint64_t at, uint64_t end)
{
	CLEANUP(freep) void *zeros = calloc(1, CHUNK);
	int r = 0;

	if (!zeros)
		return -ENOMEM;
	while (at < end && r == 0) {
		size_t n = (size_t)MIN(end - at, (uint64_t)CHUNK);

		r = write_at(fd, zeros, n, at);
		at += n;
	}
	return r;
}

/* Both ends but for the stamp, which stands. */
static int empty_ends(struct taker *t)
{
	uint64_t size = t->facts.size, at = size - DISK_TAIL_BYTES;
	int r = write_zeros(t->fd, 0, DISK_HEAD_BYTES);

	for (unsigned copy = 2; copy > 0 && r == 0; copy--) {
		uint64_t stamp = disk_stamp_offset(size, copy - 1);

		r = write_zeros(t->fd, at, stamp);
		at = stamp + DISK_STAMP_SIZE;
	}
	if (r == 0)
		r = write_zeros(t->fd, at, size);
	if (r == 0 && fsync(t->fd) < 0)
		r = -errno;
	return r < 0 ? fail(t, "cannot clear it", strerror(-r)) : 0;
}

/* Opens, locks, looks once more: it must be what it was. */
static int open_disk(struct taker *t, enum disk_state expected)
{
	char found[160];
	int r;

	t->lock_fd = open(t->facts.whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->lock_fd < 0)
		return fail(t, "open", strerror(errno));
	r = disk_look_lock(t->lock_fd);
	if (r < 0)
		return fail(t, "lock", strerror(-r));
	t->fd = open(t->facts.node, O_RDWR | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		return fail(t, "open", strerror(errno));
	disk_look(&t->facts, t->fd);
	lvm_fill_facts(t->lvm, &t->facts);
	if (disk_state_decide(&t->facts) == expected)
		return 0;
	disk_state_explain(&t->facts, found, sizeof(found));
	return fail(t, "has changed meanwhile, left alone", found);
}

/* Everything is known and permitted; after this only a power cut can stop it. */
static int clear_disk(struct taker *t, const char *sentence)
{
	char why[REPORT_WHY_MAX], found[160];
	int r;

	if (disk_stamp_has(&t->facts.stamp, t->plan->wipe) ||
	    t->facts.stamp.n_tokens == DISK_STAMP_TOKENS_MAX)
		return fail(t, "left alone", "cci.wipe= has been used on it already");
	volume_source_wait_network(t->plan);
	if (report_stage(t->plan, "wipe", sentence, why) < 0)
		return fail(t, "left alone, because the server is told before a disk is cleared",
		            why);
	if (text_copy(t->facts.stamp.tokens[t->facts.stamp.n_tokens], DISK_STAMP_TOKEN_MAX,
	              slice_from_text(t->plan->wipe)) != 0)
		return fail(t, "left alone", "cci.wipe= is too long");
	t->facts.stamp.n_tokens++;
	tell("%s", sentence);
	r = write_stamp(t, true);
	if (r == 0)
		r = empty_ends(t);
	if (r < 0)
		return r;
	(void)ioctl(t->fd, BLKRRPART, 0); /* its partitions go; what cannot be re-read stays so */
	disk_look(&t->facts, t->fd);
	lvm_fill_facts(t->lvm, &t->facts);
	t->facts.group[0] = '\0';
	if (disk_state_decide(&t->facts) == DISK_BLANK)
		return 0;
	disk_state_explain(&t->facts, found, sizeof(found));
	return fail(t, "is not blank after it was cleared", found);
}

static int join(struct taker *t)
{
	const char *node = t->facts.node;
	uint64_t size = (t->facts.size - DISK_STAMP_ROOM) & ~(((uint64_t)1 << 20) - 1);
	char bytes[32];
	const char *const prepare[] = { "pvcreate", "--setphysicalvolumesize", bytes, "-y", node,
		                        NULL };
	const char *const create[] = {
		"vgcreate", "--addtag", LVM_TAG_OURS, LVM_GROUP, node, NULL
	};
	const char *const extend[] = { "vgextend", LVM_GROUP, node, NULL };
	int r;

	/* -y: of lvm's question whether the volume may be smaller than its disk; what is on the
	   disk has been looked at by us, twice */
	(void)snprintf(bytes, sizeof(bytes), "%" PRIu64 "b", size);
	r = lvm_do(t->lvm, node, prepare);
	if (r == 0)
		r = lvm_do(t->lvm, node, t->lvm->group.exists ? extend : create);
	if (r < 0)
		return fail(t, "lvm", r == -EIO ? t->lvm->error : strerror(-r));
	r = lvm_refresh(t->lvm);
	return r < 0 ? fail(t, "lvm", t->lvm->error) : 0;
}

static int take(struct taker *t, const struct disk_verdict *verdict)
{
	int r;

	r = open_disk(t, verdict->state);
	if (r == 0 && verdict->act == DISK_WIPE)
		r = clear_disk(t, verdict->why);
	if (r < 0)
		return r;
	/* of a physical volume that we had begun the label goes first: nothing else is there */
	r = write_stamp(t, true);
	if (r == 0)
		r = empty_ends(t);
	if (r < 0)
		return r;
	fd_close(&t->fd); /* lvm wants it for itself */
	r = join(t);
	if (r < 0)
		return r;
	t->fd = open(t->facts.node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		return fail(t, "open", strerror(errno));
	return write_stamp(t, false);
}

int disk_take(const struct plan *plan, struct lvm *lvm, const struct disk_facts *facts,
              const struct disk_verdict *verdict,
              char *error) /* NOLINT(readability-non-const-parameter): written by what it calls */
{
	struct taker t = { .plan = plan, .lvm = lvm, .facts = *facts, .error = error };
	int r;

	t.lock_fd = t.fd = -1;
	r = take(&t, verdict);
	fd_close(&t.fd);
	fd_close(&t.lock_fd);
	return r;
}
