/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * The captures' TFTP clients against our session: tftp/NAME.txt shows what each said (port >) and
 * what we answer (port <). Where the capture's server had a smaller window than ours, or packets
 * were left out, the client's ACKs go on as such a client would send them.
 */
#include "tests/support/golden.h"

#include "lib/base/macro.h"
#include "server/core/tftp_session.h"
#include "tests/support/pcap.h"

/* The files of the captured server. */
static const struct {
	const char *name;
	uint64_t size;
} files[] = {
	{ "snponly.efi", 173792 },
	{ "boot.ipxe", 113 },
};

struct replay {
	struct buffer text;
	struct tftp_session session;
	uint16_t port; /* the client's, of the transfer that goes on; 0: none */
	usec_t now;
};

static void print_options(struct buffer *text, const struct tftp_options *o)
{
	if (o->has_blksize)
		buffer_printf(text, " blksize=%u", o->blksize);
	if (o->has_tsize)
		buffer_printf(text, " tsize=%llu", (unsigned long long)o->tsize);
	if (o->has_timeout)
		buffer_printf(text, " timeout=%u", o->timeout);
	if (o->has_windowsize)
		buffer_printf(text, " windowsize=%u", o->windowsize);
}

static void print_packet(struct replay *replay, char direction, struct slice raw, size_t data_len)
{
	static const char *const names[] = { "?", "RRQ", "WRQ", "DATA", "ACK", "ERROR", "OACK" };
	struct buffer *text = &replay->text;
	struct tftp_packet packet;

	assert_int_equal(tftp_packet_decode(raw, &packet), 0);
	buffer_printf(text, "%u %c %s", replay->port, direction, names[packet.opcode]);
	if (packet.opcode == TFTP_RRQ) {
		buffer_printf(text, " ");
		buffer_append_slice(text, packet.name);
	}
	if (packet.opcode == TFTP_DATA || packet.opcode == TFTP_ACK)
		buffer_printf(text, " %u", packet.block);
	if (packet.opcode == TFTP_DATA)
		buffer_printf(text, " (%zu bytes)", data_len);
	if (packet.opcode == TFTP_ERROR) {
		buffer_printf(text, " %u ", packet.error);
		buffer_append_slice(text, packet.message);
	}
	print_options(text, &packet.options);
	buffer_printf(text, "\n");
}

/* What the session answers; the last block it sent, 0 for none. */
static uint16_t answer(struct replay *replay, bool is_quiet)
{
	static const uint8_t data[TFTP_BLKSIZE_MAX];
	uint16_t last = 0;

	for (;;) {
		struct tftp_step step;
		enum tftp_want want = tftp_session_next(&replay->session, replay->now, &step);

		if (want == TFTP_WANT_RECV || want == TFTP_WANT_CLOSE)
			return last;
		if (want == TFTP_WANT_BLOCK) {
			assert_int_equal(tftp_session_fill(&replay->session,
			                                   slice_make(data, step.len), replay->now),
			                 0);
			continue;
		}
		if (!is_quiet)
			print_packet(replay, '<', step.head, step.block.len);
		last = get_be16(step.head.data + 2);
	}
}

/* Ends the transfer that goes on: acknowledges whatever comes. */
static void finish(struct replay *replay)
{
	unsigned n = 0;

	if (replay->port == 0)
		return;
	while (tftp_session_end(&replay->session) == TFTP_END_NONE && n++ < 1000) {
		uint8_t room[4];
		struct bytes raw = BYTES_ON(room);

		tftp_packet_build(&(struct tftp_packet){ .opcode = TFTP_ACK,
		                                         .block = (uint16_t)replay->session.sent },
		                  &raw);
		(void)tftp_session_input(&replay->session, bytes_slice(&raw), ++replay->now);
		(void)answer(replay, true);
	}
	buffer_printf(&replay->text, "%u = %s, %llu bytes\n", replay->port,
	              tftp_end_to_name(tftp_session_end(&replay->session)),
	              (unsigned long long)tftp_session_bytes_acked(&replay->session));
	replay->port = 0;
}

static void begin(struct replay *replay, const struct pcap_udp *udp)
{
	struct tftp_packet request;
	uint64_t size = 0;
	struct rng rng;

	finish(replay);
	replay->port = udp->source_port;
	assert_int_equal(tftp_packet_decode(udp->payload, &request), 0);
	assert_int_equal(request.mode, TFTP_MODE_OCTET);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (slice_equal(request.name, slice_from_text(files[i].name)))
			size = files[i].size;
	assert_true(size > 0);
	rng_init(&rng, 1);
	tftp_session_init(&replay->session, &request, size, 1500, &TFTP_LIMITS_DEFAULT, &rng,
	                  replay->now);
	print_packet(replay, '>', udp->payload, 0);
	(void)answer(replay, false);
}

static void replay_packet(struct replay *replay, const struct pcap_udp *udp)
{
	int r;

	replay->now += USEC_PER_MSEC;
	if (udp->destination_port == TFTP_PORT) {
		begin(replay, udp);
		return;
	}
	if (udp->source_port != replay->port)
		return;
	print_packet(replay, '>', udp->payload, 0);
	r = tftp_session_input(&replay->session, udp->payload, replay->now);
	if (r != 0)
		buffer_printf(&replay->text, "%u = ignored\n", replay->port);
	(void)answer(replay, false);
}

static void play(const char *name)
{
	struct replay replay = { .text = BUFFER_NULL };
	struct buffer file;
	struct slice frame;
	struct pcap_udp udp;
	size_t offset = 0;
	char path[128];

	(void)snprintf(path, sizeof(path), "pcaps/%s.pcap", name);
	golden_read(path, &file);
	assert_true(pcap_is_good(buffer_slice(&file)));
	while (pcap_next(buffer_slice(&file), &offset, &frame))
		if (pcap_udp(frame, &udp))
			replay_packet(&replay, &udp);
	finish(&replay);
	(void)snprintf(path, sizeof(path), "tftp/%s.txt", name);
	golden_compare(path, buffer_slice(&replay.text));
	buffer_deinit(&replay.text);
	buffer_deinit(&file);
}

static void the_captured_bios_gets_its_script(void **state)
{
	play("x86-bios-qemu-ipxe-rom");
}

static void the_captured_firmware_gets_its_loader(void **state)
{
	play("x86-ovmf-pxe-to-ipxe-efi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_captured_bios_gets_its_script),
		cmocka_unit_test(the_captured_firmware_gets_its_loader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
