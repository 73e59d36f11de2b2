/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "agent/job_env.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/macro.h"
#include "lib/base/text.h"

#define N_ENV 20

char **job_env_build(const struct job_env_facts *f)
{
	const struct {
		const char *key, *value, *rest;
	} list[] = {
		{ "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "" },
		{ "HOME", "/root", "" },
		{ "USER", "root", "" },
		{ "LOGNAME", "root", "" },
		{ "SHELL", "/bin/sh", "" },
		{ "TERM", "dumb", "" },
		{ "HOSTNAME", f->host, "" },
		{ "TMP", f->tmp, "" },
		{ "CACHE_DIR", "/tmp/cache", "" },
		{ "TMP_RESULT_ROOT", f->tmp, "/result" },
		{ "RESULT_ROOT", f->tmp, "/result" },
		{ "JOB_RESULT_ROOT", f->result_root, "" },
		{ "LKP_USER", f->user, "" },
		{ "user", f->user, "" },
		{ "id", f->job, "" },
	};
	char **env = calloc(N_ENV, sizeof(*env));
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(list) + 2 <= N_ENV, "room for LKP_SRC and NULL");
	if (!env)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		env[n++] = text_format("%s=%s%s", list[i].key, list[i].value, list[i].rest);
	env[n++] = text_format("LKP_SRC=/lkp/%s/src", f->user);
	for (size_t i = 0; i < n; i++) {
		if (env[i])
			continue;
		for (size_t j = 0; j < n; j++)
			free(env[j]);
		free(env);
		return NULL;
	}
	return env;
}

void job_env_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path) < 0 ? -errno : 0;
}

int job_env_remove_tree(const char *path)
{
	int r = nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);

	if (r == -1 && errno == ENOENT)
		return 0;
	return r == -1 ? -errno : r;
}
