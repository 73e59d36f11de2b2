/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * One table of keys serves parsing; composing follows the seed's order, which no table has.
 */
#include "lib/format/boot_params.h"

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"
#include "lib/format/cmdline.h"
#include "lib/format/duration.h"

static const char *const onfail_names[_BOOT_ONFAIL_MAX] = {
	[BOOT_ONFAIL_REBOOT] = "reboot",
	[BOOT_ONFAIL_POWEROFF] = "poweroff",
	[BOOT_ONFAIL_SHELL] = "shell",
};

/* What root= and nfsroot= said; joined when the whole line is read. */
struct reader {
	struct boot_params *params;
	struct slice root, nfsroot;
};

/* Keys that take a text as it is. */
static const struct {
	const char *key;
	size_t offset;
} text_keys[] = {
	{ "user", offsetof(struct boot_params, user) },
	{ "job", offsetof(struct boot_params, job) },
	{ "ip", offsetof(struct boot_params, ip) },
	{ "rdinit", offsetof(struct boot_params, rdinit) },
	{ "prompt_ramdisk", offsetof(struct boot_params, prompt_ramdisk) },
	{ "crashkernel", offsetof(struct boot_params, crashkernel) },
	{ "os_version", offsetof(struct boot_params, os_version) },
	{ "os_lv_size", offsetof(struct boot_params, os_lv_size) },
	{ "os_partition", offsetof(struct boot_params, os_partition) },
	{ "use_root_partition", offsetof(struct boot_params, use_root_partition) },
	{ "save_root_partition", offsetof(struct boot_params, save_root_partition) },
	{ "cci.upper", offsetof(struct boot_params, upper) },
	{ "cci.upper.size", offsetof(struct boot_params, upper_size) },
	{ "cci.wipe", offsetof(struct boot_params, wipe) },
};

/* Keys that are true by standing there. */
static const struct {
	const char *key;
	size_t offset;
} bool_keys[] = {
	{ "rootovl", offsetof(struct boot_params, rootovl) },
	{ "local", offsetof(struct boot_params, local) },
	{ "cci.migrate", offsetof(struct boot_params, migrate) },
	{ "cci.debug", offsetof(struct boot_params, debug) },
};

static bool is_true(const struct cmdline_word *word)
{
	if (!word->has_value)
		return true;
	return word->value.len > 0 && !text_equal(word->value, "0") &&
	       !text_equal(word->value, "no") && !text_equal(word->value, "off");
}

static bool is_sha256(struct slice s)
{
	if (s.len != 64)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (char_hex_value((char)s.data[i]) < 0)
			return false;
	return true;
}

bool boot_params_is_disk(struct slice s)
{
	static const char *const prefixes[] = {
		"/dev/", "LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "wwn-",
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct slice prefix = slice_from_text(prefixes[i]);

		if (slice_has_prefix(s, prefix))
			return s.len > prefix.len;
	}
	return false;
}

static size_t next_disk_end(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == ',')
			return i;
		if (s.data[i] == '.' && boot_params_is_disk(slice_sub(s, i + 1, s.len)))
			return i;
	}
	return s.len;
}

struct slice boot_params_cut_disk(struct slice *list)
{
	struct slice disk = slice_take(list, next_disk_end(*list));

	if (list->len > 0)
		(void)slice_take(list, 1);
	return disk;
}

static const char *read_disks(struct boot_params *p, struct slice value)
{
	p->n_rootfs_disks = 0;
	while (value.len > 0) {
		struct slice disk = boot_params_cut_disk(&value);

		if (disk.len == 0)
			continue;
		if (!boot_params_is_disk(disk))
			return "paths below /dev/, LABEL= and its like, or wwn-..., separated by "
			       "commas";
		if (p->n_rootfs_disks == BOOT_DISKS_MAX)
			return "at most 16 disks";
		p->rootfs_disks[p->n_rootfs_disks++] = disk;
	}
	return NULL;
}

static const char *read_initrd(struct boot_params *p, struct slice value)
{
	if (p->n_initrds == BOOT_INITRDS_MAX)
		return "at most 64 initrd= words";
	p->initrds[p->n_initrds++] = value;
	return NULL;
}

static const char *read_sha256(struct boot_params *p, struct slice value)
{
	if (!is_sha256(value))
		return "64 hexadecimal digits";
	p->root_sha256 = value;
	return NULL;
}

static const char *read_root_size(struct boot_params *p, struct slice value)
{
	return text_parse_u64(value, INT64_MAX, &p->root_size) == 0 ? NULL : "a number of bytes";
}

static const char *read_server(struct boot_params *p, struct slice value)
{
	if (!slice_has_prefix(value, SLICE_LITERAL("http://")) &&
	    !slice_has_prefix(value, SLICE_LITERAL("https://")))
		return "http://HOST:PORT";
	p->server = value;
	return NULL;
}

static const char *read_disk_policy(struct boot_params *p, struct slice value)
{
	p->disk_required = text_equal(value, "required");
	return p->disk_required || text_equal(value, "optional") ? NULL : "required or optional";
}

static const char *read_timeout(struct boot_params *p, struct slice value)
{
	return duration_parse(value, &p->timeout) == 0 ? NULL : "a time like 60s or 2m";
}

static const char *read_onfail(struct boot_params *p, struct slice value)
{
	int onfail = table_value(onfail_names, ARRAY_SIZE(onfail_names), value);

	if (onfail < 0)
		return "reboot, poweroff or shell";
	p->onfail = (enum boot_onfail)onfail;
	return NULL;
}

static const char *read_retry(struct boot_params *p, struct slice value)
{
	uint64_t n;

	if (text_parse_u64(value, 1000, &n) != 0)
		return "a number from 0 to 1000";
	p->retry = (unsigned)n;
	return NULL;
}

/* Keys with a form of their own; each reader returns NULL, or what was expected. */
static const struct {
	const char *key;
	const char *(*read)(struct boot_params *, struct slice value);
} typed_keys[] = {
	{ "initrd", read_initrd },          { "rootfs_disk", read_disks },
	{ "cci.root.sha256", read_sha256 }, { "cci.root.size", read_root_size },
	{ "cci.server", read_server },      { "cci.disk", read_disk_policy },
	{ "cci.timeout", read_timeout },    { "cci.onfail", read_onfail },
	{ "cci.retry", read_retry },
};

/* A key of ours that takes a value. Returns NULL when it is read or not ours. */
static const char *read_value(struct reader *r, const struct cmdline_word *word)
{
	if (text_equal(word->key, "root"))
		r->root = word->value;
	else if (text_equal(word->key, "nfsroot"))
		r->nfsroot = word->value;
	for (size_t i = 0; i < ARRAY_SIZE(text_keys); i++)
		if (text_equal(word->key, text_keys[i].key))
			*(struct slice *)(void *)((char *)r->params + text_keys[i].offset) =
				word->value;
	for (size_t i = 0; i < ARRAY_SIZE(typed_keys); i++)
		if (text_equal(word->key, typed_keys[i].key))
			return typed_keys[i].read(r->params, word->value);
	return NULL;
}

static const char *read_word(struct reader *r, const struct cmdline_word *word)
{
	struct boot_params *p = r->params;

	for (size_t i = 0; i < ARRAY_SIZE(bool_keys); i++)
		if (text_equal(word->key, bool_keys[i].key)) {
			if (!word->has_value || word->value.len > 0)
				*(bool *)(void *)((char *)p + bool_keys[i].offset) = is_true(word);
			return NULL;
		}
	if (!word->has_value && text_equal(word->key, "ro"))
		p->mode = BOOT_MODE_RO;
	if (!word->has_value && text_equal(word->key, "rw"))
		p->mode = BOOT_MODE_RW;
	if (word->value.len == 0)
		return NULL; /* `key=` means absent */
	return read_value(r, word);
}

int boot_params_from_cmdline(struct slice line, struct boot_params *ret,
                             struct boot_params_error *ret_error)
{
	struct boot_params params = BOOT_PARAMS_NULL;
	struct reader reader = { .params = &params };
	struct cmdline_word word;
	int r;

	while (cmdline_next(&line, &word)) {
		const char *expected = read_word(&reader, &word);

		if (!expected)
			continue;
		*ret_error = (struct boot_params_error){ word.key, word.value, expected };
		return BOOT_PARAMS_BAD;
	}
	r = root_spec_parse(reader.root, reader.nfsroot, &params.root);
	if (r != 0) {
		*ret_error = (struct boot_params_error){
			SLICE_LITERAL("root"),
			reader.root,
			r == ROOT_SPEC_UNKNOWN
				? "nfs:, host:/path, /dev/nfs, cifs://, live:http://, /dev/, UUID=, LABEL=, PARTUUID= or PARTLABEL="
				: "a root with every part filled in",
		};
		return BOOT_PARAMS_BAD;
	}
	*ret = params;
	return 0;
}

/* Collects words; remembers the first one that cannot stand on a command line. */
struct composer {
	struct bytes *out;
	bool is_bad;
};

static void put_flag(struct composer *c, const char *word)
{
	if (cmdline_append(c->out, slice_from_text(word), NULL) != 0)
		c->is_bad = true;
}

/* An empty value is absent. */
static void put_text(struct composer *c, const char *key, struct slice value)
{
	if (value.len > 0 && cmdline_append(c->out, slice_from_text(key), &value) != 0)
		c->is_bad = true;
}

/* Words that are in command-line form already. */
static void put_words(struct composer *c, struct slice words)
{
	words = text_trim(words);
	if (words.len == 0)
		return;
	if (c->out->len > 0 && c->out->data[c->out->len - 1] != ' ')
		bytes_append_u8(c->out, ' ');
	for (size_t i = 0; i < words.len; i++)
		if (words.data[i] < 0x20 || words.data[i] == 0x7f)
			c->is_bad = true;
	bytes_append_slice(c->out, words);
}

static void put_common(struct composer *c, const struct boot_params *p)
{
	put_text(c, "user", p->user);
	put_text(c, "job", p->job);
	put_text(c, "ip", p->ip);
	if (p->local)
		put_flag(c, "local");
	if (p->rootovl)
		put_flag(c, "rootovl");
	if (p->mode == BOOT_MODE_RO)
		put_flag(c, "ro");
	if (p->mode == BOOT_MODE_RW)
		put_flag(c, "rw");
	put_text(c, "os_version", p->os_version);
	put_text(c, "os_partition", p->os_partition);
	put_text(c, "use_root_partition", p->use_root_partition);
	put_text(c, "save_root_partition", p->save_root_partition);
	put_text(c, "os_lv_size", p->os_lv_size);
}

static void put_root(struct composer *c, const struct boot_params *p)
{
	uint8_t room[1024];
	struct bytes root = BYTES_ON(room);

	put_text(c, "rdinit", p->rdinit);
	put_text(c, "prompt_ramdisk", p->prompt_ramdisk);
	root_spec_build(&root, &p->root);
	c->is_bad |= root.overflow;
	put_text(c, "root", bytes_slice(&root));
}

/* Each name is preceded by two spaces, as the original writes them and its clients cut them. */
static void put_initrds(struct composer *c, const struct boot_params *p)
{
	for (size_t i = 0; i < p->n_initrds; i++) {
		if (c->out->len > 0)
			bytes_append_text(c->out, "  ");
		put_text(c, "initrd", p->initrds[i]);
	}
}

static void put_disks(struct composer *c, const struct boot_params *p)
{
	uint8_t room[2048];
	struct bytes list = BYTES_ON(room);

	for (size_t i = 0; i < p->n_rootfs_disks; i++) {
		if (i > 0)
			bytes_append_u8(&list, ',');
		bytes_append_slice(&list, p->rootfs_disks[i]);
	}
	c->is_bad |= list.overflow;
	put_text(c, "rootfs_disk", bytes_slice(&list));
}

static void put_own(struct composer *c, const struct boot_params *p)
{
	char text[DURATION_TEXT_MAX];
	uint8_t room[DURATION_TEXT_MAX];
	struct bytes number = BYTES_ON(room);

	put_text(c, "cci.root.sha256", p->root_sha256);
	if (p->root_size > 0) {
		bytes_printf(&number, "%llu", (unsigned long long)p->root_size);
		put_text(c, "cci.root.size", bytes_slice(&number));
	}
	put_text(c, "cci.server", p->server);
	put_text(c, "cci.upper", p->upper);
	put_text(c, "cci.upper.size", p->upper_size);
	if (p->disk_required)
		put_text(c, "cci.disk", SLICE_LITERAL("required"));
	put_text(c, "cci.wipe", p->wipe);
	if (p->migrate)
		put_flag(c, "cci.migrate");
	if (p->timeout != BOOT_TIMEOUT_DEFAULT)
		put_text(c, "cci.timeout", slice_from_text(duration_format(p->timeout, text)));
	if (p->onfail != BOOT_ONFAIL_REBOOT)
		put_text(c, "cci.onfail", slice_from_text(onfail_names[p->onfail]));
	if (p->retry != BOOT_RETRY_DEFAULT) {
		number.len = 0;
		bytes_printf(&number, "%u", p->retry);
		put_text(c, "cci.retry", bytes_slice(&number));
	}
	if (p->debug)
		put_flag(c, "cci.debug");
}

int boot_params_compose(const struct boot_params *params, struct bytes *out)
{
	struct composer c = { .out = out };

	put_common(&c, params);
	put_words(&c, params->custom);
	put_root(&c, params);
	put_words(&c, params->console);
	put_initrds(&c, params);
	put_disks(&c, params);
	put_text(&c, "crashkernel", params->crashkernel);
	put_own(&c, params);
	return c.is_bad ? BOOT_PARAMS_BAD : 0;
}
