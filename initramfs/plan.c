/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * From parameters to a plan. Whatever cannot be done ends in refuse(): the plan then has its cause,
 * and keeps what a report needs.
 */
#include "initramfs/plan.h"

#include <stdio.h>

#include "initramfs/net_root.h"
#include "initramfs/plan_local.h"
#include "initramfs/unit_name.h"
#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/format/cmdline.h"

/* The kernel's own limit is 2048 on x86 and arm64, 4096 on some others. */
#define LINE_MAX_BYTES 4096

static const char *const kind_names[_PLAN_KIND_MAX] = {
	[PLAN_NONE] = "none", [PLAN_HTTP] = "http", [PLAN_DEVICE] = "device",
	[PLAN_NFS] = "nfs",   [PLAN_CIFS] = "cifs",
};

static const char *const local_names[_PLAN_LOCAL_MAX] = {
	[PLAN_LOCAL_NONE] = "none",
	[PLAN_LOCAL_SCRATCH] = "scratch",
	[PLAN_LOCAL_SAVE] = "save",
	[PLAN_LOCAL_KEPT] = "kept",
};

static const char *const onfail_names[_BOOT_ONFAIL_MAX] = {
	[BOOT_ONFAIL_REBOOT] = "reboot",
	[BOOT_ONFAIL_POWEROFF] = "poweroff",
	[BOOT_ONFAIL_SHELL] = "shell",
};

static const char *const upper_names[_PLAN_UPPER_MAX] = {
	[PLAN_UPPER_TMPFS] = "tmpfs",
	[PLAN_UPPER_DEVICE] = "device",
};

DEFINE_NAME_TABLE(plan_kind, kind_names);
DEFINE_NAME_TABLE(plan_local, local_names);
DEFINE_NAME_TABLE(plan_onfail, onfail_names);
DEFINE_NAME_TABLE(plan_upper, upper_names);

/* Keeps the first cause: later ones follow from it. */
static void refuse(struct plan *plan, const char *what, const char *why)
{
	if (plan->refused[0] == '\0')
		(void)snprintf(plan->refused, sizeof(plan->refused), "%s: %s", what, why);
}

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	return true;
}

/* Copies a value of the line into the plan. */
static void put(struct plan *plan, const char *key, char *to, size_t size, struct slice value)
{
	if (!is_printable(value))
		refuse(plan, key, "a control character in the value");
	else if (text_copy(to, size, value) != 0)
		refuse(plan, key, "longer than it may be");
}

static void lower_case(char *text)
{
	for (; *text; text++)
		*text = char_lower(*text);
}

/* UUIDs of the usual 36 characters stand in lower case below /dev/disk; FAT's short ones do not. */
static bool is_long_uuid(struct slice s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (char_hex_value((char)s.data[i]) < 0 && s.data[i] != '-')
			return false;
	return true;
}

static void put_tag(struct plan *plan, const char *key, char to[PLAN_DEVICE_MAX], const char *dir,
                    struct slice value)
{
	uint8_t room[36];

	if (!is_printable(value)) {
		refuse(plan, key, "a control character in the value");
		return;
	}
	if (is_long_uuid(value)) {
		for (size_t i = 0; i < value.len; i++)
			room[i] = (uint8_t)char_lower((char)value.data[i]);
		value.data = room;
	}
	if (unit_name_tag_node(dir, value, to, PLAN_DEVICE_MAX) != 0)
		refuse(plan, key, "longer than it may be");
}

/* Below /dev, without parts that lead elsewhere. */
static bool is_node(struct slice s)
{
	if (!slice_has_prefix(s, SLICE_LITERAL("/dev/")))
		return false;
	if (s.data[s.len - 1] == '/' || s.data[s.len - 1] == '\\')
		return false; /* the latter would join two lines of a unit */
	while (s.len > 0) {
		struct slice part = slice_cut(&s, '/');

		if (text_equal(part, ".") || text_equal(part, ".."))
			return false;
	}
	return true;
}

static void put_device(struct plan *plan, const char *key, char to[PLAN_DEVICE_MAX],
                       const struct root_spec *spec)
{
	char unit[UNIT_NAME_MAX];

	switch (spec->kind) {
	case ROOT_UUID:
		put_tag(plan, key, to, "by-uuid", spec->path);
		break;
	case ROOT_LABEL:
		put_tag(plan, key, to, "by-label", spec->path);
		break;
	case ROOT_PARTUUID:
		put_tag(plan, key, to, "by-partuuid", spec->path);
		lower_case(to);
		break;
	case ROOT_PARTLABEL:
		put_tag(plan, key, to, "by-partlabel", spec->path);
		break;
	case ROOT_DEVICE:
		if (is_node(spec->path))
			put(plan, key, to, PLAN_DEVICE_MAX, spec->path);
		else
			refuse(plan, key, "expected a node below /dev");
		break;
	case ROOT_NONE:
	case ROOT_NFS:
	case ROOT_CIFS:
	case ROOT_LIVE:
	case _ROOT_KIND_MAX:
		refuse(plan, key, "expected /dev/..., UUID=, LABEL=, PARTUUID= or PARTLABEL=");
		return;
	}
	if (unit_name_from_node(to, unit) != 0) {
		refuse(plan, key, "longer than it may be");
		to[0] = '\0';
	}
}

/* Who and where, without a password. */
static void put_source(struct plan *plan, const struct root_spec *root)
{
	struct root_spec shown = *root;
	uint8_t room[PLAN_URL_MAX];
	struct bytes text = BYTES_ON(room);

	shown.user = shown.password = shown.options = SLICE_NULL;
	root_spec_build(&text, &shown);
	put(plan, "root", plan->source, sizeof(plan->source), bytes_slice(&text));
	if (text.overflow)
		refuse(plan, "root", "longer than it may be");
}

static void decide_http(struct plan *plan, const struct boot_params *params,
                        const struct plan_facts *facts)
{
	plan->kind = PLAN_HTTP;
	if (slice_has_prefix(params->root.path, SLICE_LITERAL("https:")) && !facts->https)
		refuse(plan, "root=live:https",
		       "this initramfs fetches by http only; build it with cci_https=yes");
	put(plan, "root", plan->url, sizeof(plan->url), params->root.path);
	put(plan, "cci.root.sha256", plan->sha256, sizeof(plan->sha256), params->root_sha256);
	lower_case(plan->sha256);
	plan->size = params->root_size;
}

/* A directory of a file server. */
static void decide_net(struct plan *plan, const struct root_spec *root)
{
	const char *why;

	put(plan, "root", plan->net_server, sizeof(plan->net_server), root->server);
	put(plan, "root", plan->net_path, sizeof(plan->net_path), root->path);
	put(plan, "root", plan->net_options, sizeof(plan->net_options), root->options);
	put(plan, "root", plan->net_user, sizeof(plan->net_user), root->user);
	put(plan, "root", plan->net_password, sizeof(plan->net_password), root->password);
	plan->nfs_version = root->nfs_version;
	why = net_root_refuse(plan);
	if (why)
		refuse(plan, "root", why);
}

static void decide_root(struct plan *plan, const struct boot_params *params,
                        const struct plan_facts *facts)
{
	switch (params->root.kind) {
	case ROOT_LIVE:
		decide_http(plan, params, facts);
		return;
	case ROOT_DEVICE:
	case ROOT_UUID:
	case ROOT_LABEL:
	case ROOT_PARTUUID:
	case ROOT_PARTLABEL:
		plan->kind = PLAN_DEVICE;
		put_device(plan, "root", plan->device, &params->root);
		return;
	case ROOT_NFS:
		plan->kind = PLAN_NFS;
		decide_net(plan, &params->root);
		return;
	case ROOT_CIFS:
		plan->kind = PLAN_CIFS;
		decide_net(plan, &params->root);
		return;
	case ROOT_NONE:
	case _ROOT_KIND_MAX:
		return;
	}
}

/* A root that is a disk already is booted from there: `local` adds nothing. */
static void decide_local(struct plan *plan, const struct boot_params *params)
{
	const char *key, *why;

	if (!params->local)
		return;
	if (!params->rootovl)
		plan->read_only = false; /* the root is the machine's own */
	if (plan->kind == PLAN_DEVICE || plan->source[0] == '\0')
		return;
	why = plan_local_decide(params, plan, &key);
	if (why)
		refuse(plan, key, why);
}

/* "50%", "2G", "1048576": what tmpfs takes as size= (tmpfs(5)), and not nothing. */
static bool is_tmpfs_size(struct slice s)
{
	static const char units[] = "kKmMgG%";
	uint64_t n;
	bool is_percent = s.len > 0 && s.data[s.len - 1] == '%';

	if (s.len > 1 && s.data[s.len - 1] != '\0' && strchr(units, s.data[s.len - 1]))
		s.len--;
	return text_parse_u64(s, is_percent ? 100 : UINT64_MAX >> 30, &n) == 0 && n > 0;
}

static void decide_upper(struct plan *plan, const struct boot_params *params)
{
	struct root_spec spec;

	put(plan, "cci.upper.size", plan->upper_size, sizeof(plan->upper_size),
	    params->upper_size.len > 0 ? params->upper_size : SLICE_LITERAL("50%"));
	if (!is_tmpfs_size(slice_from_text(plan->upper_size)))
		refuse(plan, "cci.upper.size", "expected a size like 50% or 2G");
	if (params->upper.len == 0 || text_equal(params->upper, "tmpfs"))
		return;
	plan->upper = PLAN_UPPER_DEVICE;
	if (root_spec_parse(params->upper, SLICE_NULL, &spec) != 0)
		spec = (struct root_spec){ .kind = ROOT_NONE };
	put_device(plan, "cci.upper", plan->upper_device, &spec);
	if (strcmp(plan->upper_device, plan->device) == 0)
		refuse(plan, "cci.upper", "is the root itself");
}

static void decide_failure(struct plan *plan, const struct boot_params *params,
                           const struct plan_facts *facts)
{
	struct slice server = params->server;

	while (server.len > 0 && server.data[server.len - 1] == '/')
		server.len--;
	put(plan, "cci.server", plan->server, sizeof(plan->server), server);
	plan->timeout = MIN(params->timeout, 24 * 3600 * USEC_PER_SEC);
	plan->timeout = MAX(plan->timeout, USEC_PER_SEC);
	plan->retry = params->retry;
	plan->onfail = params->onfail;
	plan->has_shell = facts->shell;
	plan->networkd = facts->networkd;
	plan->debug = params->debug;
}

int plan_decide(const struct boot_params *params, const struct plan_facts *facts, struct plan *ret)
{
	if (params->root.kind == ROOT_NONE)
		return PLAN_NOT_OURS;
	*ret = (struct plan){ .kind = PLAN_NONE };
	put_source(ret, &params->root);
	decide_root(ret, params, facts);
	ret->overlay = params->rootovl;
	/* an image is never written to */
	ret->read_only = ret->kind == PLAN_HTTP || params->mode != BOOT_MODE_RW;
	(void)net_root_find_mode(ret, &ret->read_only);
	decide_local(ret, params);
	decide_upper(ret, params);
	decide_failure(ret, params, facts);
	if (facts->lacks_job)
		refuse(ret, "initrd=job.cgz", "it did not arrive, so there is no job to run");
	return ret->refused[0] == '\0' ? 0 : PLAN_REFUSED;
}

/* Whether a word says that this boot is for us. */
static bool is_our_word(const struct cmdline_word *word)
{
	static const char *const keys[] = { "rootovl", "local", "job" };

	if (word->has_value && word->value.len == 0)
		return false;
	if (slice_has_prefix(word->key, SLICE_LITERAL("cci.")))
		return true;
	if (text_equal(word->key, "root"))
		return slice_has_prefix(word->value, SLICE_LITERAL("live:http://")) ||
		       slice_has_prefix(word->value, SLICE_LITERAL("live:https://"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (text_equal(word->key, keys[i]))
			return true;
	return false;
}

/* What the words say about whose boot this is, before any is understood. */
struct words {
	bool has_root, has_rdinit, has_ours;
};

static struct words look_at_words(struct slice line)
{
	struct words words = { .has_root = false };
	struct cmdline_word word;

	while (cmdline_next(&line, &word)) {
		words.has_ours |= is_our_word(&word);
		if (word.value.len == 0)
			continue;
		words.has_root |= text_equal(word.key, "root");
		words.has_rdinit |= text_equal(word.key, "rdinit");
	}
	return words;
}

bool plan_is_stray_initrd(struct slice line)
{
	struct words words = look_at_words(line);

	return words.has_rdinit && !words.has_root;
}

struct line_room {
	uint8_t bytes[LINE_MAX_BYTES];
};

/* The line without the words of a key, copied into room; it is never longer than the line. */
static struct slice without_key(struct slice line, struct slice key, struct line_room *room)
{
	struct bytes out = BYTES_ON(room->bytes);
	struct slice before = line;
	struct cmdline_word word;

	while (cmdline_next(&line, &word)) {
		if (!slice_equal(word.key, key))
			bytes_append_slice(&out, slice_sub(before, 0, before.len - line.len));
		before = line;
	}
	return bytes_slice(&out);
}

static void refuse_value(struct plan *plan, const struct boot_params_error *error)
{
	char key[64], value[96];
	char what[192];

	(void)snprintf(what, sizeof(what), "%s=%s",
	               text_escape(key, sizeof(key), slice_sub(error->key, 0, 40)),
	               text_escape(value, sizeof(value), slice_sub(error->value, 0, 60)));
	(void)snprintf(plan->refused, sizeof(plan->refused), "%s: expected %s", what,
	               error->expected);
}

/* The plan for a line with a mistake: what can be read of it, and the first cause. */
static void salvage(struct slice line, const struct plan_facts *facts,
                    const struct boot_params_error *error, struct plan *ret)
{
	struct line_room rooms[2];
	struct boot_params params;
	struct boot_params_error next = *error;
	unsigned n = 0;

	*ret = (struct plan){ .kind = PLAN_NONE };
	refuse_value(ret, error);
	do {
		bool is_root = text_equal(next.key, "root"); /* goes with its other half */

		line = without_key(line, next.key, &rooms[n++ % 2]);
		if (is_root)
			line = without_key(line, SLICE_LITERAL("nfsroot"), &rooms[n++ % 2]);
	} while (boot_params_from_cmdline(line, &params, &next) != 0);
	decide_failure(ret, &params, facts);
}

int plan_from_cmdline(struct slice line, const struct plan_facts *facts, struct plan *ret)
{
	struct words words = look_at_words(line);
	struct boot_params params;
	struct boot_params_error error;

	if (!words.has_root || !words.has_ours)
		return PLAN_NOT_OURS;
	if (line.len > LINE_MAX_BYTES) {
		*ret = (struct plan){ .kind = PLAN_NONE };
		refuse(ret, "command line", "longer than 4096 bytes");
		params = BOOT_PARAMS_NULL;
		decide_failure(ret, &params, facts);
		return PLAN_REFUSED;
	}
	if (boot_params_from_cmdline(line, &params, &error) == 0)
		return plan_decide(&params, facts, ret);
	salvage(line, facts, &error, ret);
	return PLAN_REFUSED;
}
