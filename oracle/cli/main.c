/* The command line: a table of commands, and who is called. */
#include "oracle/cli/cli.h"
#include "oracle/cli/cut_off.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    lks_command_fn run;
    const char *summary;
} commands[] = {
    {"run", lks_cmd_run, "answer a prompt on this machine"},
    {"tokenize", lks_cmd_tokenize, "turn text into token ids"},
    {"detokenize", lks_cmd_detokenize, "turn token ids into text"},
    {"model info", lks_cmd_model_info, "show a model file's commitment and model id"},
    {"model import", lks_cmd_model_import, "make a file whose matrices are quantised"},
    {"model register", lks_cmd_model_register, "put a model's commitment on chain"},
    {"ask", lks_cmd_ask, "ask on chain and wait for the answer"},
    {"status", lks_cmd_status, "show a request, or the deployment and an account"},
    {"cancel", lks_cmd_cancel, "take a request back, and its fee"},
    {"finalize", lks_cmd_finalize, "take the step that a request is due for"},
    {"check", lks_cmd_check, "compute a claim again and say whether it is right"},
    {"challenge", lks_cmd_challenge, "dispute a wrong claim, and play the dispute"},
    {"prove", lks_cmd_prove, "prove a claim wrong without a dispute"},
    {"watch", lks_cmd_watch, "check every claim, and dispute the wrong ones"},
    {"dispute list", lks_cmd_dispute_list, "list the live disputes"},
    {"dispute show", lks_cmd_dispute_show, "show a dispute move by move"},
    {"timeout", lks_cmd_timeout, "end a dispute whose side to move is late"},
    {"bond deposit", lks_cmd_bond_deposit, "add to an operator's bond"},
    {"bond withdraw", lks_cmd_bond_withdraw, "take bond out, in two steps"},
    {"bond agent", lks_cmd_bond_agent, "set or show who may act for an operator"},
    {"bond source", lks_cmd_bond_source, "set or show which contracts may lock an operator's bond"},
    {"credit withdraw", lks_cmd_credit_withdraw, "collect fees, refunds and rewards"},
    {"account new", lks_cmd_account_new, "make an account"},
    {"account list", lks_cmd_account_list, "show the accounts of a keystore"},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const char EXIT_CODES[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  a check failed, or the awaited result did not come\n"
    "  2  the command line is wrong\n"
    "  3  a file or text is missing, damaged or not supported\n"
    "  4  no node, the wrong chain, or a node that gives no sensible answer\n"
    "  5  a contract refused, or the account has too little\n"
    "  6  no account, no password, or a wrong one\n"
    "  7  out of memory, standard output cannot be written, or an internal fault\n"
    "  8  the claim is wrong\n"
    "  130  interrupted\n";

/* Commands whose name begins with prefix; NULL: all. */
static void print_commands(FILE *out, const char *prefix)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (prefix == NULL || strncmp(commands[i].name, prefix, strlen(prefix)) == 0) {
            fprintf(out, "  %-16s %s\n", commands[i].name, commands[i].summary);
        }
    }
}

static void print_help(void)
{
    printf("Usage: lockstep COMMAND [OPTIONS] [ARGUMENTS]\n\n"
           "Language model answers that a smart contract can rely on: every machine computes the "
           "same bits.\n\nCommands:\n");
    print_commands(stdout, NULL);
    printf("\nEvery command has --help. Results go to standard output, everything else to standard "
           "error.\n\n%s",
           EXIT_CODES);
}

/* Whether some command has two words of which this is the first. */
static int is_group(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strncmp(commands[i].name, word, len) == 0 && commands[i].name[len] == ' ') {
            return 1;
        }
    }
    return 0;
}

static int group_help(const char *word, FILE *out)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s ", word);
    fprintf(out, "Usage: lockstep %sCOMMAND [OPTIONS] [ARGUMENTS]\n\n", prefix);
    print_commands(out, prefix);
    return out == stdout ? lks_cli_finish(LKS_EXIT_OK) : LKS_EXIT_USAGE;
}

static int call(int argc, char **argv)
{
    char name[64];
    int words = is_group(argv[0]) ? 2 : 1;
    if (words == 2 && argc < 2) {
        return group_help(argv[0], stderr);
    }
    if (words == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        return group_help(argv[0], stdout);
    }
    snprintf(name, sizeof name, "%s%s%s", argv[0], words == 2 ? " " : "",
             words == 2 ? argv[1] : "");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            argv[words - 1] = name;
            return commands[i].run(argc - words + 1, argv + words - 1);
        }
    }
    return lks_cli_fail(LKS_EXIT_USAGE, "'%s' is not a command; see lockstep --help", name);
}

int main(int argc, char **argv)
{
    /* A reader that goes away is an error of write(), told like any other. */
    signal(SIGPIPE, SIG_IGN);
    lks_cut_off_catch();
    if (argc < 2) {
        print_help();
        return lks_cli_finish(LKS_EXIT_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help();
        return lks_cli_finish(LKS_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("lockstep %s\n", LKS_VERSION);
        return lks_cli_finish(LKS_EXIT_OK);
    }
    return call(argc - 1, argv + 1);
}
