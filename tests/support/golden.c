/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/golden.h"

#include <fcntl.h>
#include <stdlib.h>

#include "lib/sys/file.h"

#define GOLDEN_MAX ((size_t)4 << 20)

static const char *golden_path(const char *name, char *to, size_t size)
{
	const char *dir = getenv("GOLDEN_DIR");

	if (!dir)
		fail_msg("GOLDEN_DIR is not set; run this through meson test");
	(void)snprintf(to, size, "%s/%s", dir, name);
	return to;
}

void golden_read(const char *name, struct buffer *ret)
{
	char path[512];
	int r;

	*ret = BUFFER_NULL;
	r = file_read_all(AT_FDCWD, golden_path(name, path, sizeof(path)), GOLDEN_MAX, ret);
	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
}

static void update(const char *name, struct slice actual)
{
	char path[512];
	FILE *file = fopen(golden_path(name, path, sizeof(path)), "we");

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	if (fwrite(actual.data, 1, actual.len, file) != actual.len || fclose(file) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* Number of the first line in which the two differ. */
static unsigned first_difference(struct slice a, struct slice b)
{
	unsigned line = 1;

	for (size_t i = 0; i < a.len && i < b.len && a.data[i] == b.data[i]; i++)
		if (a.data[i] == '\n')
			line++;
	return line;
}

void golden_compare(const char *name, struct slice actual)
{
	struct buffer expected;

	if (getenv("GOLDEN_UPDATE")) {
		update(name, actual);
		return;
	}
	golden_read(name, &expected);
	if (!slice_equal(buffer_slice(&expected), actual)) {
		unsigned line = first_difference(buffer_slice(&expected), actual);

		print_error("--- %s expected\n%.*s--- %s got\n%.*s---\n", name, (int)expected.len,
		            (const char *)expected.data, name, (int)actual.len,
		            (const char *)actual.data);
		buffer_deinit(&expected);
		fail_msg("%s differs from line %u on; tools/update-golden, if that is right", name,
		         line);
	}
	buffer_deinit(&expected);
}
