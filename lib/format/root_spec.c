/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "lib/format/root_spec.h"

#include <stdbool.h>

#include "lib/base/macro.h"
#include "lib/base/table.h"
#include "lib/base/text.h"

static const char *const kind_names[_ROOT_KIND_MAX] = {
	[ROOT_NONE] = "none",   [ROOT_NFS] = "nfs",           [ROOT_CIFS] = "cifs",
	[ROOT_LIVE] = "live",   [ROOT_DEVICE] = "device",     [ROOT_UUID] = "uuid",
	[ROOT_LABEL] = "label", [ROOT_PARTUUID] = "partuuid", [ROOT_PARTLABEL] = "partlabel",
};

const char *root_kind_to_name(int value)
{
	const char *name = table_name(kind_names, ARRAY_SIZE(kind_names), value);

	return name ? name : "?";
}

/* Takes `prefix` off *s when it is there. */
static bool take_prefix(struct slice *s, const char *prefix)
{
	struct slice p = slice_from_text(prefix);

	if (!slice_has_prefix(*s, p))
		return false;
	(void)slice_take(s, p.len);
	return true;
}

/* Takes "server:" off *s: everything before ":/" (so that [fe80::1]:/path works too). */
static struct slice take_server(struct slice *s)
{
	for (size_t i = 0; i + 1 < s->len; i++)
		if (s->data[i] == ':' && s->data[i + 1] == '/') {
			struct slice server = slice_take(s, i);

			(void)slice_take(s, 1);
			return server;
		}
	return SLICE_NULL;
}

/* A name, an IPv4 address, or an IPv6 address in brackets. */
static bool is_server(struct slice s)
{
	if (s.len == 0)
		return false;
	if (s.data[0] == '[')
		return s.data[s.len - 1] == ']';
	return slice_find(s, ':', 0) == s.len && slice_find(s, '=', 0) == s.len;
}

/* [server:]/path[SEPARATOR options] */
static int parse_nfs(struct slice s, bool comma_too, struct root_spec *ret)
{
	size_t end;

	ret->kind = ROOT_NFS;
	if (s.len > 0 && s.data[0] != '/') {
		ret->server = take_server(&s);
		if (!is_server(ret->server))
			return ROOT_SPEC_BAD;
	}
	end = slice_find(s, ':', 0);
	if (comma_too)
		end = MIN(end, slice_find(s, ',', 0));
	ret->path = slice_sub(s, 0, end);
	ret->options = slice_sub(s, end + 1, s.len);
	return ret->path.len > 0 && ret->path.data[0] == '/' ? 0 : ROOT_SPEC_BAD;
}

/* [user[:password]@]server/share[/dir][,options] */
static int parse_cifs(struct slice s, struct root_spec *ret)
{
	size_t slash = slice_find(s, '/', 0);
	size_t at = slice_find(s, '@', 0);

	ret->kind = ROOT_CIFS;
	/* a password may hold '/', an '@' in the options may not be taken for ours */
	if (at < s.len && (at < slash || slice_find(s, ',', 0) > at)) {
		struct slice credentials = slice_take(&s, at);

		(void)slice_take(&s, 1);
		ret->user = slice_cut(&credentials, ':');
		ret->password = credentials;
		if (ret->user.len == 0)
			return ROOT_SPEC_BAD;
	}
	ret->server = slice_cut(&s, '/');
	ret->path = slice_cut(&s, ',');
	ret->options = s;
	return ret->server.len > 0 && ret->path.len > 0 ? 0 : ROOT_SPEC_BAD;
}

static int parse_tag(struct slice s, struct root_spec *ret)
{
	static const struct {
		const char *prefix;
		enum root_kind kind;
	} tags[] = {
		{ "UUID=", ROOT_UUID },
		{ "LABEL=", ROOT_LABEL },
		{ "PARTUUID=", ROOT_PARTUUID },
		{ "PARTLABEL=", ROOT_PARTLABEL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (take_prefix(&s, tags[i].prefix)) {
			ret->kind = tags[i].kind;
			ret->path = s;
			return s.len > 0 ? 0 : ROOT_SPEC_BAD;
		}
	return ROOT_SPEC_UNKNOWN;
}

static int parse(struct slice s, struct slice nfsroot, struct root_spec *ret)
{
	if (s.len == 0) {
		ret->kind = ROOT_NONE;
		return 0;
	}
	if (text_equal(s, "/dev/nfs"))
		return parse_nfs(nfsroot, true, ret);
	if (take_prefix(&s, "/dev/")) {
		ret->kind = ROOT_DEVICE;
		ret->path = slice_make(s.data - 5, s.len + 5);
		return s.len > 0 ? 0 : ROOT_SPEC_BAD;
	}
	if (take_prefix(&s, "nfs:"))
		return parse_nfs(s, false, ret);
	if (take_prefix(&s, "nfs4:")) {
		ret->nfs_version = 4;
		return parse_nfs(s, false, ret);
	}
	if (take_prefix(&s, "cifs://"))
		return parse_cifs(s, ret);
	if (slice_has_prefix(s, SLICE_LITERAL("live:http://")) ||
	    slice_has_prefix(s, SLICE_LITERAL("live:https://"))) {
		ret->kind = ROOT_LIVE;
		ret->path = slice_sub(s, 5, s.len);
		return slice_has_suffix(ret->path, SLICE_LITERAL("://")) ? ROOT_SPEC_BAD : 0;
	}
	if (parse_tag(s, ret) != ROOT_SPEC_UNKNOWN)
		return parse_tag(s, ret);
	/* bare host:/path, as Compass-CI writes it */
	if (parse_nfs(s, false, ret) == 0 && ret->server.len > 0)
		return 0;
	return ROOT_SPEC_UNKNOWN;
}

int root_spec_parse(struct slice root, struct slice nfsroot, struct root_spec *ret)
{
	struct root_spec spec = { .kind = ROOT_NONE };
	int r = parse(root, nfsroot, &spec);

	if (r == 0)
		*ret = spec;
	return r;
}

static void build_nfs(struct bytes *out, const struct root_spec *spec)
{
	if (spec->nfs_version == 4)
		bytes_append_text(out, "nfs4:");
	else if (spec->server.len == 0)
		bytes_append_text(out, "nfs:");
	if (spec->server.len > 0) {
		bytes_append_slice(out, spec->server);
		bytes_append_u8(out, ':');
	}
	bytes_append_slice(out, spec->path);
	if (spec->options.len > 0) {
		bytes_append_u8(out, ':');
		bytes_append_slice(out, spec->options);
	}
}

static void build_cifs(struct bytes *out, const struct root_spec *spec)
{
	bytes_append_text(out, "cifs://");
	if (spec->user.len > 0) {
		bytes_append_slice(out, spec->user);
		if (spec->password.len > 0) {
			bytes_append_u8(out, ':');
			bytes_append_slice(out, spec->password);
		}
		bytes_append_u8(out, '@');
	}
	bytes_append_slice(out, spec->server);
	bytes_append_u8(out, '/');
	bytes_append_slice(out, spec->path);
	if (spec->options.len > 0) {
		bytes_append_u8(out, ',');
		bytes_append_slice(out, spec->options);
	}
}

void root_spec_build(struct bytes *out, const struct root_spec *spec)
{
	switch (spec->kind) {
	case ROOT_NFS:
		build_nfs(out, spec);
		return;
	case ROOT_CIFS:
		build_cifs(out, spec);
		return;
	case ROOT_LIVE:
		bytes_append_text(out, "live:");
		break;
	case ROOT_UUID:
		bytes_append_text(out, "UUID=");
		break;
	case ROOT_LABEL:
		bytes_append_text(out, "LABEL=");
		break;
	case ROOT_PARTUUID:
		bytes_append_text(out, "PARTUUID=");
		break;
	case ROOT_PARTLABEL:
		bytes_append_text(out, "PARTLABEL=");
		break;
	case ROOT_DEVICE:
		break;
	case ROOT_NONE:
	case _ROOT_KIND_MAX:
		return;
	}
	bytes_append_slice(out, spec->path);
}
