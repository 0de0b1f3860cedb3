#include "oracle/cli/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

lks_err lks_parse_u64(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return lks_fail(LKS_BADARGS, "a whole number is missing");
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return lks_fail(LKS_BADARGS, "'%s' is not a whole number", text);
        }
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return lks_fail(LKS_BADARGS, "'%s' is too large", text);
        }
        value = value * 10 + digit;
    }
    *out = value;
    return LKS_OK;
}

lks_err lks_parse_u32(uint32_t *out, const char *text)
{
    uint64_t value;
    lks_err err = lks_parse_u64(&value, text);
    if (err != LKS_OK) {
        return err;
    }
    if (value > UINT32_MAX) {
        return lks_fail(LKS_BADARGS, "'%s' is too large", text);
    }
    *out = (uint32_t)value;
    return LKS_OK;
}

lks_err lks_parse_f32(uint32_t *bits, const char *text)
{
    char *end;
    size_t len = strlen(text);
    /* Only the characters of decimals: strtof by itself also takes "inf", "nan", "0x1p3" and leading spaces. The program never calls
     * setlocale, so the decimal point is a point. */
    if (len == 0 || strspn(text, "0123456789.eE+-") != len) {
        return lks_fail(LKS_BADARGS, "'%s' is not a decimal number", text);
    }
    errno = 0;
    float value = strtof(text, &end);
    if (end != text + len) {
        return lks_fail(LKS_BADARGS, "'%s' is not a decimal number", text);
    }
    if (value > 3.4028235e38f || value < -3.4028235e38f) {
        return lks_fail(LKS_BADARGS, "'%s' is too large", text);
    }
    memcpy(bits, &value, sizeof value);
    return LKS_OK;
}

lks_err lks_parse_duration(uint32_t *seconds, const char *text)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char digits[24];
    size_t len = strlen(text);
    uint64_t value;
    if (len >= 2 && len < sizeof digits) {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (text[len - 1] != units[i].unit) {
                continue;
            }
            memcpy(digits, text, len - 1);
            digits[len - 1] = '\0';
            lks_err err = lks_parse_u64(&value, digits);
            if (err != LKS_OK) {
                return err;
            }
            if (value > UINT32_MAX / units[i].seconds) {
                return lks_fail(LKS_BADARGS, "'%s' is too long", text);
            }
            *seconds = (uint32_t)value * units[i].seconds;
            return LKS_OK;
        }
    }
    return lks_fail(LKS_BADARGS, "'%s' is not a duration such as 20s, 10m, 24h or 7d", text);
}

/* Positive floats order like their bits; every negative one, -0 too, and every NaN lies above 0x7f800000. */
#define LKS_F32_INFINITY 0x7f800000u
#define LKS_F32_TWO_TO_MINUS_10 0x3a800000u
#define LKS_F32_ONE 0x3f800000u

lks_err lks_check_temperature(uint32_t bits)
{
    if (bits == 0 || (bits >= LKS_F32_TWO_TO_MINUS_10 && bits < LKS_F32_INFINITY)) {
        return LKS_OK;
    }
    return lks_fail(LKS_BADARGS, "a temperature is 0 (greedy) or at least 0.0009765625");
}

lks_err lks_check_min_p(uint32_t bits)
{
    if (bits <= LKS_F32_ONE) {
        return LKS_OK;
    }
    return lks_fail(LKS_BADARGS, "min-p lies between 0 and 1");
}
