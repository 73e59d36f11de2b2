/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * How this process keeps its memory.
 */
#pragma once

/*
 * For a process that lives long and allocates in waves: memory that is given back within the wave
 * stays with the process for the next one (16 MiB at the most), instead of going to the kernel and
 * coming back page by page. SQLite makes a page cache of 80 kB for each statement that sorts; with
 * glibc's defaults that costs a third of the time of a small query (mallopt(3)).
 */
void heap_keep(void);
