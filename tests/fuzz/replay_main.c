/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Feeds each file of the directories (or files) named on the command line to the fuzz target once:
 * the corpus as an ordinary test. Fails when nothing was fed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/sys/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(int dir_fd, const char *name)
{
	struct buffer content;
	int r = file_read_all(dir_fd, name, 16 << 20, &content);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
		return r;
	}
	(void)LLVMFuzzerTestOneInput(content.data, content.len);
	buffer_deinit(&content);
	return 0;
}

static int feed_directory(const char *path, unsigned *n_fed)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (feed(dirfd(dir), entry->d_name) == 0)
			(*n_fed)++;
	}
	(void)closedir(dir);
	return 0;
}

int main(int argc, char *argv[])
{
	unsigned n_fed = 0;

	for (int i = 1; i < argc; i++) {
		int r = feed_directory(argv[i], &n_fed);

		if (r == -ENOTDIR && feed(AT_FDCWD, argv[i]) == 0)
			n_fed++;
		else if (r < 0)
			fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
	}
	printf("%u inputs replayed\n", n_fed);
	return n_fed > 0 ? 0 : 1;
}
