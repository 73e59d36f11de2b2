/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/http_media.h"

static void names_tell_types(void **state)
{
	static const struct {
		const char *path, *type;
	} cases[] = {
		{ "/os/debian/boot/vmlinuz-6.1.0", "application/octet-stream" },
		{ "/os/debian/boot/vmlinuz", "application/octet-stream" },
		{ "/initrd/x/current", "application/octet-stream" },
		{ "/initrd/a.cgz", "application/octet-stream" },
		{ "/kernel/snp.efi", "application/efi" },
		{ "/result/a/b/output", "text/plain; charset=utf-8" },
		{ "/result/a.b/sleep.time", "text/plain; charset=utf-8" },
		{ "/result/a/meminfo.gz", "application/gzip" },
		{ "/result/a/stats.json", "application/json" },
		{ "/result/a/evil.html", "application/octet-stream" },
		{ "/result/a/evil.svg", "application/octet-stream" },
		{ "/result/", "text/plain; charset=utf-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(http_media_type(slice_from_text(cases[i].path)), cases[i].type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_tell_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
