/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/io/upload_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/random.h"
#include "server/io/dir_sync.h"

/* The kernel is told to write this much as soon as it is there: fsync then finds little to do. */
#define WRITE_BACK_STEP ((int64_t)8 << 20)

/* Read back and hashed in one step of upload_file_finish. */
#define HASH_STEP ((int64_t)4 << 20)

/* Of the temporary names of whole files. A result's own name never begins with a dot. */
#define WHOLE_SUFFIX ".new"

struct upload_file {
	int dir_fd, fd;
	char name[NAME_MAX + 1];
	char part[NAME_MAX + 1];
	bool is_resumable;
	bool is_finished;
	bool has_reserved; /* room beyond size */
	int64_t size;
	int64_t written_back; /* the kernel was told to write up to here */
	int64_t hashed;       /* bytes in `hash`; less than size when resumed */
	EVP_MD_CTX *hash;
	char sha256[UPLOAD_FILE_SHA256_MAX];
};

struct upload_file *upload_file_free(struct upload_file *file)
{
	if (!file)
		return NULL;
	/* Best effort both: what is left behind wastes space, no more. */
	if (file->fd >= 0 && !file->is_finished && !file->is_resumable)
		(void)unlinkat(file->dir_fd, file->part, 0);
	else if (file->has_reserved && !file->is_finished)
		(void)!ftruncate(file->fd, file->size);
	fd_close(&file->fd);
	fd_close(&file->dir_fd);
	EVP_MD_CTX_free(file->hash);
	free(file);
	return NULL;
}

DEFINE_FREEP(struct upload_file, upload_file_free);

static int format_part(char to[NAME_MAX + 1], const char *name, bool is_resumable)
{
	uint64_t tag = 0;
	int n, r;

	if (is_resumable) {
		n = snprintf(to, NAME_MAX + 1, ".%s.part", name);
	} else {
		r = random_bytes(&tag, sizeof(tag));
		if (r < 0)
			return r;
		n = snprintf(to, NAME_MAX + 1, ".%s.%016llx" WHOLE_SUFFIX, name,
		             (unsigned long long)tag);
	}
	return n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* A name that could lead anywhere but into its directory is refused, whoever sent it. */
static int set_names(struct upload_file *file, const char *name)
{
	if (text_copy(file->name, sizeof(file->name), slice_from_text(name)) != 0)
		return -ENAMETOOLONG;
	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return format_part(file->part, name, file->is_resumable);
}

/* Whether fd is still what the directory calls by that name. */
static bool is_same_file(int dir_fd, const char *name, int fd, struct stat *ret_status)
{
	struct stat named;

	return fstat(fd, ret_status) == 0 &&
	       fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_ino == ret_status->st_ino && named.st_dev == ret_status->st_dev;
}

/* Opens and locks the temporary file. Returns 0, UPLOAD_FILE_BUSY or -errno. */
static int open_part(struct upload_file *file)
{
	/* The one who held the lock before may have renamed what we opened: then once more. */
	for (int i = 0; i < 3; i++) {
		struct stat status;

		fd_close(&file->fd);
		file->fd = openat(file->dir_fd, file->part,
		                  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		if (file->fd < 0)
			return -errno;
		if (flock(file->fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? UPLOAD_FILE_BUSY : -errno;
		if (!is_same_file(file->dir_fd, file->part, file->fd, &status))
			continue;
		if (!S_ISREG(status.st_mode))
			return -EINVAL;
		file->size = file->written_back = status.st_size;
		/* its name comes to the disk before its first byte: what has bytes has a name */
		return file->is_resumable && file->size == 0 ? dir_sync(file->dir_fd) : 0;
	}
	return UPLOAD_FILE_BUSY;
}

/* Removes a temporary file unless its writer lives: then it is locked. */
static void remove_if_dead(int dir_fd, const char *part)
{
	CLEANUP(fd_closep) int fd = -1;
	struct stat status;

	fd = openat(dir_fd, part, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return;
	/* one that was just made and not locked yet: open_part sees that it has gone */
	if (is_same_file(dir_fd, part, fd, &status) && S_ISREG(status.st_mode))
		(void)unlinkat(dir_fd, part, 0);
}

void upload_file_sweep(int dir_fd)
{
	const struct slice suffix = SLICE_LITERAL(WHOLE_SUFFIX);
	const struct dirent *entry;
	DIR *dir = NULL;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(dir))) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (entry->d_name[0] == '.' &&
		    slice_has_suffix(slice_from_text(entry->d_name), suffix))
			remove_if_dead(dir_fd, entry->d_name);
	(void)closedir(dir);
}

/* Finds out early that there is no room; a file system that cannot reserve is none the worse. */
static int reserve(struct upload_file *file, int64_t expected)
{
	if (expected <= file->size)
		return 0;
	if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, file->size, expected - file->size) < 0)
		return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -errno : 0;
	file->has_reserved = true;
	return 0;
}

int upload_file_open(int dir_fd, const char *name, bool is_resumable, int64_t expected,
                     struct upload_file **ret)
{
	CLEANUP(upload_file_freep) struct upload_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	file->fd = -1;
	file->is_resumable = is_resumable;
	file->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (file->dir_fd < 0)
		return -errno;
	r = set_names(file, name);
	if (r < 0)
		return r;
	file->hash = EVP_MD_CTX_new();
	if (!file->hash || EVP_DigestInit_ex(file->hash, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	if (!is_resumable)
		upload_file_sweep(file->dir_fd);
	r = open_part(file);
	if (r != 0)
		return r;
	r = reserve(file, expected);
	if (r < 0)
		return r;
	*ret = steal_ptr(&file);
	return 0;
}

int upload_file_reopen(int dir_fd, const char *name)
{
	char part[NAME_MAX + 1];
	int r = format_part(part, name, true);

	if (r < 0)
		return r;
	return renameat(dir_fd, name, dir_fd, part) < 0 ? -errno : 0;
}

int64_t upload_file_size(const struct upload_file *file)
{
	return file->size;
}

static int hash(struct upload_file *file, const void *data, size_t len)
{
	if (EVP_DigestUpdate(file->hash, data, len) != 1)
		return -EIO;
	file->hashed += (int64_t)len;
	return 0;
}

/* Writes all of data at the end; size counts what got there. */
static int write_at_end(struct upload_file *file, struct slice data)
{
	while (data.len > 0) {
		ssize_t n = pwrite(file->fd, data.data, data.len, file->size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		(void)slice_take(&data, (size_t)n);
		file->size += n;
	}
	return 0;
}

int upload_file_write(struct upload_file *file, struct slice data)
{
	bool is_hashed = file->hashed == file->size;
	int r = write_at_end(file, data);

	if (r < 0)
		return r;
	if (is_hashed) {
		r = hash(file, data.data, data.len);
		if (r < 0)
			return r;
	}
	if (file->size - file->written_back >= WRITE_BACK_STEP) {
		(void)sync_file_range(file->fd, file->written_back, file->size - file->written_back,
		                      SYNC_FILE_RANGE_WRITE); /* a hint: fsync is what counts */
		file->written_back = file->size;
	}
	return 0;
}

int upload_file_sync(struct upload_file *file)
{
	return fdatasync(file->fd) < 0 ? -errno : 0;
}

/* Hashes the next bytes that came before we were there. */
static int hash_step(struct upload_file *file)
{
	static uint8_t chunk[65536];
	int64_t end = MIN(file->size, file->hashed + HASH_STEP);

	while (file->hashed < end) {
		size_t want = (size_t)MIN((int64_t)sizeof(chunk), end - file->hashed);
		ssize_t n = fd_pread_all(file->fd, chunk, want, file->hashed);
		int r;

		if (n < 0)
			return (int)n;
		if ((size_t)n < want)
			return -EIO; /* somebody has cut it behind our back */
		r = hash(file, chunk, want);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_name(struct upload_file *file)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_DigestFinal_ex(file->hash, digest, &len) != 1 || len != 32)
		return -EIO;
	text_hex(file->sha256, digest, len);
	if (file->has_reserved && ftruncate(file->fd, file->size) < 0)
		return -errno;
	if (fsync(file->fd) < 0)
		return -errno;
	if (renameat(file->dir_fd, file->part, file->dir_fd, file->name) < 0)
		return -errno;
	file->is_finished = true;
	return dir_sync(file->dir_fd);
}

int upload_file_finish(struct upload_file *file)
{
	int r;

	if (file->hashed == file->size)
		return take_name(file);
	r = hash_step(file);
	return r < 0 ? r : UPLOAD_FILE_MORE;
}

const char *upload_file_sha256(const struct upload_file *file)
{
	return file->sha256;
}

/* Size of a regular file of that name. Returns false when there is none. */
static int size_of(int dir_fd, const char *name, int64_t *ret_size)
{
	struct stat status;

	if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(status.st_mode))
		return 0;
	*ret_size = status.st_size;
	return 1;
}

int upload_file_stat(int dir_fd, const char *name, struct upload_file_status *ret)
{
	struct upload_file_status status = { .size = 0 };
	char part[NAME_MAX + 1];
	int r;

	r = format_part(part, name, true);
	if (r < 0)
		return r;
	r = size_of(dir_fd, part, &status.size);
	if (r == 0) {
		r = size_of(dir_fd, name, &status.size);
		status.is_complete = r > 0;
	}
	if (r < 0)
		return r;
	*ret = status;
	return 0;
}
