/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/file_cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/base/hash.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "lib/sys/random.h"
#include "server/io/file_loader.h"

/* What tells one content from another. No padding: it is hashed as bytes. */
struct identity {
	uint64_t device, inode, size;
	int64_t mtime_ns, ctime_ns;
};

struct file_content {
	struct map_node node;
	struct list idle; /* in cache->idle while nobody holds it and it is ready */
	struct file_cache *cache;
	struct identity identity;
	enum { CONTENT_NEW, CONTENT_LOADING, CONTENT_READY, CONTENT_FAILED } state;
	unsigned n_refs;
	int fd;        /* the file, while CONTENT_NEW */
	int result;    /* CONTENT_FAILED: -errno */
	uint8_t *data; /* mapped; NULL while there is nothing, and for an empty file */
	struct list waiters;
};

struct file_cache {
	struct file_loader *loader;
	struct map contents;
	struct list idle; /* least recently used first */
	uint64_t max, bytes;
};

static struct slice identity_of(const struct map_node *node)
{
	const struct file_content *content = CONTAINER_OF(node, struct file_content, node);

	return slice_make(&content->identity, sizeof(content->identity));
}

void file_waiter_init(struct file_waiter *waiter,
                      void (*ready)(struct file_waiter *waiter, int result))
{
	list_init(&waiter->link);
	waiter->ready = ready;
}

void file_waiter_cancel(struct file_waiter *waiter)
{
	list_unlink(&waiter->link);
}

int file_cache_new(struct file_loader *loader, uint64_t max, struct file_cache **ret)
{
	CLEANUP(freep) struct file_cache *cache = calloc(1, sizeof(*cache));
	uint64_t seed[2];
	int r;

	if (!cache)
		return -ENOMEM;
	r = random_bytes(seed, sizeof(seed));
	if (r < 0)
		return r;
	cache->loader = loader;
	cache->max = max;
	map_init(&cache->contents, seed, identity_of);
	list_init(&cache->idle);
	*ret = steal_ptr(&cache);
	return 0;
}

static bool is_counted(const struct file_content *content)
{
	return content->state == CONTENT_LOADING || content->state == CONTENT_READY;
}

static void content_free(struct file_content *content)
{
	struct file_cache *cache = content->cache;

	if (content->state == CONTENT_LOADING)
		file_loader_forget(cache->loader, content);
	if (is_counted(content))
		cache->bytes -= content->identity.size;
	if (content->state != CONTENT_FAILED)
		map_remove(&cache->contents, &content->node);
	list_unlink(&content->idle);
	if (content->data) /* fails only for an address that was never mapped */
		(void)munmap(content->data, content->identity.size);
	fd_close(&content->fd);
	free(content);
}

struct file_cache *file_cache_free(struct file_cache *cache)
{
	struct map_node *node;

	if (!cache)
		return NULL;
	while ((node = map_first(&cache->contents)) != NULL)
		content_free(CONTAINER_OF(node, struct file_content, node));
	map_deinit(&cache->contents);
	free(cache);
	return NULL;
}

uint64_t file_cache_bytes(const struct file_cache *cache)
{
	return cache->bytes;
}

static int content_new(struct file_cache *cache, const struct identity *identity,
                       struct file_content **ret)
{
	CLEANUP(freep) struct file_content *content = calloc(1, sizeof(*content));
	int r;

	if (!content)
		return -ENOMEM;
	content->cache = cache;
	content->identity = *identity;
	content->fd = -1;
	list_init(&content->idle);
	list_init(&content->waiters);
	r = map_insert(&cache->contents, &content->node);
	if (r < 0)
		return r;
	*ret = steal_ptr(&content);
	return 0;
}

int file_cache_get(struct file_cache *cache, struct file_opened *opened, struct file_content **ret)
{
	CLEANUP(fd_closep) int fd = steal_fd(&opened->fd);
	struct identity identity = {
		.device = opened->device,
		.inode = opened->inode,
		.size = opened->size,
		.mtime_ns = opened->mtime_ns,
		.ctime_ns = opened->ctime_ns,
	};
	struct map_node *node = map_find(&cache->contents, slice_make(&identity, sizeof(identity)));
	struct file_content *content;
	int r;

	if (node) {
		content = CONTAINER_OF(node, struct file_content, node);
	} else {
		r = content_new(cache, &identity, &content);
		if (r < 0)
			return r;
		content->fd = steal_fd(&fd);
	}
	content->n_refs++;
	list_unlink(&content->idle);
	*ret = content;
	return 0;
}

/* Makes room for size bytes by dropping what nobody holds. */
static int make_room(struct file_cache *cache, uint64_t size)
{
	struct file_content *oldest;

	if (size > cache->max)
		return -EFBIG;
	while (cache->bytes > cache->max - size) {
		oldest = LIST_FIRST(&cache->idle, struct file_content, idle);
		if (!oldest)
			return -EAGAIN;
		content_free(oldest);
	}
	return 0;
}

static int map_memfd(struct file_content *content, int memfd)
{
	void *data;

	if (content->identity.size == 0)
		return 0;
	data = mmap(NULL, content->identity.size, PROT_READ, MAP_SHARED, memfd, 0);
	if (data == MAP_FAILED)
		return -errno;
	content->data = data;
	return 0;
}

static void loaded(void *userdata, int result, int memfd)
{
	CLEANUP(fd_closep) int owned = memfd;
	struct file_content *content = userdata;
	struct file_waiter *waiter;

	if (result == 0)
		result = map_memfd(content, owned);
	if (result == 0) {
		content->state = CONTENT_READY;
	} else { /* the next one who asks tries anew */
		content->state = CONTENT_FAILED;
		content->result = result;
		content->cache->bytes -= content->identity.size;
		map_remove(&content->cache->contents, &content->node);
	}
	content->n_refs++; /* for this loop: a waiter may release the last reference */
	while ((waiter = LIST_FIRST(&content->waiters, struct file_waiter, link)) != NULL) {
		list_unlink(&waiter->link);
		waiter->ready(waiter, result);
	}
	file_content_release(content);
}

static int load(struct file_content *content)
{
	int r = make_room(content->cache, content->identity.size);

	if (r < 0)
		return r;
	content->state = CONTENT_LOADING;
	content->cache->bytes += content->identity.size;
	r = file_loader_request(content->cache->loader, steal_fd(&content->fd),
	                        content->identity.size, loaded, content);
	if (r < 0)
		loaded(content, r, -1);
	return 0;
}

int file_content_want(struct file_content *content, struct file_waiter *waiter)
{
	int r;

	if (content->state == CONTENT_NEW) {
		r = load(content);
		if (r < 0)
			return r;
	}
	if (content->state == CONTENT_FAILED)
		return content->result;
	if (content->state == CONTENT_READY)
		return 0;
	list_unlink(&waiter->link);
	list_append(&content->waiters, &waiter->link);
	return FILE_CONTENT_WAIT;
}

struct slice file_content_slice(const struct file_content *content, uint64_t offset, size_t len)
{
	assert(content->state == CONTENT_READY);
	assert(offset <= content->identity.size && len <= content->identity.size - offset);
	return slice_make(content->data ? content->data + offset : NULL, len);
}

void file_content_release(struct file_content *content)
{
	assert(content->n_refs > 0);
	if (--content->n_refs > 0)
		return;
	if (content->state == CONTENT_READY)
		list_append(&content->cache->idle, &content->idle);
	else if (content->state != CONTENT_LOADING) /* what is on its way is awaited, then kept */
		content_free(content);
}
