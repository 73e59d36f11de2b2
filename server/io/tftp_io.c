/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Which requests become transfers. A request that is refused is answered from the listening port; a
 * transfer speaks from a port of its own.
 */
#include "server/io/tftp_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/macro.h"
#include "lib/base/text.h"
#include "lib/format/netaddr.h"
#include "lib/sys/clock.h"
#include "lib/sys/random.h"
#include "server/io/file_loader.h"
#include "server/io/tftp_listen.h"
#include "server/io/tftp_transfer.h"
#include "server/service/boot_service.h"
#include "server/service/file_service.h"

#define SESSIONS_DEFAULT 1024
#define CACHE_DEFAULT    ((uint64_t)256 << 20)

/* The same request again within this time is a repetition, not a client that has begun anew. */
#define REPETITION (2 * USEC_PER_SEC)

struct tftp_io {
	struct tftp_shared shared;
	struct file_service *files;
	struct boot_service *boot; /* may be NULL */
	struct file_cache *cache;
	struct map transfers;
	unsigned sessions_max;
	struct tftp_listen *listen;
};

/* A request as it came in. */
struct arrival {
	struct tftp_peer peer;
	const char *interface; /* its name */
	struct tftp_packet packet;
	char text[TFTP_NAME_TEXT_MAX]; /* the name, for the log */
	char from[IPV4_TEXT_MAX];
};

static struct slice peer_of(const struct map_node *node)
{
	const struct tftp_transfer *transfer = CONTAINER_OF(node, struct tftp_transfer, node);

	return slice_make(&transfer->peer, sizeof(transfer->peer));
}

static void drop(struct tftp_io *io, struct tftp_transfer *transfer)
{
	map_remove(&io->transfers, &transfer->node);
	io->shared.counters.n_sessions--;
	(void)tftp_transfer_free(transfer);
}

static void over(struct tftp_shared *shared, struct tftp_transfer *transfer)
{
	drop(CONTAINER_OF(shared, struct tftp_io, shared), transfer);
}

/* Answers with an ERROR from the address and interface the request came to. */
static void refuse(struct tftp_io *io, const struct arrival *arrival, enum tftp_error code,
                   const char *message)
{
	uint8_t room[TFTP_SESSION_PACKET_MAX];
	struct bytes packet = BYTES_ON(room);

	tftp_packet_build_error(code, message, &packet);
	tftp_listen_answer(io->listen, &arrival->peer, bytes_slice(&packet));
}

/*
 * Names that loaders always ask for first: iPXE's EFI builds autoexec.ipxe, GRUB its configuration
 * by architecture or address, and fonts.
 */
static bool is_asked_in_vain(struct slice name)
{
	return slice_has_suffix(name, SLICE_LITERAL("autoexec.ipxe")) ||
	       slice_has_prefix(name, SLICE_LITERAL("/grub/")) ||
	       slice_has_prefix(name, SLICE_LITERAL("grub/"));
}

static void refuse_file(struct tftp_io *io, const struct arrival *arrival, int outcome)
{
	bool is_absent = outcome == FILE_ABSENT || outcome == FILE_NO_ROOT;

	io->shared.counters.n_refused++;
	if (is_absent && is_asked_in_vain(arrival->packet.name))
		log_debug("TFTP file is absent file=\"%s\" peer=%s", arrival->text, arrival->from);
	else
		log_warning("TFTP request refused file=\"%s\" peer=%s reason=%s", arrival->text,
		            arrival->from, file_outcome_to_name(outcome));
	if (is_absent)
		refuse(io, arrival, TFTP_ERROR_NOT_FOUND, "file not found");
	else
		refuse(io, arrival, TFTP_ERROR_ACCESS, "access refused");
}

static void refuse_error(struct tftp_io *io, const struct arrival *arrival, int error)
{
	io->shared.counters.n_failed++;
	log_error("TFTP request failed file=\"%s\" peer=%s error=\"%s\"", arrival->text,
	          arrival->from, strerror(-error));
	refuse(io, arrival, TFTP_ERROR_UNDEFINED, "the server has a problem, see its log");
}

/* Whether a name is that of a script which is made here, `own` as it begins with '/'. */
static bool is_named(const struct tftp_io *io, struct slice name, struct slice own)
{
	const struct slice root = SLICE_LITERAL("/tftpboot");
	uint8_t room[URL_PATH_MAX + 1];
	struct bytes path = BYTES_ON(room);
	struct slice rest;

	if (!io->boot || file_service_tftp_path(name, &path) != URL_PATH_OK)
		return false;
	rest = bytes_slice(&path);
	if (slice_has_prefix(rest, root) && rest.len == root.len + own.len)
		(void)slice_take(&rest, root.len);
	return slice_equal(rest, own);
}

/* The script that is made for this name. Returns FILE_FOUND, FILE_ABSENT for no such, or -errno. */
static int make_script(struct tftp_io *io, const struct arrival *arrival, usec_t now,
                       struct buffer *out)
{
	const struct tftp_peer *peer = &arrival->peer;

	if (is_named(io, arrival->packet.name, SLICE_LITERAL("/boot.ipxe")))
		return boot_service_first_script(io->boot, peer->address, peer->local, now,
		                                 clock_wall(), out);
	if (is_named(io, arrival->packet.name, SLICE_LITERAL("/grub/grub.cfg")))
		return boot_service_grub_cfg(io->boot, peer->address, peer->local, out);
	return FILE_ABSENT;
}

/* Finds what the request names. Returns a file_outcome or -errno. */
static int find_source(struct tftp_io *io, const struct arrival *arrival, usec_t now,
                       struct tftp_source *ret)
{
	struct file_opened opened = FILE_OPENED_NULL;
	struct tftp_source source = { .content = NULL };
	int r;

	r = make_script(io, arrival, now, &source.script);
	if (r == FILE_FOUND) {
		r = buffer_error(&source.script);
		source.size = source.script.len;
	} else if (r == FILE_ABSENT) {
		r = file_service_open_tftp(io->files, arrival->packet.name, &opened);
		if (r > 0)
			return r;
		source.size = opened.size;
		if (r == 0)
			r = file_cache_get(io->cache, &opened, &source.content);
	}
	if (r < 0) {
		tftp_source_release(&source);
		return r;
	}
	*ret = source;
	return FILE_FOUND;
}

/*
 * A transfer to the same port is there already. Returns whether the request is only said again; if
 * not, the old transfer is gone.
 */
static bool is_repetition(struct tftp_io *io, const struct arrival *arrival, usec_t now)
{
	struct map_node *node =
		map_find(&io->transfers, slice_make(&arrival->peer, sizeof(arrival->peer)));
	struct tftp_transfer *transfer;

	if (!node)
		return false;
	transfer = CONTAINER_OF(node, struct tftp_transfer, node);
	if (strcmp(transfer->name, arrival->text) == 0 &&
	    usec_sub(now, transfer->heard) < REPETITION)
		return true;
	tftp_transfer_supersede(transfer, now);
	drop(io, transfer);
	return false;
}

static bool is_busy(struct tftp_io *io, const struct arrival *arrival)
{
	struct tftp_io_counters *counters = &io->shared.counters;

	if (counters->n_sessions < io->sessions_max)
		return false;
	if (counters->n_busy++ == 0) /* the counter tells the rest */
		log_warning("TFTP is busy: the limit of transfers is reached limit=%u peer=%s",
		            io->sessions_max, arrival->from);
	refuse(io, arrival, TFTP_ERROR_UNDEFINED, "too many transfers, try again");
	return true;
}

static void begin_transfer(struct tftp_io *io, const struct arrival *arrival, usec_t now)
{
	struct tftp_source source;
	struct tftp_transfer *transfer;
	int r;

	r = find_source(io, arrival, now, &source);
	if (r > 0) {
		refuse_file(io, arrival, r);
		return;
	}
	if (r == 0)
		r = tftp_transfer_new(&io->shared, &arrival->peer, arrival->interface,
		                      &arrival->packet, &source, now, &transfer);
	if (r < 0) {
		refuse_error(io, arrival, r);
		return;
	}
	r = map_insert(&io->transfers, &transfer->node);
	if (r < 0) {
		(void)tftp_transfer_free(transfer);
		refuse_error(io, arrival, r);
		return;
	}
	io->shared.counters.n_sessions++;
	tftp_transfer_run(transfer, now);
}

static void handle_request(struct tftp_io *io, const struct arrival *arrival, usec_t now)
{
	io->shared.counters.n_requests++;
	if (is_repetition(io, arrival, now)) {
		io->shared.counters.n_repeated++;
		return;
	}
	if (arrival->packet.mode != TFTP_MODE_OCTET) {
		io->shared.counters.n_refused++;
		refuse(io, arrival, TFTP_ERROR_ILLEGAL, "only octet mode is served");
		return;
	}
	if (is_busy(io, arrival))
		return;
	begin_transfer(io, arrival, now);
}

static void handle(struct tftp_io *io, struct slice raw, struct arrival *arrival, usec_t now)
{
	struct tftp_io_counters *counters = &io->shared.counters;

	if (tftp_packet_decode(raw, &arrival->packet) != 0 ||
	    (arrival->packet.opcode != TFTP_RRQ && arrival->packet.opcode != TFTP_WRQ)) {
		counters->n_malformed++;
		return;
	}
	(void)text_escape(arrival->text, sizeof(arrival->text), arrival->packet.name);
	(void)ipv4_format(arrival->peer.address, arrival->from);
	if (arrival->packet.opcode == TFTP_WRQ) {
		counters->n_refused++;
		log_warning("TFTP write refused file=\"%s\" peer=%s", arrival->text, arrival->from);
		refuse(io, arrival, TFTP_ERROR_ACCESS, "nothing is written here");
		return;
	}
	handle_request(io, arrival, now);
}

static void arrived(void *userdata, const struct tftp_peer *peer, const char *interface,
                    struct slice packet)
{
	struct arrival arrival = { .peer = *peer, .interface = interface };

	handle(userdata, packet, &arrival, clock_now());
}

static int io_init(struct tftp_io *io, const struct tftp_io_config *config,
                   struct file_loader *loader)
{
	uint64_t seed[3];
	int r;

	r = random_bytes(seed, sizeof(seed));
	if (r < 0)
		return r;
	map_init(&io->transfers, seed, peer_of);
	rng_init(&io->shared.rng, seed[2]);
	r = file_cache_new(loader, config->cache_max ? config->cache_max : CACHE_DEFAULT,
	                   &io->cache);
	if (r < 0)
		return r;
	return tftp_listen_new(
		io->shared.base,
		&(struct tftp_listen_config){ .interfaces = config->interfaces,
	                                      .n_interfaces = config->n_interfaces,
	                                      .port = config->port ? config->port : TFTP_PORT,
	                                      .arrived = arrived,
	                                      .userdata = io,
	                                      .n_malformed = &io->shared.counters.n_malformed },
		&io->listen);
}

int tftp_io_new(struct event_base *base, const struct tftp_io_config *config,
                struct file_service *files, struct transfer_service *transfers,
                struct boot_service *boot, struct file_loader *loader, struct tftp_io **ret)
{
	struct tftp_io *io;
	int r;

	io = calloc(1, sizeof(*io));
	if (!io)
		return -ENOMEM;
	io->shared.base = base;
	io->shared.transfers = transfers;
	io->shared.limits = TFTP_LIMITS_DEFAULT;
	io->shared.over = over;
	io->files = files;
	io->boot = boot;
	io->sessions_max = config->sessions_max ? config->sessions_max : SESSIONS_DEFAULT;
	r = io_init(io, config, loader);
	if (r < 0) {
		(void)tftp_io_free(io);
		return r;
	}
	*ret = io;
	return 0;
}

struct tftp_io *tftp_io_free(struct tftp_io *io)
{
	struct map_node *node;

	if (!io)
		return NULL;
	(void)tftp_listen_free(io->listen);
	while (io->transfers.n_members > 0 && (node = map_first(&io->transfers)) != NULL)
		drop(io, CONTAINER_OF(node, struct tftp_transfer, node));
	map_deinit(&io->transfers);
	(void)file_cache_free(io->cache);
	free(io);
	return NULL;
}

const struct tftp_io_counters *tftp_io_get_counters(struct tftp_io *io)
{
	io->shared.counters.cache_bytes = file_cache_bytes(io->cache);
	return &io->shared.counters;
}
