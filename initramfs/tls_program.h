/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * cci-init-https, the same program with TLS: cci-init goes on as it when a boot speaks https.
 */
#pragma once

/*
 * Replaces this process by cci-init-https with that verb, which starts from the beginning. Returns
 * only when that cannot be: -ENOENT where the initramfs was built without it, or another -errno.
 */
int tls_program_become(const char *verb);
