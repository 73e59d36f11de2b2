/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Architectures that a booting client can name (option 93; IANA "Processor Architecture Types",
 * RFC 4578 section 2.1 with its erratum, RFC 5970) and the first-stage loader each of them gets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/bytes.h"

#define DHCP_LOADER_MAX 128 /* the `file` field of a DHCP message, with its NUL */

enum dhcp_arch_transport {
	DHCP_ARCH_TFTP,
	DHCP_ARCH_HTTP, /* UEFI HTTP boot: wants a URL */
};

struct dhcp_arch {
	uint16_t code;
	uint16_t base; /* shares the loader of this architecture; itself when it has its own */
	enum dhcp_arch_transport transport;
	const char *name;
	const char *loader; /* below the TFTP root; NULL: that of its base, or none */
};

/* A configured loader: stands over the default of its architecture. */
struct dhcp_loader {
	uint16_t arch;
	char file[DHCP_LOADER_MAX]; /* name below the TFTP root, or a whole URL for an HTTP one */
};

/* The registered architecture of that code, or NULL. */
const struct dhcp_arch *dhcp_arch_find(unsigned code);

/*
 * The loader for an architecture: configured for the code itself, configured for its base, default
 * of its own, default of its base. Codes outside the table get one only when it is configured for
 * just them. Returns NULL when there is none; the text lives as long as `loaders`.
 */
const char *dhcp_arch_loader(unsigned code, const struct dhcp_loader loaders[], size_t n_loaders);

/* Whether a client of that code boots by HTTP. */
bool dhcp_arch_is_http(unsigned code);

/*
 * The architecture of a client: the first of option 93's values which the table knows, else its
 * first value. Returns 0, DHCP_ARCH_NONE for an empty one, DHCP_ARCH_MALFORMED for an odd length.
 */
enum { DHCP_ARCH_NONE = 1, DHCP_ARCH_MALFORMED = 2 };
int dhcp_arch_from_option(struct slice option, uint16_t *ret_code);

/*
 * The architecture in a vendor class `PXEClient:Arch:NNNNN:...` or `HTTPClient:Arch:...` (PXE 2.1),
 * for clients that leave option 93 out. Returns 0 or DHCP_ARCH_NONE.
 */
int dhcp_arch_from_vendor_class(struct slice vendor_class, uint16_t *ret_code);
