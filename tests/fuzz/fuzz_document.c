/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Any document: what is accepted, written as YAML, reads as the same tree.
 */
#include <stdlib.h>

#include "lib/base/buffer.h"
#include "lib/doc/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* JSON has numbers that YAML of ours reads as the text they are: such a tree does not come back. */
static bool has_real(const json_t *value)
{
	const char *name;
	json_t *member;
	size_t i;

	json_array_foreach((json_t *)value, i, member) if (has_real(member)) return true;
	json_object_foreach((json_t *)value, name, member) if (has_real(member)) return true;
	return json_is_real(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *doc, *again;
	struct document_error error;
	struct buffer out = BUFFER_NULL;

	if (document_parse(slice_make(data, size), &doc, &error) != 0)
		return 0;
	document_write_yaml(&out, document_root(doc));
	if (!buffer_error(&out) && !has_real(document_root(doc))) {
		if (document_parse(buffer_slice(&out), &again, &error) != 0)
			abort();
		if (!json_equal(document_root(doc), document_root(again)))
			abort();
		document_free(again);
	}
	buffer_deinit(&out);
	document_free(doc);
	return 0;
}
