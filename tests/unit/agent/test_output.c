/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/output.h"
#include "lib/base/buffer.h"
#include "lib/sys/file.h"

static char directory[] = "/tmp/test_output.XXXXXX";

struct world {
	int dir_fd;
	sd_event *event;
	struct output *output;
	uint64_t told; /* the size last told */
};

static void grew(void *userdata, uint64_t size)
{
	struct world *w = userdata;

	assert_true(size >= w->told);
	w->told = size;
}

static void begin(struct world *w, uint64_t head, uint64_t tail)
{
	*w = (struct world){ .dir_fd = open(directory, O_DIRECTORY | O_CLOEXEC) };
	assert_true(w->dir_fd >= 0);
	assert_true(sd_event_new(&w->event) >= 0);
	assert_int_equal(output_new(w->event, w->dir_fd, "output", head, tail, grew, w, &w->output),
	                 0);
}

/* The job prints; the loop has its turn. */
static void print(struct world *w, const char *text)
{
	assert_int_equal(write(output_writer(w->output), text, strlen(text)), strlen(text));
	assert_true(sd_event_run(w->event, 0) >= 0);
}

static void end(struct world *w, const char *expected, uint64_t cut)
{
	struct buffer content = BUFFER_NULL;

	output_close_writer(w->output);
	output_finish(w->output);
	assert_int_equal(output_size(w->output), strlen(expected));
	assert_int_equal(w->told, strlen(expected));
	assert_int_equal(output_cut(w->output), cut);
	assert_int_equal(file_read_all(w->dir_fd, "output", 1 << 20, &content), 0);
	assert_slice_equal(buffer_slice(&content), expected);
	buffer_deinit(&content);
	output_free(w->output);
	sd_event_unref(w->event);
	(void)close(w->dir_fd);
}

/* Each test begins with an empty directory. */
static int remove_output(void **state)
{
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/output", directory);
	(void)unlink(path);
	return 0;
}

static void output_goes_to_the_file_as_it_comes(void **state)
{
	struct world w;

	begin(&w, 100, 100);
	print(&w, "one\n");
	assert_int_equal(w.told, 4);
	assert_int_equal(output_size(w.output), 4);
	print(&w, "two\n");
	end(&w, "one\ntwo\n", 0);
}

static void what_is_left_in_the_pipe_is_taken_at_the_end(void **state)
{
	struct world w;

	begin(&w, 100, 100);
	assert_int_equal(write(output_writer(w.output), "late\n", 5), 5);
	end(&w, "late\n", 0);
}

static void what_an_earlier_run_kept_stays(void **state)
{
	struct world w;

	begin(&w, 12, 100);
	print(&w, "one\n");
	end(&w, "one\n", 0);
	begin(&w, 6, 100);
	assert_int_equal(output_size(w.output), 4);
	print(&w, "two\n");
	w.told = 0;
	end(&w, "one\ntwo\n", 0);
}

static void tail_follows_the_head_when_both_have_room(void **state)
{
	struct world w;

	begin(&w, 10, 10);
	print(&w, "0123456789abcde");
	print(&w, "fghij");
	end(&w, "0123456789abcdefghij", 0);
}

static void between_head_and_tail_bytes_are_cut_and_counted(void **state)
{
	struct world w;

	begin(&w, 10, 8);
	print(&w, "0123456789");
	print(&w, "abcdefghijk");
	print(&w, "lmnopqrstuvwxyz");
	end(&w, "0123456789\n[lkp-bootstrap: 18 bytes of output were cut here]\nstuvwxyz", 18);
}

static void endless_printing_does_not_block_the_end(void **state)
{
	struct world w;
	char block[4096];
	pid_t pid;

	begin(&w, 10, 8);
	memset(block, 'x', sizeof(block));
	pid = fork();
	if (pid == 0) {
		for (;;)
			if (write(output_writer(w.output), block, sizeof(block)) < 0)
				_exit(0);
	}
	assert_true(pid > 0);
	output_close_writer(w.output);
	output_finish(w.output); /* the writer is still there */
	assert_true(output_size(w.output) <= 10 + 8 + 100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	output_free(w.output);
	sd_event_unref(w.event);
	(void)close(w.dir_fd);
}

static int set_up(void **state)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)remove_output(state);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(output_goes_to_the_file_as_it_comes, remove_output),
		cmocka_unit_test_setup(what_is_left_in_the_pipe_is_taken_at_the_end, remove_output),
		cmocka_unit_test_setup(what_an_earlier_run_kept_stays, remove_output),
		cmocka_unit_test_setup(tail_follows_the_head_when_both_have_room, remove_output),
		cmocka_unit_test_setup(between_head_and_tail_bytes_are_cut_and_counted,
		                       remove_output),
		cmocka_unit_test_setup(endless_printing_does_not_block_the_end, remove_output),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
