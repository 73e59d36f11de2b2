/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/proto/dhcp_arch.h"

static void every_code_is_known_once_and_its_base_has_no_other_base(void **state)
{
	for (unsigned code = 0; code <= 41; code++) {
		const struct dhcp_arch *arch = dhcp_arch_find(code);

		assert_non_null(arch);
		assert_int_equal(arch->code, code);
		assert_int_equal(dhcp_arch_find(arch->base)->base, arch->base);
		assert_int_equal(dhcp_arch_find(arch->base)->transport, DHCP_ARCH_TFTP);
	}
	assert_null(dhcp_arch_find(42));
	assert_null(dhcp_arch_find(70000));
}

static void loaders_come_from_the_table_and_the_configuration(void **state)
{
	static const struct dhcp_loader configured[] = {
		{ .arch = 7, .file = "ipxe/bin-x86_64-efi/snp.efi" },
		{ .arch = 19, .file = "http://10.0.0.1/arm64.efi" },
		{ .arch = 777, .file = "odd.efi" },
	};
	static const struct {
		unsigned code;
		const char *plain, *merged;
	} rows[] = {
		{ 0, "undionly.kpxe", "undionly.kpxe" },
		{ 2, NULL, NULL },
		{ 6, "ipxe/bin-i386-efi/snponly.efi", "ipxe/bin-i386-efi/snponly.efi" },
		{ 7, "ipxe/bin-x86_64-efi/snponly.efi", "ipxe/bin-x86_64-efi/snp.efi" },
		{ 9, "ipxe/bin-x86_64-efi/snponly.efi", "ipxe/bin-x86_64-efi/snp.efi" },
		{ 10, "ipxe/bin-arm32-efi/snponly.efi", "ipxe/bin-arm32-efi/snponly.efi" },
		{ 11, "grub/grubaa64.efi", "grub/grubaa64.efi" },
		{ 14, NULL, NULL },
		{ 16, "ipxe/bin-x86_64-efi/snponly.efi", "ipxe/bin-x86_64-efi/snp.efi" },
		{ 19, "ipxe/bin-arm64-efi/snponly.efi", "http://10.0.0.1/arm64.efi" },
		{ 22, NULL, NULL },
		{ 27, "ipxe/bin-riscv64-efi/snponly.efi", "ipxe/bin-riscv64-efi/snponly.efi" },
		{ 40, "ipxe/bin-loong64-efi/snponly.efi", "ipxe/bin-loong64-efi/snponly.efi" },
		{ 777, NULL, "odd.efi" },
		{ 778, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *plain = dhcp_arch_loader(rows[i].code, NULL, 0);
		const char *merged =
			dhcp_arch_loader(rows[i].code, configured, ARRAY_SIZE(configured));

		assert_string_equal(plain ? plain : "-", rows[i].plain ? rows[i].plain : "-");
		assert_string_equal(merged ? merged : "-", rows[i].merged ? rows[i].merged : "-");
	}
	assert_true(dhcp_arch_is_http(16));
	assert_false(dhcp_arch_is_http(7));
	assert_false(dhcp_arch_is_http(999));
}

static void the_first_known_value_of_option_93_counts(void **state)
{
	static const struct {
		struct slice option;
		int r;
		uint16_t code;
	} rows[] = {
		{ SLICE_LITERAL("\0\7"), 0, 7 },
		{ SLICE_LITERAL("\377\1\0\13"), 0, 11 },
		{ SLICE_LITERAL("\377\1\377\2"), 0, 0xff01 },
		{ SLICE_LITERAL(""), DHCP_ARCH_NONE, 0 },
		{ SLICE_LITERAL("\0"), DHCP_ARCH_MALFORMED, 0 },
		{ SLICE_LITERAL("\0\7\0"), DHCP_ARCH_MALFORMED, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint16_t code = 0;

		assert_int_equal(dhcp_arch_from_option(rows[i].option, &code), rows[i].r);
		assert_int_equal(code, rows[i].code);
	}
}

static void a_vendor_class_names_the_architecture_too(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint16_t code;
	} rows[] = {
		{ "PXEClient:Arch:00007:UNDI:003016", 0, 7 },
		{ "HTTPClient:Arch:00016:UNDI:003001", 0, 16 },
		{ "PXEClient:Arch:00000", 0, 0 },
		{ "PXEClient", DHCP_ARCH_NONE, 0 },
		{ "PXEClient:Arch:", DHCP_ARCH_NONE, 0 },
		{ "PXEClient:Arch:99999:UNDI", DHCP_ARCH_NONE, 0 },
		{ "udhcp 1.35.0", DHCP_ARCH_NONE, 0 },
		{ "", DHCP_ARCH_NONE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint16_t code = 0;

		assert_int_equal(dhcp_arch_from_vendor_class(slice_from_text(rows[i].text), &code),
		                 rows[i].r);
		assert_int_equal(code, rows[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_known_once_and_its_base_has_no_other_base),
		cmocka_unit_test(loaders_come_from_the_table_and_the_configuration),
		cmocka_unit_test(the_first_known_value_of_option_93_counts),
		cmocka_unit_test(a_vendor_class_names_the_architecture_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
