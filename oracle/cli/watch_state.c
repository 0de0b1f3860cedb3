/* File of the claims that a watch has checked:
 *
 *     lockstep watch 1
 *     chain ID oracle 0xADDRESS disputes yes|no
 *     model 0xID                                    for each model
 *     next BLOCK
 *     claim 0xNAME BLOCK WINDOW-END waiting|own|done
 *     keccak 0xHASH                                 of all bytes before this line
 *
 * It is written beside itself and renamed, so that there is always a whole one. */
#include "oracle/cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/address.h"
#include "chain/hex.h"
#include "chain/keccak.h"
#include "oracle/cli/io.h"

#define MAX_BYTES ((size_t)1 << 28)
#define HASH_LINE (sizeof "keccak " - 1 + LKS_HEX_SIZE(32)) /* with its newline */

/* ---- writing ---- */

static void put_head(lks_buf *out, const lks_watch *w)
{
    char oracle[LKS_ADDRESS_SIZE], id[LKS_HEX_SIZE(32)];
    lks_address_format(oracle, w->link->contracts.oracle);
    lks_buf_printf(out, "lockstep watch 1\nchain %" PRIu64 " oracle %s disputes %s\n",
                   w->link->contracts.chain_id, oracle, w->report_only ? "no" : "yes");
    for (size_t i = 0; i < w->model_count; i++) {
        lks_hex_encode(id, w->models[i].commitment.model_id, 32);
        lks_buf_printf(out, "model %s\n", id);
    }
}

static const char *state_word(lks_watched_state state)
{
    return state == LKS_WATCHED_WAITING ? "waiting" : state == LKS_WATCHED_DONE ? "done" : "own";
}

static lks_err put_all(lks_buf *out, const lks_watch *w)
{
    uint8_t hash[32];
    char text[LKS_HEX_SIZE(32)];
    put_head(out, w);
    lks_buf_printf(out, "next %" PRIu64 "\n", w->next);
    for (size_t i = 0; i < w->claims.count; i++) {
        const lks_watched *c = &w->claims.items[i];
        lks_hex_encode(text, c->name, 32);
        lks_buf_printf(out, "claim %s %" PRIu64 " %" PRIu64 " %s\n", text, c->block, c->window_end,
                       state_word(c->state));
    }
    lks_keccak256(hash, out->data, out->len);
    lks_hex_encode(text, hash, 32);
    lks_buf_printf(out, "keccak %s\n", text);
    return lks_buf_error(out);
}

static lks_err write_file(const char *path, const lks_buf *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    if (fd < 0)
        return lks_fail(LKS_IO, "%s", strerror(errno));
    while (done < bytes->len) {
        ssize_t n = write(fd, bytes->data + done, bytes->len - done);
        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    bool good = done == bytes->len && fsync(fd) == 0;
    int fault = errno;
    good = close(fd) == 0 && good;
    return good ? LKS_OK : lks_fail(LKS_IO, "cannot be written: %s", strerror(fault));
}

/* A rename lasts only once the folder is synced. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    lks_buf folder = {0};
    if (slash != NULL)
        lks_buf_put(&folder, path, (size_t)(slash - path) + 1);
    int fd = open(slash != NULL ? lks_buf_text(&folder) : ".", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    lks_buf_free(&folder);
}

lks_err lks_watch_state_write(const lks_watch *w)
{
    lks_buf bytes = {0}, beside = {0};
    lks_buf_printf(&beside, "%s.new", w->state_path);
    lks_err err = put_all(&bytes, w);
    if (err == LKS_OK)
        err = lks_buf_error(&beside);
    if (err == LKS_OK)
        err = write_file(lks_buf_text(&beside), &bytes);
    if (err == LKS_OK && rename(lks_buf_text(&beside), w->state_path) != 0)
        err = lks_fail(LKS_IO, "cannot be replaced: %s", strerror(errno));
    if (err == LKS_OK)
        sync_folder(w->state_path);
    lks_buf_free(&bytes);
    lks_buf_free(&beside);
    return err;
}

/* ---- reading ---- */

static lks_err damaged(void)
{
    return lks_fail(LKS_CORRUPT, "the state file is damaged");
}

/* Whether it ends with the hash of all that is before. */
static bool is_whole(const char *text, size_t len)
{
    uint8_t hash[32], found[32];
    if (len < HASH_LINE)
        return false;
    const char *line = text + len - HASH_LINE;
    lks_keccak256(hash, text, len - HASH_LINE);
    return memcmp(line, "keccak ", 7) == 0 && text[len - 1] == '\n' &&
           lks_hex_decode(found, 32, line + 7, LKS_HEX_SIZE(32) - 1) == LKS_OK &&
           memcmp(hash, found, 32) == 0;
}

/* Whether the text begins as the file of this watch does. */
static lks_err check_head(const char **at, const lks_watch *w, const char *text)
{
    lks_buf head = {0};
    put_head(&head, w);
    lks_err err = lks_buf_error(&head);
    const char *want = lks_buf_text(&head);
    const char *oracle = err == LKS_OK ? strstr(want, " disputes ") : want;
    *at = text + head.len;
    if (err == LKS_OK && strncmp(text, want, head.len) != 0) {
        bool same = strncmp(text, want, (size_t)(oracle - want)) == 0;
        err = same ? lks_fail(LKS_CORRUPT, "it was written for other models, or with other options")
                   : lks_fail(LKS_BADARGS,
                              "the state file belongs to another deployment; name another "
                              "file with --state");
    }
    lks_buf_free(&head);
    return err;
}

static lks_err read_claim(lks_watch *w, const char *line)
{
    char name[LKS_HEX_SIZE(32)], word[16];
    lks_watched c = {.state = LKS_WATCHED_DONE};
    int used = -1;
    sscanf(line, "claim %66s %" SCNu64 " %" SCNu64 " %15s%n", name, &c.block, &c.window_end, word,
           &used);
    if (used < 0 || line[used] != '\n' || lks_hex_decode(c.name, 32, name, strlen(name)) != LKS_OK)
        return damaged();
    if (strcmp(word, "waiting") == 0)
        c.state = LKS_WATCHED_WAITING;
    else if (strcmp(word, "own") == 0)
        c.state = LKS_WATCHED_OWN;
    else if (strcmp(word, "done") != 0)
        return damaged();
    if (lks_claim_set_find(&w->claims, c.name) != NULL)
        return damaged();
    return lks_claim_set_add(&w->claims, &c);
}

static lks_err read_lines(lks_watch *w, const char *at, const char *end)
{
    lks_err err = LKS_OK;
    int used = -1;
    sscanf(at, "next %" SCNu64 "%n", &w->next, &used);
    if (used < 0 || at[used] != '\n')
        return damaged();
    for (at += used + 1; err == LKS_OK && at < end; at = strchr(at, '\n') + 1)
        err = read_claim(w, at);
    return err;
}

lks_err lks_watch_state_read(lks_watch *w)
{
    char *text = NULL;
    size_t len = 0;
    const char *at;
    if (access(w->state_path, F_OK) != 0 && errno == ENOENT)
        return lks_fail(LKS_NOTFOUND, "there is no state file");
    lks_err err = lks_read_all(&text, &len, w->state_path, MAX_BYTES);
    if (err != LKS_OK)
        return err == LKS_REFUSED ? damaged() : err;
    if (!is_whole(text, len))
        err = damaged();
    if (err == LKS_OK)
        err = check_head(&at, w, text);
    if (err == LKS_OK)
        err = read_lines(w, at, text + len - HASH_LINE);
    if (err != LKS_OK)
        lks_claim_set_free(&w->claims);
    free(text);
    return err;
}
