/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/golden.h"

#include "lib/base/macro.h"
#include "server/config.h"

static void read_and_print(const char *name, struct config *config, struct buffer *out)
{
	struct config_error error = { .text = "" };
	struct buffer text;

	golden_read(name, &text);
	if (config_parse(name, buffer_slice(&text), config, &error) != 0)
		fail_msg("%s", error.text);
	buffer_deinit(&text);
	assert_int_equal(config_print(config, out), 0);
}

static void seed_settings_have_the_same_effect(void **state)
{
	struct config config;
	struct buffer out = BUFFER_NULL;

	read_and_print("config/seed.yaml", &config, &out);
	golden_compare("config/seed.printed.yaml", buffer_slice(&out));
	buffer_deinit(&out);
	assert_string_equal(dhcp_arch_loader(11, config.dhcp.loaders, config.dhcp.n_loaders),
	                    "tftpboot/ipxe/bin-arm64-efi/snp.efi");
	assert_string_equal(dhcp_arch_loader(7, config.dhcp.loaders, config.dhcp.n_loaders),
	                    "tftpboot/ipxe/bin-x86_64-efi/snp.efi");
}

static void documented_example_is_accepted(void **state)
{
	struct config config;
	struct buffer out = BUFFER_NULL;

	read_and_print("config/full.yaml", &config, &out);
	golden_compare("config/full.printed.yaml", buffer_slice(&out));
	buffer_deinit(&out);
}

static void packaged_sample_is_accepted(void **state)
{
	struct config config;
	struct buffer out = BUFFER_NULL;

	read_and_print("../../packaging/ccid.yaml", &config, &out);
	buffer_deinit(&out);
	assert_string_equal(config.interfaces[0], "br0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_settings_have_the_same_effect),
		cmocka_unit_test(documented_example_is_accepted),
		cmocka_unit_test(packaged_sample_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
