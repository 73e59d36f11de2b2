/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/boot_script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/boot_params.h"
#include "server/proto/grub_script.h"
#include "server/proto/ipxe_script.h"

/* Texts of one composition; the slices of the parameters point into it. */
struct work {
	char partitions[3][256];
	uint8_t root_room[1024];
	char server[IPV4_TEXT_MAX];
	char export_path[1024];
	char cifs_options[300];
	char own_url[40];
};

static const char *basename_of(const char *url)
{
	const char *slash = strrchr(url, '/');

	return slash ? slash + 1 : url;
}

/* "http://A:P/path", or the URL as it is. Starts at the end of out; a view of what was appended. */
static struct slice whole_url(const struct boot_script_facts *f, const struct boot_source *source,
                              struct bytes *out)
{
	char address[IPV4_TEXT_MAX];
	size_t start = out->len;

	if (source->url[0] == '/')
		bytes_printf(out, "http://%s:%u", ipv4_format(f->server, address), source->port);
	bytes_append_text(out, source->url);
	return slice_make(out->data + start, out->len - start);
}

/* os-<os>_<arch>_<version>_<suffix>: names of logical volumes (compass-ci-protocol.md 4.1). */
static struct slice partition(const struct job *job, const char *suffix, bool fold_suffix,
                              char to[256])
{
	int start, n;

	if (!suffix)
		return SLICE_NULL;
	start = snprintf(to, 256, "/dev/mapper/os-");
	n = snprintf(to + start, 256 - (size_t)start, "%s_%s_%s_", job->os, job->os_arch,
	             job->os_version);
	if (n >= 256 - start)
		return SLICE_NULL;
	for (char *c = to + start; *c; c++)
		if (*c == '-')
			*c = '_';
	start += n;
	n = snprintf(to + start, 256 - (size_t)start, "%s", suffix);
	for (char *c = to + start; fold_suffix && *c; c++)
		if (*c == '-')
			*c = '_';
	return slice_from_text(to);
}

static void set_local(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	const struct job *job = f->job;

	p->local = true;
	p->mode = BOOT_MODE_RW;
	p->os_version = slice_from_text(job->os_version);
	p->os_partition = partition(job, job->os_lv, true, w->partitions[0]);
	p->use_root_partition = partition(job, job->src_lv_suffix, false, w->partitions[1]);
	p->save_root_partition = partition(job, job->boot_lv_suffix, false, w->partitions[2]);
	p->os_lv_size = slice_from_text(job->os_lv_size ? job->os_lv_size : "20G");
}

static void set_live_root(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	struct bytes url = BYTES_ON(w->root_room);
	const struct boot_source image = { f->root_image, f->os_port };

	p->root.kind = ROOT_LIVE;
	p->root.path = whole_url(f, &image, &url);
	p->root_sha256 = slice_from_text(f->root_sha256);
	p->root_size = f->root_size;
}

/* The name of the OS directory on another server: what that calls /os, and the rest. */
static struct slice exported(const struct boot_script_facts *f, const char *os, struct work *w)
{
	const char *rest = strchr(f->os_path + 1, '/');

	(void)snprintf(w->export_path, sizeof(w->export_path), "%s%s",
	               strcmp(os, "/") == 0 ? "" : os, rest ? rest : "/");
	return slice_from_text(w->export_path);
}

static void set_nfs_root(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	p->root.kind = ROOT_NFS;
	p->root.path = exported(f, f->exports.nfs_path, w);
	p->root.options = slice_from_text(f->exports.nfs_options);
}

static void set_cifs_root(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	const char *options = f->exports.cifs_options;
	bool is_guest = f->exports.cifs_user[0] == '\0';

	p->root.kind = ROOT_CIFS;
	p->root.path = exported(f, f->exports.cifs_share, w);
	p->root.user = slice_from_text(f->exports.cifs_user);
	p->root.password = slice_from_text(f->exports.cifs_password);
	(void)snprintf(w->cifs_options, sizeof(w->cifs_options), "%s%s%s", is_guest ? "guest" : "",
	               is_guest && options[0] ? "," : "", options);
	p->root.options = slice_from_text(w->cifs_options);
}

static void set_root(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	switch (f->job->os_mount) {
	case OS_MOUNT_INITRAMFS:
		p->rdinit = SLICE_LITERAL("/sbin/init");
		p->prompt_ramdisk = SLICE_LITERAL("0");
		return;
	case OS_MOUNT_NFS:
	case OS_MOUNT_LOCAL:
		set_nfs_root(f, p, w);
		break;
	case OS_MOUNT_CIFS:
		set_cifs_root(f, p, w);
		break;
	case OS_MOUNT_HTTP:
		set_live_root(f, p, w);
		return;
	case _OS_MOUNT_MAX:
		return;
	}
	p->root.server = slice_from_text(
		ipv4_format(f->exports.server ? f->exports.server : f->server, w->server));
}

/* Whom an initramfs tells of a boot that lacks even its job, and with it the attempt's file. */
static void set_server(const struct boot_script_facts *f, struct boot_params *p, struct work *w)
{
	char address[IPV4_TEXT_MAX];

	(void)snprintf(w->own_url, sizeof(w->own_url), "http://%s:%u",
	               ipv4_format(f->server, address), f->api_port);
	p->server = slice_from_text(w->own_url);
}

static void set_disks(const struct boot_script_facts *f, struct boot_params *p)
{
	for (size_t i = 0; i < f->job->n_rootfs_disk && i < BOOT_DISKS_MAX; i++)
		p->rootfs_disks[p->n_rootfs_disks++] = slice_from_text(f->job->rootfs_disk[i]);
	for (size_t i = 0; f->job->n_rootfs_disk == 0 && i < f->n_host_disks; i++)
		p->rootfs_disks[p->n_rootfs_disks++] = slice_from_text(f->host_disks[i]);
}

static bool has_crashkernel(const char *words)
{
	return strstr(words, "crashkernel=") != NULL;
}

/* interfaces.md 3: by the memory of the host. */
static struct slice crashkernel(const struct boot_script_facts *f)
{
	if (f->job->crashkernel)
		return slice_from_text(f->job->crashkernel);
	if (has_crashkernel(f->job->kernel_params))
		return SLICE_NULL;
	return f->memory > UINT64_C(16) << 30 ? SLICE_LITERAL("512M") : SLICE_LITERAL("256M");
}

static void set_common(const struct boot_script_facts *f, struct boot_params *p)
{
	p->user = SLICE_LITERAL("lkp");
	p->job = SLICE_LITERAL("/lkp/scheduled/job.yaml");
	p->ip = SLICE_LITERAL("dhcp");
	p->rootovl = true;
	p->mode = BOOT_MODE_RO;
	p->custom = slice_from_text(f->job->kernel_params);
	if (strcmp(f->job->os_arch, "x86_64") == 0)
		p->console = SLICE_LITERAL("console=tty0 console=ttyS0,115200");
	p->crashkernel = crashkernel(f);
	for (size_t i = 0; i < f->n_initrds && i < BOOT_INITRDS_MAX; i++)
		p->initrds[p->n_initrds++] = slice_from_text(basename_of(f->initrds[i].url));
}

int boot_script_cmdline(const struct boot_script_facts *facts, struct bytes *out)
{
	struct boot_params params = BOOT_PARAMS_NULL;
	struct work work = { .server = "" };

	set_common(facts, &params);
	if (facts->job->os_mount == OS_MOUNT_LOCAL) {
		params.rootovl = false;
		set_local(facts, &params, &work);
	}
	set_root(facts, &params, &work);
	if (facts->job->os_mount != OS_MOUNT_INITRAMFS)
		set_server(facts, &params, &work);
	set_disks(facts, &params);
	if (params.local && params.n_rootfs_disks == 0)
		return BOOT_SCRIPT_NO_DISK;
	if (boot_params_compose(&params, out) != 0)
		return BOOT_SCRIPT_BAD;
	return out->overflow ? BOOT_SCRIPT_LONG : 0;
}

void boot_script_again(uint32_t server, uint16_t port, struct mac mac, int64_t session,
                       struct bytes *out)
{
	char address[IPV4_TEXT_MAX], text[MAC_TEXT_MAX];

	bytes_printf(out, "http://%s:%u/boot.ipxe/mac/%s", ipv4_format(server, address), port,
	             mac_format(mac, '-', text));
	if (session != 0)
		bytes_printf(out, "?b=%" PRId64, session);
}

static struct slice scalar_text(const struct job *job, const char *key, struct bytes *out)
{
	const json_t *value = json_object_get(job->doc, key);
	size_t start = out->len;

	if (json_is_string(value))
		bytes_append_text(out, json_string_value(value));
	else if (json_is_integer(value))
		bytes_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return slice_make(out->data + start, out->len - start);
}

/* The same for GRUB, whose first script knows the way back. */
static int build_grub(const struct ipxe_job *job, struct bytes *out)
{
	const struct grub_job script = {
		.job = job->job,
		.result_root = job->result_root,
		.initrds = job->initrds,
		.n_initrds = job->n_initrds,
		.kernel = job->kernel,
		.cmdline = job->cmdline,
		.nr_nic = job->nr_nic,
		.nr_disk = job->nr_disk,
		.disk_size = job->disk_size,
		.pause_sec = job->pause_sec,
	};

	if (job->cmdline.len + grub_script_cmdline_extra(job->kernel) > BOOT_CMDLINE_MAX)
		return BOOT_SCRIPT_LONG;
	return grub_script_job(&script, out) == GRUB_SCRIPT_BAD ? BOOT_SCRIPT_BAD
	       : out->overflow                                  ? BOOT_SCRIPT_LONG
	                                                        : 0;
}

static int build(const struct boot_script_facts *f, struct bytes *texts, struct bytes *out)
{
	struct slice initrds[BOOT_INITRDS_MAX];
	struct ipxe_job script = {
		.job = slice_from_text(f->job_id),
		.result_root = slice_from_text(f->result_root),
		.initrds = initrds,
		.n_initrds = MIN(f->n_initrds, (size_t)BOOT_INITRDS_MAX),
		.pause_sec = f->pause_sec,
	};
	uint8_t line_room[BOOT_CMDLINE_MAX];
	struct bytes line = BYTES_ON(line_room);
	size_t start;
	int r;

	r = boot_script_cmdline(f, &line);
	if (r != 0)
		return r;
	script.cmdline = bytes_slice(&line);
	for (size_t i = 0; i < script.n_initrds; i++)
		initrds[i] = whole_url(f, &f->initrds[i], texts);
	script.kernel = whole_url(f, &f->kernel, texts);
	start = texts->len;
	boot_script_again(f->server, f->api_port, f->mac, f->session, texts);
	script.again = slice_make(texts->data + start, texts->len - start);
	script.nr_nic = scalar_text(f->job, "nr_nic", texts);
	script.nr_disk = scalar_text(f->job, "nr_disk", texts);
	script.disk_size = scalar_text(f->job, "disk_size", texts);
	if (texts->overflow)
		return BOOT_SCRIPT_LONG;
	if (f->loader == BOOT_LOADER_GRUB)
		return build_grub(&script, out);
	return ipxe_script_job(&script, out) == IPXE_SCRIPT_BAD ? BOOT_SCRIPT_BAD
	       : out->overflow                                  ? BOOT_SCRIPT_LONG
	                                                        : 0;
}

int boot_script_build(const struct boot_script_facts *facts, struct bytes *out)
{
	const size_t room = 2 * IPXE_SCRIPT_MAX; /* every URL and the line, once */
	struct bytes texts = { .data = malloc(room), .cap = room };
	int r;

	if (!texts.data)
		return -ENOMEM;
	r = build(facts, &texts, out);
	free(texts.data);
	return r;
}
