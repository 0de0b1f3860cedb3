/* The plugin's configuration: one JSON object, given by the host. Strict: an unknown or repeated
 * key, or a value of another form, is refused.
 *
 *   key                     form                        default  meaning
 *   roles                   ["operator"], ["challenger"] or both   needed   what the plugin does
 *   chain_id                number                      needed   the chain it must be on; another
 * one is refused contracts.registry      "0x…" address               needed   ModelRegistry
 *   contracts.bonds         "0x…" address               needed   OperatorBonds
 *   contracts.oracle        "0x…" address               needed   InferenceOracle
 *   contracts.game          "0x…" address               none     DisputeGame; needed where the
 * oracle has one, and by the challenger operator_address        "0x…" address               the
 * key's account   whose bond stands behind our claims; the account is its agent
 * (OperatorBonds.setAgent) models                  ["file.gguf", …], 1 to 16   needed   models to
 * serve, and whose claims to check keystore                "file"                      needed   the
 * account's key, Web3 secret storage version 3 password_file           "file" needed   its first
 * line is the key's password; nobody but its owner may read it moves_keystore          "file" none
 * key of a second account, which defends our claims in disputes moves_password_file     "file" none
 * its password; both or none database                "file"                      needed   the job
 * store; made when missing threads                 number, 0 to 256            0        threads of
 * inference; 0 is one for every core nice                    number, 0 to 19             10 what
 * inference and re-runs give way to the host and others, as nice(1) has it start_block number
 * newest   first block whose requests are looked at by a new database max_head_age_seconds number
 * 600      while the newest block is older, no request is accepted; 0: whatever its age min_fee_wei
 * "decimal"                   what the transactions cost now   requests that pay less are left
 *                                                                alone; by the default they wait;
 * "0" takes all max_stake_wei           "decimal"                   10 ether requests that lock
 * more are left alone min_claim_seconds       number                      60       requests that
 * give less time for the claim are left alone, as are those that give less than twice the time of
 * the answer max_prompt_tokens       number                      16384    requests with a longer
 * prompt are left alone; 0: the model's max_answer_tokens       number                      4096
 * requests that may be answered longer are left alone; 0: the model's max_unfilled_bond_wei
 * "decimal"                   a quarter of the bond   stakes in requests whose other seats are
 * empty max_fee_per_gas_wei     "decimal"                   500 gwei ceiling of a transaction's
 * fee, also when it is replaced (fees.h) max_priority_fee_wei    "decimal"                   10
 * gwei  ceiling of the priority fee that is chosen recheck_stake_wei       "decimal" none     an
 * answer that locks as much is computed again, in one batch, before it is claimed accept true or
 * false               true     false: no new request is accepted; all else goes on finalize true or
 * false               true     send the transaction that settles our own claims withdraw_above_wei
 * "decimal"                   a hundred times the gas of a withdrawal   credit above it is
 *                                                                withdrawn to the account
 *   check_share             "0.25" or "25%"             "1"      challenger: share of the claims
 * that is run again; which ones nobody else can tell max_bond_wei            "decimal" none
 * challenger: claims that take a greater bond to dispute are left alone spill_folder "folder"
 * <database>-rows   rows of traces are kept there, in unlinked files, while a dispute runs; made
 * when missing; "" or "none": they are computed again max_spill_bytes         number 16 GiB   of
 * all these files together; a tenth of the file system, 8 GiB of a large one, stays free in any
 * case max_memory_bytes        number                      half of what is available at the start
 *                                                                for answers and traces beside the
 * models; a request that needs more is left alone
 *
 * File names are relative to the host's working directory.
 */
#ifndef LKS_PLUGIN_CONFIG_H
#define LKS_PLUGIN_CONFIG_H

#include "plugin/job.h"

#define LKS_CONFIG_MAX_MODELS 16u
#define LKS_CONFIG_MAX_THREADS 256u
#define LKS_CONFIG_MAX_NICE 19u
#define LKS_START_NEWEST UINT64_MAX
#define LKS_DEFAULT_SPILL_BYTES (UINT64_C(16) << 30)
/* The whole of check_share. */
#define LKS_SHARE_ALL 100000000u

typedef struct lks_config {
    uint64_t chain_id;
    uint8_t registry[20];
    uint8_t bonds[20];
    uint8_t oracle[20];
    uint8_t game[20]; /* zero: none */
    bool is_operator, is_challenger;
    bool is_agent; /* operator_address is configured */
    uint8_t operator_address[20];
    char *models[LKS_CONFIG_MAX_MODELS]; /* owned, as the next four */
    size_t model_count;
    char *keystore;
    char *password_file;
    char *moves_keystore; /* may be NULL, and then so is the next */
    char *moves_password_file;
    char *database;
    char *spill_folder; /* NULL or "": none */
    uint64_t max_spill_bytes;
    uint64_t max_memory_bytes; /* 0: half of what the machine has available at the start */
    unsigned threads;
    unsigned nice;
    uint64_t start_block;  /* LKS_START_NEWEST: the newest block at the first start */
    uint32_t max_head_age; /* seconds; 0: any */
    lks_job_policy policy;
    lks_u256 recheck_stake;
    bool withdraws_above; /* withdraw_above is configured; else what a withdrawal costs decides */
    lks_u256 withdraw_above;
    lks_u256 max_fee;
    lks_u256 max_priority_fee;
    uint32_t check_share; /* of LKS_SHARE_ALL */
    lks_u256 max_bond;
} lks_config;

/* Reads the text of a configuration. Out: out, to be freed; all zero on failure.
 * Returns: LKS_OK; LKS_CORRUPT (not JSON); LKS_REFUSED (JSON that is nested too deep or too long);
 * LKS_BADARGS (a key or value, which the reason names); LKS_NOMEM. */
lks_err lks_config_parse(lks_config *out, const char *json, size_t len) LKS_MUST_USE;
/* Whether a DisputeGame is configured. */
bool lks_config_has_game(const lks_config *config);
void lks_config_free(lks_config *config);

#endif
