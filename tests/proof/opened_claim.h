/* A claim on a chain, made and disputed by transactions, whose operator has opened its trace; and
 * what the dispute game's storage must hold for it to judge another trace, or partials, in this
 * one's place. */
#ifndef LKS_TESTS_PROOF_OPENED_CLAIM_H
#define LKS_TESTS_PROOF_OPENED_CLAIM_H

#include "chain/dispute.h"
#include "tests/proof/anvil.h"
#include "tests/proof/run_tree.h"

typedef struct opened_claim {
    anvil *a;
    lks_request request;
    lks_model_commitment model;
    lks_claim_facts facts;
    lks_dispute_terms terms;
    uint8_t request_id[32], claim_id[32], dispute_id[32];
    anvil_word root, turn, node; /* of the game's storage, as the chain holds them */
} opened_claim;

enum {
    CLAIM_WORDS = 3
};

/* Once a chain. */
void claim_accounts(anvil *a);

/* Registers the model; asks for an answer as long as the run's to its prompt, by its policy;
 * accepts. Returns: the seed used, which is not the policy's. */
uint64_t claim_accept(opened_claim *c, anvil *a, const lks_model_commitment *model,
                      const lks_run *run);
/* Claims the run's answer, challenges, opens the trace. */
void claim_open(opened_claim *c, const run_tree *trace);

/* Out: the words that make another root the opened one; their number is returned. */
size_t claim_words(anvil_word words[CLAIM_WORDS], const opened_claim *c, const uint8_t root32[32]);
/* The same when the dispute has come down to an attention element whose partials were opened. */
size_t claim_partial_words(anvil_word words[CLAIM_WORDS], const opened_claim *c,
                           const uint8_t root32[32], const lks_shape *shape, const lks_unit *u,
                           const uint8_t *partials, size_t len);

/* The challenger's call; partials: NULL for a unit that has none. Out: *data, to be freed. */
void claim_step(lks_buf *data, const opened_claim *c, const lks_witness *w, const uint8_t *partials,
                size_t len);
/* What a call of the challenger's to the game is, with these words. */
anvil_message claim_message(const opened_claim *c, const lks_buf *data, const anvil_word *words,
                            size_t count);
/* Sends the step in a transaction, with the words put in place for good, and sees the claim
 * convicted. data is freed. */
void claim_convict(opened_claim *c, lks_buf *data, const anvil_word *words, size_t count);

#endif
