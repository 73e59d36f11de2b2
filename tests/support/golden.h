/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * Golden files: what the code wrote when somebody looked at it and found it right. They stand in
 * tests/golden; a test that finds a difference prints both. tools/update-golden rewrites them (by
 * setting GOLDEN_UPDATE), and the difference is reviewed in git.
 */
#pragma once

#include "tests/support/test.h"

#include "lib/base/buffer.h"

/* Reads $GOLDEN_DIR/name whole into *ret; fails the test when that is not possible. */
void golden_read(const char *name, struct buffer *ret);

/* Fails the test when actual is not the content of $GOLDEN_DIR/name; or, with GOLDEN_UPDATE set,
 * makes it so. */
void golden_compare(const char *name, struct slice actual);
