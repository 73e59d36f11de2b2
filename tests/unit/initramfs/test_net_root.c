/* SPDX-License-Identifier: MulanPSL-2.0 */
#include "tests/support/test.h"

#include "initramfs/net_root.h"
#include "lib/base/macro.h"

/* One text for a whole mount, so that a case is a line: TYPE SOURCE [ro][,nosuid]... KEY=VALUE ...
 */
static void show(const struct net_root *root, char *to, size_t size)
{
	struct bytes out = { .data = (uint8_t *)to, .cap = size - 1 };

	bytes_printf(&out, "%s %s %s", root->type, root->source, root->read_only ? "ro" : "rw");
	if (root->nosuid)
		bytes_append_text(&out, ",nosuid");
	if (root->nodev)
		bytes_append_text(&out, ",nodev");
	if (root->noatime)
		bytes_append_text(&out, ",noatime");
	for (size_t i = 0; i < root->n_options; i++)
		bytes_printf(&out, " %s%s%s", root->options[i].key,
		             root->options[i].value ? "=" : "",
		             root->options[i].value ? root->options[i].value : "");
	assert_false(out.overflow);
	to[out.len] = '\0';
}

static struct plan plan_of(const char *line)
{
	static const struct plan_facts facts = { .networkd = true };
	struct plan plan;
	int r = plan_from_cmdline(slice_from_text(line), &facts, &plan);

	assert_true(r == 0 || r == PLAN_REFUSED);
	return plan;
}

static const struct {
	const char *line, *version;
	const char *mount; /* or why not */
} cases[] = {
	/* as Compass-CI writes them */
	{ "rootovl ro root=10.0.0.1:/os/debian", "4.2",
	  "nfs 10.0.0.1:/os/debian ro addr=10.9.9.9 vers=4.2 nolock nocto actimeo=600" },
	{ "rootovl ro root=cifs://10.0.0.1/os/x,guest,ro,hard,vers=1.0,noacl,nouser_xattr,noserverino",
	  NULL,
	  "cifs //10.0.0.1/os/x ro hard vers=1.0 noacl nouser_xattr noserverino ip=10.9.9.9 "
	  "username= password=" },
	/* as dracut does */
	{ "rootovl root=nfs:10.0.0.1:/r:ro,hard,vers=3,_netdev,x-systemd.automount,defaults", NULL,
	  "nfs 10.0.0.1:/r ro hard vers=3 addr=10.9.9.9 nolock nocto actimeo=600" },
	{ "rootovl root=nfs4:10.0.0.1:/r", NULL,
	  "nfs 10.0.0.1:/r ro addr=10.9.9.9 vers=4 nolock nocto actimeo=600" },
	{ "rootovl root=/dev/nfs nfsroot=10.0.0.1:/r,soft,noatime,nosuid,nodev", "3",
	  "nfs 10.0.0.1:/r ro,nosuid,nodev,noatime soft addr=10.9.9.9 vers=3 nolock nocto "
	  "actimeo=600" },
	{ "rootovl root=cifs://me:secret@10.0.0.1/os/x,vers=3.0,domain=LAB", NULL,
	  "cifs //10.0.0.1/os/x ro vers=3.0 domain=LAB ip=10.9.9.9 username=me password=secret" },
	{ "rootovl root=cifs://me@10.0.0.1/os", NULL,
	  "cifs //10.0.0.1/os ro ip=10.9.9.9 username=me password=" },
	{ "rootovl root=cifs://10.0.0.1/os,user=me,password=x", NULL,
	  "cifs //10.0.0.1/os ro user=me password=x ip=10.9.9.9" },
	/* without an overlay: what others change is seen, and who may write is told by ro and rw */
	{ "job=x rw root=10.0.0.1:/r", "4.2", "nfs 10.0.0.1:/r rw addr=10.9.9.9 vers=4.2 nolock" },
	{ "job=x ro root=10.0.0.1:/r", "4.2", "nfs 10.0.0.1:/r ro addr=10.9.9.9 vers=4.2 nolock" },
	{ "job=x ro root=10.0.0.1:/r:ro,rw", "4.2",
	  "nfs 10.0.0.1:/r rw addr=10.9.9.9 vers=4.2 nolock" },
	{ "job=x rw root=10.0.0.1:/r:ro", "4.2",
	  "nfs 10.0.0.1:/r ro addr=10.9.9.9 vers=4.2 nolock" },
	/* an option of the line is not said again */
	{ "rootovl root=10.0.0.1:/r:lock,actimeo=3,addr=10.0.0.1", "3",
	  "nfs 10.0.0.1:/r ro lock actimeo=3 addr=10.0.0.1 vers=3" },
	{ "rootovl root=10.0.0.1:/r:,,", "3",
	  "nfs 10.0.0.1:/r ro addr=10.9.9.9 vers=3 nolock nocto actimeo=600" },
	{ "rootovl root=10.0.0.1:/r:sec=krb5i", "4.2",
	  "sec=krb5 needs a ticket, which no initramfs has" },
	{ "rootovl root=10.0.0.1:/r:a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,1,2,3,4,5,6",
	  "3", "more mount options than a root may have" },
};

static void each_root_is_mounted_as_written(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan plan = plan_of(cases[i].line);
		const struct net_root_facts facts = { .server = plan.net_server,
			                              .address = "10.9.9.9",
			                              .version = cases[i].version,
			                              .read_only = plan.overlay };
		static struct net_root root;
		char text[1024];
		const char *why = net_root_compose(&plan, &facts, &root);

		if (!why)
			show(&root, text, sizeof(text));
		assert_string_equal(why ? why : text, cases[i].mount);
	}
}

static void the_longest_options_fit(void **state)
{
	static struct net_root root;
	static struct plan plan = { .kind = PLAN_NFS, .net_server = "h", .net_path = "/p" };
	const struct net_root_facts facts = { .server = "h", .address = "1.2.3.4", .version = "3" };

	for (size_t i = 0; i + 2 < sizeof(plan.net_options); i++)
		plan.net_options[i] = i % 40 == 39 ? ',' : i % 40 == 1 ? '=' : 'a';
	assert_null(net_root_compose(&plan, &facts, &root));
	memset(plan.net_path, 'p', sizeof(plan.net_path) - 1);
	assert_string_equal(net_root_compose(&plan, &facts, &root),
	                    "the name of server and directory is longer than it may be");
}

static void versions_are_tried_from_the_newest(void **state)
{
	static const struct {
		const char *line;
		unsigned kernel;
		const char *versions;
	} tries[] = {
		{ "rootovl root=10.0.0.1:/r", 6001, "4.2 4.1 4.0 3 " },
		{ "rootovl root=10.0.0.1:/r", 5007, "4.2 4.1 4.0 3 " },
		{ "rootovl root=10.0.0.1:/r", 5006, "3 " },
		{ "rootovl root=10.0.0.1:/r", 4019, "3 " },
		{ "job=x root=10.0.0.1:/r", 4019, "4.2 4.1 4.0 3 " },
		{ "rootovl root=10.0.0.1:/r:vers=4.1", 4019, "" },
		{ "rootovl root=10.0.0.1:/r:nfsvers=3", 6001, "" },
		{ "rootovl root=10.0.0.1:/r:v4.2", 6001, "" },
		{ "rootovl root=nfs4:10.0.0.1:/r", 6001, "" },
		{ "rootovl root=cifs://10.0.0.1/r", 6001, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct plan plan = plan_of(tries[i].line);
		const char *versions[NET_ROOT_VERSIONS_MAX];
		char text[64] = "";
		size_t len = 0;

		net_root_versions(&plan, tries[i].kernel, versions);
		for (size_t v = 0; versions[v]; v++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", versions[v]);
		assert_string_equal(text, tries[i].versions);
	}
}

static void the_port_is_the_usual_one_unless_said(void **state)
{
	struct plan nfs = plan_of("rootovl root=10.0.0.1:/r"),
		    cifs = plan_of("rootovl root=cifs://10.0.0.1/r"),
		    other = plan_of("rootovl root=10.0.0.1:/r:ro,port=12049"),
		    wrong = plan_of("rootovl root=10.0.0.1:/r:port=99999");

	assert_int_equal(net_root_port(&nfs), 2049);
	assert_int_equal(net_root_port(&cifs), 445);
	assert_int_equal(net_root_port(&other), 12049);
	assert_int_equal(net_root_port(&wrong), 2049);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_root_is_mounted_as_written),
		cmocka_unit_test(the_longest_options_fit),
		cmocka_unit_test(versions_are_tried_from_the_newest),
		cmocka_unit_test(the_port_is_the_usual_one_unless_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
