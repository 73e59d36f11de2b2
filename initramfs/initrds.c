/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/initrds.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/cmdline.h"

/*
 * Names that cci-mkos and ccid give; a * in a witness is what stands between prefix and suffix. A
 * full dracut image has modules.order of its own; the lean one leaves it to the modules' archive.
 */
static const struct {
	const char *prefix, *suffix;
	const char *witness[INITRD_WITNESSES];
	bool is_job;
} kinds[] = {
	{ "job.cgz", "", { "/lkp/scheduled/job.sh" }, true },
	{ "cci.cgz",
	  "",
	  { "/custom_bootstrap/usr/lib/cci/lkp-bootstrap", "/usr/lib/cci/lkp-bootstrap" },
	  false },
	{ "modules-", ".cgz", { "/lib/modules/*/modules.order" }, false },
	{ "initramfs.lkp-", ".img", { "/usr/bin/cci-init" }, false },
};

static struct slice last_component(struct slice name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.data[i - 1] == '/' || name.data[i - 1] == '\\')
			return slice_sub(name, i, name.len);
	return name;
}

/* The part of a name between the prefix and suffix of a kind. Returns whether it is of that kind.
 */
static bool fits(struct slice name, size_t kind, struct slice *ret_middle)
{
	struct slice prefix = slice_from_text(kinds[kind].prefix);
	struct slice suffix = slice_from_text(kinds[kind].suffix);

	if (name.len < prefix.len + suffix.len || !slice_has_prefix(name, prefix) ||
	    !slice_has_suffix(name, suffix))
		return false;
	*ret_middle = slice_sub(name, prefix.len, name.len - prefix.len - suffix.len);
	return suffix.len > 0 || ret_middle->len == 0;
}

static void write_witness(const char *pattern, struct slice middle, char to[INITRD_WITNESS_MAX])
{
	struct bytes out = { .data = (uint8_t *)to, .cap = INITRD_WITNESS_MAX - 1 };

	for (const char *c = pattern; *c; c++) {
		if (*c == '*')
			bytes_append_slice(&out, middle);
		else
			bytes_append_u8(&out, (uint8_t)*c);
	}
	to[out.overflow ? 0 : out.len] = '\0';
}

static void find_witness(struct initrd *initrd)
{
	struct slice middle;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!fits(initrd->name, i, &middle))
			continue;
		for (size_t k = 0; k < INITRD_WITNESSES && kinds[i].witness[k]; k++)
			write_witness(kinds[i].witness[k], middle, initrd->witness[k]);
		initrd->is_job = kinds[i].is_job;
		return;
	}
}

bool initrds_next(struct slice *line, struct initrd *ret)
{
	struct cmdline_word word;

	while (cmdline_next(line, &word)) {
		if (!text_equal(word.key, "initrd") || word.value.len == 0)
			continue;
		*ret = (struct initrd){ .name = last_component(word.value) };
		find_witness(ret);
		return true;
	}
	return false;
}

void initrds_append(struct bytes *out, const struct initrd *initrd, enum initrd_state state)
{
	static const char *const names[_INITRD_STATE_MAX] = {
		[INITRD_HERE] = "here",
		[INITRD_MISSING] = "missing",
		[INITRD_UNKNOWN] = "unknown",
	};
	char name[128];

	bytes_printf(out, "%s %s\n", names[state], text_escape(name, sizeof(name), initrd->name));
}
