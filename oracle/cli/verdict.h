/* What computing a claim again showed. */
#ifndef LKS_CLI_VERDICT_H
#define LKS_CLI_VERDICT_H

#include "oracle/cli/difference.h"
#include "oracle/cli/rerun.h"

typedef struct lks_verdict {
    lks_trace *trace; /* owned */
    bool hashed;      /* the trace has its hashes: else the tokens alone were computed */
    bool wrong;
    uint32_t wrong_token; /* index in the answer; the number of tokens when all are right */
    lks_difference difference;
    double seconds;
} lks_verdict;

/* Computes the claim again; hashes the trace too where the operator's is open on chain, or when `hashed` asks for it.
 * Out: *out, to be freed in either case. Returns: LKS_PARSED, or the exit code after telling. */
int lks_verdict_make(lks_verdict *out, lks_link *s, const lks_request_view *v, const lks_claim_view *c, const lks_rerun_model *m,
                     const lks_rerun_args *args, bool hashed);
void lks_verdict_free(lks_verdict *d);

/* Returns: LKS_EXIT_OK or LKS_EXIT_WRONG. */
int lks_verdict_code(const lks_verdict *d);

/* Rows for people. */
void lks_verdict_print(const lks_verdict *d, const lks_request_view *v, const lks_claim_view *c, const lks_rerun_model *m);
/* Members of an object. */
void lks_verdict_json(lks_json_writer *w, const lks_verdict *d, const lks_request_view *v, const lks_claim_view *c, const lks_rerun_model *m);

#endif
