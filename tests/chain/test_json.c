/* JSON. The y_ and n_ cases are our own, in the style of JSONTestSuite: y_ must be read, n_ must be
 * refused. Each is parsed from memory of exactly its size. */
#include "chain/json.h"

#include <locale.h>
#include <math.h>

#include "chain_test.h"

#define CASE(text) {text, sizeof(text) - 1}

static const struct {
    const char *text;
    size_t len;
} YES[] =
    {
        CASE("[]"),
        CASE("{}"),
        CASE(" [ ] "),
        CASE("\t\r\n {\n}"),
        CASE("null"),
        CASE("true"),
        CASE("false"),
        CASE(" true "),
        CASE("0"),
        CASE("-0"),
        CASE("1"),
        CASE("-1"),
        CASE("10.5"),
        CASE("1e5"),
        CASE("1E+5"),
        CASE("-1.25e-3"),
        CASE("0e0"),
        CASE("0.0"),
        CASE("20e1"),
        CASE("\"\""),
        CASE("\"a\""),
        CASE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        CASE("\"\\u0000\""),
        CASE("\"\\uD834\\uDD1E\""),
        CASE("\"\\uD800\""),
        CASE("\"\x7f\""),
        CASE("\"\xc2\x80\""),
        CASE("\"\xef\xbf\xbf\""),
        CASE("\"\xf4\x8f\xbf\xbf\""),
        CASE("[1,2,3]"),
        CASE("[[],[[]]]"),
        CASE("[{}]"),
        CASE("{\"a\":1}"),
        CASE("{\"\":0}"),
        CASE("{\"a\":1,\"b\":[],\"c\":{\"d\":null}}"),
        CASE("{\"a\":1,\"a\":2}"),
        CASE("{\"a\" : [ 1 , { \"b\" : \"]}\" } ] }"),
        CASE("[1.0e+28, 123456789012345678901234567890]"),
        CASE("[\"[\",\"{\",\"\\\\\"]"),
        CASE("[null,true,false]"),
        CASE("[-0.0]"),
        CASE("{\"a\":{\"b\":{\"c\":[{}]}}}"),
},
  NO[] = {
      CASE(""),
      CASE(" "),
      CASE("\0"),
      CASE("["),
      CASE("]"),
      CASE("{"),
      CASE("}"),
      CASE("[}"),
      CASE("{]"),
      CASE("[1"),
      CASE("[1,"),
      CASE("[1,]"),
      CASE("[,1]"),
      CASE("[,]"),
      CASE("[1,,2]"),
      CASE("[1 2]"),
      CASE("[1]]"),
      CASE("[1}"),
      CASE("[]]"),
      CASE("[] x"),
      CASE("[][]"),
      CASE("{}{}"),
      CASE("1 2"),
      CASE("true false"),
      CASE("nul"),
      CASE("nulll"),
      CASE("NULL"),
      CASE("True"),
      CASE("[nul]"),
      CASE("[tru"),
      CASE("[truth]"),
      CASE("[True]"),
      CASE("+1"),
      CASE("[+1]"),
      CASE("-"),
      CASE("[-]"),
      CASE("01"),
      CASE("[01]"),
      CASE("-01"),
      CASE("[00]"),
      CASE("1."),
      CASE("[1.]"),
      CASE(".5"),
      CASE("[.5]"),
      CASE("1e"),
      CASE("1e+"),
      CASE("[1e]"),
      CASE("[1.e5]"),
      CASE("1.2.3"),
      CASE("[0x1]"),
      CASE("[1a]"),
      CASE("[1e5.5]"),
      CASE("[--1]"),
      CASE("[1-2]"),
      CASE("[NaN]"),
      CASE("[Infinity]"),
      CASE("[-Infinity]"),
      CASE("[inf]"),
      CASE("\""),
      CASE("\"a"),
      CASE("\"\\\""),
      CASE("\"\\"),
      CASE("\"\\x41\""),
      CASE("\"\\u\""),
      CASE("\"\\u12\""),
      CASE("\"\\u123\""),
      CASE("\"\\u123g\""),
      CASE("\"\\uD834\\u\""),
      CASE("\"\\a\""),
      CASE("\"\\U0041\""),
      CASE("\"a\0b\""),
      CASE("\"a\nb\""),
      CASE("\"a\tb\""),
      CASE("\"\x1f\""),
      CASE("'a'"),
      CASE("[a]"),
      CASE("[\"a\" \"b\"]"),
      CASE("[\"a\":1]"),
      CASE("{\"a\"}"),
      CASE("{\"a\":}"),
      CASE("{\"a\" 1}"),
      CASE("{\"a\",1}"),
      CASE("{\"a\":1,}"),
      CASE("{,\"a\":1}"),
      CASE("{\"a\":1 \"b\":2}"),
      CASE("{\"a\":1,,\"b\":2}"),
      CASE("{a:1}"),
      CASE("{'a':1}"),
      CASE("{1:1}"),
      CASE("{null:1}"),
      CASE("{[]:1}"),
      CASE("{{}:1}"),
      CASE("{\"a\"::1}"),
      CASE("{\"a\":1:2}"),
      CASE("{\"a\":\"b\":\"c\"}"),
      CASE("{\"a\":1}}"),
      CASE("{\"a\":1]"),
      CASE("{:1}"),
      CASE(":"),
      CASE(","),
      CASE("{\"a\":{}:1}"),
      CASE("[1]\0"),
      CASE("[]\0[]"),
      CASE("\xef\xbb\xbf[]"),
      CASE("\f[]"),
      CASE("[\v1]"),
      CASE("[1]//"),
      CASE("/**/[]"),
      CASE("[1,/**/2]"),
      CASE("\"\x80\""),
      CASE("\"\xc2\""),
      CASE("\"\xc0\x80\""),
      CASE("\"\xc1\xbf\""),
      CASE("\"\xe0\x80\x80\""),
      CASE("\"\xe0\x9f\xbf\""),
      CASE("\"\xed\xa0\x80\""),
      CASE("\"\xf0\x80\x80\x80\""),
      CASE("\"\xf4\x90\x80\x80\""),
      CASE("\"\xf8\x88\x80\x80\x80\""),
      CASE("\"\xff\""),
      CASE("\"\xe2\x82\""),
      CASE("[\"\xe2\x82\"]"),
      CASE("\xc3\xa9"),
      CASE("[\xc2\xa0]"),
};

static lks_err parse(lks_json *doc, const char *text)
{
    return lks_json_parse(doc, text, strlen(text), 1000);
}

static void test_yes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++) {
        lks_json doc;
        char *copy = exact(YES[i].text, YES[i].len);
        lks_err err = lks_json_parse(&doc, copy, YES[i].len, 1000);
        if (err)
            fail_msg("y_ case %s: %s", YES[i].text, lks_error_message());
        lks_json_free(&doc);
        free(copy);
    }
}

static void test_no(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof NO / sizeof *NO; i++) {
        lks_json doc;
        char *copy = exact(NO[i].text, NO[i].len);
        lks_err err = lks_json_parse(&doc, copy, NO[i].len, 1000);
        if (err != LKS_CORRUPT)
            fail_msg("n_ case %zu (%s): %s", i, NO[i].text, lks_err_name(err));
        assert_null(doc.nodes);
        free(copy);
    }
}

/* No proper beginning of a text that ends with its last bracket is JSON. */
static void test_cut_short(void **state)
{
    (void)state;
    static const char TEXT[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"logs\":[{\"a\":[1,-2."
                               "5e1,true,null]},\"\\u00e9\\uD834\\uDD1E\xe2\x82\xac\"]}}";
    for (size_t len = 0; len < sizeof TEXT - 1; len++) {
        lks_json doc;
        char *copy = exact(TEXT, len);
        assert_int_equal(lks_json_parse(&doc, copy, len, 1000), LKS_CORRUPT);
        free(copy);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    lks_json doc;
    char text[200] = {0};
    memset(text, '[', LKS_JSON_MAX_DEPTH);
    memset(text + LKS_JSON_MAX_DEPTH, ']', LKS_JSON_MAX_DEPTH);
    OK(parse(&doc, text));
    assert_int_equal(doc.count, LKS_JSON_MAX_DEPTH);
    lks_json_free(&doc);
    memset(text, '[', LKS_JSON_MAX_DEPTH + 1);
    FAILS(LKS_REFUSED, "nested", parse(&doc, text));
    OK(lks_json_parse(&doc, "[1,2,{\"a\":3}]", 13, 6));
    lks_json_free(&doc);
    FAILS(LKS_REFUSED, "over 5 values", lks_json_parse(&doc, "[1,2,{\"a\":3}]", 13, 5));
    FAILS(LKS_REFUSED, "too long", lks_json_parse(&doc, text, (size_t)1 << 31, 5));
}

static void test_look_up(void **state)
{
    (void)state;
    lks_json doc;
    OK(parse(&doc, "{\"a\":[10,{\"b\":\"x\"},[]],\"c\":{},\"\\u0064\":5,\"d2\":{\"e\":1},\"a2\":"
                   "null,\"z\":1,\"z\":2}"));
    assert_int_equal(lks_json_typeof(&doc, 0), LKS_JSON_OBJECT);
    assert_int_equal(lks_json_size(&doc, 0), 7);
    int a = lks_json_member(&doc, 0, "a");
    uint64_t number;
    assert_int_equal(lks_json_size(&doc, a), 3);
    OK(lks_json_u64(&doc, lks_json_path(&doc, 0, "a.0"), &number));
    assert_int_equal(number, 10);
    assert_true(lks_json_equals(&doc, lks_json_path(&doc, 0, "a.1.b"), "x"));
    assert_false(lks_json_equals(&doc, lks_json_path(&doc, 0, "a.1.b"), "xy"));
    assert_false(lks_json_equals(&doc, lks_json_path(&doc, 0, "a.1.b"), ""));
    assert_true(lks_json_equals(&doc, lks_json_name(&doc, lks_json_member(&doc, 0, "d")), "d"));
    assert_false(lks_json_equals(&doc, lks_json_name(&doc, lks_json_member(&doc, 0, "d")),
                                 "\\u0064"));
    OK(lks_json_u64(&doc, lks_json_member(&doc, 0, "d"), &number)); /* its name is escaped */
    assert_int_equal(number, 5);
    OK(lks_json_u64(&doc, lks_json_member(&doc, 0, "z"), &number)); /* the last of equals */
    assert_int_equal(number, 2);
    assert_int_equal(lks_json_typeof(&doc, lks_json_member(&doc, 0, "a2")), LKS_JSON_NULL);
    static const char *const MISSING[] = {
        "b",   "",      "a.3",  "a.x", "a.",     "a.-1", "a.00000000000",
        "c.x", "a.0.0", "a2.x", "e",   "d2.e.f", "."};
    for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++)
        assert_int_equal(lks_json_path(&doc, 0, MISSING[i]), LKS_JSON_NONE);
    /* Walking: each value once, in order, with its name. */
    static const char *const NAMES[] = {"a", "c", "d", "d2", "a2", "z", "z"};
    int n = lks_json_first(&doc, 0);
    for (size_t i = 0; i < 7; i++, n = lks_json_next(&doc, n))
        assert_true(lks_json_equals(&doc, lks_json_name(&doc, n), NAMES[i]));
    assert_int_equal(n, LKS_JSON_NONE);
    n = lks_json_first(&doc, a);
    assert_int_equal(lks_json_typeof(&doc, n), LKS_JSON_NUMBER);
    assert_int_equal(lks_json_name(&doc, n), LKS_JSON_NONE);
    n = lks_json_next(&doc, n);
    assert_int_equal(lks_json_typeof(&doc, n), LKS_JSON_OBJECT);
    n = lks_json_next(&doc, n);
    assert_int_equal(lks_json_typeof(&doc, n), LKS_JSON_ARRAY);
    assert_int_equal(lks_json_next(&doc, n), LKS_JSON_NONE);
    assert_int_equal(lks_json_first(&doc, n), LKS_JSON_NONE);
    /* Nothing leads to nothing. */
    assert_int_equal(lks_json_next(&doc, LKS_JSON_NONE), LKS_JSON_NONE);
    assert_int_equal(lks_json_next(&doc, 0), LKS_JSON_NONE);
    assert_int_equal(lks_json_first(&doc, 1000), LKS_JSON_NONE);
    assert_int_equal(lks_json_typeof(&doc, LKS_JSON_NONE), LKS_JSON_MISSING);
    const char *raw;
    size_t len;
    OK(lks_json_raw(&doc, lks_json_path(&doc, 0, "a.1"), &raw, &len));
    assert_true(len == 9 && !memcmp(raw, "{\"b\":\"x\"}", 9));
    OK(lks_json_raw(&doc, lks_json_path(&doc, 0, "a.1.b"), &raw, &len));
    assert_true(len == 3 && !memcmp(raw, "\"x\"", 3));
    FAILS(LKS_CORRUPT, "missing", lks_json_raw(&doc, LKS_JSON_NONE, &raw, &len));
    lks_json_free(&doc);
}

static void test_strings(void **state)
{
    (void)state;
    lks_json doc;
    lks_buf out = {0};
    OK(parse(&doc,
             "[\"\\\"\\\\\\/"
             "\\b\\f\\n\\r\\t\",\"\\u00e9\\u20AC\\uD834\\uDD1E\",\"\",\"a\\u0000b\",\"\\uD834\","
             "\"\\uDD1E\",\"\\uD834x\",\"\\uD834\\u0041\",\"\\uDD1E\\uDD1E\",7]"));
    OK(lks_json_string(&doc, lks_json_path(&doc, 0, "0"), &out));
    assert_string_equal(lks_buf_text(&out), "\"\\/\b\f\n\r\t");
    lks_buf_clear(&out);
    OK(lks_json_string(&doc, lks_json_path(&doc, 0, "1"), &out));
    assert_string_equal(lks_buf_text(&out), "\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e");
    lks_buf_free(&out);
    OK(lks_json_string(&doc, lks_json_path(&doc, 0, "2"), &out));
    assert_true(out.data && !out.len && !out.data[0]);
    OK(lks_json_string(&doc, lks_json_path(&doc, 0, "3"), &out));
    assert_true(out.len == 3 && !memcmp(out.data, "a\0b", 4));
    for (int i = 4; i < 9; i++) {
        char path[2] = {(char)('0' + i), 0};
        FAILS(LKS_CORRUPT, "surrogate", lks_json_string(&doc, lks_json_path(&doc, 0, path), &out));
        assert_int_equal(out.len, 3);
    }
    FAILS(LKS_CORRUPT, "a number where a string",
          lks_json_string(&doc, lks_json_path(&doc, 0, "9"), &out));
    FAILS(LKS_CORRUPT, "nothing where a string",
          lks_json_string(&doc, lks_json_path(&doc, 0, "10"), &out));
    lks_buf_free(&out);
    lks_json_free(&doc);
}

static void test_numbers(void **state)
{
    (void)state;
    lks_json doc;
    uint64_t u;
    int64_t s;
    double f;
    bool b;
    OK(parse(&doc, "[18446744073709551615,18446744073709551616,-9223372036854775808,-"
                   "9223372036854775809,1.5,1e3,-0,9223372036854775807,"
                   "9223372036854775808,1e999,true,0.1,-1]"));
#define AT(n) lks_json_path(&doc, 0, n)
    OK(lks_json_u64(&doc, AT("0"), &u));
    assert_true(u == UINT64_MAX);
    FAILS(LKS_CORRUPT, "64 bits", lks_json_u64(&doc, AT("1"), &u));
    OK(lks_json_i64(&doc, AT("2"), &s));
    assert_true(s == INT64_MIN);
    FAILS(LKS_CORRUPT, "63 bits", lks_json_i64(&doc, AT("3"), &s));
    FAILS(LKS_CORRUPT, "whole", lks_json_u64(&doc, AT("4"), &u));
    FAILS(LKS_CORRUPT, "whole", lks_json_u64(&doc, AT("5"), &u));
    OK(lks_json_i64(&doc, AT("6"), &s));
    assert_true(s == 0);
    OK(lks_json_i64(&doc, AT("7"), &s));
    assert_true(s == INT64_MAX);
    FAILS(LKS_CORRUPT, "63 bits", lks_json_i64(&doc, AT("8"), &s));
    FAILS(LKS_CORRUPT, "too large", lks_json_f64(&doc, AT("9"), &f));
    FAILS(LKS_CORRUPT, "true where a number", lks_json_f64(&doc, AT("10"), &f));
    OK(lks_json_bool(&doc, AT("10"), &b));
    assert_true(b);
    FAILS(LKS_CORRUPT, "true or false", lks_json_bool(&doc, AT("0"), &b));
    OK(lks_json_f64(&doc, AT("11"), &f));
    assert_true(f == 0.1);
    OK(lks_json_i64(&doc, AT("12"), &s));
    assert_true(s == -1);
    FAILS(LKS_CORRUPT, "whole", lks_json_u64(&doc, AT("12"), &u));
#undef AT
    lks_json_free(&doc);
    char copy[3] = {'4', '2',
                    '7'}; /* a number that ends with the text: what follows must not be read */
    OK(lks_json_parse(&doc, copy, 2, 1));
    OK(lks_json_f64(&doc, 0, &f));
    assert_true(f == 42);
    OK(lks_json_u64(&doc, 0, &u));
    assert_true(u == 42);
    lks_json_free(&doc);
}

static void test_hex(void **state)
{
    (void)state;
    lks_json doc;
    uint64_t u;
    lks_u256 wide;
    lks_buf out = {0};
    uint8_t two[2];
    OK(parse(&doc, "{\"q\":\"0x10\",\"w\":\"0x10000000000000000\",\"d\":\"0xbeef\",\"n\":16}"));
    OK(lks_json_quantity(&doc, lks_json_member(&doc, 0, "q"), &u));
    assert_int_equal(u, 16);
    FAILS(LKS_CORRUPT, "64 bits", lks_json_quantity(&doc, lks_json_member(&doc, 0, "w"), &u));
    OK(lks_json_quantity_u256(&doc, lks_json_member(&doc, 0, "w"), &wide));
    assert_true(wide.w[0] == 0 && wide.w[1] == 1);
    OK(lks_json_data(&doc, lks_json_member(&doc, 0, "d"), &out));
    assert_true(out.len == 2 && !memcmp(out.data, "\xbe\xef", 2));
    OK(lks_json_data_fixed(&doc, lks_json_member(&doc, 0, "d"), two, 2));
    FAILS(LKS_CORRUPT, "2 are needed",
          lks_json_data_fixed(&doc, lks_json_member(&doc, 0, "d"), two, 1));
    FAILS(LKS_CORRUPT, "a number where a quantity",
          lks_json_quantity(&doc, lks_json_member(&doc, 0, "n"), &u));
    lks_buf_free(&out);
    lks_json_free(&doc);
}

static void test_writer(void **state)
{
    (void)state;
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_u256 wide = {{0, 1, 0, 0}};
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "a\"b");
    lks_json_begin_array(&w);
    lks_json_begin_array(&w);
    lks_json_end_array(&w);
    lks_json_put_u64(&w, UINT64_MAX);
    lks_json_put_i64(&w, -5);
    lks_json_put_bool(&w, true);
    lks_json_put_bool(&w, false);
    lks_json_put_null(&w);
    lks_json_end_array(&w);
    lks_json_put_name(&w, "t");
    lks_json_put_string(&w, "\x01\x1f\"\\/\b\f\n\r\t\x7f\xc3\xa9\0z", 15);
    lks_json_put_name(&w, "bad");
    lks_json_put_text(&w, "\xff\xc3(\xed\xa0\x80");
    lks_json_put_name(&w, "q");
    lks_json_put_quantity(&w, 255);
    lks_json_put_name(&w, "w");
    lks_json_put_quantity_u256(&w, &wide);
    lks_json_put_name(&w, "d");
    lks_json_put_data(&w, "\x00\xff", 2);
    lks_json_put_name(&w, "raw");
    lks_json_put_raw(&w, "[1]", 3);
    lks_json_put_name(&w, "o");
    lks_json_begin_object(&w);
    lks_json_end_object(&w);
    lks_json_end_object(&w);
    OK(lks_buf_error(&out));
    assert_string_equal(lks_buf_text(&out),
                        "{\"a\\\"b\":[[],18446744073709551615,-5,true,false,null],\"t\":"
                        "\"\\u0001\\u001f\\\"\\\\/\\b\\f\\n\\r\\t\\u007f\xc3\xa9\\u0000z\","
                        "\"bad\":\"\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
                        "\"q\":\"0xff\",\"w\":\"0x10000000000000000\","
                        "\"d\":\"0x00ff\",\"raw\":[1],\"o\":{}}");
    lks_json doc;
    OK(lks_json_parse(&doc, lks_buf_text(&out), out.len, 100));
    lks_json_free(&doc);
    lks_buf_free(&out);
}

/* Every double comes back, also where the locale writes a decimal comma. */
static void test_doubles(void **state)
{
    (void)state;
    static const double VALUES[] = {
        0, 1, -1, 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.125, 1e21};
    const char *locale = setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed */
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        lks_buf out = {0};
        lks_json_writer w = {.out = &out};
        lks_json doc;
        double back;
        lks_json_put_f64(&w, VALUES[i]);
        OK(lks_json_parse(&doc, lks_buf_text(&out), out.len, 1));
        OK(lks_json_f64(&doc, 0, &back));
        assert_true(back == VALUES[i]);
        lks_json_free(&doc);
        lks_buf_free(&out);
    }
    if (locale)
        setlocale(LC_ALL, "C");
    lks_buf out = {0};
    lks_json_writer w = {.out = &out};
    lks_json_begin_array(&w);
    lks_json_put_f64(&w, INFINITY);
    lks_json_put_f64(&w, NAN);
    lks_json_put_f64(&w, 0.1);
    lks_json_end_array(&w);
    assert_string_equal(lks_buf_text(&out), "[null,null,0.1]");
    lks_buf_free(&out);
}

/* A hostile text of the largest allowed size is read, or refused, in linear time: this test hangs
 * otherwise. */
static void test_large(void **state)
{
    (void)state;
    lks_buf text = {0};
    lks_json doc;
    lks_buf_put_text(&text, "[");
    for (int i = 0; i < 200000; i++)
        lks_buf_put_text(&text, i ? ",{\"a\":[[]]}" : "{\"a\":[[]]}");
    lks_buf_put_text(&text, "]");
    OK(lks_json_parse(&doc, lks_buf_text(&text), text.len, LKS_JSON_MAX_VALUES));
    assert_int_equal(doc.count, 1 + 4 * 200000);
    lks_json_free(&doc);
    lks_buf_clear(&text);
    for (int i = 0; i < 500000; i++)
        lks_buf_put_text(&text, "{\"a\":\"b\":");
    assert_int_equal(lks_json_parse(&doc, lks_buf_text(&text), text.len, LKS_JSON_MAX_VALUES),
                     LKS_CORRUPT);
    lks_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yes),       cmocka_unit_test(test_no),
        cmocka_unit_test(test_cut_short), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_look_up),   cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_hex),
        cmocka_unit_test(test_writer),    cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
