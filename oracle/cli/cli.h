/* Shared by all commands: their shape, the exit codes and the form of error messages.
 *
 * A command is a function (argc, argv) -> exit code; argv[0] is its name ("model info"). It parses
 * its options with lks_cli_parse (options.h), prints results on standard output, and everything
 * else on standard error. */
#ifndef LKS_CLI_CLI_H
#define LKS_CLI_CLI_H

#include <stdio.h>

#include "chain/err.h"

/* Documented in `lockstep --help`: a script may rely on them. */
enum lks_exit {
    LKS_EXIT_OK = 0,
    LKS_EXIT_NO = 1,       /* a check failed, or what was waited for did not come about */
    LKS_EXIT_USAGE = 2,    /* the command line is wrong */
    LKS_EXIT_INPUT = 3,    /* a file or text is missing, damaged or not supported */
    LKS_EXIT_CHAIN = 4,    /* no node, the wrong chain, or a node that talks nonsense */
    LKS_EXIT_REFUSED = 5,  /* a contract refused, or the account has too little */
    LKS_EXIT_AUTH = 6,     /* no account, no password, or a wrong one */
    LKS_EXIT_INTERNAL = 7, /* out of memory, standard output lost, our bug */
    LKS_EXIT_WRONG = 8,    /* the claim that was computed again is wrong */
    LKS_EXIT_INTERRUPTED = 130
};

typedef int (*lks_command_fn)(int argc, char **argv);

int lks_cmd_run(int argc, char **argv);
int lks_cmd_tokenize(int argc, char **argv);
int lks_cmd_detokenize(int argc, char **argv);
int lks_cmd_model_info(int argc, char **argv);
int lks_cmd_model_import(int argc, char **argv);
int lks_cmd_model_register(int argc, char **argv);
int lks_cmd_account_new(int argc, char **argv);
int lks_cmd_account_list(int argc, char **argv);
int lks_cmd_ask(int argc, char **argv);
int lks_cmd_status(int argc, char **argv);
int lks_cmd_cancel(int argc, char **argv);
int lks_cmd_finalize(int argc, char **argv);
int lks_cmd_bond_deposit(int argc, char **argv);
int lks_cmd_bond_withdraw(int argc, char **argv);
int lks_cmd_bond_agent(int argc, char **argv);
int lks_cmd_bond_source(int argc, char **argv);
int lks_cmd_credit_withdraw(int argc, char **argv);
int lks_cmd_check(int argc, char **argv);
int lks_cmd_challenge(int argc, char **argv);
int lks_cmd_prove(int argc, char **argv);
int lks_cmd_watch(int argc, char **argv);
int lks_cmd_dispute_list(int argc, char **argv);
int lks_cmd_dispute_show(int argc, char **argv);
int lks_cmd_timeout(int argc, char **argv);

/* From now on every line of lks_cli_fail and lks_cli_note, and each that begins with
 * lks_cli_stamp, begins with the time, "2026-11-22T02:30:00Z ", unless a terminal shows it. */
void lks_cli_stamp_lines(void);
void lks_cli_stamp(FILE *out);

/* Prints "lockstep: MESSAGE" as one line on standard error. Returns: code. */
int lks_cli_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for news that are no failure. */
void lks_cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "lockstep: WHAT: WHY", WHY being lks_error_message(), with "; HINT" behind it when hint is
 * not NULL.
 * Returns: the exit code for err where outside bytes are files or text that a person named. */
int lks_cli_fail_file(lks_err err, const char *what, const char *hint);

/* The same where the outside is a node and its contracts. */
int lks_cli_fail_chain(lks_err err, const char *what, const char *hint);

/* Flushes standard output. Returns: code, or LKS_EXIT_INTERNAL after telling that it could not be
 * written. */
int lks_cli_finish(int code);

#endif
