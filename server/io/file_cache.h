/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Files in memory, shared by all transfers of the same content: a rack that boots together reads
 * the disk once. Content is known by device, inode, size and times, so that a replaced file is a
 * new one and running transfers keep the old. Loading goes through the file_loader; what nobody
 * uses stays until the room is needed, least recently used first.
 */
#pragma once

#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/list.h"
#include "server/service/file_service.h"

struct file_cache;
struct file_content;
struct file_loader;

/* One who waits for a content; its owner embeds it. */
struct file_waiter {
	struct list link; /* file_waiter_init, then the cache's */
	void (*ready)(struct file_waiter *waiter, int result); /* 0 or -errno */
};

void file_waiter_init(struct file_waiter *waiter,
                      void (*ready)(struct file_waiter *waiter, int result));

/* Stops waiting; harmless when it does not wait. */
void file_waiter_cancel(struct file_waiter *waiter);

/* max: bytes of all contents together. loader is borrowed. Returns 0 or -ENOMEM. */
int file_cache_new(struct file_loader *loader, uint64_t max, struct file_cache **ret);

/* Every content must have been released. NULL is fine. */
struct file_cache *file_cache_free(struct file_cache *cache);

/* Bytes held or being loaded. */
uint64_t file_cache_bytes(const struct file_cache *cache);

/*
 * The content of an opened file; nothing is loaded yet. Takes opened->fd, also on an error.
 * Returns 0 with one reference, which file_content_release gives back; or -ENOMEM.
 */
int file_cache_get(struct file_cache *cache, struct file_opened *opened, struct file_content **ret);

/*
 * Asks for the bytes. Returns 0: they are there; FILE_CONTENT_WAIT: waiter->ready is called once,
 * later; or -errno: -EFBIG the file is larger than the cache, -EAGAIN the cache is full of files in
 * use.
 */
enum { FILE_CONTENT_WAIT = 1 };
int file_content_want(struct file_content *content, struct file_waiter *waiter);

/* len bytes at offset, which must lie inside. They live until release. After want returned 0 or
 * ready was called with 0. */
struct slice file_content_slice(const struct file_content *content, uint64_t offset, size_t len);

void file_content_release(struct file_content *content);
