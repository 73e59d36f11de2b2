/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * All processes below this one, by /proc: the box of last resort.
 */
#pragma once

/* Sends a signal to each descendant of this process. Returns how many there were, or -errno. */
int tree_signal(int signal);
