/* Result of computing a claim again. */
#ifndef LKS_CLI_VERDICT_H
#define LKS_CLI_VERDICT_H

#include "oracle/cli/difference.h"
#include "oracle/cli/follow.h"
#include "oracle/cli/rerun.h"

typedef struct lks_verdict {
    lks_trace *trace; /* owned */
    bool hashed;      /* the trace has its hashes: else the tokens alone were computed */
    bool wrong;
    uint32_t wrong_token; /* index in the answer; the number of tokens when all are right */
    lks_difference difference;
    double seconds;
    /* Between begin and finish. */
    lks_follow follow;
    double started;
} lks_verdict;

/* Computes the claim again; hashes the trace too where the operator's is open on chain, or when
 * `hashed` asks for it. Out: *out, to be freed in either case. Returns: LKS_PARSED, or the exit
 * code after telling. */
int lks_verdict_make(lks_verdict *out, lks_link *s, const lks_request_view *v,
                     const lks_claim_view *c, const lks_rerun_model *m, const lks_rerun_args *args,
                     bool hashed);
/* The same in three steps, for one who has the trace computed by another thread. begin reads the
 * claim's game and says in out->hashed whether the trace needs its hashes; judge, with the verdict
 * as user, compares the trace, which may take another pass over it, on the thread that made it;
 * finish takes the trace over.
 * Out: *out, to be freed in either case. Returns: LKS_PARSED, or the exit code after telling;
 * judge: LKS_OK, or what comparing returns. */
int lks_verdict_begin(lks_verdict *out, lks_link *s, const lks_request_view *v,
                      const lks_claim_view *c, const lks_rerun_model *m, bool hashed);
LKS_MUST_USE
lks_err lks_verdict_judge(lks_trace *trace, void *verdict);
void lks_verdict_finish(lks_verdict *out, lks_trace *trace);
void lks_verdict_free(lks_verdict *d);

/* Returns: LKS_EXIT_OK or LKS_EXIT_WRONG. */
int lks_verdict_code(const lks_verdict *d);

/* Rows for people. */
void lks_verdict_print(const lks_verdict *d, const lks_request_view *v, const lks_claim_view *c,
                       const lks_rerun_model *m);
/* Members of an object. */
void lks_verdict_json(lks_json_writer *w, const lks_verdict *d, const lks_request_view *v,
                      const lks_claim_view *c, const lks_rerun_model *m);

#endif
