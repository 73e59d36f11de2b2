/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * ccid's DHCP side alone, for tests: dhcp_serve INTERFACE DATABASE NET FIRST LAST [MAC=ADDRESS].
 * Says "ready" when it listens; runs until it is killed, or by SIGTERM with its counters.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/clock.h"
#include "lib/sys/log_sink.h"
#include "lib/sys/random.h"
#include "server/io/dhcp_io.h"
#include "server/io/loop.h"
#include "server/io/ra_io.h"
#include "server/service/dhcp_service.h"
#include "server/store/db.h"

static void on_signal(evutil_socket_t number, short what, void *base)
{
	(void)event_base_loopbreak(base);
}

static uint32_t address_of(const char *text)
{
	uint32_t address;

	if (ipv4_parse(slice_from_text(text), &address) != 0) {
		fprintf(stderr, "not an address: %s\n", text);
		exit(2);
	}
	return address;
}

static int parse(int argc, char *argv[], struct dhcp_config *config,
                 struct dhcp_reservation *reservation)
{
	struct slice text;

	*config = (struct dhcp_config){ .n_subnets = 1 };
	if (ipv4_net_parse(slice_from_text(argv[3]), &config->subnets[0].net) != 0)
		return -1;
	config->subnets[0].first = address_of(argv[4]);
	config->subnets[0].last = address_of(argv[5]);
	config->subnets[0].lease_sec = 3600;
	if (argc < 7)
		return 0;
	text = slice_from_text(argv[6]);
	if (mac_parse(slice_cut(&text, '='), &reservation->mac) != 0 ||
	    ipv4_parse(text, &reservation->address) != 0)
		return -1;
	config->reservations = reservation;
	config->n_reservations = 1;
	return 0;
}

static void print_counters(const struct dhcp_service *service, const struct dhcp_io *io,
                           const struct ra_io *ra)
{
	const struct dhcp_counters *d = dhcp_service_get_counters(service);
	const struct dhcp_io_counters *w = dhcp_io_get_counters(io);
	const struct ra_io_counters *r = ra_io_get_counters(ra);

	printf("{\"received\":%llu,\"sent\":%llu,\"unsent\":%llu,\"broadcast\":%llu,"
	       "\"dropped\":%llu,\"offers\":%llu,\"acks\":%llu,\"short\":%llu,\"solicits\":%llu}\n",
	       (unsigned long long)w->n_received, (unsigned long long)w->n_sent,
	       (unsigned long long)w->n_unsent, (unsigned long long)w->n_broadcast,
	       (unsigned long long)w->n_dropped, (unsigned long long)d->sent[DHCP_OFFER],
	       (unsigned long long)d->sent[DHCP_ACK],
	       (unsigned long long)d->malformed[DHCP_QUERY_SHORT],
	       (unsigned long long)r->n_solicits);
}

static int run(struct event_base *base, struct dhcp_service *service, const char *interface)
{
	const struct dhcp_io_config config = { .interfaces = &interface, .n_interfaces = 1 };
	const struct ra_io_config ra_config = { .interfaces = &interface, .n_interfaces = 1 };
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	struct dhcp_io *io = NULL;
	struct ra_io *ra = NULL;
	int status = 1;

	if (!term || event_add(term, NULL) < 0)
		return 1;
	if (dhcp_io_new(base, service, &config, &io) == 0 &&
	    ra_io_new(base, &ra_config, &ra) == 0) {
		printf("ready\n");
		(void)fflush(stdout);
		(void)event_base_dispatch(base);
		print_counters(service, io, ra);
		status = 0;
	}
	ra_io_free(ra);
	dhcp_io_free(io);
	event_free(term);
	return status;
}

int main(int argc, char *argv[])
{
	struct dhcp_service *service = NULL;
	struct dhcp_reservation reservation;
	struct event_base *base = loop_new();
	struct dhcp_config config;
	struct db *db = NULL;
	uint64_t seed;
	int status = 1;

	log_set_sink(log_sink_stderr, LOG_LEVEL_DEBUG);
	if (argc < 6 || parse(argc, argv, &config, &reservation) < 0) {
		fprintf(stderr,
		        "usage: dhcp_serve INTERFACE DATABASE NET FIRST LAST [MAC=ADDRESS]\n");
		return 2;
	}
	if (base && random_bytes(&seed, sizeof(seed)) == 0 && db_open(argv[2], &db) == 0 &&
	    dhcp_service_new(&config, db, seed, clock_now(), clock_wall(), &service) == 0)
		status = run(base, service, argv[1]);
	dhcp_service_free(service);
	db_close(db);
	if (base)
		event_base_free(base);
	return status;
}
