/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a job finds around itself: its environment (spec of Compass-CI, checklist B4), an empty
 * $TMP.
 */
#pragma once

#include <stddef.h>

struct job_env_facts {
	const char *tmp; /* $TMP; $RESULT_ROOT is its `result` */
	const char *user, *job, *host, *result_root;
};

/* The environment, NULL at its end; NULL when memory is short. Nothing is inherited. */
char **job_env_build(const struct job_env_facts *facts);
void job_env_free(char **env);

static inline void job_env_freep(char ***env)
{
	job_env_free(*env);
}

/*
 * Removes a directory and all below it, on its file system alone, following no link. Returns 0
 * (also when there is none) or -errno.
 */
int job_env_remove_tree(const char *path);
