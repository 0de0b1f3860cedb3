#include "oracle/cli/output.h"

#include "chain/address.h"
#include "oracle/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECE = 512
};

lks_utf8 lks_out_begin(void)
{
    return (lks_utf8){.for_terminal = isatty(STDOUT_FILENO) == 1};
}

static void print(lks_utf8 *u, const char *bytes, size_t len)
{
    char out[LKS_UTF8_ROOM(PIECE)];
    while (len > 0) {
        size_t piece = len < PIECE ? len : PIECE;
        fwrite(out, 1, lks_utf8_feed(u, bytes, piece, out), stdout);
        bytes += piece;
        len -= piece;
    }
}

void lks_out_text(lks_utf8 *u, const char *bytes, size_t len)
{
    print(u, bytes, len);
    fflush(stdout);
}

void lks_out_text_end(lks_utf8 *u)
{
    char out[LKS_UTF8_ROOM(0)];
    fwrite(out, 1, lks_utf8_end(u, out), stdout);
    fputc('\n', stdout);
}

void lks_out_safe(const char *bytes, size_t len)
{
    lks_utf8 u = {.for_terminal = true};
    char out[LKS_UTF8_ROOM(0)];
    print(&u, bytes, len);
    fwrite(out, 1, lks_utf8_end(&u, out), stdout);
}

void lks_time_text(char text[LKS_TIME_SIZE], uint64_t unix_seconds)
{
    time_t t = (time_t)unix_seconds;
    struct tm parts;
    /* Up to the year 9999; a contract can name any time. */
    if (unix_seconds > UINT64_C(253402300799) || gmtime_r(&t, &parts) == NULL ||
        strftime(text, LKS_TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
        snprintf(text, LKS_TIME_SIZE, "second %" PRIu64, unix_seconds);
    }
}

int lks_out_json(lks_buf *json, int code)
{
    if (lks_buf_error(json) != LKS_OK) {
        code = lks_cli_fail(LKS_EXIT_INTERNAL, "out of memory");
    } else {
        puts(lks_buf_text(json));
    }
    lks_buf_free(json);
    return lks_cli_finish(code);
}

void lks_json_member_text(lks_json_writer *w, const char *name, const char *text)
{
    lks_json_put_name(w, name);
    lks_json_put_text(w, text);
}

void lks_json_member_u64(lks_json_writer *w, const char *name, uint64_t value)
{
    lks_json_put_name(w, name);
    lks_json_put_u64(w, value);
}

void lks_json_member_f64(lks_json_writer *w, const char *name, double value)
{
    lks_json_put_name(w, name);
    lks_json_put_f64(w, value);
}

void lks_json_member_data(lks_json_writer *w, const char *name, const void *data, size_t len)
{
    lks_json_put_name(w, name);
    lks_json_put_data(w, data, len);
}

void lks_json_member_ids(lks_json_writer *w, const char *name, const uint32_t *ids, size_t count)
{
    lks_json_put_name(w, name);
    lks_json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        lks_json_put_u64(w, ids[i]);
    }
    lks_json_end_array(w);
}

void lks_json_member_address(lks_json_writer *w, const char *name, const uint8_t address20[20])
{
    char text[LKS_ADDRESS_SIZE];
    lks_address_format(text, address20);
    lks_json_member_text(w, name, text);
}

void lks_json_member_wei(lks_json_writer *w, const char *name, const lks_u256 *wei)
{
    char text[LKS_U256_DECIMAL_SIZE];
    lks_u256_to_decimal(text, wei);
    lks_json_member_text(w, name, text);
}
