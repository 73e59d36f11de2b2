/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "lib/format/root_spec.h"

static void every_form_parses_and_builds_back(void **state)
{
	static const struct {
		const char *root, *nfsroot;
		enum root_kind kind;
		const char *server, *path, *options, *user, *password;
		const char *built; /* NULL: as root */
	} cases[] = {
		{ "", "", ROOT_NONE, "", "", "", "", "", NULL },
		{ "nfs:10.0.0.1:/os/a:ro,nolock", "", ROOT_NFS, "10.0.0.1", "/os/a", "ro,nolock",
		  "", "", "10.0.0.1:/os/a:ro,nolock" },
		{ "nfs:/os/a", "", ROOT_NFS, "", "/os/a", "", "", "", NULL },
		{ "nfs4:h:/os", "", ROOT_NFS, "h", "/os", "", "", "", NULL },
		{ "10.0.0.1:/os/openeuler", "", ROOT_NFS, "10.0.0.1", "/os/openeuler", "", "", "",
		  NULL },
		{ "h:/os:vers=3", "", ROOT_NFS, "h", "/os", "vers=3", "", "", NULL },
		{ "[fe80::1]:/os", "", ROOT_NFS, "[fe80::1]", "/os", "", "", "", NULL },
		{ "/dev/nfs", "h:/a/b,vers=3", ROOT_NFS, "h", "/a/b", "vers=3", "", "",
		  "h:/a/b:vers=3" },
		{ "cifs://10.0.0.1/os/x,guest,ro", "", ROOT_CIFS, "10.0.0.1", "os/x", "guest,ro",
		  "", "", NULL },
		{ "cifs://u:p@h/s", "", ROOT_CIFS, "h", "s", "", "u", "p", NULL },
		{ "cifs://u@h/s,vers=3.0", "", ROOT_CIFS, "h", "s", "vers=3.0", "u", "", NULL },
		{ "cifs://h/s,password=a@b", "", ROOT_CIFS, "h", "s", "password=a@b", "", "",
		  NULL },
		{ "live:http://h:8000/r.squashfs", "", ROOT_LIVE, "", "http://h:8000/r.squashfs",
		  "", "", "", NULL },
		{ "live:https://h/r", "", ROOT_LIVE, "", "https://h/r", "", "", "", NULL },
		{ "/dev/vda2", "", ROOT_DEVICE, "", "/dev/vda2", "", "", "", NULL },
		{ "/dev/mapper/os-x", "", ROOT_DEVICE, "", "/dev/mapper/os-x", "", "", "", NULL },
		{ "UUID=ab-cd", "", ROOT_UUID, "", "ab-cd", "", "", "", NULL },
		{ "LABEL=root", "", ROOT_LABEL, "", "root", "", "", "", NULL },
		{ "PARTUUID=12", "", ROOT_PARTUUID, "", "12", "", "", "", NULL },
		{ "PARTLABEL=os", "", ROOT_PARTLABEL, "", "os", "", "", "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t room[200];
		struct bytes out = BYTES_ON(room);
		struct root_spec spec;

		assert_int_equal(root_spec_parse(slice_from_text(cases[i].root),
		                                 slice_from_text(cases[i].nfsroot), &spec),
		                 0);
		assert_int_equal(spec.kind, cases[i].kind);
		assert_slice_equal(spec.server, cases[i].server);
		assert_slice_equal(spec.path, cases[i].path);
		assert_slice_equal(spec.options, cases[i].options);
		assert_slice_equal(spec.user, cases[i].user);
		assert_slice_equal(spec.password, cases[i].password);
		root_spec_build(&out, &spec);
		assert_false(out.overflow);
		assert_slice_equal(bytes_slice(&out),
		                   cases[i].built ? cases[i].built : cases[i].root);
	}
}

static void nonsense_is_named(void **state)
{
	static const struct {
		const char *root;
		int outcome;
	} cases[] = {
		{ "zfs=tank", ROOT_SPEC_UNKNOWN }, { "live:ftp://h/x", ROOT_SPEC_UNKNOWN },
		{ "nfs:h", ROOT_SPEC_BAD },        { "/dev/nfs", ROOT_SPEC_BAD },
		{ "cifs://h", ROOT_SPEC_BAD },     { "cifs:///s", ROOT_SPEC_BAD },
		{ "UUID=", ROOT_SPEC_BAD },        { "/dev/", ROOT_SPEC_BAD },
		{ "live:http://", ROOT_SPEC_BAD }, { "word", ROOT_SPEC_UNKNOWN },
	};
	struct root_spec spec = { .kind = ROOT_LABEL };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(root_spec_parse(slice_from_text(cases[i].root), SLICE_NULL, &spec),
		                 cases[i].outcome);
	assert_int_equal(spec.kind, ROOT_LABEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_parses_and_builds_back),
		cmocka_unit_test(nonsense_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
