/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/boot_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/sys/fd.h"
#include "lib/sys/file.h"
#include "server/service/job_bundle.h"
#include "server/store/file_store.h"
#include "server/store/job_store.h"

#define LOG_NAME   "initramfs.log" /* in the result directory of the attempt */
#define PANIC_NAME "panic.log"
#define BOOTS_DIR  "boots" /* below `state`: MAC.log and MAC.panic of boots without an attempt */

/* Bytes that one byte of a log may take when it is escaped. */
#define ESCAPE_MAX 4

/* Writes what came. Returns its length; 0: there is none, or it could not be kept. */
static size_t write_log(int dir, const char *name, struct slice encoded)
{
	struct buffer text = BUFFER_NULL;
	size_t len = 0;

	if (dir >= 0 && encoded.len > 0) {
		boot_report_log(encoded, &text);
		if (buffer_error(&text) == 0 &&
		    file_write_durably(dir, name, buffer_slice(&text), 0644) == 0)
			len = text.len;
	}
	buffer_deinit(&text);
	return len;
}

/* One result file. *ret is its name when it was kept. */
static int keep(struct services *s, const struct moment *m, const struct attempt *attempt, int dir,
                struct slice encoded, const char *name, const char **ret)
{
	struct stored_file file = { .size = (int64_t)write_log(dir, name, encoded) };
	int r;

	if (file.size == 0)
		return 0;
	(void)snprintf(file.name, sizeof(file.name), "%s", name);
	r = file_store_put(s->db, attempt->id, &file, m->wall);
	if (r == 0)
		*ret = name;
	return r;
}

int boot_log_keep(struct services *s, const struct moment *m, const struct attempt *attempt,
                  const struct boot_report *report, struct boot_log_names *ret)
{
	CLEANUP(fd_closep) int dir = -1;
	struct job_record job;
	int r = 0;

	*ret = (struct boot_log_names){ .log = NULL };
	if (!report->has_failed && report->panic.len == 0)
		return 0;
	r = job_store_find(s->db, attempt->job, &job);
	if (r != 0)
		return r < 0 ? r : -EUCLEAN;
	dir = job_bundle_open_results(s, &job);
	if (report->has_failed)
		r = keep(s, m, attempt, dir, report->journal, LOG_NAME, &ret->log);
	if (r == 0)
		r = keep(s, m, attempt, dir, report->panic, PANIC_NAME, &ret->panic);
	return r;
}

#define MACHINE_NAME_MAX (MAC_TEXT_MAX + sizeof(".panic"))

static const char *machine_name(struct mac mac, const char *suffix, char to[MACHINE_NAME_MAX])
{
	char text[MAC_TEXT_MAX];

	(void)snprintf(to, MACHINE_NAME_MAX, "%s.%s", mac_format(mac, '-', text), suffix);
	return to;
}

static int open_boots(const struct services *s)
{
	CLEANUP(fd_closep) int state = open(s->config.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return state < 0 ? -errno : file_make_dirs(state, BOOTS_DIR, 0755);
}

void boot_log_keep_machine(const struct services *s, struct mac mac,
                           const struct boot_report *report, struct boot_log_names *ret)
{
	CLEANUP(fd_closep) int dir = -1;
	char name[MACHINE_NAME_MAX], text[MAC_TEXT_MAX];

	*ret = (struct boot_log_names){ .log = NULL };
	if (!report->has_failed && report->panic.len == 0)
		return;
	dir = open_boots(s);
	(void)snprintf(ret->room, sizeof(ret->room), "/v1/boots/%s/report",
	               mac_format(mac, '-', text));
	if (report->has_failed &&
	    write_log(dir, machine_name(mac, "log", name), report->journal) > 0)
		ret->log = ret->room;
	if (write_log(dir, machine_name(mac, "panic", name), report->panic) > 0)
		ret->panic = ret->room;
}

/* Appends a file under a heading. Returns 0 or -errno; -ENOENT: it is not there. */
static int read_log(int dir, const char *name, const char *heading, struct buffer *out)
{
	struct buffer text = BUFFER_NULL;
	int r = file_read_all(dir, name, (size_t)ESCAPE_MAX * BOOT_REPORT_LOG_MAX, &text);

	if (r == 0) {
		buffer_append_text(out, heading);
		buffer_append_slice(out, buffer_slice(&text));
	}
	buffer_deinit(&text);
	return r;
}

int boot_log_read_machine(const struct services *s, struct mac mac, struct buffer *out)
{
	CLEANUP(fd_closep) int dir = open_boots(s);
	char name[MACHINE_NAME_MAX];
	int log, panic;

	if (dir < 0)
		return dir;
	log = read_log(dir, machine_name(mac, "log", name), "", out);
	panic = read_log(dir, machine_name(mac, "panic", name), "--- of an earlier kernel ---\n",
	                 out);
	return log == -ENOENT || panic == 0 ? panic : log;
}
