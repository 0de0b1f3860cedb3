/* run_model MODEL TEXT TOKENS: continues the text, sampling by a policy of its own, and prints the
 * answer's ids and the root of its trace: the same on every machine. */
#include "oracle/engine/generate.h"
#include "oracle/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TOKENS = 64
};

static lks_err print_run(const lks_model *m, const lks_tokens *prompt, uint32_t most)
{
    const lks_policy policy = {
        .temperature = 0x3f4ccccdu, .min_p = 0x3d4ccccdu, .seed = 1}; /* 0.8, 0.05 */
    uint32_t answer[MOST_TOKENS], count;
    uint8_t root[32];
    lks_trace *t;
    lks_err err = lks_generate(m, prompt->ids, prompt->count, &policy, most,
                               &(lks_generate_options){0}, answer, &count);
    if (err)
        return err;
    lks_run run = {prompt->ids, prompt->count, answer, count, policy};
    if ((err = lks_trace_make(&t, m, &run, &(lks_trace_options){0})))
        return err;
    for (uint32_t i = 0; i < count; i++)
        printf("%u ", answer[i]);
    lks_trace_root(root, t);
    for (int i = 0; i < 32; i++)
        printf("%02x", root[i]);
    printf("\n");
    if (lks_trace_first_wrong_token(t) != count)
        err = lks_fail(LKS_INTERNAL, "the trace does not give the answer's tokens");
    lks_trace_free(t);
    return err;
}

int main(int argc, char **argv)
{
    lks_model m;
    lks_tokens prompt = {0};
    int most = argc == 4 ? atoi(argv[3]) : 0;
    if (most < 1 || most > MOST_TOKENS) {
        fprintf(stderr, "usage: run_model MODEL TEXT TOKENS\n");
        return 2;
    }
    lks_err err = lks_model_open(&m, argv[1]);
    if (!err)
        err = lks_tokenizer_encode(m.tokenizer, argv[2], strlen(argv[2]), false, true, &prompt);
    if (!err)
        err = print_run(&m, &prompt, (uint32_t)most);
    if (err)
        fprintf(stderr, "%s\n", lks_error_message());
    free(prompt.ids);
    lks_model_close(&m);
    return err != LKS_OK;
}
