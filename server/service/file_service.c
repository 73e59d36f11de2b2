/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A name is opened twice: first as a mere path (O_PATH), which has no side effect whatever it is,
 * then, when it is a regular file, for reading.
 */
#include "server/service/file_service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

struct root {
	char *prefix; /* NULL: the TFTP root */
	char *directory;
};

struct file_service {
	struct root roots[FILE_SERVICE_ROOTS_MAX];
	size_t n_roots;
	struct file_service_counters counters;
};

static const char *const outcome_names[_FILE_OUTCOME_MAX] = {
	[FILE_FOUND] = "found",         [FILE_ABSENT] = "absent",
	[FILE_NO_ROOT] = "no_root",     [FILE_BAD_PATH] = "bad_path",
	[FILE_OUTSIDE] = "outside",     [FILE_NOT_REGULAR] = "not_regular",
	[FILE_NO_ACCESS] = "no_access",
};

const char *file_outcome_to_name(int value)
{
	const char *name = table_name(outcome_names, ARRAY_SIZE(outcome_names), value);

	return name ? name : "?";
}

DEFINE_FREEP(struct file_service, file_service_free);

int file_service_new(const struct file_service_root *roots, size_t n_roots,
                     struct file_service **ret)
{
	CLEANUP(file_service_freep) struct file_service *files = NULL;

	if (n_roots > FILE_SERVICE_ROOTS_MAX)
		return -EINVAL;
	files = calloc(1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	for (size_t i = 0; i < n_roots; i++) {
		struct root *root = &files->roots[files->n_roots++];

		root->directory = text_dup(slice_from_text(roots[i].directory));
		if (roots[i].prefix)
			root->prefix = text_dup(slice_from_text(roots[i].prefix));
		if (!root->directory || (roots[i].prefix && !root->prefix))
			return -ENOMEM;
	}
	*ret = steal_ptr(&files);
	return 0;
}

struct file_service *file_service_free(struct file_service *files)
{
	if (!files)
		return NULL;
	for (size_t i = 0; i < files->n_roots; i++) {
		free(files->roots[i].prefix);
		free(files->roots[i].directory);
	}
	free(files);
	return NULL;
}

/* Turns what an open says into an outcome; what is no fault of the name stays an error. */
static int outcome_of(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return FILE_ABSENT;
	case EXDEV:
	case ELOOP:
		return FILE_OUTSIDE;
	case EACCES:
	case EPERM:
		return FILE_NO_ACCESS;
	case ENXIO: /* a socket, or a device without a driver */
	case ENODEV:
		return FILE_NOT_REGULAR;
	default:
		return error;
	}
}

/*
 * An absolute link may still lead to a place inside the root. Finds where `path` really is and
 * writes that as a path below the root. Returns 0 or a negative errno; -EXDEV when it is outside.
 */
static int resolve_inside(const char *directory, const char *path, char to[PATH_MAX])
{
	CLEANUP(freep) char *full = text_format("%s/%s", directory, path);
	CLEANUP(freep) char *real = NULL;
	CLEANUP(freep) char *real_root = NULL;
	struct slice rest;

	if (!full)
		return -ENOMEM;
	real_root = realpath(directory, NULL);
	if (!real_root)
		return -errno;
	real = realpath(full, NULL);
	if (!real)
		return errno == EACCES ? -EXDEV : -errno;
	if (!url_path_below(slice_from_text(real), slice_from_text(real_root), &rest))
		return -EXDEV;
	return text_copy(to, PATH_MAX, rest) == 0 && rest.len > 0 ? 0 : -EXDEV;
}

/* Opens path for reading if it is a regular file. Returns an fd, -errno, or -EISDIR otherwise. */
static int open_regular(int dir_fd, const char *path, struct stat *ret_status)
{
	CLEANUP(fd_closep) int probe = file_open_beneath(dir_fd, path, O_PATH, 0);
	CLEANUP(fd_closep) int fd = -1;

	if (probe < 0)
		return probe;
	if (fstat(probe, ret_status) < 0)
		return -errno;
	if (!S_ISREG(ret_status->st_mode))
		return -EISDIR;
	/* Should something else have taken its place meanwhile, this does not wait for it. */
	fd = file_open_beneath(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, ret_status) < 0)
		return -errno;
	return S_ISREG(ret_status->st_mode) ? steal_fd(&fd) : -EISDIR;
}

static int64_t nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Opens rest (relative, may be empty) below a directory. Returns a file_outcome or -errno. */
static int open_below(const char *directory, struct slice rest, struct file_opened *ret)
{
	CLEANUP(fd_closep) int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX], real[PATH_MAX];
	struct stat status;
	int fd, r;

	if (dir_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_NO_ROOT : outcome_of(-errno);
	if (rest.len == 0)
		return FILE_NOT_REGULAR;
	if (text_copy(path, sizeof(path), rest) != 0)
		return FILE_ABSENT;
	fd = open_regular(dir_fd, path, &status);
	if (fd == -EXDEV) {
		r = resolve_inside(directory, path, real);
		fd = r < 0 ? r : open_regular(dir_fd, real, &status);
	}
	if (fd == -EISDIR)
		return FILE_NOT_REGULAR;
	if (fd < 0)
		return outcome_of(fd);
	*ret = (struct file_opened){
		.fd = fd,
		.size = (uint64_t)status.st_size,
		.device = status.st_dev,
		.inode = status.st_ino,
		.mtime_ns = nanoseconds(status.st_mtim),
		.ctime_ns = nanoseconds(status.st_ctim),
	};
	return FILE_FOUND;
}

static int count(struct file_service *files, int outcome)
{
	if (outcome >= 0)
		files->counters.n[outcome]++;
	return outcome;
}

int file_service_tftp_path(struct slice name, struct bytes *out)
{
	return url_path_fold(slice_sub(name, 0, slice_find(name, 0xff, 0)), out);
}

static const struct root *tftp_root(const struct file_service *files)
{
	for (size_t i = 0; i < files->n_roots; i++)
		if (!files->roots[i].prefix)
			return &files->roots[i];
	return NULL;
}

int file_service_open_tftp(struct file_service *files, struct slice name, struct file_opened *ret)
{
	const struct root *root = tftp_root(files);
	uint8_t room[URL_PATH_MAX + 1];
	struct bytes path = BYTES_ON(room);
	struct slice rest;
	int r;

	r = file_service_tftp_path(name, &path);
	if (r != URL_PATH_OK) {
		file_service_count_bad_path(files, r);
		return FILE_BAD_PATH;
	}
	if (!root)
		return count(files, FILE_NO_ROOT);
	r = open_below(root->directory, slice_sub(bytes_slice(&path), 1, path.len), ret);
	if (r == FILE_ABSENT &&
	    url_path_below(bytes_slice(&path), SLICE_LITERAL("/tftpboot"), &rest))
		r = open_below(root->directory, rest, ret);
	if (r == FILE_ABSENT &&
	    url_path_below(bytes_slice(&path), slice_from_text(root->directory), &rest))
		r = open_below(root->directory, rest, ret);
	return count(files, r);
}

/* The root with the longest prefix that covers path, or NULL. */
static const struct root *find_root(const struct file_service *files, struct slice path,
                                    struct slice *ret_rest)
{
	const struct root *best = NULL;
	struct slice rest;

	for (size_t i = 0; i < files->n_roots; i++) {
		const struct root *root = &files->roots[i];

		if (!root->prefix || !url_path_below(path, slice_from_text(root->prefix), &rest))
			continue;
		if (best && strlen(best->prefix) >= strlen(root->prefix))
			continue;
		best = root;
		*ret_rest = rest;
	}
	return best;
}

int file_service_open(struct file_service *files, struct slice path, struct file_opened *ret)
{
	struct slice rest;
	const struct root *root = find_root(files, path, &rest);

	return count(files, root ? open_below(root->directory, rest, ret) : FILE_NO_ROOT);
}

bool file_service_covers(const struct file_service *files, struct slice path)
{
	struct slice rest;

	return find_root(files, path, &rest) != NULL;
}

void file_service_count_bad_path(struct file_service *files, int outcome)
{
	files->counters.n[FILE_BAD_PATH]++;
	if (outcome > URL_PATH_OK && outcome < _URL_PATH_OUTCOME_MAX)
		files->counters.n_bad_path[outcome]++;
}

const struct file_service_counters *file_service_get_counters(const struct file_service *files)
{
	return &files->counters;
}
