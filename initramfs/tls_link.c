/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * libcurl makes the connection and checks the certificate (CURLOPT_CONNECT_ONLY); what is said over
 * it is ours, so that http and https resume, count and fail alike.
 */
#include "initramfs/tls_link.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "initramfs/paths.h"
#include "lib/base/macro.h"

struct tls_link {
	CURL *curl;
	int fd; /* curl's */
};

bool tls_link_exists(void)
{
	return true;
}

/* Whom to trust: our own file, or where distributions keep theirs. NULL: nobody. */
static const char *find_certificates(void)
{
	static const char *const files[] = {
		CCI_CA_FILE,
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (access(files[i], R_OK) == 0)
			return files[i];
	return NULL;
}

/* Returns 0, an outcome of the header or -errno. */
static int explain(CURLcode code, const char *error, char *why)
{
	(void)snprintf(why, TLS_LINK_WHY_MAX, "%.200s",
	               error[0] ? error : curl_easy_strerror(code));
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return TLS_LINK_NAME;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return TLS_LINK_DISTRUST;
	}
	return TLS_LINK_BROKEN;
}

/* Returns CURLE_OK, or what the first option that curl does not take says. */
static CURLcode set_options(CURL *curl, const char *url, const char *certificates, usec_t patience,
                            char *error)
{
	CURLcode code;

#define SET(option, value)                                                                         \
	do {                                                                                       \
		code = curl_easy_setopt(curl, option, value);                                      \
		if (code != CURLE_OK)                                                              \
			return code;                                                               \
	} while (0)
	SET(CURLOPT_ERRORBUFFER, error);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)usec_to_wait_ms(0, patience));
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROXY, "");
	/* what is negotiated is what fetch_http speaks */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CAINFO, certificates);
	SET(CURLOPT_CAPATH, NULL);
#undef SET
	return CURLE_OK;
}

static int connect_link(struct tls_link *link, const struct url *url, usec_t patience, char *why)
{
	const char *certificates = find_certificates();
	char error[CURL_ERROR_SIZE] = "", text[URL_TEXT_MAX];
	curl_socket_t fd;
	CURLcode code;

	if (!certificates) {
		(void)snprintf(
			why, TLS_LINK_WHY_MAX,
			"there are no certificates to know a server by: no %s, and none of the "
			"distribution",
			CCI_CA_FILE);
		return TLS_LINK_DISTRUST;
	}
	(void)snprintf(text, sizeof(text), "https://%.*s/", (int)url->authority.len,
	               (const char *)url->authority.data);
	code = set_options(link->curl, text, certificates, patience, error);
	if (code == CURLE_OK)
		code = curl_easy_perform(link->curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(link->curl, CURLINFO_ACTIVESOCKET, &fd);
	/* its buffer ends with this function */
	(void)curl_easy_setopt(link->curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return explain(code, error, why);
	link->fd = fd;
	return 0;
}

int tls_link_open(const struct url *url, usec_t patience, struct tls_link **ret, char *why)
{
	struct tls_link *link = calloc(1, sizeof(*link));
	int r = -ENOMEM;

	/* more than once is allowed, and without threads safe */
	if (link && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		link->curl = curl_easy_init();
	if (link && link->curl)
		r = connect_link(link, url, patience, why);
	if (r != 0) {
		(void)tls_link_free(link);
		return r;
	}
	*ret = link;
	return 0;
}

struct tls_link *tls_link_free(struct tls_link *link)
{
	if (link)
		curl_easy_cleanup(link->curl);
	free(link);
	return NULL;
}

static int wait_for(const struct tls_link *link, short events, usec_t patience)
{
	struct pollfd wait = { .fd = link->fd, .events = events };
	int r;

	do {
		r = poll(&wait, 1, (int)usec_to_wait_ms(0, patience));
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int tls_link_send(struct tls_link *link, struct slice data, usec_t patience)
{
	while (data.len > 0) {
		size_t n = 0;
		CURLcode code = curl_easy_send(link->curl, data.data, data.len, &n);
		int r = 0;

		if (code == CURLE_AGAIN)
			r = wait_for(link, POLLOUT, patience);
		else if (code != CURLE_OK)
			return -ECONNRESET;
		if (r < 0)
			return r;
		(void)slice_take(&data, n);
	}
	return 0;
}

ssize_t tls_link_receive(struct tls_link *link, void *room, size_t size, usec_t patience)
{
	for (;;) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(link->curl, room, size, &n);
		int r;

		if (code == CURLE_OK)
			return (ssize_t)n;
		if (code != CURLE_AGAIN)
			return -ECONNRESET;
		r = wait_for(link, POLLIN, patience);
		if (r < 0)
			return r;
	}
}
