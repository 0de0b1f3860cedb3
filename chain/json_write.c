#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/hex.h"
#include "chain/json.h"
#include "chain/utf8.h"

/* Before each value or name. */
static void separate(lks_json_writer *w)
{
    if (w->comma)
        lks_buf_put_byte(w->out, ',');
    w->comma = true;
}

static void begin(lks_json_writer *w, char bracket)
{
    separate(w);
    lks_buf_put_byte(w->out, (uint8_t)bracket);
    w->comma = false;
}

static void end(lks_json_writer *w, char bracket)
{
    lks_buf_put_byte(w->out, (uint8_t)bracket);
    w->comma = true;
}

void lks_json_begin_object(lks_json_writer *w)
{
    begin(w, '{');
}
void lks_json_end_object(lks_json_writer *w)
{
    end(w, '}');
}
void lks_json_begin_array(lks_json_writer *w)
{
    begin(w, '[');
}
void lks_json_end_array(lks_json_writer *w)
{
    end(w, ']');
}

static void put_character(lks_buf *out, const char *text, size_t len)
{
    static const char BYTES[] = "\"\\\b\f\n\r\t", NAMES[] = "\"\\bfnrt";
    unsigned char c = (unsigned char)*text;
    const char *found = c ? strchr(BYTES, c) : NULL;
    if (found) {
        char escape[2] = {'\\', NAMES[found - BYTES]};
        lks_buf_put(out, escape, 2);
    } else if (c < 0x20 || c == 0x7f)
        lks_buf_printf(out, "\\u%04x", c);
    else
        lks_buf_put(out, text, len);
}

void lks_json_put_string(lks_json_writer *w, const char *text, size_t len)
{
    separate(w);
    lks_buf_put_byte(w->out, '"');
    while (len) {
        size_t count = lks_utf8_length(text, len);
        if (count)
            put_character(w->out, text, count);
        else {
            lks_buf_put_text(w->out,
                             "\xef\xbf\xbd"); /* U+FFFD, one for each byte that fits nowhere */
            count = 1;
        }
        text += count;
        len -= count;
    }
    lks_buf_put_byte(w->out, '"');
}

void lks_json_put_text(lks_json_writer *w, const char *text)
{
    lks_json_put_string(w, text, strlen(text));
}

void lks_json_put_name(lks_json_writer *w, const char *name)
{
    lks_json_put_text(w, name);
    lks_buf_put_byte(w->out, ':');
    w->comma = false;
}

void lks_json_put_raw(lks_json_writer *w, const char *json, size_t len)
{
    separate(w);
    lks_buf_put(w->out, json, len);
}

static void put_raw_text(lks_json_writer *w, const char *json)
{
    lks_json_put_raw(w, json, strlen(json));
}

void lks_json_put_u64(lks_json_writer *w, uint64_t value)
{
    separate(w);
    lks_buf_printf(w->out, "%" PRIu64, value);
}

void lks_json_put_i64(lks_json_writer *w, int64_t value)
{
    separate(w);
    lks_buf_printf(w->out, "%" PRId64, value);
}

void lks_json_put_f64(lks_json_writer *w, double value)
{
    char text[40] = "null";
    locale_t c_locale = isfinite(value) ? newlocale(LC_ALL_MASK, "C", (locale_t)0) : (locale_t)0;
    if (c_locale) {
        locale_t before = uselocale(c_locale);
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value)
                break;
        }
        uselocale(before);
        freelocale(c_locale);
    }
    put_raw_text(w, text);
}

void lks_json_put_bool(lks_json_writer *w, bool value)
{
    put_raw_text(w, value ? "true" : "false");
}
void lks_json_put_null(lks_json_writer *w)
{
    put_raw_text(w, "null");
}

void lks_json_put_quantity(lks_json_writer *w, uint64_t value)
{
    char text[LKS_HEX_U64_SIZE];
    lks_hex_from_u64(text, value);
    lks_json_put_text(w, text);
}

void lks_json_put_quantity_u256(lks_json_writer *w, const lks_u256 *value)
{
    char text[LKS_U256_HEX_SIZE];
    lks_u256_to_hex(text, value);
    lks_json_put_text(w, text);
}

void lks_json_put_data(lks_json_writer *w, const void *data, size_t len)
{
    separate(w);
    lks_buf_put_byte(w->out, '"');
    lks_hex_append(w->out, data, len);
    lks_buf_put_byte(w->out, '"');
}
