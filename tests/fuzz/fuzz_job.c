/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * A submitted job: text to document to job, job.sh and job.yaml. What a job says of itself must
 * parse again to the same job.
 */
#include <assert.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/doc/document.h"
#include "lib/doc/job.h"
#include "lib/doc/job_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct job *job)
{
	struct buffer out = BUFFER_NULL;
	struct job *again = NULL;
	struct job_error error;
	int r;

	r = job_parse(job->doc, &again, &error);
	assert(r == 0);
	assert(json_equal(job->doc, again->doc));
	job_script_build(&out, job->doc);
	document_write_yaml(&out, job->doc);
	buffer_deinit(&out);
	job_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *doc;
	struct document_error document_error;
	struct job *job;
	struct job_error error;

	if (document_parse(slice_make(data, size), &doc, &document_error) != 0)
		return 0;
	if (job_parse(document_root(doc), &job, &error) == 0) {
		use(job);
		job_free(job);
	} else {
		assert(error.text[0] != '\0');
	}
	document_free(doc);
	return 0;
}
