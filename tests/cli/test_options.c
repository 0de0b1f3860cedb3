#include "oracle/cli/options.h"

#include "oracle/cli/cli.h"
#include "tests/chain/chain_test.h"

typedef struct values {
    bool flag, given;
    const char *text;
    uint32_t number, bits;
    uint64_t wide;
    lks_text_list list;
} values;

/* Parses words separated by single spaces. Out: arguments joined by '|'. */
static int parse(values *v, const char *line, char *joined)
{
    const lks_option options[] = {
        {.name = "flag", .letter = 'f', .kind = LKS_OPT_FLAG, .out = &v->flag, .help = "a flag"},
        {.name = "text",
         .letter = 't',
         .kind = LKS_OPT_TEXT,
         .out = &v->text,
         .value = "T",
         .help = "a text"},
        {.name = "number",
         .letter = 'n',
         .kind = LKS_OPT_U32,
         .out = &v->number,
         .given = &v->given,
         .value = "N",
         .help = "a number"},
        {.name = "list", .kind = LKS_OPT_LIST, .out = &v->list, .value = "T", .help = "texts"},
        {.name = "wide",
         .kind = LKS_OPT_U64,
         .out = &v->wide,
         .value = "N",
         .help = "a wide number"},
        {.name = "decimal",
         .kind = LKS_OPT_F32,
         .out = &v->bits,
         .value = "D",
         .help = "a decimal"},
    };
    const lks_usage usage = {.synopsis = "[OPTIONS] ARGUMENT [ARGUMENT]",
                             .about = "A test.\n",
                             .options = options,
                             .option_count = sizeof options / sizeof options[0],
                             .min_args = 1,
                             .max_args = 2};
    char *words[32], **args, *copy = strdup(line), *rest = NULL;
    int count = 0, arg_count = 0;
    assert_non_null(copy);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    words[count] = NULL;
    *v = (values){0};
    int code = lks_cli_parse(&usage, count, words, &args, &arg_count);
    joined[0] = '\0';
    for (int i = 0; code == LKS_PARSED && i < arg_count; i++) {
        strcat(joined, args[i]);
        strcat(joined, "|");
    }
    if (v->text != NULL) {
        v->text = strdup(v->text);
    }
    free(copy);
    return code;
}

static void test_list(void **state)
{
    (void)state;
    values v;
    char joined[256];
    assert_int_equal(parse(&v, "cmd a --list x --list=y", joined), LKS_PARSED);
    assert_int_equal(v.list.count, 2);
    assert_int_equal(parse(&v,
                           "cmd a --list 1 --list 2 --list 3 --list 4 --list 5 --list 6"
                           " --list 7 --list 8 --list 9",
                           joined),
                     2);
}

static void test_values(void **state)
{
    (void)state;
    values v;
    char joined[256];
    assert_int_equal(parse(&v, "cmd a", joined), LKS_PARSED);
    assert_string_equal(joined, "a|");
    assert_false(v.flag || v.given || v.text || v.number || v.bits || v.wide);
    /* Twice: the parser keeps no state between calls. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            parse(&v, "cmd a -f --text=x --number 7 b --wide 18446744073709551615 --decimal 0.5",
                  joined),
            LKS_PARSED);
        assert_string_equal(joined, "a|b|");
        assert_true(v.flag && v.given && v.wide == UINT64_MAX);
        assert_string_equal(v.text, "x");
        assert_int_equal(v.number, 7);
        assert_int_equal(v.bits, 0x3f000000);
        free((char *)v.text);
    }
}

static void test_short_forms_and_dashes(void **state)
{
    (void)state;
    values v;
    char joined[256];
    assert_int_equal(parse(&v, "cmd -fn3 -t - -", joined), LKS_PARSED);
    assert_string_equal(joined, "-|");
    assert_string_equal(v.text, "-");
    assert_true(v.flag && v.number == 3);
    free((char *)v.text);
    assert_int_equal(parse(&v, "cmd -- -f --text", joined), LKS_PARSED);
    assert_string_equal(joined, "-f|--text|");
    assert_false(v.flag);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "cmd",
        "cmd a b c",
        "cmd a --nope",
        "cmd a -z",
        "cmd a -n",
        "cmd a --number",
        "cmd a -n x",
        "cmd a -n -1",
        "cmd a --wide 1x",
        "cmd a --decimal inf",
        "cmd a --flag=1",
        "cmd a --number 4294967296",
        "cmd a -fz",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        values v;
        char joined[256];
        if (parse(&v, lines[i], joined) != LKS_EXIT_USAGE) {
            fail_msg("'%s' is accepted", lines[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_short_forms_and_dashes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
