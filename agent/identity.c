/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Reads /proc and the files that came in job.cgz.
 */
#include "agent/identity.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/cmdline.h"
#include "lib/sys/file.h"

#define SMALL_FILE_MAX ((size_t)64 << 10)
#define JOB_YAML_MAX   ((size_t)16 << 20)

/* job.cgz, behind whatever directories (EFI writes them with '\\'). */
static bool is_job_archive(struct slice name)
{
	const struct slice job = SLICE_LITERAL("job.cgz");

	return slice_has_suffix(name, job) &&
	       (name.len == job.len || name.data[name.len - job.len - 1] == '/' ||
	        name.data[name.len - job.len - 1] == '\\');
}

void identity_read_words(struct slice cmdline, struct identity_words *ret)
{
	struct cmdline_word word;

	(void)text_copy(ret->job, sizeof(ret->job), SLICE_LITERAL(IDENTITY_JOB_DEFAULT));
	(void)text_copy(ret->user, sizeof(ret->user), SLICE_LITERAL("lkp"));
	ret->names_archive = false;
	cmdline = text_trim(cmdline);
	while (cmdline_next(&cmdline, &word)) {
		if (word.value.len == 0)
			continue;
		if (text_equal(word.key, "job") && word.value.data[0] == '/' &&
		    word.value.len < sizeof(ret->job))
			(void)text_copy(ret->job, sizeof(ret->job), word.value);
		else if (text_equal(word.key, "user") && word.value.len < sizeof(ret->user))
			(void)text_copy(ret->user, sizeof(ret->user), word.value);
		else if (text_equal(word.key, "initrd") && is_job_archive(word.value))
			ret->names_archive = true;
	}
}

bool identity_is_for_lkp(struct slice job_yaml)
{
	bool has_job2sh = false, is_ours = false;

	while (job_yaml.len > 0) {
		struct slice line = slice_cut(&job_yaml, '\n');

		if (slice_has_prefix(line, SLICE_LITERAL("job2sh:")))
			has_job2sh = true;
		else if (slice_has_prefix(line, SLICE_LITERAL("agent:")))
			is_ours = text_equal(text_trim(slice_sub(line, 6, line.len)), "cci");
	}
	return has_job2sh && !is_ours;
}

/* Reads a file below root. Returns 0 or -errno. */
static int read_file(const char *root, const char *path, size_t max, struct buffer *ret)
{
	char full[PATH_MAX];
	int n = snprintf(full, sizeof(full), "%s%s", root, path);

	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	return file_read_all(AT_FDCWD, full, max, ret);
}

/* The path of what lies beside the job file: job.sh and attempt. */
static int beside(const char *root, const char *job, char ret_script[PATH_MAX],
                  char ret_attempt[PATH_MAX])
{
	struct slice stem = slice_from_text(job);
	const char *slash = strrchr(job, '/');
	int n, m;

	assert(slash); /* identity_read_words takes no relative path */
	if (slice_has_suffix(stem, SLICE_LITERAL(".yaml")))
		stem.len -= strlen(".yaml");
	n = snprintf(ret_script, PATH_MAX, "%s%.*s.sh", root, (int)stem.len,
	             (const char *)stem.data);
	m = snprintf(ret_attempt, PATH_MAX, "%.*s/attempt", (int)(slash - job), job);
	return n < 0 || n >= PATH_MAX || m < 0 || m >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_boot(const char *root, struct identity *id)
{
	struct buffer text = BUFFER_NULL;
	struct utsname name;
	int r;

	r = read_file(root, "/proc/sys/kernel/random/boot_id", SMALL_FILE_MAX, &text);
	if (r < 0 && root[0]) /* a tree without one: the machine's own will do */
		r = read_file("", "/proc/sys/kernel/random/boot_id", SMALL_FILE_MAX, &text);
	if (r < 0)
		return r;
	(void)text_copy(id->boot_id, sizeof(id->boot_id), text_trim(buffer_slice(&text)));
	buffer_deinit(&text);
	if (uname(&name) < 0)
		return -errno;
	(void)snprintf(id->kernel, sizeof(id->kernel), "%s", name.release);
	return 0;
}

int identity_find(const char *root, struct identity *ret, const char **ret_why)
{
	struct identity id = { .is_for_lkp = false };
	struct buffer text = BUFFER_NULL;
	char attempt[PATH_MAX];
	int r;

	r = read_file(root, "/proc/cmdline", SMALL_FILE_MAX, &text);
	if (r < 0)
		return r;
	identity_read_words(buffer_slice(&text), &id.words);
	buffer_deinit(&text);
	r = beside(root, id.words.job, id.script, attempt);
	if (r < 0)
		return r;

	r = read_file(root, attempt, SMALL_FILE_MAX, &text);
	if ((r == -ENOENT || r == -ENOTDIR) && id.words.names_archive &&
	    access(id.script, F_OK) < 0) {
		*ret_why = "initrd=job.cgz is on the kernel command line, but job.cgz did not "
			   "arrive";
		return IDENTITY_LOST;
	}
	if (r == -ENOENT || r == -ENOTDIR) {
		*ret_why = "no attempt file lies beside the job";
		return IDENTITY_NONE;
	}
	if (r < 0)
		return r;
	r = attempt_file_parse(buffer_slice(&text), &id.attempt);
	buffer_deinit(&text);
	if (r != 0) {
		*ret_why = "the attempt file lacks server, attempt or token";
		return IDENTITY_BAD;
	}

	r = read_file(root, id.words.job, JOB_YAML_MAX, &text);
	if (r == 0)
		id.is_for_lkp = identity_is_for_lkp(buffer_slice(&text));
	buffer_deinit(&text);
	r = read_boot(root, &id);
	if (r < 0)
		return r;
	*ret = id;
	return 0;
}

void identity_find_mac(const char *local_ip, char ret_mac[18])
{
	struct ifaddrs *list = NULL;
	const char *name = NULL;
	char text[INET6_ADDRSTRLEN];

	ret_mac[0] = '\0';
	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i && !name; i = i->ifa_next) {
		const struct sockaddr_in *in = (const void *)i->ifa_addr;

		if (in && in->sin_family == AF_INET &&
		    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) &&
		    strcmp(text, local_ip) == 0)
			name = i->ifa_name;
	}
	for (const struct ifaddrs *i = list; i && name; i = i->ifa_next) {
		const struct sockaddr_ll *ll = (const void *)i->ifa_addr;

		if (ll && i->ifa_name && ll->sll_family == AF_PACKET &&
		    strcmp(i->ifa_name, name) == 0 && ll->sll_halen == 6)
			(void)snprintf(ret_mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x",
			               ll->sll_addr[0], ll->sll_addr[1], ll->sll_addr[2],
			               ll->sll_addr[3], ll->sll_addr[4], ll->sll_addr[5]);
	}
	freeifaddrs(list);
}

int identity_take_name(const struct identity *id)
{
	return sethostname(id->attempt.host, strlen(id->attempt.host)) < 0 ? -errno : 0;
}
