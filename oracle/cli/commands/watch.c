/* lockstep watch: looks at every claim, and disputes the wrong ones. */
#include "oracle/cli/watch.h"
#include "chain/keystore.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/interrupt.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct watching {
    uint32_t share_bits;
    bool share_given, dry_run;
    const char *spill;
    lks_chain_args chain;
    lks_account_args account;
    lks_link link;
    lks_watch watch;
} watching;

static int read_share(watching *t)
{
    float share = 1;
    if (t->share_given) {
        memcpy(&share, &t->share_bits, sizeof share);
    }
    if (!(share > 0 && share <= 1)) {
        return lks_cli_fail(LKS_EXIT_USAGE, "watch: --share is above 0 and at most 1, such as 0.1");
    }
    t->watch.share = (double)share;
    return LKS_PARSED;
}

/* Whether an account is configured: named, or in the keystore. */
static bool has_key(const lks_account_args *a)
{
    lks_buf directory = {0};
    lks_keystore_entry *entries = NULL;
    size_t count = 0;
    if (lks_cli_setting(a->keystore, "LOCKSTEP_KEYSTORE") != NULL || a->account != NULL) {
        return true;
    }
    if (lks_account_default_keystore(&directory, a) != LKS_OK ||
        lks_keystore_list(&entries, &count, lks_buf_text(&directory)) != LKS_OK) {
        count = 0;
    }
    lks_keystore_list_free(entries, count);
    lks_buf_free(&directory);
    return count > 0;
}

static int open_models(watching *t, char **paths, int count)
{
    lks_watch *w = &t->watch;
    const char *fallback = lks_cli_setting(NULL, "LOCKSTEP_MODEL");
    if (count == 0 && fallback == NULL) {
        return lks_cli_fail(LKS_EXIT_USAGE,
                            "watch: no model; name the GGUF files of the requests to check, or set "
                            "LOCKSTEP_MODEL");
    }
    for (int i = 0; i < (count == 0 ? 1 : count); i++) {
        int code = lks_rerun_load(&w->models[w->model_count++], count == 0 ? fallback : paths[i],
                                  !w->report_only, w->threads, "watch", &t->link.progress);
        if (code != LKS_PARSED)
            return code;
    }
    return LKS_PARSED;
}

static void wait_a_second(void)
{
    const struct timespec pause = {.tv_nsec = 100000000};
    for (int i = 0; i < 10 && !lks_interrupted(); i++)
        nanosleep(&pause, NULL);
}

/* Retries a failed start, except for errors that stay, such as a missing contract. */
static int begin(watching *t)
{
    lks_backoff retry = {0};
    for (;;) {
        lks_err err = lks_watch_begin(&t->watch);
        if (err == LKS_OK)
            return LKS_PARSED;
        bool wrong = err == LKS_AUTH || err == LKS_BADARGS;
        int code = lks_link_fail(&t->link, err, NULL);
        if (wrong || t->watch.once)
            return code;
        lks_backoff_fail(&retry);
        while (!lks_backoff_ready(&retry)) {
            if (lks_interrupted())
                return LKS_EXIT_INTERRUPTED;
            wait_a_second();
        }
    }
}

/* Rounds without end, or until all that is there is looked at and played. */
static int rounds(watching *t)
{
    lks_watch *w = &t->watch;
    for (;;) {
        bool idle;
        if (lks_watch_round(w, &idle) == LKS_EXIT_INTERRUPTED)
            return LKS_EXIT_INTERRUPTED;
        if (w->once && lks_watch_settled(w))
            return LKS_PARSED;
        if (idle) {
            lks_progress_wait(&t->link.progress, w->check.task != NULL ? "computing a claim again"
                                                 : w->game_count > 0   ? "playing disputes"
                                                                       : "waiting for claims");
            wait_a_second();
        }
    }
}

static int tell_end(watching *t, int code)
{
    lks_watch *w = &t->watch;
    lks_progress_end(&t->link.progress);
    if (!w->json) {
        lks_cli_stamp(stdout);
        printf("%" PRIu64 " right, %" PRIu64 " wrong, %" PRIu64 " left out\n", w->right, w->wrong,
               w->left_out);
    }
    if (code == LKS_EXIT_INTERRUPTED) {
        lks_cli_note("watch: ended by a signal");
        lks_watch_tell_open(w);
        return lks_cli_finish(w->once ? LKS_EXIT_INTERRUPTED : LKS_EXIT_OK);
    }
    return lks_cli_finish(w->wrong > 0 ? LKS_EXIT_WRONG : LKS_EXIT_OK);
}

static int run(watching *t, char **paths, int count)
{
    lks_watch *w = &t->watch;
    int code = lks_link_need_game(&t->link);
    if (code == LKS_PARSED)
        code = open_models(t, paths, count);
    if (code == LKS_PARSED && t->spill != NULL &&
        lks_spill_open(&w->spill, t->spill, UINT64_MAX) != LKS_OK)
        code = lks_cli_fail_file(LKS_IO, "watch", "choose another --spill folder, or leave it out");
    if (code != LKS_PARSED)
        return code;
    if (w->report_only && !t->dry_run)
        lks_cli_note("watch: no account: wrong claims are reported only; name a key with "
                     "--keystore to dispute them");
    lks_interrupt_catch();
    code = begin(t);
    if (code == LKS_PARSED)
        code = rounds(t);
    return code == LKS_PARSED || code == LKS_EXIT_INTERRUPTED ? tell_end(t, code) : code;
}

int lks_cmd_watch(int argc, char **argv)
{
    watching t = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "share",
         .kind = LKS_OPT_F32,
         .out = &t.share_bits,
         .given = &t.share_given,
         .value = "P",
         .help = "check this share of the claims, drawn at random (default 1: all)"},
        {.name = "once",
         .kind = LKS_OPT_FLAG,
         .out = &t.watch.once,
         .help = "check the present claims, play their disputes, and exit: 8 when one was wrong"},
        {.name = "dry-run",
         .kind = LKS_OPT_FLAG,
         .out = &t.dry_run,
         .help = "report wrong claims, dispute none; needs no account"},
        {.name = "threads",
         .letter = 'j',
         .kind = LKS_OPT_U32,
         .out = &t.watch.threads,
         .value = "N",
         .help = "threads (default: one per core)"},
        {.name = "spill",
         .kind = LKS_OPT_TEXT,
         .out = &t.spill,
         .value = "FOLDER",
         .help = "keep traces in unlinked files there instead of computing parts of them again"},
        {.name = "state",
         .kind = LKS_OPT_TEXT,
         .out = &t.watch.state_path,
         .value = "FILE",
         .help = "record checked claims there, so that a restart does not check them again"},
        LKS_CHAIN_OPTIONS(t.chain),
        LKS_ACCOUNT_OPTIONS(t.account),
    };
    const lks_usage usage = {
        .synopsis = "[OPTIONS] FILE...",
        .about = "Computes every claim again that is made with one of the models FILE...\n"
                 "(default: $LOCKSTEP_MODEL), prints a line for each, and disputes the wrong\n"
                 "ones with the account's key: several disputes at once, to their ends. After a\n"
                 "restart it resumes the account's open disputes. Without an account it only\n"
                 "reports.\n"
                 "It runs until SIGTERM or SIGINT, then reports what is left open. Failures are\n"
                 "retried after pauses of up to a minute. Moves in disputes go before claims. If\n"
                 "standard output is not a terminal, lines begin with the time.\n",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .max_args = LKS_WATCH_MAX_MODELS};
    int code = lks_cli_parse(&usage, argc, argv, &args, &arg_count);
    if (code == LKS_PARSED) {
        code = read_share(&t);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    t.watch.report_only = t.dry_run || !has_key(&t.account);
    t.watch.json = t.chain.json;
    t.chain.patient = !t.watch.once;
    t.watch.gate = (lks_gate)LKS_GATE_INIT;
    lks_cli_stamp_lines();
    signal(SIGHUP, SIG_IGN);
    code = lks_link_open(&t.link, &t.chain, t.watch.report_only ? NULL : &t.account, argv[0]);
    t.watch.link = &t.link;
    if (code == LKS_PARSED) {
        code = run(&t, args, arg_count);
    }
    lks_watch_close(&t.watch);
    lks_link_close(&t.link);
    return code;
}
