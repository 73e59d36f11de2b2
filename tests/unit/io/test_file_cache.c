/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "server/io/file_cache.h"
#include "server/io/file_loader.h"

/* A loader that answers when the test says so. */
struct slow {
	struct file_loader loader;
	int fd;
	uint64_t size;
	file_loaded_fn done;
	void *userdata;
	unsigned n_requests, n_forgotten;
	int refuse;
};

static int slow_request(struct file_loader *loader, int fd, uint64_t size, file_loaded_fn done,
                        void *userdata)
{
	struct slow *slow = CONTAINER_OF(loader, struct slow, loader);

	slow->n_requests++;
	if (slow->refuse) {
		fd_close(&fd);
		return slow->refuse;
	}
	assert_null(slow->done);
	slow->fd = fd;
	slow->size = size;
	slow->done = done;
	slow->userdata = userdata;
	return 0;
}

static void slow_forget(struct file_loader *loader, void *userdata)
{
	struct slow *slow = CONTAINER_OF(loader, struct slow, loader);

	assert_ptr_equal(slow->userdata, userdata);
	slow->done = NULL;
	fd_close(&slow->fd);
	slow->n_forgotten++;
}

static const struct file_loader_ops slow_ops = { slow_request, slow_forget };

/* Answers the request that is waiting; 0: with the bytes. */
static void answer(struct slow *slow, int result)
{
	file_loaded_fn done = slow->done;
	int memfd = -1;

	assert_non_null(done);
	slow->done = NULL;
	if (result == 0)
		assert_int_equal(file_load(slow->fd, slow->size, &memfd), 0);
	fd_close(&slow->fd);
	done(slow->userdata, result, memfd);
}

struct watcher {
	struct file_waiter waiter;
	unsigned n_calls;
	int result;
	struct file_content *release; /* in the callback */
};

static void watch(struct file_waiter *waiter, int result)
{
	struct watcher *watcher = CONTAINER_OF(waiter, struct watcher, waiter);

	watcher->n_calls++;
	watcher->result = result;
	if (watcher->release)
		file_content_release(watcher->release);
}

static void watcher_init(struct watcher *watcher)
{
	*watcher = (struct watcher){ .result = 1 };
	file_waiter_init(&watcher->waiter, watch);
}

/* A file of `size` bytes, all of them `inode`. */
static struct file_opened opened(uint64_t inode, size_t size)
{
	struct file_opened file = { .inode = inode, .size = size };
	uint8_t bytes[100];

	memset(bytes, (int)inode, sizeof(bytes));
	assert_true(size <= sizeof(bytes));
	file.fd = memfd_create("source", MFD_CLOEXEC);
	assert_int_equal(write(file.fd, bytes, size), size);
	return file;
}

static struct file_content *get(struct file_cache *cache, uint64_t inode, size_t size)
{
	struct file_opened file = opened(inode, size);
	struct file_content *content = NULL;

	assert_int_equal(file_cache_get(cache, &file, &content), 0);
	assert_int_equal(file.fd, -1);
	return content;
}

static void a_content_is_loaded_once_and_shared(void **state)
{
	struct slow slow = { .loader = { &slow_ops }, .fd = -1 };
	struct file_content *a, *b;
	struct watcher one, two;
	struct file_cache *cache;

	watcher_init(&one);
	watcher_init(&two);
	assert_int_equal(file_cache_new(&slow.loader, 100, &cache), 0);
	a = get(cache, 7, 50);
	b = get(cache, 7, 50);
	assert_ptr_equal(a, b);
	assert_int_equal(slow.n_requests, 0);
	assert_int_equal(file_content_want(a, &one.waiter), FILE_CONTENT_WAIT);
	assert_int_equal(file_content_want(b, &two.waiter), FILE_CONTENT_WAIT);
	assert_int_equal(slow.n_requests, 1);
	assert_int_equal(file_cache_bytes(cache), 50);
	answer(&slow, 0);
	assert_int_equal(one.n_calls, 1);
	assert_int_equal(two.n_calls, 1);
	assert_int_equal(one.result, 0);
	assert_int_equal(file_content_want(a, &one.waiter), 0);
	assert_int_equal(file_content_slice(a, 49, 1).data[0], 7);
	file_content_release(a);
	file_content_release(b);
	/* Still there for the next one. */
	a = get(cache, 7, 50);
	assert_int_equal(file_content_want(a, &one.waiter), 0);
	assert_int_equal(slow.n_requests, 1);
	file_content_release(a);
	assert_null(file_cache_free(cache));
}

static void another_size_or_time_is_another_content(void **state)
{
	struct file_opened file = opened(7, 10);
	struct file_content *a, *b, *c;
	struct file_cache *cache;

	assert_int_equal(file_cache_new(file_loader_inline(), 100, &cache), 0);
	a = get(cache, 7, 10);
	b = get(cache, 7, 11);
	file.mtime_ns = 1;
	assert_int_equal(file_cache_get(cache, &file, &c), 0);
	assert_true(a != b && b != c && a != c);
	file_content_release(a);
	file_content_release(b);
	file_content_release(c);
	assert_null(file_cache_free(cache));
}

static void the_least_recently_used_makes_room(void **state)
{
	struct file_content *a, *b, *c;
	struct file_cache *cache;
	struct watcher watcher;

	watcher_init(&watcher);
	assert_int_equal(file_cache_new(file_loader_inline(), 100, &cache), 0);
	a = get(cache, 1, 40);
	b = get(cache, 2, 40);
	assert_int_equal(file_content_want(a, &watcher.waiter), 0);
	assert_int_equal(file_content_want(b, &watcher.waiter), 0);
	c = get(cache, 3, 40);
	assert_int_equal(file_content_want(c, &watcher.waiter), -EAGAIN); /* both are in use */
	file_content_release(b);
	file_content_release(a);
	assert_int_equal(file_content_want(c, &watcher.waiter), 0);
	assert_int_equal(file_cache_bytes(cache), 80);
	file_content_release(c);
	/* b went, a stayed */
	a = get(cache, 1, 40);
	assert_int_equal(file_content_want(a, &watcher.waiter), 0);
	assert_int_equal(file_cache_bytes(cache), 80);
	file_content_release(a);
	a = get(cache, 4, 100);
	assert_int_equal(file_content_want(a, &watcher.waiter), 0);
	assert_int_equal(file_cache_bytes(cache), 100);
	file_content_release(a);
	assert_null(file_cache_free(cache));
}

static void a_file_larger_than_the_cache_is_refused(void **state)
{
	struct file_content *content;
	struct file_cache *cache;
	struct watcher watcher;

	watcher_init(&watcher);
	assert_int_equal(file_cache_new(file_loader_inline(), 99, &cache), 0);
	content = get(cache, 1, 100);
	assert_int_equal(file_content_want(content, &watcher.waiter), -EFBIG);
	file_content_release(content);
	assert_int_equal(file_cache_bytes(cache), 0);
	assert_null(file_cache_free(cache));
}

static void a_failure_is_told_and_tried_anew(void **state)
{
	struct slow slow = { .loader = { &slow_ops }, .fd = -1 };
	struct file_content *content;
	struct file_cache *cache;
	struct watcher watcher;

	watcher_init(&watcher);
	assert_int_equal(file_cache_new(&slow.loader, 100, &cache), 0);
	content = get(cache, 7, 50);
	assert_int_equal(file_content_want(content, &watcher.waiter), FILE_CONTENT_WAIT);
	watcher.release = content;
	answer(&slow, -EIO);
	assert_int_equal(watcher.result, -EIO);
	assert_int_equal(file_cache_bytes(cache), 0);
	content = get(cache, 7, 50);
	slow.refuse = -EAGAIN;
	assert_int_equal(file_content_want(content, &watcher.waiter), -EAGAIN);
	file_content_release(content);
	assert_int_equal(slow.n_requests, 2);
	assert_null(file_cache_free(cache));
}

static void nobody_is_called_who_has_gone(void **state)
{
	struct slow slow = { .loader = { &slow_ops }, .fd = -1 };
	struct file_content *content;
	struct file_cache *cache;
	struct watcher watcher;

	watcher_init(&watcher);
	assert_int_equal(file_cache_new(&slow.loader, 100, &cache), 0);
	content = get(cache, 7, 50);
	assert_int_equal(file_content_want(content, &watcher.waiter), FILE_CONTENT_WAIT);
	file_waiter_cancel(&watcher.waiter);
	file_content_release(content);
	answer(&slow, 0);
	assert_int_equal(watcher.n_calls, 0);
	assert_int_equal(file_cache_bytes(cache), 50); /* kept: it was asked for once */
	content = get(cache, 8, 50);
	assert_int_equal(file_content_want(content, &watcher.waiter), FILE_CONTENT_WAIT);
	file_waiter_cancel(&watcher.waiter);
	file_content_release(content);
	assert_null(file_cache_free(cache));
	assert_int_equal(slow.n_forgotten, 1);
}

static void an_empty_file_has_an_empty_content(void **state)
{
	struct file_content *content;
	struct file_cache *cache;
	struct watcher watcher;

	watcher_init(&watcher);
	assert_int_equal(file_cache_new(file_loader_inline(), 100, &cache), 0);
	content = get(cache, 1, 0);
	assert_int_equal(file_content_want(content, &watcher.waiter), 0);
	assert_int_equal(file_content_slice(content, 0, 0).len, 0);
	file_content_release(content);
	assert_null(file_cache_free(cache));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_content_is_loaded_once_and_shared),
		cmocka_unit_test(another_size_or_time_is_another_content),
		cmocka_unit_test(the_least_recently_used_makes_room),
		cmocka_unit_test(a_file_larger_than_the_cache_is_refused),
		cmocka_unit_test(a_failure_is_told_and_tried_anew),
		cmocka_unit_test(nobody_is_called_who_has_gone),
		cmocka_unit_test(an_empty_file_has_an_empty_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
