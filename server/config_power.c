/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How the power of one host is switched: {command} or {ipmi}, never both.
 */
#include "server/config_power.h"

#include <errno.h>

#include "lib/base/macro.h"
#include "server/config.h"
#include "server/config_read.h"
#include "server/config_text.h"
#include "server/core/power_command.h"

#define WAIT_DEFAULT  (10 * USEC_PER_MINUTE) /* servers count their memory */
#define LIMIT_DEFAULT (30 * USEC_PER_SEC)    /* ipmitool gives up by itself after about 20 s */

#define AT(member) offsetof(struct power_method, member)

static const struct config_key word_member[] = {
	{ .type = &config_text, .max = POWER_WORD_MAX, .expected = "a word that is not empty" },
};

static const struct config_key ipmi_keys[] = {
	{ .name = "address",
	  .type = &config_text,
	  .offset = AT(ipmi.address),
	  .max = POWER_ADDRESS_MAX,
	  .is_good = config_text_is_credential,
	  .is_required = true,
	  .expected = "the address or the name of the machine's BMC" },
	{ .name = "user",
	  .type = &config_text,
	  .offset = AT(ipmi.user),
	  .max = POWER_USER_MAX,
	  .is_good = config_text_is_credential,
	  .is_required = true,
	  .expected = "a name without spaces and , : @ /" },
	{ .name = "password_file",
	  .type = &config_text,
	  .offset = AT(ipmi.password_file),
	  .max = POWER_PATH_MAX,
	  .is_good = config_text_is_absolute,
	  .is_required = true,
	  .expected = "an absolute path" },
	{ .name = "port",
	  .type = &config_u16,
	  .offset = AT(ipmi.port),
	  .min = 1,
	  .max = UINT16_MAX,
	  .expected = "a port from 1 to 65535" },
	{ .name = "cipher",
	  .type = &config_u16,
	  .offset = AT(ipmi.cipher),
	  .min = 1,
	  .max = 17,
	  .expected = "a cipher suite from 1 to 17" },
};

static const struct config_key method_keys[] = {
	{ .name = "command",
	  .type = &config_list,
	  .offset = AT(command),
	  .count_offset = AT(n_command),
	  .member_size = POWER_WORD_MAX,
	  .members_max = POWER_WORDS_MAX,
	  .keys = word_member,
	  .n_keys = 1,
	  .expected = "a program and its words as [/etc/cci/power, pdu3]" },
	{ .name = "ipmi",
	  .type = &config_section,
	  .keys = ipmi_keys,
	  .n_keys = ARRAY_SIZE(ipmi_keys) },
	{ .name = "wait",
	  .type = &config_duration,
	  .offset = AT(wait),
	  .min = USEC_PER_SEC,
	  .max = 60 * USEC_PER_MINUTE,
	  .expected = "a duration from 1s to 60m as 10m" },
	{ .name = "limit",
	  .type = &config_duration,
	  .offset = AT(limit),
	  .min = USEC_PER_SEC,
	  .max = 10 * USEC_PER_MINUTE,
	  .expected = "a duration from 1s to 10m as 30s" },
};

static const struct config_key method_section = {
	.type = &config_section,
	.keys = method_keys,
	.n_keys = ARRAY_SIZE(method_keys),
};

static int read_method(struct config_reader *reader, const struct config_key *key,
                       const json_t *value, void *base)
{
	struct power_method *method = base;
	int r;

	(void)key;
	method->wait = WAIT_DEFAULT;
	method->limit = LIMIT_DEFAULT;
	method->ipmi.port = POWER_IPMI_PORT;
	r = method_section.type->read(reader, &method_section, value, base);
	if (r != 0)
		return r;
	if ((method->n_command > 0) == (method->ipmi.address[0] != '\0'))
		return config_bad(reader, "expected either command or ipmi");
	if (method->n_command > 0 && method->command[0][0] != '/')
		return config_bad(reader, "expected command to begin with an absolute path");
	return 0;
}

static int print_method(const struct config_key *key, const void *base, json_t **ret)
{
	const struct power_method *method = base;
	json_t *object = NULL;
	int r = method_section.type->print(&method_section, base, &object);

	(void)key;
	if (r < 0)
		return r;
	/* what is left out in a file is there, always: this takes it away */
	(void)json_object_del(object, method->n_command > 0 ? "ipmi" : "command");
	if (method->ipmi.cipher == 0)
		(void)json_object_del(json_object_get(object, "ipmi"), "cipher");
	*ret = object;
	return 0;
}

static const struct config_type type_method = { read_method, print_method };

static bool is_host(struct slice text)
{
	return host_name_is_good(text);
}

const struct config_key config_power_member[2] = {
	{ .type = &config_text,
	  .offset = AT(host),
	  .max = HOST_NAME_MAX_LEN,
	  .is_good = is_host,
	  .expected = "the name of a host" },
	{ .type = &type_method, .expected = "{command} or {ipmi}" },
};
