/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * cci-init: what the units of cci-generator run in the initramfs, in one program, so that it is
 * read from disk and linked once.
 */
#include "initramfs/verbs.h"

int main(int argc, char *argv[])
{
	return verbs_run(argc, argv);
}
