/* The job store: an SQLite database (WAL) that survives kill -9 at any moment. What it holds, and
 * how: store_open.c, store_jobs.c, store_txs.c, store_claims.c.
 *
 * One connection, one thread. Everything between lks_store_begin and lks_store_commit becomes
 * durable at once or not at all. The database is locked against other plugins for as long as it is
 * open; programs that read it or copy it are welcome. Values read back are checked; LKS_CORRUPT
 * names what is wrong. Lists leave damaged rows out and count them.
 */
#ifndef LKS_PLUGIN_STORE_H
#define LKS_PLUGIN_STORE_H

#include "chain/buf.h"
#include "plugin/cost.h"
#include "plugin/job.h"

typedef struct lks_store lks_store;

/* Whose database it is. */
typedef struct lks_store_identity {
    uint64_t chain_id;
    uint8_t oracle[20];
    uint8_t operator_address[20]; /* whose bond stands behind our claims */
    uint8_t account[20];          /* the operator, or its agent for claims */
} lks_store_identity;

/* Blocks that are kept for finding the common ancestor of a re-org. */
#define LKS_STORE_BLOCKS 1024u
/* Jobs that are over are kept for that many blocks after they were last looked at. */
#define LKS_STORE_KEEP_BLOCKS 200000u

/* Opens the database, making it when it is missing.
 * Returns: LKS_OK; LKS_REFUSED (in use by another process, made by a newer version, or for older
 * contracts); LKS_AUTH (of another chain, contract, operator or account); LKS_IO (cannot be opened
 * or written); LKS_CORRUPT (not a Lockstep database, or damaged); LKS_NOMEM. */
lks_err lks_store_open(lks_store **out, const char *path,
                       const lks_store_identity *who) LKS_MUST_USE;
void lks_store_close(lks_store *s); /* NULL is allowed */

lks_err lks_store_begin(lks_store *s) LKS_MUST_USE;
/* On failure nothing of the transaction remains. */
lks_err lks_store_commit(lks_store *s) LKS_MUST_USE;
/* Whether writing fails: the disk is full, or does not work. Known after a write. */
bool lks_store_is_unwritable(const lks_store *s);
/* Harmless outside of a transaction. */
void lks_store_rollback(lks_store *s);

/* ---- blocks ---- */

typedef struct lks_store_block {
    lks_block_ref ref;
    uint64_t time;
} lks_store_block;

/* Out: the newest block whose effects are stored. Returns also: LKS_NOTFOUND: none yet. */
lks_err lks_store_head(lks_store *s, lks_store_block *out) LKS_MUST_USE;
/* Out: the newest kept block at or below a height. Returns also: LKS_NOTFOUND. */
lks_err lks_store_block_below(lks_store *s, uint64_t height, lks_store_block *out) LKS_MUST_USE;
/* Out: the oldest kept block. Returns also: LKS_NOTFOUND. */
lks_err lks_store_block_oldest(lks_store *s, lks_store_block *out) LKS_MUST_USE;
/* Makes a block the newest one; forgets old ones and old jobs. */
lks_err lks_store_block_put(lks_store *s, const lks_store_block *block) LKS_MUST_USE;
/* Forgets every block above height, and what happened in them to jobs and transactions. Out:
 * *changed jobs. Within a transaction. */
lks_err lks_store_rewind(lks_store *s, uint64_t height, size_t *changed) LKS_MUST_USE;
/* Out: *any, whether a request of a block at or below height is known. */
lks_err lks_store_has_requests(lks_store *s, uint64_t height, bool *any) LKS_MUST_USE;
/* Out: the height up to which blocks are final; 0: not known of any. */
lks_err lks_store_final_get(lks_store *s, uint64_t *height) LKS_MUST_USE;
/* Raises it; it never sinks. Within a transaction. */
lks_err lks_store_final_put(lks_store *s, uint64_t height) LKS_MUST_USE;

/* ---- jobs ---- */

/* Rows that a list leaves out because they are damaged. */
typedef struct lks_damage {
    size_t rows;
    char reason[256]; /* of the first of them */
} lks_damage;

typedef struct lks_jobs {
    lks_job *items;
    size_t count, capacity;
    lks_damage damage;
} lks_jobs;

void lks_jobs_free(lks_jobs *jobs);

/* request_id32 may be a part of *out. Out: *out, zero on failure. Returns also: LKS_NOTFOUND. */
lks_err lks_store_job_get(lks_store *s, const uint8_t request_id32[32], lks_job *out) LKS_MUST_USE;
/* Inserts a job with its lists (packed), or overwrites the facts of the one that is there. Sets
 * job->sent and job->state as they follow. */
lks_err lks_store_job_add(lks_store *s, lks_job *job, const uint8_t *prompt, size_t prompt_len,
                          const uint8_t *allowed, size_t allowed_len) LKS_MUST_USE;
lks_err lks_store_job_put(lks_store *s, lks_job *job) LKS_MUST_USE;
/* Out: jobs, empty before, to be freed: every job that is not over, or was given up with a seat of
 * ours, oldest first. */
lks_err lks_store_jobs_open(lks_store *s, lks_jobs *jobs) LKS_MUST_USE;
/* Out: the packed lists, appended. */
lks_err lks_store_job_lists(lks_store *s, const lks_job *job, lks_buf *prompt,
                            lks_buf *allowed) LKS_MUST_USE;

/* Out: jobs, empty before, to be freed: those with an acceptance of ours in a block that no event
 * has confirmed, and that have not ended. */
lks_err lks_store_jobs_unconfirmed(lks_store *s, lks_jobs *jobs) LKS_MUST_USE;

/* The salts of a job's rounds, by the block of their acceptance, newest first. */
typedef struct lks_salts {
    size_t count;
    struct {
        uint64_t accepted;
        uint8_t salt[32];
    } items[16];
} lks_salts;

/* Forgets all that events have said of a job, so that they can be applied again. Out: salts, which
 * no event brings back. Within a transaction. */
lks_err lks_store_job_forget(lks_store *s, const uint8_t request_id32[32],
                             lks_salts *salts) LKS_MUST_USE;
/* Gives the rounds their salts back. Within the same transaction. */
lks_err lks_store_job_recall(lks_store *s, const uint8_t request_id32[32],
                             const lks_salts *salts) LKS_MUST_USE;

/* Ends the job's round in a block: keeps what is known of it, and begins a new one in *job, which
 * is not put. Within a transaction. */
lks_err lks_store_round_close(lks_store *s, lks_job *job, const lks_block_ref *block) LKS_MUST_USE;

/* Stores the answer: sets the job's answer fields and puts the job. In: tokens, packed. */
lks_err lks_store_answer_put(lks_store *s, lks_job *job, uint64_t seed, const uint8_t *tokens,
                             size_t len) LKS_MUST_USE;
/* Out: tokens, appended, packed. Returns also: LKS_NOTFOUND. */
lks_err lks_store_answer_get(lks_store *s, const lks_job *job, lks_buf *tokens) LKS_MUST_USE;

/* ---- claims ---- */

/* Result of re-running a claim's tokens. */
typedef enum lks_check {
    LKS_CHECK_DUE = 0,
    LKS_CHECK_RIGHT,
    LKS_CHECK_WRONG,
    LKS_CHECK_SKIPPED, /* not in the share that is checked, or cannot be run */
    LKS_CHECK_COUNT
} lks_check;

/* A claim on a request of a served model, whoever made it. Its tokens, and where its disputes
 * stand, are the chain's to say; nothing of that is stored. */
typedef struct lks_claim {
    uint8_t claim_id[32]; /* the dispute game's key */
    uint8_t name[32];     /* the oracle's name, which has attempt and seat in it */
    uint8_t request_id[32];
    uint8_t operator_address[20];
    bool co_seat; /* of another operator, in an attempt that we have a seat in */
    lks_block_ref claimed;
    uint64_t window_end;
    uint32_t token_count;
    lks_block_ref disputed; /* the first time */
    lks_block_ref ended;    /* final, convicted, void, refunded or undecided */
    uint64_t settled;       /* head at which nothing more was to be done about it; 0: not yet */
    lks_check check;
    uint32_t first_wrong; /* of LKS_CHECK_WRONG: index of the first wrong token */
} lks_claim;

typedef struct lks_claims {
    lks_claim *items;
    size_t count, capacity;
    lks_damage damage;
} lks_claims;

void lks_claims_free(lks_claims *claims);

/* Stores a claim; of one that is there what its check gave stays. Its job must be there. */
lks_err lks_store_claim_add(lks_store *s, const lks_claim *claim) LKS_MUST_USE;
/* Out: *out, zero on failure. Returns also: LKS_NOTFOUND. */
lks_err lks_store_claim_get(lks_store *s, const uint8_t claim_id32[32],
                            lks_claim *out) LKS_MUST_USE;
/* The same by the oracle's name. */
lks_err lks_store_claim_named(lks_store *s, const uint8_t name32[32], lks_claim *out) LKS_MUST_USE;
/* Stores disputed, ended, settled, check and first_wrong. */
lks_err lks_store_claim_put(lks_store *s, const lks_claim *claim) LKS_MUST_USE;
/* Out: claims, empty before, to be freed: every one that is not settled, oldest first. */
lks_err lks_store_claims_open(lks_store *s, lks_claims *claims) LKS_MUST_USE;
/* Ends every claim of a request that has not ended. */
lks_err lks_store_claims_end(lks_store *s, const uint8_t request_id32[32],
                             const lks_block_ref *block) LKS_MUST_USE;
/* Out: 32 random bytes that were made with the database and are never disclosed. */
lks_err lks_store_secret(lks_store *s, uint8_t secret32[32]) LKS_MUST_USE;

/* ---- transactions ---- */

typedef enum lks_tx_state {
    LKS_TX_LIVE = 1, /* sent or to be sent; in no block that we know */
    LKS_TX_MINED,    /* in a canonical block, successful */
    LKS_TX_REVERTED, /* in a canonical block, reverted */
    LKS_TX_DEAD      /* its nonce went to another transaction, mostly one that is not ours */
} lks_tx_state;

/* A transaction: one nonce, and every version signed for it, of which one can be included. */
typedef struct lks_store_tx {
    int64_t id;
    uint8_t request_id[32];
    lks_action action;
    uint8_t key[32];     /* of LKS_ACTION_MOVE: which move of which dispute; else zero */
    uint8_t account[20]; /* that signed it, and whose nonce it has */
    uint64_t nonce;
    lks_tx_state state;
    bool canceled;          /* the newest version does nothing */
    lks_block_ref included; /* of LKS_TX_DEAD: the head at which that was seen */
    uint64_t deadline;      /* chain time */
    uint64_t sent_block;    /* head when the newest version was sent */
    uint64_t sent_time;     /* chain time then */
    lks_u256 worth;         /* wei that it may cost, as lks_outgoing has it */
} lks_store_tx;

typedef struct lks_store_txs {
    lks_store_tx *items;
    size_t count, capacity;
} lks_store_txs;

void lks_store_txs_free(lks_store_txs *txs);

/* Stores a new transaction with its first version. Out: tx->id. Refused (LKS_REFUSED) when the job
 * has a live one for the action and key. Puts the job's state, as all functions below do. */
lks_err lks_store_tx_add(lks_store *s, lks_store_tx *tx, const uint8_t hash32[32],
                         const uint8_t *raw, size_t len) LKS_MUST_USE;
lks_err lks_store_tx_add_version(lks_store *s, const lks_store_tx *tx, const uint8_t hash32[32],
                                 const uint8_t *raw, size_t len) LKS_MUST_USE;
/* Stores everything of tx but its id, job, action, key, account, nonce and worth. */
lks_err lks_store_tx_put(lks_store *s, const lks_store_tx *tx) LKS_MUST_USE;
/* Out: txs, empty before, to be freed: the live ones of an account, lowest nonce first. */
lks_err lks_store_txs_live(lks_store *s, const uint8_t account20[20],
                           lks_store_txs *txs) LKS_MUST_USE;
/* Out: raw, appended: the newest version. */
lks_err lks_store_tx_raw(lks_store *s, int64_t id, lks_buf *raw) LKS_MUST_USE;
/* Out: hashes, appended, 32 bytes each: every version, newest first. */
lks_err lks_store_tx_hashes(lks_store *s, int64_t id, lks_buf *hashes) LKS_MUST_USE;
/* Ends live transactions of any account but two, the second may be NULL: nobody can look after
 * them. All are moves in disputes, of which no job's state follows. In: head, at which it is seen.
 */
lks_err lks_store_txs_abandon(lks_store *s, const uint8_t account20[20], const uint8_t *second20,
                              uint64_t head) LKS_MUST_USE;
/* Whether the job has a live move of that key. */
lks_err lks_store_move_is_live(lks_store *s, const uint8_t request_id32[32],
                               const uint8_t key32[32], bool *live) LKS_MUST_USE;
/* Whether there is a live move of that key, of whatever job. */
lks_err lks_store_key_is_live(lks_store *s, const uint8_t key32[32], bool *live) LKS_MUST_USE;
/* Out: the request whose claim of ours became final last. Returns also: LKS_NOTFOUND. */
lks_err lks_store_final_job(lks_store *s, uint8_t request_id32[32]) LKS_MUST_USE;
/* Out: *block, in which a move of that key was included, successful; 0 when there is none. */
lks_err lks_store_move_included(lks_store *s, const uint8_t request_id32[32],
                                const uint8_t key32[32], uint64_t *block) LKS_MUST_USE;
/* Out: *next, one above the highest nonce of a live transaction of an account; 0 when there is
 * none. */
lks_err lks_store_next_nonce(lks_store *s, const uint8_t account20[20],
                             uint64_t *next) LKS_MUST_USE;

/* ---- measured runs ---- */

/* Out: *out, all zero when there are none. */
lks_err lks_store_measured_get(lks_store *s, const uint8_t model_id32[32], lks_run_kind kind,
                               lks_measured *out) LKS_MUST_USE;
lks_err lks_store_measured_put(lks_store *s, const uint8_t model_id32[32], lks_run_kind kind,
                               const lks_measured *m) LKS_MUST_USE;

#endif
