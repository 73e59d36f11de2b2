/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "lib/base/macro.h"
#include "server/config.h"

#define SUBNET "{net: 10.0.0.0/24, range: 10.0.0.10-10.0.0.99}"
#define LEAST  "listen: {interfaces: [br0]}\ndhcp: {subnets: [" SUBNET "]}\n"

static void parse(const char *text, struct config *ret)
{
	struct config_error error = { .text = "" };

	if (config_parse("f", slice_from_text(text), ret, &error) != 0)
		fail_msg("%s", error.text);
}

static void least_file_gets_the_defaults(void **state)
{
	struct config config;

	parse(LEAST, &config);
	assert_int_equal(config.n_interfaces, 1);
	assert_string_equal(config.interfaces[0], "br0");
	assert_int_equal(config.api.n, 1);
	assert_int_equal(config.api.port[0], 3000);
	assert_int_equal(config.files.n, 2);
	assert_int_equal(config.files.port[1], 8800);
	assert_int_equal(config.upload.port[0], 3080);
	assert_int_equal(config.workers, 2);
	assert_true(config_wants_ra(&config));
	assert_string_equal(config.state, "/var/lib/cci");
	assert_string_equal(config.results, "/srv/result");
	assert_int_equal(config.n_roots, 4);
	assert_string_equal(config.roots[0].prefix, "/os");
	assert_string_equal(config.roots[0].directory, "/srv/os");
	assert_int_equal(config.dhcp.mode, DHCP_MODE_FULL);
	assert_int_equal(config.dhcp.key, DHCP_KEY_MAC);
	assert_int_equal(config.dhcp.subnets[0].lease_sec, 24 * 3600);
	assert_int_equal(config.dhcp.boot_server, 0);
	assert_int_equal(config.boot_hold, 45 * USEC_PER_SEC);
	assert_string_equal(config.exports.nfs_path, "/os");
	assert_string_equal(config.exports.nfs_options, "");
	assert_string_equal(config.exports.cifs_share, "os");
	assert_string_equal(config.exports.cifs_options,
	                    "ro,hard,vers=1.0,noacl,nouser_xattr,noserverino");
	assert_string_equal(config.exports.cifs_user, "");
	assert_string_equal(config.lab, "lab1");
	assert_string_equal(config.tokens, "");
	assert_int_equal(config.n_open_to, 2);
	assert_int_equal(config.open_to[1].net.address, 0x7f000001);
}

static const char all_keys[] =
	"listen:\n"
	"  interfaces: [br0, eth1.5]\n"
	"  api: [1]\n"
	"  files: [2, 3, 4]\n"
	"  upload: [5, 65535]\n"
	"  workers: 64\n"
	"  ra: off\n"
	"  tls:\n"
	"state: /s\n"
	"results: /r\n"
	"results_free: 7\n"
	"retention: {results_age: 90d, room: 10, events_age: 36h}\n"
	"files: {/a-b: /x, /c_d.e: /y}\n"
	"dhcp:\n"
	"  mode: full\n"
	"  key: client-id\n"
	"  subnets:\n"
	"    - {net: 10.1.0.0/16, range: 10.1.0.1 - 10.1.0.2, router: 10.1.255.254,\n"
	"       dns: [1.1.1.1, 8.8.8.8], lease: 90s}\n"
	"    - {net: 10.2.0.0/30, lease: infinity}\n"
	"tftp: {root: /t}\n"
	"boot:\n"
	"  server: 10.1.0.3\n"
	"  loaders: {0: a.kpxe, 65535: b/c.efi}\n"
	"  hold: 10\n"
	"exports:\n"
	"  server: 10.1.0.4\n"
	"  nfs: {path: /, options: 'vers=3'}\n"
	"  cifs: {share: a/b, options: 'ro,vers=3.1.1', user: u, password: p}\n"
	"lab: z9\n"
	"hosts: /h\n"
	"api: {tokens: /k, open_to: [10.0.0.0/8, 192.168.7.7, '::1']}\n"
	"power:\n"
	"  vm1: {command: [/p, x y], wait: 5s}\n"
	"  bm1: {ipmi: {address: 10.0.0.9, user: root, password_file: /f, cipher: 3}}\n";

static void every_key_of_the_network_arrives(void **state)
{
	struct config config;

	parse(all_keys, &config);
	assert_int_equal(config.n_interfaces, 2);
	assert_string_equal(config.interfaces[1], "eth1.5");
	assert_int_equal(config.files.n, 3);
	assert_int_equal(config.files.port[2], 4);
	assert_int_equal(config.upload.port[1], 65535);
	assert_int_equal(config.workers, 64);
	assert_false(config_wants_ra(&config));
	assert_string_equal(config.state, "/s");
	assert_int_equal(config.n_roots, 2);
	assert_string_equal(config.roots[1].prefix, "/c_d.e");
	assert_string_equal(config.roots[1].directory, "/y");
	assert_int_equal(config.dhcp.key, DHCP_KEY_CLIENT_ID);
	assert_int_equal(config.dhcp.n_subnets, 2);
	assert_int_equal(config.dhcp.subnets[0].net.prefix, 16);
	assert_int_equal(config.dhcp.subnets[0].first, 0x0a010001);
	assert_int_equal(config.dhcp.subnets[0].last, 0x0a010002);
	assert_int_equal(config.dhcp.subnets[0].router, 0x0a01fffe);
	assert_int_equal(config.dhcp.subnets[0].n_dns, 2);
	assert_int_equal(config.dhcp.subnets[0].dns[1], 0x08080808);
	assert_int_equal(config.dhcp.subnets[0].lease_sec, 90);
	assert_int_equal(config.dhcp.subnets[1].first, 0);
	assert_int_equal(config.dhcp.subnets[1].lease_sec, UINT32_MAX);
}

static void every_key_of_the_lab_arrives(void **state)
{
	struct config config;

	parse(all_keys, &config);
	assert_string_equal(config.tftp_root, "/t");
	assert_int_equal(config.dhcp.boot_server, 0x0a010003);
	assert_int_equal(config.dhcp.n_loaders, 2);
	assert_int_equal(config.dhcp.loaders[1].arch, 65535);
	assert_string_equal(config.dhcp.loaders[1].file, "b/c.efi");
	assert_int_equal(config.boot_hold, 10 * USEC_PER_SEC);
	assert_int_equal(config.exports.server, 0x0a010004);
	assert_string_equal(config.exports.nfs_path, "/");
	assert_string_equal(config.exports.nfs_options, "vers=3");
	assert_string_equal(config.exports.cifs_share, "a/b");
	assert_string_equal(config.exports.cifs_options, "ro,vers=3.1.1");
	assert_string_equal(config.exports.cifs_user, "u");
	assert_string_equal(config.exports.cifs_password, "p");
	assert_int_equal(config.results_free, 7);
	assert_int_equal(config.retention.results_age, 90 * 24 * 60 * USEC_PER_MINUTE);
	assert_int_equal(config.retention.room, 10);
	assert_int_equal(config.retention.events_age, 36 * 60 * USEC_PER_MINUTE);
	assert_string_equal(config.lab, "z9");
	assert_string_equal(config.hosts, "/h");
	assert_string_equal(config.tokens, "/k");
	assert_int_equal(config.n_power, 2);
	assert_string_equal(config.power[0].host, "vm1");
	assert_int_equal(config.power[0].n_command, 2);
	assert_string_equal(config.power[0].command[1], "x y");
	assert_int_equal(config.power[0].wait, 5 * USEC_PER_SEC);
	assert_int_equal(config.power[1].n_command, 0);
	assert_string_equal(config.power[1].ipmi.password_file, "/f");
	assert_int_equal(config.power[1].ipmi.port, 623);
	assert_int_equal(config.power[1].ipmi.cipher, 3);
	assert_int_equal(config.power[1].limit, 30 * USEC_PER_SEC);
	assert_int_equal(config.n_open_to, 3);
	assert_int_equal(config.open_to[1].net.prefix, 32);
	assert_true(config.open_to[2].is_ipv6_loopback);
}

static void without_dhcp_nothing_is_required(void **state)
{
	struct config config;

	parse("dhcp: {mode: off}", &config);
	assert_false(config_wants_ra(&config));
}

/* Parses what is wrong after a file that is right; returns the line that says so. */
static const char *refusal(const char *text, struct config_error *error)
{
	struct config config;

	memset(&config, 0x5a, sizeof(config));
	assert_int_equal(config_parse("f", slice_from_text(text), &config, error), CONFIG_BAD);
	for (size_t i = 0; i < sizeof(config); i++)
		assert_int_equal(((const uint8_t *)&config)[i], 0x5a);
	return error->text;
}

static const struct {
	const char *text, *says;
} wrong_files[] = {
	{ "", "f:1:1: the document is empty" },
	{ "- 1", "f:1:1: expected a mapping of keys, not a list" },
	{ "a: b: c", "f:1:5: mapping values are not allowed in this context" },
	{ "lab: a\nlab: b", "f:2:1: this key stands here twice" },
	{ "listn: {}", "f:1:1: listn: unknown key, expected listen" },
	{ "zzz: 1",
	  "f:1:1: zzz: unknown key, expected one of listen, state, results, results_free, "
	  "retention, files, dhcp, tftp, boot, exports, lab, hosts, health, api, power" },
	{ "\"a\\nb\": 1",
	  "f:1:1: a\\x0ab: unknown key, expected one of listen, state, results, results_free, "
	  "retention, files, dhcp, tftp, boot, exports, lab, hosts, health, api, power" },
	{ "listen: 5", "f:1:1: listen: expected a mapping of keys, not 5" },
	{ "listen:\n  wrokers: 2", "f:2:3: listen.wrokers: unknown key, expected workers" },
	{ "listen:\n  workers: two",
	  "f:2:3: listen.workers: expected a number from 1 to 64, not \"two\"" },
	{ "listen: {workers: 0}", "f:1:10: listen.workers: expected a number from 1 to 64, "
	                          "not 0" },
	{ "listen: {workers: -1}", "f:1:10: listen.workers: expected a number from 1 to 64, "
	                           "not -1" },
	{ "listen: {workers: 2.5}", "f:1:10: listen.workers: expected a number from 1 to 64, "
	                            "not \"2.5\"" },
	{ "listen: {api: 3000}",
	  "f:1:10: listen.api: expected a list of ports as [3000], not 3000" },
	{ "listen: {api: []}", "f:1:10: listen.api: expected at least one port" },
	{ "listen: {api: [0]}", "f:1:16: listen.api[0]: expected a port from 1 to 65535, not 0" },
	{ "listen: {api: [1, 65536]}",
	  "f:1:19: listen.api[1]: expected a port from 1 to 65535, not 65536" },
	{ "listen: {api: [1,2,3,4,5,6,7,8,9]}",
	  "f:1:10: listen.api: expected at most 8 members, not 9" },
	{ "listen: {upload: [8800]}",
	  "f:1:10: listen.upload: expected each port once, not 8800 again" },
	{ "listen: {interfaces: [a b]}",
	  "f:1:23: listen.interfaces[0]: expected the name of an interface, not \"a b\"" },
	{ "listen: {interfaces: [abcdefghijklmnop]}",
	  "f:1:23: listen.interfaces[0]: expected the name of an interface of at most 15 "
	  "characters, not 16" },
	{ "listen: {interfaces: [a, b, a]}",
	  "f:1:10: listen.interfaces: expected each interface once, not a again" },
	{ "listen: {ra: on}", "f:1:10: listen.ra: expected auto or off, not \"on\"" },
	{ "listen: {ra: atuo}", "f:1:10: listen.ra: expected auto, not \"atuo\"" },
	{ "listen: {tls: {port: 3443}}",
	  "f:1:10: listen.tls: not built yet: expected no such key" },
	{ "power: {vm1: x}", "f:1:9: power.vm1: expected a mapping of keys, not \"x\"" },
	{ "power: {vm1: {}}", "f:1:9: power.vm1: expected either command or ipmi" },
	{ "power: {../x: {}}", "f:1:9: power.../x: expected the name of a host, not \"../x\"" },
	{ "power: {vm1: {command: [/p], ipmi: {address: a, user: u, password_file: /f}}}",
	  "f:1:9: power.vm1: expected either command or ipmi" },
	{ "power: {vm1: {command: [p]}}",
	  "f:1:9: power.vm1: expected command to begin with an absolute path" },
	{ "power: {vm1: {ipmi: {address: a, user: u, password: x}}}",
	  "f:1:43: power.vm1.ipmi.password: unknown key, expected one of address, user, "
	  "password_file, port, cipher" },
	{ "power: {vm1: {ipmi: {address: a, user: u, password_file: /x, cipher: 0}}}",
	  "f:1:62: power.vm1.ipmi.cipher: expected a cipher suite from 1 to 17, not 0" },
	{ "power: {vm1: {ipmi: {address: a, user: u}}}",
	  "f:1:15: power.vm1.ipmi: expected key password_file: an absolute path" },
	{ "power: {vm1: {command: [/p], wait: 0s}}",
	  "f:1:30: power.vm1.wait: expected a duration from 1s to 60m as 10m, not \"0s\"" },
	{ "state: lib/cci", "f:1:1: state: expected an absolute path, not \"lib/cci\"" },
	{ "state: ''", "f:1:1: state: expected an absolute path, not \"\"" },
	{ "state: [/a]", "f:1:1: state: expected an absolute path, not a list" },
	{ "files: [/os]", "f:1:1: files: expected a mapping of URL paths to directories as "
	                  "{/os: /srv/os}, not a list" },
	{ "files: {os: /srv/os}", "f:1:9: files.os: expected the beginning of a URL path as "
	                          "/os, not \"os\"" },
	{ "files: {/a/b: /x}", "f:1:9: files./a/b: expected the beginning of a URL path as "
	                       "/os, not \"/a/b\"" },
	{ "files: {/..: /x}", "f:1:9: files./..: expected the beginning of a URL path as "
	                      "/os, not \"/..\"" },
	{ "files: {/: /x}", "f:1:9: files./: expected the beginning of a URL path as /os, "
	                    "not \"/\"" },
	{ "files: {/os: srv}", "f:1:9: files./os: expected an absolute path, not \"srv\"" },
	{ "files: {/os: }", "f:1:9: files./os: expected an absolute path, not nothing" },
	{ "files: {/result: /x}",
	  "f:1:9: files./result: expected another path: /result is the server's own" },
	{ "dhcp: {mode: prxoy}", "f:1:8: dhcp.mode: expected full, proxy or off, not \"prxoy\"" },
	{ "dhcp: {mode: proxy}", "f:1:8: dhcp.mode: proxy is not built yet: expected full or off" },
	{ "dhcp: {mode: true}", "f:1:8: dhcp.mode: expected full, proxy or off, not true" },
	{ "dhcp: {key: MAC}", "f:1:8: dhcp.key: expected mac, not \"MAC\"" },
	{ "lab: a", "f: dhcp.subnets: expected at least one subnet, or dhcp.mode: off" },
	{ "dhcp: {subnets: [" SUBNET "]}",
	  "f: listen.interfaces: expected at least one interface, or dhcp.mode: off" },
	{ "dhcp: {subnets: [{range: 10.0.0.1-10.0.0.2}]}",
	  "f:1:18: dhcp.subnets[0]: expected key net: a net as 172.168.0.0/16" },
	{ "dhcp: {subnets: [{net: 10.0.0.0}]}",
	  "f:1:19: dhcp.subnets[0].net: expected a net as 172.168.0.0/16, not "
	  "\"10.0.0.0\"" },
	{ "dhcp: {subnets: [{net: 10.0.0.1/24}]}",
	  "f:1:19: dhcp.subnets[0].net: expected the first address of the net" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/31}]}",
	  "f:1:19: dhcp.subnets[0].net: expected a net from /8 to /30, not /31" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24}, {net: 10.0.0.0/16}]}",
	  "f:1:39: dhcp.subnets[1].net: expected a net apart from dhcp.subnets[0]" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, range: 10.0.0.9}]}",
	  "f:1:37: dhcp.subnets[0].range: expected a range FIRST-LAST of IPv4 addresses, "
	  "not \"10.0.0.9\"" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, range: 10.0.0.9-10.0.0.8}]}",
	  "f:1:37: dhcp.subnets[0].range: expected a range FIRST-LAST of IPv4 addresses, "
	  "not \"10.0.0.9-10.0.0.8\"" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, range: 10.0.0.9-10.0.1.8}]}",
	  "f:1:37: dhcp.subnets[0].range: expected addresses inside the net" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, range: 10.0.0.9-10.0.0.255}]}",
	  "f:1:37: dhcp.subnets[0].range: expected no address of the net itself and no "
	  "broadcast" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, router: 10.0.1.1}]}",
	  "f:1:37: dhcp.subnets[0].router: expected an address inside the net" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, router: 10.0.0.256}]}",
	  "f:1:37: dhcp.subnets[0].router: expected an IPv4 address, not "
	  "\"10.0.0.256\"" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, dns: 1.1.1.1}]}",
	  "f:1:37: dhcp.subnets[0].dns: expected a list of IPv4 addresses, not "
	  "\"1.1.1.1\"" },
	{ "dhcp: {subnets: [{net: 10.0.0.0/24, lease: 5s}]}",
	  "f:1:37: dhcp.subnets[0].lease: expected a duration from 1m to 87600h as 1440h, "
	  "or infinity, not \"5s\"" },
	{ "retention: {results_age: 5m}",
	  "f:1:13: retention.results_age: expected a duration from 1h as 90d, or 0 for "
	  "ever, not \"5m\"" },
	{ "retention: {room: 91}",
	  "f:1:13: retention.room: expected a number of percent, 0 to 90, not 91" },
	{ "boot: {server: localhost}",
	  "f:1:8: boot.server: expected an IPv4 address, not \"localhost\"" },
	{ "boot: {hold: 2m}",
	  "f:1:8: boot.hold: expected a duration from 0s to 110s as 45s, not \"2m\"" },
	{ "boot: {hold: 18446744073709551615}",
	  "f:1:8: boot.hold: expected a duration from 0s to 110s as 45s, not "
	  "\"18446744073709551615\"" },
	{ "boot: {loaders: {x86: a}}", "f:1:18: boot.loaders.x86: expected the number of an "
	                               "architecture as 7, not \"x86\"" },
	{ "boot: {loaders: {07: a}}", "f:1:18: boot.loaders.07: expected the number of an "
	                              "architecture as 7, not \"07\"" },
	{ "boot: {loaders: {7: /a}}", "f:1:18: boot.loaders.7: expected a path below "
	                              "tftp.root, or a URL, not \"/a\"" },
	{ "exports: {server: filer}",
	  "f:1:11: exports.server: expected an IPv4 address, not \"filer\"" },
	{ "exports: {nfs: {path: os}}",
	  "f:1:17: exports.nfs.path: expected an absolute path without colons and spaces "
	  "as /os, not \"os\"" },
	{ "exports: {nfs: {options: 'vers=3 ro'}}",
	  "f:1:17: exports.nfs.options: expected mount options without spaces as "
	  "vers=3,nolock, not \"vers=3 ro\"" },
	{ "exports: {cifs: {share: /os}}",
	  "f:1:18: exports.cifs.share: expected SHARE or SHARE/DIRECTORY without a slash "
	  "before it, commas and spaces, not \"/os\"" },
	{ "exports: {cifs: {options: 'ro,guest'}}",
	  "f:1:18: exports.cifs.options: expected mount options without spaces as "
	  "ro,vers=3.1.1, without guest, user and password, not \"ro,guest\"" },
	{ "exports: {cifs: {user: 'a@b'}}",
	  "f:1:18: exports.cifs.user: expected a name without spaces and , : @ /, not "
	  "\"a@b\"" },
	{ "dhcp: {mode: off}\nexports: {cifs: {password: p}}",
	  "f:2:18: exports.cifs.password: expected exports.cifs.user beside it" },
	{ "lab: a.b", "f:1:1: lab: expected a name of letters, digits, - and _, not "
	              "\"a.b\"" },
	{ "api: {open_to: ['::2']}", "f:1:17: api.open_to[0]: expected a net as 10.0.0.0/8, "
	                             "an address, or ::1, not \"::2\"" },
	{ "{\"lab\": 5}", "f: lab: expected a name of letters, digits, - and _, not 5" },
};

static void wrong_files_are_refused_with_place_key_and_expectation(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong_files); i++) {
		struct config_error error;

		assert_string_equal(refusal(wrong_files[i].text, &error), wrong_files[i].says);
	}
}

static void what_is_printed_reads_as_the_same(void **state)
{
	static const char *const cases[] = {
		LEAST,
		"dhcp: {mode: off}\nfiles: {}\napi: {open_to: []}\n",
		"listen: {interfaces: [br0, '1', 'true'], ra: off, workers: 1}\n"
		"dhcp: {key: client-id, subnets: [{net: 10.0.0.0/8, dns: [1.2.3.4], lease: 61},"
		" {net: 11.0.0.0/8, lease: infinity}]}\n"
		"boot: {hold: 1500ms, server: 10.0.0.9, loaders: {0: 'a b', 7: '7', 9: '#x'}}\n"
		"state: \"/a: b #c 'd' \\\" \\u00e9\"\nlab: '9'\n"
		"exports: {server: 10.0.0.8, cifs: {user: 'u#', options: vers=3.1.1}}\n"
		"api: {tokens: /k, open_to: [1.2.3.4, '::1', 127.0.0.1]}\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config config, again;
		struct buffer out = BUFFER_NULL;

		memset(&config, 0, sizeof(config));
		memset(&again, 0, sizeof(again));
		parse(cases[i], &config);
		assert_int_equal(config_print(&config, &out), 0);
		parse((const char *)out.data, &again);
		assert_memory_equal(&config, &again, sizeof(config));
		buffer_deinit(&out);
	}
}

static void missing_file_is_named(void **state)
{
	struct config_error error;
	struct config config;

	assert_int_equal(config_load("/nowhere/ccid.yaml", &config, &error), CONFIG_BAD);
	assert_string_equal(error.text, "/nowhere/ccid.yaml: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_file_gets_the_defaults),
		cmocka_unit_test(every_key_of_the_network_arrives),
		cmocka_unit_test(every_key_of_the_lab_arrives),
		cmocka_unit_test(without_dhcp_nothing_is_required),
		cmocka_unit_test(wrong_files_are_refused_with_place_key_and_expectation),
		cmocka_unit_test(what_is_printed_reads_as_the_same),
		cmocka_unit_test(missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
