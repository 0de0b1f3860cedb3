#include "chain/signer.h"

#include <errno.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "chain/keccak.h"
#include "chain/secret.h"

struct lks_signer {
    secp256k1_context *context; /* randomised for this key; signing with it only reads it */
    uint8_t key[32];
    uint8_t address[20];
};

void lks_wipe(void *data, size_t len)
{
    explicit_bzero(data, len);
}

lks_err lks_random(void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lks_fail(LKS_IO, "the kernel gives no random bytes: %s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
    return LKS_OK;
}

static void address_of_pubkey(uint8_t address20[20], const secp256k1_context *context,
                              const secp256k1_pubkey *pubkey)
{
    uint8_t point[65], hash[32];
    size_t len = sizeof point;
    secp256k1_ec_pubkey_serialize(context, point, &len, pubkey, SECP256K1_EC_UNCOMPRESSED);
    lks_keccak256(hash, point + 1, 64);
    memcpy(address20, hash + 12, 20);
}

lks_err lks_signer_new(lks_signer **out, const uint8_t key32[32])
{
    lks_err err = LKS_OK;
    uint8_t seed[32];
    secp256k1_pubkey pubkey;
    lks_signer *signer = lks_secret_new(sizeof *signer);
    *out = NULL;
    if (!signer)
        return lks_fail(LKS_NOMEM, "out of memory for a key");
    signer->context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    if (!signer->context) {
        err = lks_fail(LKS_NOMEM, "out of memory for a key");
        goto out;
    }
    err = lks_random(seed, sizeof seed);
    if (err)
        goto out;
    if (!secp256k1_context_randomize(signer->context, seed)) {
        err = lks_fail(LKS_INTERNAL, "the signing context cannot be randomised");
        goto out;
    }
    if (!secp256k1_ec_pubkey_create(signer->context, &pubkey, key32)) {
        err = lks_fail(LKS_BADARGS, "the private key is not valid on secp256k1");
        goto out;
    }
    memcpy(signer->key, key32, 32);
    address_of_pubkey(signer->address, signer->context, &pubkey);
    *out = signer;
    signer = NULL;
out:
    lks_wipe(seed, sizeof seed);
    lks_signer_free(signer);
    return err;
}

void lks_signer_free(lks_signer *signer)
{
    if (!signer)
        return;
    if (signer->context)
        secp256k1_context_destroy(signer->context);
    lks_secret_free(signer, sizeof *signer);
}

const uint8_t *lks_signer_address(const lks_signer *signer)
{
    return signer->address;
}

lks_err lks_signer_sign(const lks_signer *signer, lks_signature *out, const uint8_t digest32[32])
{
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    int recovery;
    if (!secp256k1_ecdsa_sign_recoverable(signer->context, &signature, digest32, signer->key, NULL,
                                          NULL))
        return lks_fail(LKS_INTERNAL, "signing failed");
    secp256k1_ecdsa_recoverable_signature_serialize_compact(signer->context, compact, &recovery,
                                                            &signature);
    /* 2 and 3 mean r at or above the group order: no one can make that happen, and Ethereum has no
     * place for it. */
    if (recovery > 1)
        return lks_fail(LKS_INTERNAL, "the signature has no parity");
    memcpy(out->r32, compact, 32);
    memcpy(out->s32, compact + 32, 32);
    out->parity = (uint8_t)recovery;
    return LKS_OK;
}

lks_err lks_recover_address(uint8_t address20[20], const lks_signature *signature,
                            const uint8_t digest32[32])
{
    static const uint8_t HALF_ORDER[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                           0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey pubkey;
    uint8_t compact[64];
    if (signature->parity > 1 || memcmp(signature->s32, HALF_ORDER, 32) > 0)
        return lks_fail(LKS_CORRUPT, "the signature's parity or s is out of range");
    memcpy(compact, signature->r32, 32);
    memcpy(compact + 32, signature->s32, 32);
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
    if (!context)
        return lks_fail(LKS_NOMEM, "out of memory for a signature");
    bool good = secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, compact,
                                                                    signature->parity) &&
                secp256k1_ecdsa_recover(context, &pubkey, &parsed, digest32);
    if (good)
        address_of_pubkey(address20, context, &pubkey);
    secp256k1_context_destroy(context);
    return good ? LKS_OK : lks_fail(LKS_CORRUPT, "no key can have made this signature");
}

lks_err lks_key_generate(uint8_t key32[32])
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (!context)
        return lks_fail(LKS_NOMEM, "out of memory for a key");
    lks_err err = LKS_OK;
    do
        err = lks_random(key32, 32);
    while (!err && !secp256k1_ec_seckey_verify(context, key32));
    secp256k1_context_destroy(context);
    return err;
}
