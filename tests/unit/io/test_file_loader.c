/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/sys/fd.h"
#include "server/io/file_loader.h"

struct answer {
	unsigned n_calls;
	int result, memfd;
};

static void remember(void *userdata, int result, int memfd)
{
	struct answer *answer = userdata;

	answer->n_calls++;
	answer->result = result;
	answer->memfd = memfd;
}

static int file_with(const char *text)
{
	int fd = memfd_create("source", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void a_file_comes_back_whole_and_sealed(void **state)
{
	struct answer answer = { 0, 1, -1 };
	char text[16];

	assert_int_equal(
		file_loader_request(file_loader_inline(), file_with("hello"), 5, remember, &answer),
		0);
	assert_int_equal(answer.n_calls, 1);
	assert_int_equal(answer.result, 0);
	assert_int_equal(pread(answer.memfd, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(pwrite(answer.memfd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(answer.memfd, 0), -1);
	fd_close(&answer.memfd);
}

static void a_file_of_another_size_is_stale(void **state)
{
	for (uint64_t size = 4; size <= 6; size += 2) {
		struct answer answer = { 0, 1, 0 };

		assert_int_equal(file_loader_request(file_loader_inline(), file_with("hello"), size,
		                                     remember, &answer),
		                 0);
		assert_int_equal(answer.n_calls, 1);
		assert_int_equal(answer.result, -ESTALE);
		assert_int_equal(answer.memfd, -1);
	}
}

static void an_empty_file_is_a_file(void **state)
{
	CLEANUP(fd_closep) int memfd = -1;
	CLEANUP(fd_closep) int fd = file_with("");

	assert_int_equal(file_load(fd, 0, &memfd), 0);
	assert_int_equal(lseek(memfd, 0, SEEK_END), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_back_whole_and_sealed),
		cmocka_unit_test(a_file_of_another_size_is_stale),
		cmocka_unit_test(an_empty_file_is_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
