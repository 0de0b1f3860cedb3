#include "oracle/cli/options.h"

#include "oracle/cli/cli.h"
#include "oracle/cli/values.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define HELP_WIDTH 30

static void print_help(const lks_usage *usage, const char *name)
{
    printf("Usage: lockstep %s %s\n\n%s\nOptions:\n", name, usage->synopsis, usage->about);
    for (size_t i = 0; i <= usage->option_count; i++) {
        static const lks_option help = {
            .name = "help", .letter = 'h', .help = "print this and exit"};
        const lks_option *o = i < usage->option_count ? &usage->options[i] : &help;
        char left[96];
        if (o->letter != 0) {
            snprintf(left, sizeof left, "  -%c, --%s%s%s", o->letter, o->name,
                     o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        } else {
            snprintf(left, sizeof left, "      --%s%s%s", o->name, o->value != NULL ? " " : "",
                     o->value != NULL ? o->value : "");
        }
        if (strlen(left) >= HELP_WIDTH) {
            printf("%s\n%*s%s\n", left, HELP_WIDTH, "", o->help);
        } else {
            printf("%-*s%s\n", HELP_WIDTH, left, o->help);
        }
    }
}

static lks_err add_to_list(lks_text_list *list, const char *value)
{
    if (list->count == LKS_MAX_LIST)
        return lks_fail(LKS_BADARGS, "it can be given %u times", LKS_MAX_LIST);
    list->items[list->count++] = value;
    return LKS_OK;
}

/* Returns: LKS_OK, or LKS_BADARGS with the reason. */
static lks_err store(const lks_option *o, const char *value)
{
    lks_err err = LKS_OK;
    switch (o->kind) {
    case LKS_OPT_FLAG: *(bool *)o->out = true; break;
    case LKS_OPT_TEXT: *(const char **)o->out = value; break;
    case LKS_OPT_LIST: err = add_to_list(o->out, value); break;
    case LKS_OPT_U32: err = lks_parse_u32(o->out, value); break;
    case LKS_OPT_U64: err = lks_parse_u64(o->out, value); break;
    case LKS_OPT_F32: err = lks_parse_f32(o->out, value); break;
    }
    if (err == LKS_OK && o->given != NULL) {
        *o->given = true;
    }
    return err;
}

static int bad_option(const char *name, char **argv, int found)
{
    const char *what = found == ':' ? "needs a value" : "is not one of its options";
    if (optopt != 0 && strncmp(argv[optind - 1], "--", 2) != 0) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: -%c %s; see lockstep %s --help", name, optopt,
                            what, name);
    }
    return lks_cli_fail(LKS_EXIT_USAGE, "%s: %s %s; see lockstep %s --help", name, argv[optind - 1],
                        what, name);
}

int lks_cli_parse(const lks_usage *usage, int argc, char **argv, char ***args, int *arg_count)
{
    enum {
        FIRST_LONG = 256
    };
    struct option longs[LKS_MAX_OPTIONS + 2];
    char shorts[2 * LKS_MAX_OPTIONS + 4] = ":h";
    size_t n = 0, s = 2;
    const char *name = argv[0];
    if (usage->option_count > LKS_MAX_OPTIONS) {
        return lks_cli_fail(LKS_EXIT_INTERNAL, "%s: too many options in its table", name);
    }
    for (; n < usage->option_count; n++) {
        const lks_option *o = &usage->options[n];
        longs[n] =
            (struct option){o->name, o->kind == LKS_OPT_FLAG ? no_argument : required_argument,
                            NULL, FIRST_LONG + (int)n};
        if (o->letter != 0) {
            shorts[s++] = o->letter;
            if (o->kind != LKS_OPT_FLAG) {
                shorts[s++] = ':';
            }
        }
    }
    shorts[s] = '\0';
    longs[n++] = (struct option){"help", no_argument, NULL, 'h'};
    longs[n] = (struct option){0};

    opterr = 0;
    optind = 0; /* glibc: start afresh */
    int found;
    while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const lks_option *o = NULL;
        if (found == 'h') {
            print_help(usage, name);
            return lks_cli_finish(LKS_EXIT_OK);
        }
        if (found == '?' || found == ':') {
            return bad_option(name, argv, found);
        }
        for (size_t i = 0; i < usage->option_count; i++) {
            if (found == FIRST_LONG + (int)i || found == usage->options[i].letter) {
                o = &usage->options[i];
            }
        }
        if (o == NULL) {
            return lks_cli_fail(LKS_EXIT_INTERNAL, "%s: an option without an entry", name);
        }
        if (store(o, optarg) != LKS_OK) {
            return lks_cli_fail(LKS_EXIT_USAGE, "%s: --%s: %s; see lockstep %s --help", name,
                                o->name, lks_error_message(), name);
        }
    }
    *args = argv + optind;
    *arg_count = argc - optind;
    if (*arg_count < usage->min_args) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: an argument is missing; usage: lockstep %s %s",
                            name, name, usage->synopsis);
    }
    if (usage->max_args >= 0 && *arg_count > usage->max_args) {
        return lks_cli_fail(
            LKS_EXIT_USAGE,
            "%s: '%s' is one argument too many (put quotes around a text); usage: lockstep %s %s",
            name, (*args)[usage->max_args], name, usage->synopsis);
    }
    return LKS_PARSED;
}
