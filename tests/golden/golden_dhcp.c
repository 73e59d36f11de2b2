/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Real firmware and iPXE against our answers: the clients' packets of two captures are replayed,
 * and a table of hand-made clients asks a server with the seed's dnsmasq settings.
 */
#include "tests/support/golden.h"

#include <stdlib.h>

#include "lib/base/macro.h"
#include "server/config.h"
#include "server/service/dhcp_service.h"
#include "server/store/db.h"
#include "tests/support/dhcp_client.h"
#include "tests/support/dhcp_text.h"
#include "tests/support/pcap.h"

#define LOCAL 0xac1f0001 /* 172.31.0.1, as in the captures */
#define WALL  (1700000000 * USEC_PER_SEC)

static const struct dhcp_config lab = {
	.subnets = { { .net = { 0xac1f0000, 24 },
	               .first = 0xac1f0064,
	               .last = 0xac1f00c7,
	               .router = LOCAL,
	               .dns = { LOCAL },
	               .n_dns = 1,
	               .lease_sec = 3600 } },
	.n_subnets = 1,
};

struct server {
	struct db *db;
	struct dhcp_service *dhcp;
	uint32_t local;
	usec_t now;
	uint32_t offered; /* by the last OFFER */
};

static void start(struct server *s, const struct dhcp_config *config, uint32_t local)
{
	*s = (struct server){ .local = local };
	assert_int_equal(db_open(":memory:", &s->db), 0);
	assert_int_equal(dhcp_service_new(config, s->db, 1, 0, WALL, &s->dhcp), 0);
}

static void stop(struct server *s)
{
	dhcp_service_free(s->dhcp);
	db_close(s->db);
}

/* Asks, and writes what came back as text. */
static void ask(struct server *s, struct slice packet, struct buffer *out)
{
	const struct dhcp_arrival arrival = {
		.packet = packet, .ifindex = 2, .local = s->local, .mtu = 1500
	};
	static struct dhcp_departure departure;
	struct dhcp_message m;
	size_t n;

	s->now += USEC_PER_SEC;
	assert_int_equal(
		dhcp_service_handle(s->dhcp, &arrival, 1, s->now, WALL + s->now, &departure, &n),
		0);
	if (n == 0) {
		buffer_append_text(out, "  nothing\n");
		return;
	}
	assert_int_equal(departure.ifindex, 2);
	assert_int_equal(departure.source, s->local);
	text_answer(out, &departure.route, slice_make(departure.data, departure.len));
	assert_int_equal(dhcp_message_parse(slice_make(departure.data, departure.len), &m), 0);
	if (m.yiaddr)
		s->offered = m.yiaddr;
}

/* The capture's server gave other addresses than ours does: the client asks for what we offered. */
static void put_our_address(struct server *s, uint8_t *packet, size_t len)
{
	static const uint8_t mark[2] = { DHCP_OPTION_REQUESTED, 4 };
	uint8_t *found = memmem(packet, len, mark, sizeof(mark));

	if (found)
		put_be32(found + 2, s->offered);
	if (get_be32(packet + 12)) /* ciaddr */
		put_be32(packet + 12, s->offered);
}

static void replay(const char *capture, const char *golden)
{
	struct buffer file, out = BUFFER_NULL;
	struct server s;
	struct slice frame;
	struct pcap_udp udp;
	size_t offset = 0;

	golden_read(capture, &file);
	assert_true(pcap_is_good(buffer_slice(&file)));
	start(&s, &lab, LOCAL);
	while (pcap_next(buffer_slice(&file), &offset, &frame)) {
		uint8_t packet[1500];
		struct dhcp_query q;

		if (!pcap_udp(frame, &udp) || udp.destination_port != DHCP_SERVER_PORT)
			continue;
		assert_true(udp.payload.len <= sizeof(packet));
		memcpy(packet, udp.payload.data, udp.payload.len);
		put_our_address(&s, packet, udp.payload.len);
		assert_int_equal(dhcp_query_parse(slice_make(packet, udp.payload.len), &q), 0);
		buffer_printf(&out, "%s of %s", dhcp_type_to_name((int)q.type),
		              dhcp_stage_to_name((int)q.stage));
		if (q.has_arch)
			buffer_printf(&out, " arch %u", q.arch);
		buffer_append_text(&out, "\n");
		ask(&s, slice_make(packet, udp.payload.len), &out);
	}
	golden_compare(golden, buffer_slice(&out));
	stop(&s);
	buffer_deinit(&file);
	buffer_deinit(&out);
}

static void the_bios_boot_is_answered(void **state)
{
	replay("pcaps/x86-bios-qemu-ipxe-rom.pcap", "dhcp/x86-bios-qemu-ipxe-rom.txt");
}

static void the_uefi_boot_is_answered(void **state)
{
	replay("pcaps/x86-ovmf-pxe-to-ipxe-efi.pcap", "dhcp/x86-ovmf-pxe-to-ipxe-efi.txt");
}

static void load_seed(struct config *config)
{
	struct config_error error = { .text = "" };
	struct buffer text;

	golden_read("config/seed.yaml", &text);
	if (config_parse("seed.yaml", buffer_slice(&text), config, &error) != 0)
		fail_msg("%s", error.text);
	buffer_deinit(&text);
}

/* dhcp-match and dhcp-boot of the seed, one client for each of its lines and some for none. */
static void the_seeds_settings_have_the_same_effect(void **state)
{
	static const struct {
		const char *title;
		int arch; /* -1: an OS */
		bool is_ipxe;
	} rows[] = {
		{ "firmware arm64", 11, false }, { "firmware x64", 7, false },
		{ "iPXE arm64", 11, true },      { "iPXE x64", 7, true },
		{ "iPXE BIOS", 0, true },        { "firmware BIOS", 0, false },
		{ "an OS", -1, false },
	};
	struct config *config = malloc(sizeof(*config));
	struct buffer out = BUFFER_NULL;
	struct server s;

	assert_non_null(config);
	load_seed(config);
	start(&s, &config->dhcp, 0xaca88302); /* 172.168.131.2 */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct client_packet c;

		client_init(&c, DHCP_DISCOVER);
		c.header.chaddr[5] = (uint8_t)i;
		if (rows[i].is_ipxe)
			client_add_ipxe(&c, (uint16_t)rows[i].arch);
		else if (rows[i].arch >= 0)
			client_add_pxe(&c, (uint16_t)rows[i].arch);
		buffer_printf(&out, "%s\n", rows[i].title);
		ask(&s, client_wire(&c), &out);
	}
	golden_compare("dhcp/seed.txt", buffer_slice(&out));
	stop(&s);
	buffer_deinit(&out);
	free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bios_boot_is_answered),
		cmocka_unit_test(the_uefi_boot_is_answered),
		cmocka_unit_test(the_seeds_settings_have_the_same_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
