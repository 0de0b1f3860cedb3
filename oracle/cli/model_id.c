#include "oracle/cli/model_id.h"

#include "chain/hex.h"
#include "oracle/cli/cli.h"

#include <string.h>

static void show_progress(void *user, uint64_t done, uint64_t total)
{
    lks_progress_update(user, done, total);
}

int lks_model_commit(lks_model_commitment *out, const lks_model *m, const char *path,
                     lks_progress *progress)
{
    const char *label = progress->label;
    progress->label = "hashing the model";
    lks_err err = lks_commitment_make(out, m, show_progress, progress);
    progress->label = label;
    lks_progress_end(progress);
    return err == LKS_OK ? LKS_PARSED : lks_cli_fail_file(err, path, NULL);
}

lks_err lks_model_is_registered(bool *out, lks_link *s, const uint8_t model_id32[32])
{
    lks_buf call = {0}, result = {0};
    lks_err err = lks_call_is_registered(&call, model_id32);
    err = lks_link_view(s, s->contracts.registry, &call, err, &result);
    if (err == LKS_OK) {
        err = lks_return_bool(out, result.data, result.len);
    }
    lks_buf_free(&result);
    return err;
}

int lks_model_parse_id(uint8_t id32[32], const char *command, const char *text)
{
    if (lks_hex_decode(id32, 32, text, strlen(text)) != LKS_OK) {
        return lks_cli_fail(LKS_EXIT_USAGE, "%s: '%.80s' is not a model id; give 0x and 64 digits",
                            command, text);
    }
    return LKS_PARSED;
}
