/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "server/core/dhcp_boot.h"
#include "tests/support/dhcp_client.h"

static const struct dhcp_config plain = { .n_loaders = 0 };

/* The seed's dnsmasq: arm64 and x64 get snp.efi, everything that is iPXE gets boot.ipxe. */
static const struct dhcp_config seeded = {
	.loaders = { { .arch = 11, .file = "/tftpboot/ipxe/bin-arm64-efi/snp.efi" },
	             { .arch = 7, .file = "/tftpboot/ipxe/bin-x86_64-efi/snp.efi" },
	             { .arch = 19, .file = "http://10.0.0.9/arm64.efi" },
	             { .arch = 0, .file = "http://10.0.0.9/undionly.kpxe" } },
	.n_loaders = 4,
	.http_port = 8000,
	.http_prefix = "/tftp",
};

enum who { OS, PXE, IPXE, IPXE_WITHOUT_HTTP, HTTP };

static void who_speaks_decides_before_the_architecture(void **state)
{
	static const struct {
		const struct dhcp_config *config;
		enum who who;
		uint16_t arch;
		int r;
		const char *file;
	} rows[] = {
		{ &plain, OS, 0, 0, "" },
		{ &plain, PXE, 0, 0, "undionly.kpxe" },
		{ &plain, PXE, 7, 0, "ipxe/bin-x86_64-efi/snponly.efi" },
		{ &plain, PXE, 9, 0, "ipxe/bin-x86_64-efi/snponly.efi" },
		{ &plain, PXE, 11, 0, "grub/grubaa64.efi" },
		{ &plain, PXE, 2, DHCP_BOOT_UNKNOWN, "" },
		{ &plain, PXE, 4711, DHCP_BOOT_UNKNOWN, "" },
		{ &plain, IPXE, 0, 0, "boot.ipxe" },
		{ &plain, IPXE, 7, 0, "boot.ipxe" },
		{ &plain, IPXE, 4711, 0, "boot.ipxe" },
		{ &plain, IPXE_WITHOUT_HTTP, 7, 0, "ipxe/bin-x86_64-efi/snponly.efi" },
		{ &plain, HTTP, 16, DHCP_BOOT_UNKNOWN, "" }, /* no port that serves it */
		{ &seeded, PXE, 11, 0, "/tftpboot/ipxe/bin-arm64-efi/snp.efi" },
		{ &seeded, PXE, 7, 0, "/tftpboot/ipxe/bin-x86_64-efi/snp.efi" },
		{ &seeded, IPXE, 11, 0, "boot.ipxe" },
		{ &seeded, IPXE, 7, 0, "boot.ipxe" },
		{ &seeded, PXE, 0, DHCP_BOOT_UNKNOWN, "" }, /* a URL is not for a TFTP ROM */
		{ &seeded, HTTP, 19, 0, "http://10.0.0.9/arm64.efi" },
		{ &seeded, HTTP, 15, 0, "http://10.0.0.1:8000/tftp/ipxe/bin-i386-efi/snponly.efi" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;
		struct dhcp_query q;
		char file[256];

		client_init(&c, DHCP_DISCOVER);
		if (rows[i].who != OS)
			client_add_u16(&c, DHCP_OPTION_ARCH, rows[i].arch);
		if (rows[i].who == IPXE)
			client_add_text(&c, DHCP_OPTION_USER_CLASS, "iPXE");
		if (rows[i].who == IPXE_WITHOUT_HTTP)
			client_add(&c, DHCP_OPTION_IPXE, SLICE_LITERAL("\x18\1\1"));
		if (rows[i].who == HTTP)
			client_add_text(&c, DHCP_OPTION_VENDOR_CLASS, "HTTPClient");
		assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
		assert_int_equal(dhcp_boot_file(rows[i].config, &q, 0x0a000001, file, sizeof(file)),
		                 rows[i].r);
		assert_string_equal(file, rows[i].file);
	}
}

static void the_script_has_a_configured_name(void **state)
{
	struct dhcp_config config = { .ipxe_script = "lab/first.ipxe" };
	struct client_packet c;
	struct dhcp_query q;
	char file[256];

	client_init(&c, DHCP_DISCOVER);
	client_add_ipxe(&c, 7);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_int_equal(dhcp_boot_file(&config, &q, 1, file, sizeof(file)), 0);
	assert_string_equal(file, "lab/first.ipxe");
}

static void port_80_is_not_written(void **state)
{
	struct dhcp_config config = { .http_port = 80 };
	struct client_packet c;
	struct dhcp_query q;
	char file[256], tight[30];

	client_init(&c, DHCP_DISCOVER);
	client_add_u16(&c, DHCP_OPTION_ARCH, 20);
	assert_int_equal(dhcp_query_parse(client_wire(&c), &q), 0);
	assert_int_equal(dhcp_boot_file(&config, &q, 0x0a000001, file, sizeof(file)), 0);
	assert_string_equal(file, "http://10.0.0.1/undionly.kpxe");
	assert_int_equal(dhcp_boot_file(&config, &q, 0x0a000001, tight, sizeof(tight)), 0);
	assert_int_equal(dhcp_boot_file(&config, &q, 0x0a000001, tight, sizeof(tight) - 1),
	                 DHCP_BOOT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_speaks_decides_before_the_architecture),
		cmocka_unit_test(the_script_has_a_configured_name),
		cmocka_unit_test(port_80_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
