/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Paths that a peer names, made safe before anything looks at them: decoded exactly once, then the
 * decoded form is checked, so that what was checked is what is opened.
 */
#pragma once

#include "lib/base/bytes.h"

/* Longest decoded path we take; Linux takes no longer one either (PATH_MAX). */
#define URL_PATH_MAX 4096

enum url_path_outcome {
	URL_PATH_OK = 0,
	URL_PATH_NOT_ABSOLUTE = 1, /* empty, or does not begin with '/' (url_path_decode only) */
	URL_PATH_BAD_ESCAPE = 2,   /* '%' without two hexadecimal digits (url_path_decode only) */
	URL_PATH_PARENT = 3,       /* a ".." component, however it was written */
	URL_PATH_NUL = 4,
	URL_PATH_BACKSLASH = 5,
	URL_PATH_CONTROL = 6, /* a control character: 1-31, 127 */
	URL_PATH_TRICK =
		7, /* still an escape of '.', '/', '\', '%' or NUL after decoding, or a byte
	              (C0, C1) that only an overlong UTF-8 form of ASCII begins with */
	URL_PATH_TOO_LONG = 8, /* does not fit `out`, or is longer than URL_PATH_MAX */
	_URL_PATH_OUTCOME_MAX,
};

/* "ok", "parent" and so on: the label of the refusal in counters and logs. */
const char *url_path_outcome_to_name(int value);

/*
 * Decodes the path of a request target (RFC 3986 section 2.1; no query, no fragment) and checks it:
 * `//` and `/./` are folded to `/`, a trailing slash is kept, "%2F" separates like '/'.
 * Appends to `out` a path that begins with '/'; appends nothing when refused.
 * Returns a url_path_outcome. A path it made passes url_path_fold unchanged.
 */
int url_path_decode(struct slice raw, struct bytes *out);

/*
 * The same checks and folding for a name that is not percent-encoded (TFTP), with or without a '/'
 * in front. '%' is an ordinary character unless it begins one of the tricks.
 * Returns a url_path_outcome; what it appended begins with '/'.
 */
int url_path_fold(struct slice name, struct bytes *out);

/*
 * Whether `path` is `prefix` or lies below it ("/os" covers "/os" and "/os/x", not "/osimage").
 * A trailing slash of the prefix is ignored; both are checked paths. When it does, *ret_rest is
 * what follows, without leading slashes; it may be empty. ret_rest is a view into path.
 */
bool url_path_below(struct slice path, struct slice prefix, struct slice *ret_rest);

/*
 * Cuts a request target (RFC 9112 section 3.2) into raw path and raw query: drops a fragment, and
 * scheme and authority of an absolute form; an absolute form without a path gives "/". Views into
 * target. The path still has to pass url_path_decode.
 */
void url_split_target(struct slice target, struct slice *ret_path, struct slice *ret_query);
