/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/service/boot_files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/sys/file.h"

enum found { FOUND = 0, ABSENT = 1, OUTSIDE = 2 };

struct search {
	const struct services_config *config;
	const struct job *job;
	struct boot_files *ret;
};

/* Says what is missing: words, the file (cut when it is very long), words. */
static int missing(struct boot_files *files, const char *before, const char *what,
                   const char *after)
{
	(void)snprintf(files->missing, sizeof(files->missing), "%.40s%.150s%.40s", before, what,
	               after);
	return BOOT_FILES_MISSING;
}

static const struct services_root *root_of(const struct services_config *config, const char *path,
                                           const char **ret_rest)
{
	for (size_t i = 0; i < config->n_roots; i++) {
		size_t len = strlen(config->roots[i].url);

		if (strncmp(path, config->roots[i].url, len) == 0 && path[len] == '/') {
			*ret_rest = path + len;
			return &config->roots[i];
		}
	}
	return NULL;
}

/*
 * Resolves the links of a URL path: what comes back is the URL path of the real file (of the real
 * directory when want_dir), which must lie below the same root.
 */
static int resolve(const struct services_config *config, const char *path, bool want_dir,
                   char ret[BOOT_PATH_MAX])
{
	CLEANUP(freep) char *real_root = NULL, *real = NULL, *whole = NULL;
	const struct services_root *root;
	const char *rest = NULL;
	struct stat st;
	size_t len;

	root = root_of(config, path, &rest);
	if (!root)
		return ABSENT;
	whole = text_format("%s%s", root->path, rest);
	if (!whole)
		return -ENOMEM;
	real_root = realpath(root->path, NULL);
	real = realpath(whole, NULL);
	if (!real_root || !real)
		return errno == ENOMEM ? -ENOMEM : ABSENT;
	len = strlen(real_root);
	if (strncmp(real, real_root, len) != 0 || real[len] != '/')
		return OUTSIDE;
	if (stat(real, &st) < 0 || (want_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)))
		return ABSENT;
	if (snprintf(ret, BOOT_PATH_MAX, "%s%s", root->url, real + len) >= BOOT_PATH_MAX)
		return ABSENT;
	return FOUND;
}

const char *boot_file_basename(const char *url)
{
	const char *slash = strrchr(url, '/');

	return slash ? slash + 1 : url;
}

static struct boot_file *next_initrd(struct boot_files *files)
{
	if (files->n_initrds == BOOT_INITRDS_MAX)
		return NULL;
	return &files->initrds[files->n_initrds];
}

/* Adds the file when it is there. Returns 0, or BOOT_FILES_MISSING when it is needed and is not. */
static int add(struct search *s, const char *path, bool is_needed)
{
	struct boot_file *file = next_initrd(s->ret);
	int r;

	if (!file)
		return missing(s->ret, "too many initrds, at ", path, "");
	r = resolve(s->config, path, false, file->url);
	if (r < 0)
		return r;
	if (r == FOUND)
		s->ret->n_initrds++;
	else if (r == OUTSIDE)
		return missing(s->ret, "", path, " leads out of its directory");
	else if (is_needed)
		return missing(s->ret, "missing file ", path, "");
	return 0;
}

static int add_url(struct search *s, const char *url)
{
	struct boot_file *file = next_initrd(s->ret);

	if (!file || strlen(url) >= sizeof(file->url))
		return missing(s->ret, "too many initrds, or too long: ", url, "");
	(void)snprintf(file->url, sizeof(file->url), "%s", url);
	s->ret->n_initrds++;
	return 0;
}

static bool is_url(const char *text)
{
	return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static int find_kernel(struct search *s)
{
	char path[BOOT_PATH_MAX];
	int r;

	if (s->job->kernel_uri && is_url(s->job->kernel_uri)) {
		if (text_copy(s->ret->kernel.url, sizeof(s->ret->kernel.url),
		              slice_from_text(s->job->kernel_uri)) != 0)
			return missing(s->ret, "kernel_uri is too long: ", s->job->kernel_uri, "");
		return 0;
	}
	if (s->job->kernel_uri)
		(void)snprintf(path, sizeof(path), "%s", s->job->kernel_uri);
	else if (s->job->kernel_version)
		(void)snprintf(path, sizeof(path), "/os/%s/boot/vmlinuz-%s", s->job->os_dir,
		               s->job->kernel_version);
	else
		(void)snprintf(path, sizeof(path), "/os/%s/boot/vmlinuz", s->job->os_dir);
	r = resolve(s->config, path, false, s->ret->kernel.url);
	if (r < 0)
		return r;
	if (r == OUTSIDE)
		return missing(s->ret, "", path, " leads out of its directory");
	return r == FOUND ? 0 : missing(s->ret, "missing kernel ", path, "");
}

/* The version of the kernel found, from its name; NULL when that does not tell. */
static const char *kernel_version(const struct search *s)
{
	const char *name = boot_file_basename(s->ret->kernel.url);

	if (s->job->kernel_version)
		return s->job->kernel_version;
	return strncmp(name, "vmlinuz-", 8) == 0 ? name + 8 : NULL;
}

/* modules_uri of the job is a URL or a list of them; else the OS directory's, when it has one. */
static int add_modules(struct search *s)
{
	const json_t *uri = json_object_get(s->job->doc, "modules_uri"), *item;
	char path[BOOT_PATH_MAX];
	size_t i;
	int r = 0;

	if (s->job->os_mount == OS_MOUNT_LOCAL)
		return 0;
	if (json_is_string(uri))
		return add_url(s, json_string_value(uri));
	if (json_is_array(uri) && json_array_size(uri) > 0) {
		json_array_foreach(uri, i, item) if (r == 0 && json_is_string(item)) r =
			add_url(s, json_string_value(item));
		return r;
	}
	if (!kernel_version(s))
		return 0;
	(void)snprintf(path, sizeof(path), "/os/%s/boot/modules-%s.cgz", s->job->os_dir,
	               kernel_version(s));
	return add(s, path, false);
}

/* The first file: the whole system, or the initramfs that finds it. */
static int add_first(struct search *s)
{
	char path[BOOT_PATH_MAX];

	if (s->job->os_mount == OS_MOUNT_INITRAMFS)
		(void)snprintf(path, sizeof(path), "/initrd/osimage/%s/current", s->job->os_dir);
	else
		(void)snprintf(path, sizeof(path), "/os/%s/initrd.lkp", s->job->os_dir);
	return add(s, path, true);
}

static int add_program(struct search *s, const char *program)
{
	char path[BOOT_PATH_MAX];

	if (!job_is_name(slice_from_text(program)))
		return 0;
	(void)snprintf(path, sizeof(path), "/initrd/deps/initramfs/%s/%s/%s.cgz", s->job->os_dir,
	               program, program);
	return add(s, path, false);
}

static int add_package(struct search *s, const char *program)
{
	char path[BOOT_PATH_MAX];

	if (!job_is_name(slice_from_text(program)))
		return 0;
	(void)snprintf(path, sizeof(path), "/initrd/pkg/initramfs/%s/%s/latest.cgz", s->job->os_dir,
	               program);
	return add(s, path, false);
}

/* Calls f for each program of the job: the keys of pp and of monitors. */
static int each_program(struct search *s, int (*f)(struct search *, const char *))
{
	static const char *const maps[] = { "monitors", "pp" };
	const char *key;
	json_t *value;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		json_t *map = json_object_get(s->job->doc, maps[i]);

		json_object_foreach(map, key, value) if (r == 0) r = f(s, key);
	}
	return r;
}

/* A system in the initramfs gets what its programs need as more archives. */
static int add_deps(struct search *s)
{
	char path[BOOT_PATH_MAX];
	int r;

	if (s->job->os_mount != OS_MOUNT_INITRAMFS)
		return 0;
	(void)snprintf(path, sizeof(path), "/initrd/deps/initramfs/debian/%s/sid/run-ipconfig.cgz",
	               s->job->os_arch);
	r = add(s, path, false);
	if (r == 0)
		r = add_program(s, "lkp");
	if (r == 0)
		r = each_program(s, add_program);
	if (r == 0)
		r = each_program(s, add_package);
	return r;
}

static int add_job(struct search *s, const char *job_id)
{
	struct boot_file *file = next_initrd(s->ret);

	if (!file)
		return missing(s->ret, "too many initrds, at job.cgz of ", job_id, "");
	(void)snprintf(file->url, sizeof(file->url), "/job_initrd_tmpfs/%s/job.cgz", job_id);
	file->is_job = true;
	s->ret->n_initrds++;
	return 0;
}

static int add_package_data(struct search *s, const char *repository, const json_t *data,
                            bool *has_base)
{
	const char *tag = json_string_value(json_object_get(data, "tag"));
	const char *md5 = json_string_value(json_object_get(data, "md5"));
	char path[BOOT_PATH_MAX];
	int r = 0;

	if (!job_is_name(slice_from_text(repository)))
		return 0;
	if (tag && job_is_name(slice_from_text(tag))) {
		(void)snprintf(path, sizeof(path), "/upload-files/%s/%s/%s.cgz", repository,
		               s->job->os_arch, tag);
		*has_base = true;
		r = add(s, path, true);
	}
	if (r == 0 && md5 && strlen(md5) == 32 && job_is_name(slice_from_text(md5))) {
		(void)snprintf(path, sizeof(path), "/upload-files/%s/%.2s/%s.cgz", repository, md5,
		               md5);
		r = add(s, path, true);
	}
	return r;
}

/*
 * The client's own tree (base and changes) and our agent. Later archives win on the same path, and
 * exactly one agent may be there: lkp's for jobs that bring their functions, unless they ask for
 * ours.
 */
static int add_clients(struct search *s)
{
	bool has_base = false, lkp_wins;
	char path[BOOT_PATH_MAX];
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach(json_object_get(s->job->doc, "pkg_data"), key, value)
	{
		if (r == 0)
			r = add_package_data(s, key, value, &has_base);
	}
	lkp_wins = has_base && s->job->has_job2sh && !s->job->wants_cci_agent;
	if (r != 0 || lkp_wins)
		return r;
	(void)snprintf(path, sizeof(path), "/initrd/deps/%s/%s/cci/cci.cgz",
	               os_mount_to_name((int)s->job->os_mount), s->job->os_dir);
	return add(s, path, false);
}

/* The EFI stub finds each image by its last component (compass-ci-protocol.md 4.1). */
static int check_names(const struct search *s)
{
	struct boot_files *f = s->ret;

	for (size_t i = 0; i < f->n_initrds; i++) {
		const char *name = boot_file_basename(f->initrds[i].url);

		if (strcmp(name, boot_file_basename(f->kernel.url)) == 0)
			return missing(f, "two files have the name ", name, "");
		for (size_t k = 0; k < i; k++)
			if (strcmp(name, boot_file_basename(f->initrds[k].url)) == 0)
				return missing(f, "two files have the name ", name, "");
	}
	return 0;
}

/* rootfs.squashfs with its size, and the sum that cci-mkos wrote beside it. */
static int find_image(struct search *s)
{
	char path[BOOT_PATH_MAX], sum_path[BOOT_PATH_MAX], *text;
	struct buffer sum = BUFFER_NULL;
	const struct services_root *root;
	const char *rest;
	struct stat st;
	int r;

	(void)snprintf(path, sizeof(path), "/os/%s/rootfs.squashfs", s->job->os_dir);
	r = resolve(s->config, path, false, s->ret->root_image);
	if (r != 0)
		return r < 0 ? r : missing(s->ret, "missing file ", path, "");
	root = root_of(s->config, s->ret->root_image, &rest);
	assert(root); /* resolve has found it there */
	text = text_format("%s%s", root->path, rest);
	if (!text)
		return -ENOMEM;
	if (stat(text, &st) == 0)
		s->ret->root_size = (uint64_t)st.st_size;
	r = snprintf(sum_path, sizeof(sum_path), "%s.sha256", text);
	free(text);
	if (r < (int)sizeof(sum_path) && file_read_all(-1, sum_path, 4096, &sum) == 0 &&
	    sum.len >= 64)
		(void)text_copy(s->ret->root_sha256, sizeof(s->ret->root_sha256),
		                slice_make(sum.data, 64)); /* 64 digits and a NUL fit */
	buffer_deinit(&sum);
	return 0;
}

/* Compass-CI's initramfs takes the time of an OS from the end of its directory's name, dashes left
 * out (compass-ci-protocol.md 6.4): the copy on a disk is named by it. */
static bool ends_in_date(const char *path)
{
	size_t n_digits = 0;

	for (size_t i = strlen(path); i > 0 && (path[i - 1] == '-' || char_is_digit(path[i - 1]));)
		n_digits += path[--i] != '-';
	return n_digits >= 14;
}

static int find_root(struct search *s)
{
	char path[BOOT_PATH_MAX];
	int r;

	if (s->job->os_mount == OS_MOUNT_INITRAMFS)
		return 0;
	(void)snprintf(path, sizeof(path), "/os/%s", s->job->os_dir);
	r = resolve(s->config, path, true, s->ret->os_path);
	if (r != 0)
		return r < 0 ? r : missing(s->ret, "missing directory ", path, "");
	if (s->job->os_mount == OS_MOUNT_LOCAL && !ends_in_date(s->ret->os_path))
		return missing(s->ret, "", s->ret->os_path,
		               " ends in no date as 2026-01-31-23-59-59");
	return s->job->os_mount == OS_MOUNT_HTTP ? find_image(s) : 0;
}

int boot_files_find(const struct services_config *config, const struct job *job, const char *job_id,
                    struct boot_files *ret)
{
	struct search s = { .config = config, .job = job, .ret = ret };
	int r;

	memset(ret, 0, sizeof(*ret));
	r = find_kernel(&s);
	if (r == 0)
		r = add_first(&s);
	if (r == 0)
		r = add_modules(&s);
	if (r == 0)
		r = add_deps(&s);
	if (r == 0)
		r = add_job(&s, job_id);
	if (r == 0)
		r = add_clients(&s);
	if (r == 0)
		r = find_root(&s);
	return r == 0 ? check_names(&s) : r;
}
