/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * None of this fails a boot: a system without it comes up too. What goes wrong is told.
 */
#include "initramfs/handover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/handover_text.h"
#include "initramfs/hardware.h"
#include "initramfs/net_address.h"
#include "initramfs/new_root.h"
#include "initramfs/paths.h"
#include "initramfs/tell.h"
#include "lib/base/text.h"
#include "lib/sys/fd.h"
#include "lib/sys/file.h"

#define LEASES_DIR     "/run/systemd/netif/leases"
#define LEASE_SIZE_MAX (64 << 10)
#define MAC_SIZE       64

static void close_directory(DIR **directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* The interface whose index names a lease file. Returns its index, or 0. */
static unsigned lease_index(const char *file)
{
	uint64_t index;

	if (text_parse_u64(slice_from_text(file), UINT32_MAX, &index) != 0)
		return 0;
	return (unsigned)index;
}

static void resolv_from_leases(struct buffer *out)
{
	CLEANUP(close_directory) DIR *leases = opendir(LEASES_DIR);
	const struct dirent *entry;

	while (leases && (entry = readdir(leases))) {
		struct buffer lease = BUFFER_NULL;

		if (lease_index(entry->d_name) > 0 &&
		    file_read_all(dirfd(leases), entry->d_name, LEASE_SIZE_MAX, &lease) == 0)
			(void)handover_resolv_text(buffer_slice(&lease), out);
		buffer_deinit(&lease);
	}
}

bool handover_find_server(char *to, size_t size)
{
	CLEANUP(close_directory) DIR *leases = opendir(LEASES_DIR);
	const struct dirent *entry;
	bool is_found = false;

	while (leases && !is_found && (entry = readdir(leases))) {
		struct buffer lease = BUFFER_NULL;

		if (lease_index(entry->d_name) > 0 &&
		    file_read_all(dirfd(leases), entry->d_name, LEASE_SIZE_MAX, &lease) == 0)
			is_found = handover_lease_server(buffer_slice(&lease), to, size);
		buffer_deinit(&lease);
	}
	return is_found;
}

/* Whether a path in the root leads to a file that is not empty. */
static bool has_content(int root_fd, const char *path)
{
	CLEANUP(fd_closep) int fd = new_root_open(root_fd, path, O_PATH, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0;
}

void handover_resolver(void)
{
	struct buffer text = BUFFER_NULL;
	int r = 0;

	if (access("/etc/resolv.conf", F_OK) == 0)
		return;
	resolv_from_leases(&text);
	if (text.len > 0 && !text.failed) {
		CLEANUP(fd_closep) int etc = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);

		r = etc < 0 ? -errno
		            : new_root_write(etc, ".", "resolv.conf", buffer_slice(&text), 0644);
	}
	buffer_deinit(&text);
	if (r < 0)
		tell("cannot write /etc/resolv.conf: %s", strerror(-r));
}

void handover_names(int root_fd)
{
	struct buffer text = BUFFER_NULL;
	int r;

	/* resolved makes its own, behind a link that leads nowhere yet */
	if (has_content(root_fd, "etc/resolv.conf") ||
	    has_content(root_fd, "etc/systemd/system/dbus-org.freedesktop.resolve1.service"))
		return;
	if (file_read_all(AT_FDCWD, "/etc/resolv.conf", LEASE_SIZE_MAX, &text) < 0 ||
	    text.len == 0) {
		buffer_deinit(&text);
		resolv_from_leases(&text);
	}
	if (text.len > 0 && !text.failed) {
		r = new_root_write(root_fd, "etc", "resolv.conf", buffer_slice(&text), 0644);
		if (r < 0)
			tell("cannot write resolv.conf: %s", strerror(-r));
	}
	buffer_deinit(&text);
}

void handover_identity(int root_fd)
{
	struct buffer hardware = BUFFER_NULL;
	char text[HANDOVER_MACHINE_ID_SIZE];
	CLEANUP(fd_closep) int fd = -1;
	bool is_wanted = true;
	int r = -ENOENT;

	fd = new_root_open(root_fd, "etc/machine-id", O_RDONLY | O_NONBLOCK, 0);
	if (fd >= 0) {
		char id[40];
		ssize_t n = fd_pread_all(fd, id, sizeof(id), 0);

		is_wanted = n < 32 || strncmp(id, "uninitialized", 13) == 0;
	}
	if (is_wanted)
		r = hardware_read_identity(&hardware);
	if (r == 0) {
		handover_machine_id(text_trim(buffer_slice(&hardware)), text);
		r = new_root_write(root_fd, "etc", "machine-id", slice_from_text(text), 0444);
		if (r < 0)
			tell("cannot write machine-id: %s", strerror(-r));
	}
	buffer_deinit(&hardware);
}

/* One file, /run/systemd/network/05-cci-NAME.KIND. */
static void leave_file(int directory, const struct handover_link *link, const char *kind,
                       void (*make)(struct buffer *, const struct handover_link *))
{
	struct buffer text = BUFFER_NULL;
	char file[64];
	int r;

	make(&text, link);
	(void)snprintf(file, sizeof(file), "05-cci-%.15s.%s", link->name, kind);
	r = buffer_error(&text);
	if (r == 0)
		r = new_root_write(directory, ".", file, buffer_slice(&text), 0644);
	if (r < 0)
		tell("cannot write %s: %s", file, strerror(-r));
	buffer_deinit(&text);
}

static void leave_link(int directory, unsigned index, const char *address)
{
	char name[IF_NAMESIZE], path[64 + IF_NAMESIZE], mac[MAC_SIZE];
	struct buffer text = BUFFER_NULL;

	if (!if_indextoname(index, name))
		return;
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	if (file_read_all(AT_FDCWD, path, 256, &text) == 0 &&
	    text_copy(mac, sizeof(mac), text_trim(buffer_slice(&text))) == 0 && mac[0]) {
		const struct handover_link link = { .name = name, .mac = mac, .address = address };

		leave_file(directory, &link, "network", handover_network_text);
		leave_file(directory, &link, "link", handover_link_text);
		tell_debug("%s (%s) is handed over with its %s", name, mac,
		           address ? "address" : "lease");
	}
	buffer_deinit(&text);
}

static bool has_lease_file(unsigned index)
{
	char path[64];

	(void)snprintf(path, sizeof(path), LEASES_DIR "/%u", index);
	return access(path, F_OK) == 0;
}

static int open_handover_directory(void)
{
	int fd, r;

	r = file_make_path(CCI_HANDOVER_DIR, 0755);
	if (r < 0)
		return r;
	fd = open(CCI_HANDOVER_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void handover_network(void)
{
	CLEANUP(fd_closep) int directory = open_handover_directory();
	struct net_address addresses[NET_ADDRESSES_MAX];
	int n = net_address_list(addresses);

	if (directory < 0 || n < 0) {
		tell("cannot hand the network over: %s", strerror(directory < 0 ? -directory : -n));
		return;
	}
	for (int i = 0; i < n; i++) {
		const struct net_address *a = &addresses[i];
		bool is_lease = a->is_lease || has_lease_file(a->index);

		/* the first one of a link is its own; the kernel lists them link by link */
		if (i > 0 && addresses[i - 1].index == a->index)
			continue;
		leave_link(directory, a->index, is_lease ? NULL : a->text);
	}
}
