/* Obligations of the account from its actions on chain: answers to requests that it accepted, the
 * defence of claims that it made, moves in disputes that it opened. Neglecting one loses a stake, a
 * fee or a bond, so no configuration may drop one.
 *
 * Everything here reads the store alone. For the event thread. */
#ifndef LKS_PLUGIN_OBLIGATIONS_H
#define LKS_PLUGIN_OBLIGATIONS_H

#include "plugin/operator.h"

typedef enum lks_obligation_kind {
    LKS_OWES_ANSWER,  /* a request that is accepted, or being accepted, and not claimed yet */
    LKS_OWES_DEFENCE, /* a claim of ours that is not final, or whose disputes are not wound up */
    LKS_OWES_MOVES,   /* a claim of somebody else that we dispute */
    LKS_OBLIGATION_KINDS
} lks_obligation_kind;

typedef struct lks_obligation {
    lks_obligation_kind kind;
    uint8_t id[32]; /* of the request that is to be answered; else of the claim */
    uint8_t model_id[32];
} lks_obligation;

typedef struct lks_obligations {
    lks_obligation *items;
    size_t count, capacity;
    size_t of_kind[LKS_OBLIGATION_KINDS];
} lks_obligations;

/* Out: list, empty before, to be freed with lks_obligations_free. Returns: what the store returns;
 * LKS_NOMEM. */
lks_err lks_obligations_read(const lks_operator *op, lks_obligations *list) LKS_MUST_USE;
void lks_obligations_free(lks_obligations *list);

/* Whether we have opened a dispute about a claim, or are about to. */
lks_err lks_obligations_challenged(const lks_operator *op, const lks_claim *claim,
                                   bool *challenged) LKS_MUST_USE;

/* Refuses a configuration without a model that an obligation needs. Returns also: LKS_REFUSED; the
 * reason names the model, what needs it, and what to do. */
lks_err lks_obligations_check_models(const lks_operator *op) LKS_MUST_USE;
/* Puts the claims that a dispute game is needed for in front of the error message of err. Returns:
 * err. */
lks_err lks_obligations_blame(const lks_operator *op, lks_err err) LKS_MUST_USE;

/* If the plugin accepts nothing: logs what is still owed at the start, and when nothing is any
 * more. To be called with every new head. */
void lks_obligations_tell(lks_operator *op);

#endif
