/* Results on standard output: streamed text, and JSON documents of one line. */
#ifndef LKS_CLI_OUTPUT_H
#define LKS_CLI_OUTPUT_H

#include "chain/json.h"
#include "oracle/cli/utf8.h"

/* Prints valid UTF-8 of the bytes, at once; control characters are replaced when standard output is
 * a terminal. */
void lks_out_text(lks_utf8 *u, const char *bytes, size_t len);
/* Prints what the text ended within, and a newline. */
void lks_out_text_end(lks_utf8 *u);
/* An empty *u for standard output. */
lks_utf8 lks_out_begin(void);

/* Prints a string of a file or a node where a person reads it: control characters become U+FFFD. */
void lks_out_safe(const char *bytes, size_t len);

/* "2026-11-22 02:30:00 UTC", zero-terminated. */
#define LKS_TIME_SIZE 32
void lks_time_text(char text[LKS_TIME_SIZE], uint64_t unix_seconds);

/* Prints the buffer and a newline, and frees it. Returns: code, or what lks_cli_finish says of a
 * failure. */
int lks_out_json(lks_buf *json, int code);

/* Members of the object that is being written. */
void lks_json_member_text(lks_json_writer *w, const char *name, const char *text);
void lks_json_member_u64(lks_json_writer *w, const char *name, uint64_t value);
void lks_json_member_f64(lks_json_writer *w, const char *name, double value);
void lks_json_member_data(lks_json_writer *w, const char *name, const void *data, size_t len);
void lks_json_member_ids(lks_json_writer *w, const char *name, const uint32_t *ids, size_t count);
void lks_json_member_address(lks_json_writer *w, const char *name, const uint8_t address20[20]);
void lks_json_member_wei(lks_json_writer *w, const char *name, const lks_u256 *wei);

#endif
