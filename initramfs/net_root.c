/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/net_root.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define NFS_PORT 2049
#define SMB_PORT 445

/* One of the options of root=, "key=value" or "flag". */
struct word {
	struct slice key, value;
	bool has_value;
};

static bool next_word(struct slice *options, struct word *ret)
{
	while (options->len > 0) {
		struct slice word = slice_cut(options, ',');

		if (word.len == 0)
			continue;
		ret->has_value = slice_find(word, '=', 0) < word.len;
		ret->key = slice_cut(&word, '=');
		ret->value = word;
		return true;
	}
	return false;
}

static bool is_one_of(struct slice key, const char *const names[])
{
	for (; *names; names++)
		if (text_equal(key, *names))
			return true;
	return false;
}

static bool has_word(const struct plan *plan, const char *const names[])
{
	struct slice options = slice_from_text(plan->net_options);
	struct word word;

	while (next_word(&options, &word))
		if (is_one_of(word.key, names))
			return true;
	return false;
}

/* For mount(8), its helpers or systemd: the kernel knows none of them, or not as they are meant. */
static bool is_for_others(struct slice key)
{
	static const char *const names[] = {
		"_netdev",  "auto",     "noauto", "user", "nouser", "users",  "owner", "group",
		"defaults", "nofail",   "bg",     "fg",   "retry",  "sloppy", "suid",  "dev",
		"exec",     "relatime", "guest",  "ro",   "rw",     NULL,
	};

	return is_one_of(key, names) || slice_has_prefix(key, SLICE_LITERAL("x-")) ||
	       slice_has_prefix(key, SLICE_LITERAL("comment"));
}

static bool names_version(const struct plan *plan)
{
	static const char *const names[] = { "vers", "nfsvers", "minorversion", "v2",   "v3",
		                             "v4",   "v4.0",    "v4.1",         "v4.2", NULL };

	return plan->nfs_version != 0 || has_word(plan, names);
}

static bool names_user(const struct plan *plan)
{
	struct slice options = slice_from_text(plan->net_options);
	struct word word;

	if (plan->net_user[0])
		return true;
	while (next_word(&options, &word))
		if (text_equal(word.key, "username") ||
		    (text_equal(word.key, "user") && word.has_value))
			return true;
	return false;
}

const char *net_root_refuse(const struct plan *plan)
{
	static const char *const files[] = { "credentials", "cred", NULL };
	struct slice options = slice_from_text(plan->net_options);
	struct word word;

	if (has_word(plan, files))
		return "credentials= names a file, which this initramfs does not have: write "
		       "cifs://USER:PASSWORD@SERVER/SHARE";
	while (next_word(&options, &word))
		if (text_equal(word.key, "sec") &&
		    slice_has_prefix(word.value, SLICE_LITERAL("krb5")))
			return "sec=krb5 needs a ticket, which no initramfs has";
	return NULL;
}

void net_root_versions(const struct plan *plan, unsigned kernel,
                       const char *versions[NET_ROOT_VERSIONS_MAX])
{
	static const char *const all[] = { "4.2", "4.1", "4.0", "3", NULL };
	size_t n = 0;

	if (plan->kind == PLAN_NFS && !names_version(plan))
		n = plan->overlay && kernel < 5007 ? 3 : 0;
	else
		n = ARRAY_SIZE(all) - 1;
	for (size_t i = 0; n < ARRAY_SIZE(all); i++)
		versions[i] = all[n++];
}

bool net_root_find_mode(const struct plan *plan, bool *ret_read_only)
{
	struct slice options = slice_from_text(plan->net_options);
	bool is_found = false;
	struct word word;

	while (next_word(&options, &word)) {
		bool is_ro = text_equal(word.key, "ro");

		if (!is_ro && !text_equal(word.key, "rw"))
			continue;
		is_found = true;
		*ret_read_only = is_ro;
	}
	return is_found;
}

uint16_t net_root_port(const struct plan *plan)
{
	struct slice options = slice_from_text(plan->net_options);
	uint64_t port = plan->kind == PLAN_CIFS ? SMB_PORT : NFS_PORT;
	struct word word;

	while (next_word(&options, &word))
		if (text_equal(word.key, "port"))
			(void)text_parse_u64(word.value, UINT16_MAX, &port);
	return port > 0 ? (uint16_t)port : NFS_PORT;
}

static void add(struct net_root *root, const char *key, const char *value)
{
	if (root->n_options < NET_ROOT_OPTIONS_MAX)
		root->options[root->n_options] = (struct net_root_option){ key, value };
	root->n_options++;
}

/* Whether an option of that name is there already. */
static bool has_option(const struct net_root *root, const char *key)
{
	for (size_t i = 0; i < MIN(root->n_options, (size_t)NET_ROOT_OPTIONS_MAX); i++)
		if (strcmp(root->options[i].key, key) == 0)
			return true;
	return false;
}

/* A copy in the room of root, NUL at its end; options are shorter than the room is. */
static const char *keep(struct net_root *root, size_t *used, struct slice text)
{
	char *to = root->room + *used;

	assert(text.len + 1 <= sizeof(root->room) - *used);
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	*used += text.len + 1;
	return to;
}

/* True: it is one of the flags of the mount itself, and taken. */
static bool take_flag(struct net_root *root, struct slice key)
{
	if (text_equal(key, "nosuid"))
		root->nosuid = true;
	else if (text_equal(key, "nodev"))
		root->nodev = true;
	else if (text_equal(key, "noatime"))
		root->noatime = true;
	else
		return false;
	return true;
}

/* What the command line says, word for word. */
static void add_words(struct net_root *root, const struct plan *plan)
{
	struct slice options = slice_from_text(plan->net_options);
	struct word word;
	size_t used = 0;

	while (next_word(&options, &word)) {
		const char *key;

		if (!word.has_value && take_flag(root, word.key))
			continue;
		if (is_for_others(word.key) && !(text_equal(word.key, "user") && word.has_value))
			continue;
		key = keep(root, &used, word.key);
		add(root, key, word.has_value ? keep(root, &used, word.value) : NULL);
	}
}

static void add_nfs(struct net_root *root, const struct plan *plan, const char *version)
{
	static const char *const locks[] = { "lock", "nolock", "local_lock", NULL };
	static const char *const ages[] = { "ac",       "noac",     "actimeo",  "acregmin",
		                            "acregmax", "acdirmin", "acdirmax", "cto",
		                            "nocto",    NULL };

	if (!has_option(root, "addr"))
		add(root, "addr", root->address);
	if (version)
		add(root, "vers", version);
	else if (plan->nfs_version == 4)
		add(root, "vers", "4");
	/* nobody in an initramfs answers for locks of version 3; version 4 has no use for it */
	if (!has_word(plan, locks))
		add(root, "nolock", NULL);
	/* below an overlay nobody may change anything: then nobody needs to ask whether they did */
	if (plan->overlay && !has_word(plan, ages)) {
		add(root, "nocto", NULL);
		add(root, "actimeo", "600");
	}
}

static void add_cifs(struct net_root *root, const struct plan *plan)
{
	if (!has_option(root, "ip") && !has_option(root, "addr"))
		add(root, "ip", root->address);
	if (plan->net_user[0]) {
		add(root, "username", plan->net_user);
		add(root, "password", plan->net_password);
	} else if (!names_user(plan)) {
		add(root, "username", "");
		add(root, "password", "");
	}
}

const char *net_root_compose(const struct plan *plan, const struct net_root_facts *facts,
                             struct net_root *ret)
{
	bool is_cifs = plan->kind == PLAN_CIFS;
	const char *why = net_root_refuse(plan);
	int len;

	if (why)
		return why;
	*ret = (struct net_root){ .type = is_cifs ? "cifs" : "nfs" };
	len = snprintf(ret->source, sizeof(ret->source), is_cifs ? "//%s/%s" : "%s:%s",
	               facts->server, plan->net_path);
	if (len < 0 || (size_t)len >= sizeof(ret->source))
		return "the name of server and directory is longer than it may be";
	(void)snprintf(ret->address, sizeof(ret->address), "%s", facts->address);
	add_words(ret, plan);
	ret->read_only = plan->read_only || facts->read_only;
	if (is_cifs)
		add_cifs(ret, plan);
	else
		add_nfs(ret, plan, facts->version);
	if (ret->n_options > NET_ROOT_OPTIONS_MAX)
		return "more mount options than a root may have";
	return NULL;
}
