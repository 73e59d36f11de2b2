/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/host_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/sys/file.h"

#define HOST_FILE_SIZE_MAX ((size_t)1 << 20)

DEFINE_FREEP(struct host_files, host_files_free);
static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir); /* was only read */
}

void host_files_free(struct host_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n_files; i++)
		json_decref(files->files[i].doc);
	free(files->files);
	free(files);
}

struct reading {
	const char *directory, *entry; /* of what is being read, for messages */
	char *error;                   /* SERVICES_ERROR_MAX */
};

static int refuse(const struct reading *r, unsigned line, unsigned column, const char *text)
{
	if (line > 0)
		(void)snprintf(r->error, SERVICES_ERROR_MAX, "%.120s/%.120s:%u:%u: %.220s",
		               r->directory, r->entry, line, column, text);
	else
		(void)snprintf(r->error, SERVICES_ERROR_MAX, "%.120s/%.120s: %.220s", r->directory,
		               r->entry, text);
	return SERVICES_REFUSED;
}

static int name_of_entry(const struct reading *reading, char to[HOST_NAME_MAX_LEN])
{
	struct slice name = slice_from_text(reading->entry);

	if (slice_has_suffix(name, SLICE_LITERAL(".yaml")))
		name.len -= strlen(".yaml");
	if (!host_name_is_good(name))
		return refuse(reading, 0, 0, "the file's name is no name of a host");
	return text_copy(to, HOST_NAME_MAX_LEN, name) == 0 ? 0 : -EINVAL;
}

/* Takes what an earlier file has not: the name and each address. */
static int check_against(const struct reading *reading, const struct host_files *files,
                         const struct host_file *file)
{
	char text[SERVICES_ERROR_MAX], mac[MAC_TEXT_MAX];

	for (size_t i = 0; i < files->n_files; i++) {
		const struct host_file *other = &files->files[i];

		if (strcmp(other->name, file->name) == 0)
			return refuse(reading, 0, 0, "there are two files for this host");
		for (unsigned a = 0; a < other->host.n_macs; a++)
			for (unsigned b = 0; b < file->host.n_macs; b++) {
				if (!mac_equal(other->host.macs[a], file->host.macs[b]))
					continue;
				(void)snprintf(
					text, sizeof(text), "mac_addr: %s belongs to %s already",
					mac_format(file->host.macs[b], ':', mac), other->name);
				return refuse(reading, 0, 0, text);
			}
	}
	return 0;
}

static int parse_text(const struct reading *reading, struct slice text, struct host_file *file)
{
	CLEANUP(document_freep) struct document *doc = NULL;
	struct document_error bad = { .line = 0 };
	struct host_document_error wrong;
	char message[SERVICES_ERROR_MAX];
	unsigned line = 0, column = 0;
	int r = document_parse(text, &doc, &bad);

	if (r != 0)
		return r < 0 ? r : refuse(reading, bad.line, bad.column, bad.text);
	r = host_document_parse(document_root(doc), &file->host, &wrong);
	if (r != 0) {
		(void)document_find_place(doc, wrong.key, &line, &column);
		(void)snprintf(message, sizeof(message), "%s%s%s", wrong.key,
		               wrong.key[0] ? ": " : "", wrong.text);
		return refuse(reading, line, column, message);
	}
	file->doc = json_incref(document_root(doc));
	return 0;
}

static int read_one(const struct reading *reading, int dir_fd, struct host_files *files)
{
	struct host_file *file = &files->files[files->n_files];
	struct buffer text = BUFFER_NULL;
	int r;

	*file = (struct host_file){ .doc = NULL };
	r = name_of_entry(reading, file->name);
	if (r != 0)
		return r;
	r = file_read_all(dir_fd, reading->entry, HOST_FILE_SIZE_MAX, &text);
	if (r < 0)
		return refuse(reading, 0, 0, strerror(-r));
	r = parse_text(reading, buffer_slice(&text), file);
	buffer_deinit(&text);
	if (r == 0)
		r = check_against(reading, files, file);
	if (r != 0) {
		json_decref(file->doc);
		return r;
	}
	files->n_files++;
	return 0;
}

static bool is_host_file(int dir_fd, const char *name)
{
	struct stat st;
	size_t len = strlen(name);

	if (name[0] == '.' || name[len - 1] == '~')
		return false;
	return fstatat(dir_fd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static int make_room(struct host_files *files)
{
	struct host_file *more;
	size_t n = files->n_files;

	if (n % 64 != 0)
		return 0;
	more = realloc(files->files, (n + 64) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	files->files = more;
	return 0;
}

int host_files_read(const char *directory, struct host_files **ret, char error[SERVICES_ERROR_MAX])
{
	CLEANUP(host_files_freep) struct host_files *files = calloc(1, sizeof(*files));
	CLEANUP(closedirp) DIR *dir = opendir(directory);
	struct reading reading = { .directory = directory, .error = error };
	const struct dirent *entry;

	if (!files)
		return -ENOMEM;
	if (!dir && errno == ENOENT) { /* nobody has described a host yet */
		*ret = steal_ptr(&files);
		return 0;
	}
	if (!dir) {
		(void)snprintf(error, SERVICES_ERROR_MAX, "hosts: %s: %s", directory,
		               strerror(errno));
		return SERVICES_REFUSED;
	}
	while ((entry = readdir(dir)) != NULL) {
		int r;

		if (!is_host_file(dirfd(dir), entry->d_name))
			continue;
		reading.entry = entry->d_name;
		if (files->n_files == HOST_FILES_MAX)
			return refuse(&reading, 0, 0, "there are too many host files");
		r = make_room(files);
		if (r == 0)
			r = read_one(&reading, dirfd(dir), files);
		if (r != 0)
			return r;
	}
	*ret = steal_ptr(&files);
	return 0;
}
