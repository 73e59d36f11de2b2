/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/store/db_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"

#define PAGES_A_STEP 1000
#define BUSY_WAIT_MS 100
#define BUSY_TRIES   300 /* 30 s */

static void close_filep(FILE **file)
{
	if (*file)
		(void)fclose(
			*file); /* what was not written is not believed: its file is not there */
}

static void close_dbp(sqlite3 **db)
{
	(void)sqlite3_close(*db); /* no statement is open */
}

static int copy_pages(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int tries = 0, code;

	if (!backup)
		return -EIO;
	do {
		code = sqlite3_backup_step(backup, PAGES_A_STEP);
		if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
			(void)sqlite3_sleep(BUSY_WAIT_MS);
	} while (code == SQLITE_OK ||
	         ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && ++tries < BUSY_TRIES));
	(void)sqlite3_backup_finish(backup); /* repeats the error of the step */
	switch (code) {
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

static int copy_database(const char *from, const char *to)
{
	CLEANUP(close_dbp) sqlite3 *source = NULL, *target = NULL;

	if (access(from, R_OK) < 0)
		return -errno;
	if (sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return -EACCES;
	if (sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		return -EACCES;
	return copy_pages(source, target);
}

static int sync_path(const char *path, int flags)
{
	CLEANUP(fd_closep) int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* The directory part of a path, "." when there is none; malloc'ed. */
static char *directory_of(const char *path)
{
	struct slice s = slice_from_text(path);

	while (s.len > 0 && s.data[s.len - 1] != '/')
		s.len--;
	return s.len == 0 ? text_dup(SLICE_LITERAL(".")) : text_dup(s);
}

/* Leaves the backup's name beside the database, for who has to restore it. */
static void note_backup(const char *from, const char *to)
{
	CLEANUP(freep) char *note = text_format("%s.backup", from);
	CLEANUP(freep) char *whole = realpath(to, NULL);
	CLEANUP(close_filep) FILE *file = note && whole ? fopen(note, "we") : NULL;

	if (file)
		(void)fputs(whole, file); /* a convenience: without it, the user names the file */
}

char *db_backup_last(const char *path)
{
	CLEANUP(freep) char *note = text_format("%s.backup", path);
	CLEANUP(close_filep) FILE *file = note ? fopen(note, "re") : NULL;
	char name[PATH_MAX];

	if (!file || !fgets(name, sizeof(name), file) || access(name, R_OK) < 0)
		return NULL;
	return text_dup(slice_from_text(name));
}

int db_backup(const char *from, const char *to)
{
	CLEANUP(freep) char *temporary = text_format("%s.part", to);
	CLEANUP(freep) char *directory = directory_of(to);
	int r;

	if (!temporary || !directory)
		return -ENOMEM;
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	r = copy_database(from, temporary);
	if (r == 0)
		r = sync_path(temporary, O_RDONLY);
	if (r == 0 && rename(temporary, to) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary); /* best effort: the error that counts is r */
		return r;
	}
	r = sync_path(directory, O_RDONLY | O_DIRECTORY);
	if (r == 0)
		note_backup(from, to);
	return r;
}
