/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "server/proto/dhcp_arch.h"

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define TFTP DHCP_ARCH_TFTP
#define HTTP DHCP_ARCH_HTTP

/*
 * Names of loaders are those of iPXE's build tree, as tools/loaders lays them out. snponly drives
 * only the card the firmware booted from, through the firmware's driver: it works where a native
 * driver hangs. 7 and 9 are both x86-64: RFC 4578 had them swapped, and firmware of both readings
 * is about. For 64-bit ARM distributions package GRUB and seldom iPXE; GRUB cannot be loaded by
 * HTTP, as it looks for its network in what PXE left.
 */
static const struct dhcp_arch table[] = {
	{ 0, 0, TFTP, "x86-bios", "undionly.kpxe" },
	{ 1, 1, TFTP, "pc98", NULL },
	{ 2, 2, TFTP, "ia64-efi", NULL },
	{ 3, 3, TFTP, "alpha", NULL },
	{ 4, 4, TFTP, "arc-x86", NULL },
	{ 5, 5, TFTP, "lean-client", NULL },
	{ 6, 6, TFTP, "i386-efi", "ipxe/bin-i386-efi/snponly.efi" },
	{ 7, 7, TFTP, "x86_64-efi", "ipxe/bin-x86_64-efi/snponly.efi" },
	{ 8, 8, TFTP, "xscale-efi", NULL },
	{ 9, 7, TFTP, "ebc-efi", NULL },
	{ 10, 10, TFTP, "arm32-efi", "ipxe/bin-arm32-efi/snponly.efi" },
	{ 11, 11, TFTP, "arm64-efi", "grub/grubaa64.efi" },
	{ 12, 12, TFTP, "powerpc-open-firmware", NULL },
	{ 13, 13, TFTP, "powerpc-epapr", NULL },
	{ 14, 14, TFTP, "powerpc-opal", NULL },
	{ 15, 6, HTTP, "i386-efi-http", NULL },
	{ 16, 7, HTTP, "x86_64-efi-http", NULL },
	{ 17, 7, HTTP, "ebc-efi-http", NULL },
	{ 18, 10, HTTP, "arm32-efi-http", NULL },
	{ 19, 11, HTTP, "arm64-efi-http", "ipxe/bin-arm64-efi/snponly.efi" },
	{ 20, 0, HTTP, "x86-bios-http", NULL },
	{ 21, 21, TFTP, "arm32-uboot", NULL },
	{ 22, 22, TFTP, "arm64-uboot", NULL },
	{ 23, 21, HTTP, "arm32-uboot-http", NULL },
	{ 24, 22, HTTP, "arm64-uboot-http", NULL },
	{ 25, 25, TFTP, "riscv32-efi", "ipxe/bin-riscv32-efi/snponly.efi" },
	{ 26, 25, HTTP, "riscv32-efi-http", NULL },
	{ 27, 27, TFTP, "riscv64-efi", "ipxe/bin-riscv64-efi/snponly.efi" },
	{ 28, 27, HTTP, "riscv64-efi-http", NULL },
	{ 29, 29, TFTP, "riscv128-efi", NULL },
	{ 30, 29, HTTP, "riscv128-efi-http", NULL },
	{ 31, 31, TFTP, "s390-basic", NULL },
	{ 32, 32, TFTP, "s390-extended", NULL },
	{ 33, 33, TFTP, "mips32-efi", NULL },
	{ 34, 34, TFTP, "mips64-efi", NULL },
	{ 35, 35, TFTP, "sunway32-efi", NULL },
	{ 36, 36, TFTP, "sunway64-efi", NULL },
	{ 37, 37, TFTP, "loongarch32-efi", NULL },
	{ 38, 37, HTTP, "loongarch32-efi-http", NULL },
	{ 39, 39, TFTP, "loongarch64-efi", "ipxe/bin-loong64-efi/snponly.efi" },
	{ 40, 39, HTTP, "loongarch64-efi-http", NULL },
	{ 41, 41, TFTP, "arm-rpiboot", NULL },
};

const struct dhcp_arch *dhcp_arch_find(unsigned code)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

static const char *find_configured(unsigned code, const struct dhcp_loader loaders[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (loaders[i].arch == code)
			return loaders[i].file;
	return NULL;
}

const char *dhcp_arch_loader(unsigned code, const struct dhcp_loader loaders[], size_t n_loaders)
{
	const char *own = find_configured(code, loaders, n_loaders);
	const struct dhcp_arch *arch = dhcp_arch_find(code), *base;
	const char *of_base;

	if (own || !arch)
		return own;
	of_base = find_configured(arch->base, loaders, n_loaders);
	base = dhcp_arch_find(arch->base);
	assert(base); /* the table names no base that it has not */
	if (of_base)
		return of_base;
	return arch->loader ? arch->loader : base->loader;
}

bool dhcp_arch_is_http(unsigned code)
{
	const struct dhcp_arch *arch = dhcp_arch_find(code);

	return arch && arch->transport == DHCP_ARCH_HTTP;
}

int dhcp_arch_from_option(struct slice option, uint16_t *ret_code)
{
	if (option.len == 0)
		return DHCP_ARCH_NONE;
	if (option.len % 2 != 0)
		return DHCP_ARCH_MALFORMED;
	for (size_t i = 0; i < option.len; i += 2)
		if (dhcp_arch_find(get_be16(option.data + i))) {
			*ret_code = get_be16(option.data + i);
			return 0;
		}
	*ret_code = get_be16(option.data);
	return 0;
}

int dhcp_arch_from_vendor_class(struct slice vendor_class, uint16_t *ret_code)
{
	struct slice rest = vendor_class;
	struct slice word = slice_cut(&rest, ':');
	uint64_t code;

	if (!text_equal(word, "PXEClient") && !text_equal(word, "HTTPClient"))
		return DHCP_ARCH_NONE;
	if (!text_equal(slice_cut(&rest, ':'), "Arch"))
		return DHCP_ARCH_NONE;
	if (text_parse_u64(slice_cut(&rest, ':'), UINT16_MAX, &code) != 0)
		return DHCP_ARCH_NONE;
	*ret_code = (uint16_t)code;
	return 0;
}
