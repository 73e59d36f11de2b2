/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How a host's power is switched: a program of the lab's own, or ipmitool.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"
#include "lib/base/usec.h"
#include "server/core/host.h"
#include "server/core/power.h"

#define POWER_WORDS_MAX   16
#define POWER_WORD_MAX    128
#define POWER_PATH_MAX    256
#define POWER_ADDRESS_MAX 128
#define POWER_USER_MAX    64
#define POWER_COMMAND_MAX 4096 /* of argv and environment, NULs included */
#define POWER_IPMI_PORT   623

/* One host of ccid.yaml's `power:`. Plain data. */
struct power_method {
	char host[HOST_NAME_MAX_LEN];
	char command[POWER_WORDS_MAX][POWER_WORD_MAX]; /* empty: by ipmi */
	size_t n_command;
	struct {
		char address[POWER_ADDRESS_MAX]; /* empty: by command */
		char user[POWER_USER_MAX];
		char password_file[POWER_PATH_MAX];
		uint16_t port;
		uint16_t cipher; /* suite (ipmitool(1)); 0: as ipmitool and the BMC agree */
	} ipmi;
	usec_t wait;  /* from power-on until the machine asks for its boot */
	usec_t limit; /* of one command; then it is killed */
};

/* A program to be run: NUL-terminated words, those of argv first, then NAME=VALUE. */
struct power_command {
	unsigned n_argv, n_env;
	size_t len;
	char words[POWER_COMMAND_MAX];
};

/*
 * The program that does `action` to the host. A command of the lab gets action and host as its last
 * two words; each program finds CCI_ACTION, CCI_HOST, CCI_MAC (empty when no address is known) and
 * a PATH in its environment, and nothing else. ipmitool(1) is told a file for the password: that
 * never stands on a command line or in an environment.
 * Returns 0, or POWER_COMMAND_LONG when it does not fit.
 */
enum { POWER_COMMAND_LONG = 1 };
int power_command_make(const struct power_method *method, enum power_action action, struct mac mac,
                       struct power_command *ret);

/* The method of that host, or NULL. */
const struct power_method *power_method_find(const struct power_method *methods, size_t n,
                                             const char *host);
