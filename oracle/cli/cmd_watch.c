/* lockstep watch: looks at every claim, and disputes the wrong ones. */
#include "chain/keystore.h"
#include "oracle/cli/cli.h"
#include "oracle/cli/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct watching {
    uint32_t share_bits;
    bool share_given, once, dry_run;
    const char *spill;
    uint32_t threads;
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
    if (lks_account_default_keystore(&directory, a) != LKS_OK || lks_keystore_list(&entries, &count, lks_buf_text(&directory)) != LKS_OK) {
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
        return lks_cli_fail(LKS_EXIT_USAGE, "watch: no model; name the GGUF files of the requests to look at, or set LOCKSTEP_MODEL");
    }
    for (int i = 0; i < (count == 0 ? 1 : count); i++) {
        int code = lks_rerun_open_path(&w->models[w->model_count++], count == 0 ? fallback : paths[i], "watch", &t->link.progress);
        if (code != LKS_PARSED) {
            return code;
        }
    }
    return LKS_PARSED;
}

/* Rounds without end, or one that looks at what is there and plays what comes of it. */
static int rounds(watching *t)
{
    const struct timespec pause = {.tv_sec = 1};
    lks_watch *w = &t->watch;
    bool any = true;
    for (unsigned failures = 0;;) {
        lks_err err = lks_watch_scan(w);
        if (err == LKS_IO || err == LKS_TIMEOUT) {
            failures++;
        } else if (err != LKS_OK) {
            return lks_link_fail(&t->link, err, NULL);
        } else {
            failures = 0;
        }
        if (failures != 0 && failures % 60 == 1) {
            lks_link_fail(&t->link, err, "trying again");
        }
        int code = lks_watch_play(w);
        if (code == LKS_PARSED) {
            code = lks_watch_check(w, &any);
        }
        if (code != LKS_PARSED) {
            return code;
        }
        if (t->once && !any && w->game_count == 0 && failures == 0) {
            return LKS_PARSED;
        }
        if (!any) {
            lks_progress_wait(&t->link.progress, w->game_count == 0 ? "waiting for claims" : "playing disputes");
            nanosleep(&pause, NULL);
        }
    }
}

static int run(watching *t, char **paths, int count)
{
    lks_watch *w = &t->watch;
    int code = lks_link_need_game(&t->link);
    if (code == LKS_PARSED) {
        code = open_models(t, paths, count);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    if (w->report_only && !t->dry_run) {
        fprintf(stderr, "lockstep: watch: no account: wrong claims are reported only; name a key with --keystore to dispute them\n");
    }
    code = lks_watch_begin(w);
    if (code == LKS_PARSED) {
        code = rounds(t);
    }
    if (code != LKS_PARSED) {
        return code;
    }
    lks_progress_end(&t->link.progress);
    if (!t->chain.json) {
        printf("%" PRIu64 " right, %" PRIu64 " wrong, %" PRIu64 " left out\n", w->right, w->wrong, w->left_out);
    }
    return lks_cli_finish(w->wrong > 0 ? LKS_EXIT_WRONG : LKS_EXIT_OK);
}

int lks_cmd_watch(int argc, char **argv)
{
    watching t = {0};
    char **args;
    int arg_count;
    const lks_option options[] = {
        {.name = "share", .kind = LKS_OPT_F32, .out = &t.share_bits, .given = &t.share_given, .value = "P",
         .help = "look at this share of the claims, drawn at random (default 1: all)"},
        {.name = "once", .kind = LKS_OPT_FLAG, .out = &t.once, .help = "look at the claims there are, play what comes of it, and end: 8 when one was wrong"},
        {.name = "dry-run", .kind = LKS_OPT_FLAG, .out = &t.dry_run, .help = "report wrong claims, dispute none; needs no account"},
        {.name = "threads", .letter = 'j', .kind = LKS_OPT_U32, .out = &t.threads, .value = "N", .help = "threads (default: one per core)"},
        {.name = "spill", .kind = LKS_OPT_TEXT, .out = &t.spill, .value = "FOLDER",
         .help = "keep traces in files there, unlinked, instead of computing parts of them again"},
        LKS_CHAIN_OPTIONS(t.chain),
        LKS_ACCOUNT_OPTIONS(t.account),
    };
    const lks_usage usage = {.synopsis = "[OPTIONS] FILE...",
                             .about = "Computes every claim again that is made with one of the models FILE... ($LOCKSTEP_MODEL where none is named), one line\n"
                                      "for each, and disputes the wrong ones with the account's key: several disputes at once, to their ends. Started again, it goes\n"
                                      "on with the account's open disputes. Without an account it only reports.\n",
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
    t.watch.rerun = (lks_rerun_args){.spill = t.spill, .threads = t.threads};
    code = lks_link_open(&t.link, &t.chain, t.watch.report_only ? NULL : &t.account, argv[0]);
    t.watch.link = &t.link;
    if (code == LKS_PARSED) {
        code = run(&t, args, arg_count);
    }
    lks_watch_free(&t.watch);
    lks_link_close(&t.link);
    return code;
}
