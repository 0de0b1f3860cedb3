/* Options from a table: one entry an option gives its parsing and its line of --help. */
#ifndef LKS_CLI_OPTIONS_H
#define LKS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lks_option_kind {
    LKS_OPT_FLAG, /* bool */
    LKS_OPT_TEXT, /* const char *, points into argv */
    LKS_OPT_LIST, /* lks_text_list: each time that it is given adds a text */
    LKS_OPT_U32,  /* uint32_t */
    LKS_OPT_U64,  /* uint64_t */
    LKS_OPT_F32   /* uint32_t, the bits of the float32 nearest to the decimal */
} lks_option_kind;

#define LKS_MAX_LIST 8u

typedef struct lks_text_list {
    const char *items[LKS_MAX_LIST]; /* point into argv */
    size_t count;
} lks_text_list;

typedef struct lks_option {
    const char *name; /* of the long form, without dashes */
    char letter;      /* of the short form; 0: none */
    lks_option_kind kind;
    void *out;         /* where the value goes; untouched when the option is not given */
    bool *given;       /* set when it is given; may be NULL */
    const char *value; /* name of its value in the help; NULL for a flag */
    const char *help;
} lks_option;

#define LKS_MAX_OPTIONS 40

typedef struct lks_usage {
    const char *synopsis; /* after "lockstep NAME " */
    const char *about;    /* one or more lines, each ended by a newline */
    const lks_option *options;
    size_t option_count;
    int min_args, max_args; /* positional arguments; max_args < 0: any number */
} lks_usage;

#define LKS_PARSED (-1)

/* Parses argv[1..]; --help is there for every command.
 * Out: *args points at the *arg_count positional arguments (inside argv, which is reordered).
 * Returns: LKS_PARSED, or the exit code to end with, after the help or the error was printed. */
int lks_cli_parse(const lks_usage *usage, int argc, char **argv, char ***args, int *arg_count);

#endif
