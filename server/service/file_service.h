/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which file a name means. TFTP names are looked up below one root; HTTP paths below the directory
 * of the longest prefix of a map. Only regular files are opened, never one outside of its root:
 * links are followed as long as they stay inside (openat2 with RESOLVE_BENEATH). Refusals are
 * counted by reason. A root is opened anew for each name, so that a directory made or mounted later
 * counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "server/proto/url_path.h"

struct file_service;

#define FILE_SERVICE_ROOTS_MAX 32

/* One line of the map. */
struct file_service_root {
	const char *prefix;    /* "/os": absolute, checked by url_path; NULL for the TFTP root */
	const char *directory; /* of this machine */
};

/* What became of a name. Each is counted; all but FILE_FOUND are refusals. */
enum file_outcome {
	FILE_FOUND = 0,
	FILE_ABSENT = 1,   /* no such file: HTTP 404, TFTP error 1 */
	FILE_NO_ROOT = 2,  /* no prefix covers the path, or no directory is there: as FILE_ABSENT */
	FILE_BAD_PATH = 3, /* url_path refuses it: HTTP 400 or 403, TFTP error 2 */
	FILE_OUTSIDE = 4,  /* a link leads out of the root: HTTP 403, TFTP error 2 */
	FILE_NOT_REGULAR = 5, /* a directory, FIFO, socket or device: as FILE_OUTSIDE */
	FILE_NO_ACCESS = 6,   /* we may not read it: as FILE_OUTSIDE */
	_FILE_OUTCOME_MAX,
};

/* "found", "absent", "outside" and so on. */
const char *file_outcome_to_name(int value);

struct file_service_counters {
	uint64_t n[_FILE_OUTCOME_MAX];
	uint64_t
		n_bad_path[_URL_PATH_OUTCOME_MAX]; /* those of FILE_BAD_PATH, by url_path_outcome */
};

/* An opened regular file. Device to ctime_ns tell whether it is still the same content. */
struct file_opened {
	int fd; /* O_RDONLY, owned by the caller */
	uint64_t size;
	uint64_t device, inode;
	int64_t mtime_ns, ctime_ns; /* since 1970 */
};

#define FILE_OPENED_NULL ((struct file_opened){ .fd = -1 })

/*
 * Makes the service over a copy of the map; no directory is looked at yet.
 * Returns 0, -ENOMEM, or -EINVAL for more than FILE_SERVICE_ROOTS_MAX roots.
 */
int file_service_new(const struct file_service_root *roots, size_t n_roots,
                     struct file_service **ret);

/* NULL is fine; returns NULL. */
struct file_service *file_service_free(struct file_service *files);

/*
 * Opens what a TFTP client names: absolute names are taken from the root, a leading "tftpboot/" or
 * the root's own path is dropped when the file is not found with it, 0xFF bytes at the end (old PXE
 * ROMs) are cut off. Never blocks on a FIFO.
 * Returns a file_outcome, or -errno. On FILE_FOUND *ret is the caller's.
 */
int file_service_open_tftp(struct file_service *files, struct slice name, struct file_opened *ret);

/*
 * The name that file_service_open_tftp looks for, as a path that begins with '/': without the bytes
 * behind a 0xFF, folded. For names that are not files (boot.ipxe).
 * Returns a url_path_outcome; counts nothing.
 */
int file_service_tftp_path(struct slice name, struct bytes *out);

/*
 * Opens an HTTP path, decoded and checked by url_path_decode.
 * Returns a file_outcome, or -errno. On FILE_FOUND *ret is the caller's.
 */
int file_service_open(struct file_service *files, struct slice path, struct file_opened *ret);

/* Whether some prefix of the map covers this path, existing or not. */
bool file_service_covers(const struct file_service *files, struct slice path);

/* Counts a path that url_path_decode refused with this outcome, so that it never came here. */
void file_service_count_bad_path(struct file_service *files, int outcome);

const struct file_service_counters *file_service_get_counters(const struct file_service *files);
