/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/job_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/doc/document.h"
#include "lib/doc/job_cgz.h"
#include "lib/doc/job_script.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/result_room.h"
#include "server/store/job_store.h"

#define MARKER ".attempt" /* in a result directory: the id of the attempt that writes there */

int job_bundle_load(struct services *s, int64_t job, struct job **ret)
{
	struct buffer text = BUFFER_NULL;
	struct job_error error;
	json_t *doc = NULL;
	int r = job_store_document(s->db, job, &text);

	if (r == 0)
		doc = json_loadb((const char *)text.data, text.len, 0, NULL);
	buffer_deinit(&text);
	if (r != 0 || !doc)
		return r < 0 ? r : -EUCLEAN;
	r = job_parse(doc, ret, &error);
	json_decref(doc);
	return r > 0 ? -EUCLEAN : r; /* it was accepted once: only a damaged store gets here */
}

static int dispatch_fields(struct services *s, const struct job_record *record,
                           const struct job *job, const struct attempt *attempt, json_t **ret)
{
	char id[JOB_ID_TEXT_MAX], server[IPV4_TEXT_MAX];
	const struct job_dispatch dispatch = {
		.id = services_job_id(s, record->id, id),
		.result_root = record->result_root,
		.host = attempt->host,
		.server = ipv4_format(attempt->server, server),
		.api_port = s->config.api_port,
		.upload_port = s->config.upload_port,
	};

	return job_dispatch_fields(job, &dispatch, ret);
}

static void fill_attempt_file(struct services *s, const struct attempt *attempt,
                              struct attempt_file *ret)
{
	char id[JOB_ID_TEXT_MAX], server[IPV4_TEXT_MAX];

	*ret = (struct attempt_file){ .server = "" };
	(void)ipv4_format(attempt->server, server);
	(void)snprintf(ret->server, sizeof(ret->server), "http://%s:%u", server,
	               s->config.api_port);
	(void)snprintf(ret->job, sizeof(ret->job), "%s", services_job_id(s, attempt->job, id));
	(void)snprintf(ret->attempt, sizeof(ret->attempt), "%" PRId64, attempt->id);
	(void)snprintf(ret->token, sizeof(ret->token), "%s", attempt->token);
	(void)snprintf(ret->host, sizeof(ret->host), "%s", attempt->host);
	(void)snprintf(ret->upload, sizeof(ret->upload),
	               "http://%s:%u/v1/attempts/%" PRId64 "/files/", server, s->config.upload_port,
	               attempt->id);
}

int job_bundle_cgz(struct services *s, const struct job_record *record,
                   const struct attempt *attempt, struct buffer *out)
{
	CLEANUP(job_freep) struct job *job = NULL;
	struct attempt_file file;
	json_t *fields = NULL;
	int r = job_bundle_load(s, record->id, &job);

	if (r == 0)
		r = dispatch_fields(s, record, job, attempt, &fields);
	if (r < 0)
		return r;
	fill_attempt_file(s, attempt, &file);
	r = job_cgz_build(fields, &file, out);
	json_decref(fields);
	return r;
}

/* "/result/a/b" → "a/b", below the directory of results. */
static const char *below_results(const char *result_root)
{
	const char *prefix = "/result/";
	size_t len = strlen(prefix);

	return strncmp(result_root, prefix, len) == 0 ? result_root + len : result_root;
}

static int open_all_results(const struct services *s)
{
	int fd = open(s->config.results, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int job_bundle_open_results(struct services *s, const struct job_record *record)
{
	CLEANUP(fd_closep) int results = open_all_results(s);

	if (results < 0)
		return results;
	return file_open_beneath(results, below_results(record->result_root),
	                         O_RDONLY | O_DIRECTORY, 0);
}

int job_bundle_open_parent(struct services *s, const struct job_record *record)
{
	CLEANUP(fd_closep) int results = open_all_results(s);
	char path[JOB_ROOT_MAX];
	char *slash;

	if (results < 0)
		return results;
	(void)snprintf(path, sizeof(path), "%s", below_results(record->result_root));
	slash = strrchr(path, '/');
	if (!slash || slash == path)
		return -EINVAL;
	*slash = '\0';
	return file_open_beneath(results, path, O_RDONLY | O_DIRECTORY, 0);
}

void job_bundle_remove_empty_parents(struct services *s, const struct job_record *record)
{
	CLEANUP(fd_closep) int results = open_all_results(s);
	char path[JOB_ROOT_MAX];
	char *slash;

	(void)snprintf(path, sizeof(path), "%s", below_results(record->result_root));
	while (results >= 0 && (slash = strrchr(path, '/'))) {
		*slash = '\0';
		if (unlinkat(results, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return; /* something is in it */
	}
}

int job_bundle_check_room(struct services *s, const struct job_record *record)
{
	CLEANUP(fd_closep) int results = open_all_results(s);
	CLEANUP(fd_closep) int dir = -1;

	if (results < 0)
		return results;
	dir = file_make_dirs(results, below_results(record->result_root), 0755);
	return dir < 0 ? dir : result_room_check(dir, s->config.results_free);
}

/* The attempt that writes to this directory, 0 when it has no mark; or -errno. */
static int read_marker(int dir_fd, int64_t *ret)
{
	struct buffer text = BUFFER_NULL;
	uint64_t id = 0;
	int r = file_read_all(dir_fd, MARKER, 64, &text);

	if (r == 0 && text_parse_u64(text_trim(buffer_slice(&text)), INT64_MAX, &id) != 0)
		id = 0;
	buffer_deinit(&text);
	*ret = (int64_t)id;
	return r == -ENOENT ? 0 : r;
}

static int move_aside(int results, const char *path, int64_t old)
{
	char aside[JOB_ROOT_MAX + 32];

	(void)snprintf(aside, sizeof(aside), "%s.attempt-%" PRId64, path, old);
	return renameat(results, path, results, aside) < 0 ? -errno : 0;
}

/* The directory of this attempt, empty of what others left. Returns an fd or -errno. */
static int make_directory(struct services *s, const char *path, int64_t attempt)
{
	CLEANUP(fd_closep) int results = open_all_results(s);
	CLEANUP(fd_closep) int dir = -1;
	int64_t old;
	int r;

	if (results < 0)
		return results;
	dir = file_make_dirs(results, path, 0755);
	if (dir < 0)
		return dir;
	r = read_marker(dir, &old);
	if (r < 0)
		return r;
	if (old == 0 || old == attempt)
		return steal_fd(&dir);
	r = move_aside(results, path, old);
	if (r < 0)
		return r;
	return file_make_dirs(results, path, 0755);
}

typedef int (*write_fn)(int dir_fd, const char *name, struct slice content, mode_t mode);

static int write_copies(int dir_fd, const json_t *fields, int64_t attempt, write_fn write)
{
	struct buffer script = BUFFER_NULL, yaml = BUFFER_NULL, marker = BUFFER_NULL;
	int r = -ENOMEM;

	job_script_build(&script, fields);
	document_write_yaml(&yaml, fields);
	buffer_printf(&marker, "%" PRId64 "\n", attempt);
	if (!script.failed && !yaml.failed && !marker.failed)
		r = write(dir_fd, MARKER, buffer_slice(&marker), 0644);
	if (r == 0)
		r = write(dir_fd, "job.sh", buffer_slice(&script), 0755);
	if (r == 0)
		r = write(dir_fd, "job.yaml", buffer_slice(&yaml), 0644);
	buffer_deinit(&script);
	buffer_deinit(&yaml);
	buffer_deinit(&marker);
	return r;
}

int job_bundle_prepare(struct services *s, const struct job_record *record, const struct job *job,
                       const struct attempt *attempt)
{
	CLEANUP(fd_closep) int dir = -1;
	json_t *fields = NULL;
	int r;

	dir = make_directory(s, below_results(record->result_root), attempt->id);
	if (dir < 0)
		return dir;
	r = dispatch_fields(s, record, job, attempt, &fields);
	if (r < 0)
		return r;
	r = write_copies(dir, fields, attempt->id, file_write_soon);
	json_decref(fields);
	return r;
}

static bool is_whole(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

int job_bundle_mend(struct services *s, const struct attempt *attempt)
{
	CLEANUP(job_freep) struct job *job = NULL;
	CLEANUP(fd_closep) int dir = -1;
	struct job_record record;
	json_t *fields = NULL;
	int64_t marker = 0;
	int r = job_store_find(s->db, attempt->job, &record);

	if (r != 0)
		return MIN(r, 0);
	dir = job_bundle_open_results(s, &record);
	if (dir < 0)
		return 0; /* made anew when somebody needs it */
	r = read_marker(dir, &marker);
	if (r < 0 || (marker != 0 && marker != attempt->id))
		return r;
	if (marker != 0 && is_whole(dir, "job.sh") && is_whole(dir, "job.yaml"))
		return 0;
	r = job_bundle_load(s, record.id, &job);
	if (r == 0)
		r = dispatch_fields(s, &record, job, attempt, &fields);
	if (r < 0)
		return r;
	r = write_copies(dir, fields, attempt->id, file_write_durably);
	json_decref(fields);
	return r;
}
