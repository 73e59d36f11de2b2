/* SPDX-License-Identifier: MulanPSL-2.0 */
/*
 * What a job prints, from its pipe into a file. The pipe is always drained: neither a slow server
 * nor a full disk ever blocks the job. A job that prints without end keeps its beginning and its
 * end; what lies between is counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define OUTPUT_HEAD_MAX ((uint64_t)64 << 20)
#define OUTPUT_TAIL_MAX ((uint64_t)64 << 20)

struct output;

/* The file has grown. */
typedef void (*output_grew_fn)(void *userdata, uint64_t size);

/*
 * Makes the file dir_fd/name, or goes on behind what it holds, and a pipe into it. head_max and
 * tail_max limit what is kept (the tail lives in an unnamed file beside it until the end).
 * Returns 0 or -errno.
 */
int output_new(sd_event *event, int dir_fd, const char *name, uint64_t head_max, uint64_t tail_max,
               output_grew_fn grew, void *userdata, struct output **ret);

void output_free(struct output *output);

/* The end to write to, for the job; output_close_writer closes ours once the job has it. */
int output_writer(const struct output *output);
void output_close_writer(struct output *output);

/* Takes what is still in the pipe and ends the file: nothing is read after this. */
void output_finish(struct output *output);

/* The file, open for reading; lives as long as the output. Its size, and what was left out. */
int output_fd(const struct output *output);
uint64_t output_size(const struct output *output);
uint64_t output_cut(const struct output *output);
