/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The directory hosts.d: one YAML file a host, named by the host with or without `.yaml`.
 */
#pragma once

#include <jansson.h>

#include "server/core/host.h"
#include "server/service/services.h"

struct host_file {
	char name[HOST_NAME_MAX_LEN];
	json_t *doc; /* owned */
	struct host_document host;
};

struct host_files {
	struct host_file *files;
	size_t n_files;
};

#define HOST_FILES_MAX 10000

/*
 * Reads them all. Hidden files and those ending in `~` are left alone; two files for one host or
 * one address are a mistake. A directory that is not there is empty. Returns 0; SERVICES_REFUSED
 * with error[] = "path:line:column: ..."; or -errno.
 */
int host_files_read(const char *directory, struct host_files **ret, char error[SERVICES_ERROR_MAX]);

void host_files_free(struct host_files *files);
