/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/golden.h"

#include <stdbool.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "server/config.h"
#include "server/config_keys.h"
#include "server/config_read.h"

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

/* Whether text has `word` followed by ':' or a letter that ends a word. */
static bool names(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
		bool begins = p == text || !char_is_alnum(p[-1]);

		if (begins && !char_is_alnum(p[len]))
			return true;
	}
	return false;
}

static void check_section(const char *file, const char *text, const struct config_key *section)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct config_key *key = &section->keys[i];

		if (!names(text, key->name))
			fail_msg("%s does not name the key %s", file, key->name);
		if (key->type == &config_section)
			check_section(file, text, key);
		if (key->type == &config_list && key->keys[0].type == &config_section)
			check_section(file, text, &key->keys[0]);
	}
}

static void every_key_is_documented(void **state)
{
	static const char *const files[] = { "../../docs/configuration.md",
		                             "../../man/ccid.yaml.5" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct buffer text;

		golden_read(files[i], &text);
		check_section(files[i], (const char *)text.data, &config_file_key);
		buffer_deinit(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_settings_have_the_same_effect),
		cmocka_unit_test(documented_example_is_accepted),
		cmocka_unit_test(packaged_sample_is_accepted),
		cmocka_unit_test(every_key_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
