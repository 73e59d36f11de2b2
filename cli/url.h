/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Addresses as people type them. Pure.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/bytes.h"

#define URL_MAX          512
#define URL_PORT_DEFAULT "3000"

/*
 * The server's base URL from what a user wrote: "lab", "lab:3000", "http://lab:3000/". Without a
 * scheme it is http, and then without a port URL_PORT_DEFAULT; a final '/' goes.
 * Returns 0, or URL_BAD for another scheme, white space or control characters, an empty host, or
 * one that does not fit.
 */
enum { URL_BAD = 1 };
int url_normalise(const char *text, char ret[URL_MAX]);

/* Whether a base URL names this machine itself: such a server is never asked through a proxy. */
bool url_is_loopback(const char *base);

/* Appends a path component: everything but RFC 3986's unreserved characters is %XX. */
void url_append_component(struct buffer *out, struct slice component);

/* As url_append_component, with '/' kept: the name of a result file. */
void url_append_path(struct buffer *out, struct slice path);

/*
 * The job's id from an id, or from a URL that was pasted (the component behind "jobs/"). A view
 * into the text.
 */
struct slice url_job_id(const char *text);
