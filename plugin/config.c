#include "plugin/config.h"

#include "chain/address.h"
#include "chain/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GWEI UINT64_C(1000000000)
/* Defaults: see docs/OPERATING.md. */
#define MAX_STAKE_GWEI (10 * GWEI) /* 10 ether */
#define MIN_CLAIM_SECONDS 60u
#define MAX_PROMPT_TOKENS 16384u
#define MAX_ANSWER_TOKENS 4096u
/* A configuration has a few dozen values. */
#define MAX_VALUES 256u

/* Reads one value into the configuration. */
typedef lks_err (*read_fn)(lks_config *config, const lks_json *doc, int node, void *field);

static lks_err read_text(const lks_json *doc, int node, char **out)
{
    lks_buf text = {0};
    lks_err err = lks_json_string(doc, node, &text);
    if (!err)
        err = lks_buf_error(&text);
    if (err == LKS_OK && (text.len == 0 || memchr(text.data, 0, text.len)))
        err = lks_fail(LKS_BADARGS, "must be a non-empty string");
    else if (err == LKS_CORRUPT)
        err = lks_fail(LKS_BADARGS, "must be a string");
    if (err) {
        lks_buf_free(&text);
        return err;
    }
    *out = (char *)text.data;
    return LKS_OK;
}

static lks_err read_file_name(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    return read_text(doc, node, field);
}

/* "none" and "" are the empty text. */
static lks_err read_folder(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    char **out = field;
    if (!lks_json_equals(doc, node, "") && !lks_json_equals(doc, node, "none"))
        return read_text(doc, node, out);
    *out = calloc(1, 1);
    return *out ? LKS_OK : lks_fail(LKS_NOMEM, "out of memory");
}

static lks_err read_number(const lks_json *doc, int node, uint64_t max, uint64_t *out)
{
    lks_err err = lks_json_u64(doc, node, out);
    if (err || *out > max)
        return lks_fail(LKS_BADARGS, "must be a whole number from 0 to %llu",
                        (unsigned long long)max);
    return LKS_OK;
}

static lks_err read_u64(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    return read_number(doc, node, INT64_MAX, field);
}

static lks_err read_threads(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    uint64_t value = 0;
    lks_err err = read_number(doc, node, LKS_CONFIG_MAX_THREADS, &value);
    config->threads = (unsigned)value;
    return err;
}

static lks_err read_nice(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    uint64_t value = 0;
    lks_err err = read_number(doc, node, LKS_CONFIG_MAX_NICE, &value);
    config->nice = (unsigned)value;
    return err;
}

static lks_err read_u32(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    uint64_t value = 0;
    lks_err err = read_number(doc, node, UINT32_MAX, &value);
    *(uint32_t *)field = (uint32_t)value;
    return err;
}

static lks_err read_wei(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    char *text = NULL;
    lks_err err = read_text(doc, node, &text);
    if (err == LKS_OK)
        err = lks_u256_from_decimal(field, text, strlen(text));
    free(text);
    return err == LKS_NOMEM || err == LKS_OK
               ? err
               : lks_fail(LKS_BADARGS, "must be a string of decimal digits, an amount in wei");
}

static lks_err read_min_fee(lks_config *config, const lks_json *doc, int node, void *field)
{
    config->policy.fee_pays_gas = false;
    return read_wei(config, doc, node, field);
}

static lks_err read_max_unfilled(lks_config *config, const lks_json *doc, int node, void *field)
{
    config->policy.unfilled = LKS_UNFILLED_WEI;
    return read_wei(config, doc, node, field);
}

static lks_err read_withdraw_above(lks_config *config, const lks_json *doc, int node, void *field)
{
    config->withdraws_above = true;
    return read_wei(config, doc, node, field);
}

static lks_err read_bool(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    lks_err err = lks_json_bool(doc, node, field);
    return err ? lks_fail(LKS_BADARGS, "must be true or false") : LKS_OK;
}

static lks_err read_address(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)config;
    static const uint8_t zero[20];
    char *text = NULL;
    lks_err err = read_text(doc, node, &text);
    if (err == LKS_OK)
        err = lks_address_parse(field, text);
    free(text);
    if (err == LKS_OK && memcmp(field, zero, sizeof zero) == 0)
        err = lks_fail(LKS_BADARGS, "must not be the zero address");
    return err;
}

static lks_err read_roles(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    bool known = lks_json_typeof(doc, node) == LKS_JSON_ARRAY && lks_json_size(doc, node) > 0;
    for (int n = known ? lks_json_first(doc, node) : LKS_JSON_NONE; known && n != LKS_JSON_NONE;
         n = lks_json_next(doc, n)) {
        bool *role = lks_json_equals(doc, n, "operator")     ? &config->is_operator
                     : lks_json_equals(doc, n, "challenger") ? &config->is_challenger
                                                             : NULL;
        known = role && !*role;
        if (known)
            *role = true;
    }
    return known ? LKS_OK
                 : lks_fail(LKS_BADARGS, "must be [\"operator\"], [\"challenger\"] or both");
}

/* "0.25" or "25%", as many digits as a share of LKS_SHARE_ALL has. */
static lks_err read_share(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    char *text = NULL;
    lks_err err = read_text(doc, node, &text);
    if (err)
        return err;
    uint64_t value = 0, unit = LKS_SHARE_ALL;
    size_t len = strlen(text), digits = 0;
    bool good = true, fraction = false;
    if (text[len - 1] == '%') {
        len--;
        unit /= 100;
    }
    for (size_t i = 0; good && i < len; i++) {
        if (text[i] == '.' && !fraction && digits) {
            fraction = true;
            continue;
        }
        uint64_t digit = (uint64_t)(text[i] - '0');
        digits++;
        if (fraction)
            unit /= 10;
        good = text[i] >= '0' && text[i] <= '9' && (unit || digit == 0);
        value = good ? (fraction ? value + digit * unit : value * 10 + digit * unit) : value;
        good = good && value <= LKS_SHARE_ALL;
    }
    good = good && digits && text[len - 1] != '.';
    free(text);
    if (!good)
        return lks_fail(LKS_BADARGS,
                        "must be a string like \"0.25\" or \"25%%\", from 0 to 1, with at "
                        "most 8 digits after the point");
    config->check_share = (uint32_t)value;
    return LKS_OK;
}

static lks_err read_models(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    size_t count = lks_json_size(doc, node);
    if (lks_json_typeof(doc, node) != LKS_JSON_ARRAY || count == 0 || count > LKS_CONFIG_MAX_MODELS)
        return lks_fail(LKS_BADARGS, "must be a list of 1 to %u file names", LKS_CONFIG_MAX_MODELS);
    for (int n = lks_json_first(doc, node); n != LKS_JSON_NONE; n = lks_json_next(doc, n)) {
        lks_err err = read_text(doc, n, &config->models[config->model_count]);
        if (err)
            return err;
        config->model_count++;
    }
    return LKS_OK;
}

static lks_err read_contracts(lks_config *config, const lks_json *doc, int node, void *field);

typedef struct key {
    const char *name;
    read_fn read;
    size_t offset; /* of the field in lks_config */
    bool needed;
} key;

#define FIELD(member) offsetof(lks_config, member)

static const key top_keys[] = {
    {"roles", read_roles, 0, true},
    {"chain_id", read_u64, FIELD(chain_id), true},
    {"contracts", read_contracts, 0, true},
    {"operator_address", read_address, FIELD(operator_address), false},
    {"models", read_models, 0, true},
    {"keystore", read_file_name, FIELD(keystore), true},
    {"password_file", read_file_name, FIELD(password_file), true},
    {"moves_keystore", read_file_name, FIELD(moves_keystore), false},
    {"moves_password_file", read_file_name, FIELD(moves_password_file), false},
    {"database", read_file_name, FIELD(database), true},
    {"threads", read_threads, 0, false},
    {"nice", read_nice, 0, false},
    {"start_block", read_u64, FIELD(start_block), false},
    {"max_head_age_seconds", read_u32, FIELD(max_head_age), false},
    {"min_fee_wei", read_min_fee, FIELD(policy.min_fee), false},
    {"max_stake_wei", read_wei, FIELD(policy.max_stake), false},
    {"min_claim_seconds", read_u32, FIELD(policy.min_claim_seconds), false},
    {"max_prompt_tokens", read_u32, FIELD(policy.max_prompt), false},
    {"max_answer_tokens", read_u32, FIELD(policy.max_answer), false},
    {"max_unfilled_bond_wei", read_max_unfilled, FIELD(policy.max_unfilled), false},
    {"recheck_stake_wei", read_wei, FIELD(recheck_stake), false},
    {"max_fee_per_gas_wei", read_wei, FIELD(max_fee), false},
    {"max_priority_fee_wei", read_wei, FIELD(max_priority_fee), false},
    {"accept", read_bool, FIELD(policy.accept), false},
    {"finalize", read_bool, FIELD(policy.finalize), false},
    {"withdraw_above_wei", read_withdraw_above, FIELD(withdraw_above), false},
    {"check_share", read_share, 0, false},
    {"max_bond_wei", read_wei, FIELD(max_bond), false},
    {"spill_folder", read_folder, FIELD(spill_folder), false},
    {"max_memory_bytes", read_u64, FIELD(max_memory_bytes), false},
    {"max_spill_bytes", read_u64, FIELD(max_spill_bytes), false},
};

static const key contract_keys[] = {
    {"registry", read_address, FIELD(registry), true},
    {"bonds", read_address, FIELD(bonds), true},
    {"oracle", read_address, FIELD(oracle), true},
    {"game", read_address, FIELD(game), false},
};

#define KEY_COUNT(keys) (sizeof(keys) / sizeof *(keys))

/* Reads the members of an object by a table of keys. In: prefix of the names in messages. */
static lks_err read_object(lks_config *config, const lks_json *doc, int object, const key *keys,
                           size_t count, const char *prefix)
{
    if (lks_json_typeof(doc, object) != LKS_JSON_OBJECT)
        return lks_fail(LKS_BADARGS, "must be an object");
    bool seen[KEY_COUNT(top_keys)] = {false};
    for (int n = lks_json_first(doc, object); n != LKS_JSON_NONE; n = lks_json_next(doc, n)) {
        int name = lks_json_name(doc, n);
        size_t k = 0;
        while (k < count && !lks_json_equals(doc, name, keys[k].name))
            k++;
        if (k == count) {
            const char *raw = "";
            size_t len = 0;
            lks_err err = lks_json_raw(doc, name, &raw, &len);
            if (err)
                return err;
            return lks_fail(LKS_BADARGS, "key %.*s is not known%s%s", (int)(len < 64 ? len : 64),
                            raw, *prefix ? " in " : "", prefix);
        }
        if (seen[k])
            return lks_fail(LKS_BADARGS, "key \"%s\" appears twice", keys[k].name);
        seen[k] = true;
        lks_err err = keys[k].read(config, doc, n, (char *)config + keys[k].offset);
        if (err)
            return keys[k].read == read_contracts ? err
                                                  : lks_fail_in(err, "key \"%s\"", keys[k].name);
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].needed && !seen[k])
            return lks_fail(LKS_BADARGS, "key \"%s\" is missing%s%s", keys[k].name,
                            *prefix ? " in " : "", prefix);
    return LKS_OK;
}

static lks_err read_contracts(lks_config *config, const lks_json *doc, int node, void *field)
{
    (void)field;
    if (lks_json_typeof(doc, node) != LKS_JSON_OBJECT)
        return lks_fail(LKS_BADARGS, "key \"contracts\" must be an object");
    return read_object(config, doc, node, contract_keys, KEY_COUNT(contract_keys), "\"contracts\"");
}

/* Rows are kept beside the database unless the configuration says otherwise. */
static lks_err set_spill_folder(lks_config *config)
{
    static const char suffix[] = "-rows";
    if (config->spill_folder)
        return LKS_OK;
    size_t size = strlen(config->database) + sizeof suffix;
    config->spill_folder = malloc(size);
    if (!config->spill_folder)
        return lks_fail(LKS_NOMEM, "out of memory");
    snprintf(config->spill_folder, size, "%s%s", config->database, suffix);
    return LKS_OK;
}

static void set_policy(lks_job_policy *policy)
{
    policy->accept = policy->finalize = true;
    policy->fee_pays_gas = true;
    lks_u256 gwei = lks_u256_from_u64(GWEI);
    lks_u256_mul_u64(&policy->max_stake, &gwei, MAX_STAKE_GWEI);
    policy->min_claim_seconds = MIN_CLAIM_SECONDS;
    policy->max_prompt = MAX_PROMPT_TOKENS;
    policy->max_answer = MAX_ANSWER_TOKENS;
    policy->unfilled = LKS_UNFILLED_QUARTER;
}

lks_err lks_config_parse(lks_config *out, const char *json, size_t len)
{
    memset(out, 0, sizeof *out);
    out->start_block = LKS_START_NEWEST;
    out->max_head_age = 600;
    out->nice = 10;
    set_policy(&out->policy);
    memset(&out->recheck_stake, 0xff, sizeof out->recheck_stake);
    out->check_share = LKS_SHARE_ALL;
    out->max_spill_bytes = LKS_DEFAULT_SPILL_BYTES;
    memset(&out->max_bond, 0xff, sizeof out->max_bond);
    out->max_fee = lks_u256_from_u64(500 * GWEI);
    out->max_priority_fee = lks_u256_from_u64(10 * GWEI);

    lks_json doc = {0};
    lks_err err = lks_json_parse(&doc, json, len, MAX_VALUES);
    if (err == LKS_OK)
        err = read_object(out, &doc, 0, top_keys, KEY_COUNT(top_keys), "");
    if (err == LKS_OK && out->chain_id == 0)
        err = lks_fail(LKS_BADARGS, "key \"chain_id\": must not be 0");
    if (err == LKS_OK && lks_u256_cmp(&out->max_priority_fee, &out->max_fee) > 0)
        err = lks_fail(LKS_BADARGS,
                       "key \"max_priority_fee_wei\": must not be above max_fee_per_gas_wei");
    if (err == LKS_OK && !out->moves_keystore != !out->moves_password_file)
        err = lks_fail(LKS_BADARGS, "keys \"moves_keystore\" and \"moves_password_file\": one needs"
                                    " the other");
    static const uint8_t none[20];
    if (err == LKS_OK && out->is_challenger && memcmp(out->game, none, 20) == 0)
        err = lks_fail(
            LKS_BADARGS,
            "key \"game\" is missing in \"contracts\": a challenger needs the DisputeGame");
    if (err == LKS_OK)
        err = set_spill_folder(out);
    out->is_agent = memcmp(out->operator_address, none, 20) != 0;
    out->policy.drains = out->is_operator && !out->policy.accept;
    out->policy.accept = out->is_operator && out->policy.accept;
    lks_json_free(&doc);
    if (err) {
        lks_config_free(out);
        return lks_fail_in(err, "configuration");
    }
    return LKS_OK;
}

bool lks_config_has_game(const lks_config *config)
{
    static const uint8_t none[20];
    return memcmp(config->game, none, sizeof none) != 0;
}

void lks_config_free(lks_config *config)
{
    for (size_t i = 0; i < LKS_CONFIG_MAX_MODELS; i++)
        free(config->models[i]);
    free(config->keystore);
    free(config->password_file);
    free(config->moves_keystore);
    free(config->moves_password_file);
    free(config->database);
    free(config->spill_folder);
    memset(config, 0, sizeof *config);
}
