/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "initramfs/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "initramfs/module.h"
#include "lib/base/macro.h"
#include "lib/sys/fd.h"

#define BUSY_TRIES 32 /* devices that somebody else took between our two calls */

static int open_control(void)
{
	int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int r;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
		return -errno;
	r = module_load("loop");
	if (r < 0)
		return r;
	fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* LOOP_CONFIGURE is of Linux 5.8; before it two calls did the same. */
static int configure(int fd, int file_fd)
{
	struct loop_config config = {
		.fd = (unsigned)file_fd,
		.info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR },
	};
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int r;

	if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOTTY)
		return -errno;
	if (ioctl(fd, LOOP_SET_FD, file_fd) < 0)
		return -errno;
	if (ioctl(fd, LOOP_SET_STATUS64, &info) < 0) {
		r = -errno;
		(void)ioctl(fd, LOOP_CLR_FD, 0); /* the error above is the one to tell */
		return r;
	}
	return 0;
}

int loop_attach(const char *path, char *node)
{
	CLEANUP(fd_closep) int control = -1;
	CLEANUP(fd_closep) int file = -1;

	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	control = open_control();
	if (control < 0)
		return control;
	for (unsigned i = 0; i < BUSY_TRIES; i++) {
		CLEANUP(fd_closep) int fd = -1;
		int number, r;

		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0)
			return -errno;
		(void)snprintf(node, LOOP_NODE_MAX, "/dev/loop%d", number);
		fd = open(node, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		r = configure(fd, file);
		if (r == 0)
			return steal_fd(&fd);
		if (r != -EBUSY)
			return r;
	}
	return -EBUSY;
}
