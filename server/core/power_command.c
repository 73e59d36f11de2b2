/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/core/power_command.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/macro.h"

/* Appends one word with its NUL, made as by printf; too long a command shows in its len. */
PRINTF_LIKE(2, 3) static void add(struct power_command *to, const char *format, ...)
{
	size_t room = to->len < sizeof(to->words) ? sizeof(to->words) - to->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(to->words + (room ? to->len : 0), room, format, args);
	va_end(args);
	to->len += (size_t)MAX(n, 0) + 1;
}

static void add_argv(struct power_command *to, const char *word)
{
	add(to, "%s", word);
	to->n_argv++;
}

static void add_ipmitool(struct power_command *to, const struct power_method *method,
                         enum power_action action)
{
	char port[8], cipher[8];
	const char *const options[] = {
		"ipmitool", "-I", "lanplus",         "-H", method->ipmi.address,       "-p",
		port,       "-U", method->ipmi.user, "-f", method->ipmi.password_file, "-C",
		cipher,
	};
	/* without a cipher suite the two agree on one */
	size_t n = ARRAY_SIZE(options) - (method->ipmi.cipher == 0 ? 2 : 0);

	(void)snprintf(port, sizeof(port), "%u", method->ipmi.port);
	(void)snprintf(cipher, sizeof(cipher), "%u", method->ipmi.cipher);
	for (size_t i = 0; i < n; i++)
		add_argv(to, options[i]);
	add_argv(to, "chassis");
	add_argv(to, "power");
	add_argv(to, power_action_to_name((int)action));
}

int power_command_make(const struct power_method *method, enum power_action action, struct mac mac,
                       struct power_command *ret)
{
	const char *name = power_action_to_name((int)action);
	char text[MAC_TEXT_MAX] = "";

	*ret = (struct power_command){ .n_env = 4 };
	for (size_t i = 0; i < method->n_command; i++)
		add_argv(ret, method->command[i]);
	if (method->n_command > 0) {
		add_argv(ret, name);
		add_argv(ret, method->host);
	} else {
		add_ipmitool(ret, method, action);
	}
	if (!mac_is_zero(mac))
		(void)mac_format(mac, ':', text);
	add(ret, "CCI_ACTION=%s", name);
	add(ret, "CCI_HOST=%s", method->host);
	add(ret, "CCI_MAC=%s", text);
	add(ret, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	return ret->len <= sizeof(ret->words) ? 0 : POWER_COMMAND_LONG;
}

const struct power_method *power_method_find(const struct power_method *methods, size_t n,
                                             const char *host)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(methods[i].host, host) == 0)
			return &methods[i];
	return NULL;
}
