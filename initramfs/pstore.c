/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/pstore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/module.h"
#include "initramfs/pstore_text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define EFI_DIR "/sys/firmware/efi"

#define RECORDS_MAX 256         /* of EFI's, a kilobyte each: ten panics */
#define RECORD_MAX  (256 << 10) /* ramoops has them this large */

struct file {
	char name[NAME_MAX + 1];
	struct buffer text;
	usec_t time;
};

struct pstore {
	int fd;
	size_t n_files;
	struct file files[RECORDS_MAX];
};

/*
 * dmesg-BACKEND-ID. What the kernel could not unpack is named .enc.z; console-, pmsg- and ftrace-
 * are kept for every boot, not for a dump.
 */
static bool is_dump(const char *name)
{
	return strncmp(name, "dmesg-", 6) == 0 && !strstr(name, ".enc.z");
}

static void read_file(struct pstore *pstore, const char *name)
{
	struct file *file = &pstore->files[pstore->n_files];
	struct stat status;

	if (fstatat(pstore->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
		return;
	*file = (struct file){ .time = (usec_t)status.st_mtim.tv_sec * USEC_PER_SEC +
		                       (usec_t)(status.st_mtim.tv_nsec / 1000) };
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	if (file_read_all(pstore->fd, name, RECORD_MAX, &file->text) < 0)
		buffer_deinit(&file->text); /* unreadable: the others still count */
	else
		pstore->n_files++;
}

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

static int read_all(struct pstore *pstore)
{
	CLEANUP(close_directory) DIR *directory = NULL;
	CLEANUP(fd_closep) int fd = dup(pstore->fd);
	const struct dirent *entry;

	if (fd < 0)
		return -errno;
	directory = fdopendir(fd);
	if (!directory)
		return -errno;
	(void)steal_fd(&fd);
	rewinddir(directory);
	while (pstore->n_files < RECORDS_MAX && (entry = readdir(directory)))
		if (is_dump(entry->d_name))
			read_file(pstore, entry->d_name);
	return 0;
}

int pstore_open(const char *directory, struct pstore **ret)
{
	CLEANUP(pstore_freep) struct pstore *pstore = calloc(1, sizeof(*pstore));
	int r;

	if (!pstore)
		return -ENOMEM;
	pstore->fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pstore->fd < 0)
		return errno == ENOENT ? PSTORE_EMPTY : -errno;
	r = read_all(pstore);
	if (r == 0 && pstore->n_files == 0 && access(EFI_DIR, F_OK) == 0 &&
	    module_load("efi_pstore") == 0)
		r = read_all(pstore);
	if (r < 0)
		return r;
	if (pstore->n_files == 0)
		return PSTORE_EMPTY;
	*ret = steal_ptr(&pstore);
	return 0;
}

struct pstore *pstore_free(struct pstore *pstore)
{
	if (!pstore)
		return NULL;
	for (size_t i = 0; i < pstore->n_files; i++)
		buffer_deinit(&pstore->files[i].text);
	fd_close(&pstore->fd);
	free(pstore);
	return NULL;
}

int pstore_text(struct pstore *pstore, size_t max, struct buffer *out)
{
	struct pstore_record records[RECORDS_MAX];
	struct buffer text = BUFFER_NULL;
	int r;

	for (size_t i = 0; i < pstore->n_files; i++)
		records[i] = (struct pstore_record){ .time = pstore->files[i].time,
			                             .text = buffer_slice(&pstore->files[i].text) };
	pstore_text_join(records, pstore->n_files, &text);
	r = buffer_error(&text);
	if (r == 0) {
		struct slice kept = buffer_slice(&text);

		if (kept.len > max) { /* whole lines */
			kept = slice_sub(kept, kept.len - max, max);
			(void)slice_cut(&kept, '\n');
		}
		buffer_append_slice(out, kept);
		r = buffer_error(out);
	}
	buffer_deinit(&text);
	return r;
}

void pstore_forget(struct pstore *pstore)
{
	for (size_t i = 0; i < pstore->n_files; i++)
		(void)unlinkat(pstore->fd, pstore->files[i].name, 0); /* told twice at worst */
}
