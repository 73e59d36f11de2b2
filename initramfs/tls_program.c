/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/tls_program.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "initramfs/paths.h"

int tls_program_become(const char *verb)
{
	char program[] = CCI_HTTPS_PROGRAM, word[16];
	char *argv[] = { program, word, NULL };

	(void)snprintf(word, sizeof(word), "%s", verb);
	(void)execv(program, argv);
	return -errno;
}
