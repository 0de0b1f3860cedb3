/* The text of a key file, to and from a private key. */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "chain/hex.h"
#include "chain/keccak.h"
#include "chain/keystore_internal.h"
#include "chain/scrypt.h"
#include "chain/signer.h"

#define DERIVED 32 /* bytes: 16 for AES, 16 for the MAC */
#define MAX_SALT 256
#define MAX_SCRYPT_MEMORY (UINT64_C(1) << 30) /* bytes */
#define MAX_SCRYPT_WORK                                                                            \
    (UINT64_C(1) << 26)              /* n * r * p: 32 times geth's default, some tens of seconds */
#define MAX_SCRYPT_BLOCKS (1u << 16) /* r * p: 8 MiB beside that */
#define MAX_PBKDF2_ROUNDS 10000000

typedef struct key_file {
    bool scrypt; /* else PBKDF2 */
    uint64_t n, r, p, rounds;
    uint8_t salt[MAX_SALT];
    size_t salt_len;
    uint8_t iv[16], ciphertext[32], mac[32];
} key_file;

/* Hexadecimal text without 0x, as these files write it (with it is read too). Out: *len, at most
 * max. */
static lks_err read_hex(const lks_json *doc, int node, const char *name, uint8_t *out, size_t max,
                        size_t *len)
{
    lks_buf text = {0}, bytes = {0}, string = {0};
    lks_err err = lks_json_string(doc, node, &string);
    if (err)
        goto out;
    if (strncmp(lks_buf_text(&string), "0x", 2))
        lks_buf_put_text(&text, "0x");
    lks_buf_put(&text, string.data, string.len);
    if ((err = lks_buf_error(&text)) ||
        (err = lks_hex_decode_buf(&bytes, lks_buf_text(&text), text.len)))
        goto out;
    if (bytes.len > max) {
        err = lks_fail(LKS_CORRUPT, "%zu bytes where at most %zu are allowed", bytes.len, max);
        goto out;
    }
    if (bytes.len)
        memcpy(out, bytes.data, bytes.len);
    *len = bytes.len;
out:
    lks_buf_free(&text);
    lks_buf_free(&bytes);
    lks_buf_free(&string);
    return err ? lks_fail_in(err, "key file: %s", name) : LKS_OK;
}

static lks_err read_hex_exact(const lks_json *doc, int node, const char *name, uint8_t *out,
                              size_t len)
{
    size_t found;
    lks_err err = read_hex(doc, node, name, out, len, &found);
    if (!err && found != len)
        err = lks_fail(LKS_CORRUPT, "key file: %s has %zu bytes, %zu are needed", name, found, len);
    return err;
}

lks_err lks_keystore_address(const lks_json *doc, uint8_t address20[20])
{
    return read_hex_exact(doc, lks_json_member(doc, 0, "address"), "address", address20, 20);
}

static lks_err read_u64(const lks_json *doc, int node, const char *name, uint64_t *out)
{
    lks_err err = lks_json_u64(doc, node, out);
    return err ? lks_fail_in(err, "key file: %s", name) : LKS_OK;
}

static lks_err read_scrypt(const lks_json *doc, int params, key_file *file)
{
    lks_err err;
    file->scrypt = true;
    if ((err = read_u64(doc, lks_json_member(doc, params, "n"), "n", &file->n)) ||
        (err = read_u64(doc, lks_json_member(doc, params, "r"), "r", &file->r)) ||
        (err = read_u64(doc, lks_json_member(doc, params, "p"), "p", &file->p)))
        return err;
    if (file->n < 2 || (file->n & (file->n - 1)) || !file->r || !file->p)
        return lks_fail(LKS_CORRUPT,
                        "key file: scrypt's n must be a power of two above 1, r and p above 0");
    const uint64_t limit = UINT64_C(1) << 30;
    if (file->n > limit || file->r > limit || file->p > limit ||
        128 * file->r > MAX_SCRYPT_MEMORY / file->n ||
        file->n * file->r > MAX_SCRYPT_WORK / file->p || file->r * file->p > MAX_SCRYPT_BLOCKS)
        return lks_fail(LKS_REFUSED,
                        "key file: its scrypt costs need over 1 GiB of memory or minutes of time");
    return LKS_OK;
}

static lks_err read_pbkdf2(const lks_json *doc, int params, key_file *file)
{
    lks_err err;
    file->scrypt = false;
    if (!lks_json_equals(doc, lks_json_member(doc, params, "prf"), "hmac-sha256"))
        return lks_fail(LKS_REFUSED, "key file: of PBKDF2 only hmac-sha256 is supported");
    if ((err = read_u64(doc, lks_json_member(doc, params, "c"), "c", &file->rounds)))
        return err;
    if (!file->rounds || file->rounds > MAX_PBKDF2_ROUNDS)
        return lks_fail(LKS_REFUSED, "key file: PBKDF2 rounds must be 1 to %d", MAX_PBKDF2_ROUNDS);
    return LKS_OK;
}

static lks_err read_key_file(const lks_json *doc, key_file *file)
{
    lks_err err;
    uint64_t version, derived;
    if ((err = read_u64(doc, lks_json_member(doc, 0, "version"), "version", &version)))
        return err;
    if (version != 3)
        return lks_fail(LKS_REFUSED, "key file: version 3 is supported, not %llu",
                        (unsigned long long)version);
    int crypto = lks_json_member(doc, 0, "crypto");
    if (crypto == LKS_JSON_NONE)
        crypto = lks_json_member(doc, 0, "Crypto"); /* as some wallets wrote it */
    int params = lks_json_member(doc, crypto, "kdfparams"),
        kdf = lks_json_member(doc, crypto, "kdf");
    if (lks_json_typeof(doc, crypto) != LKS_JSON_OBJECT ||
        lks_json_typeof(doc, params) != LKS_JSON_OBJECT)
        return lks_fail(LKS_CORRUPT, "key file: it has no crypto and kdfparams");
    if (!lks_json_equals(doc, lks_json_member(doc, crypto, "cipher"), "aes-128-ctr"))
        return lks_fail(LKS_REFUSED, "key file: the cipher must be aes-128-ctr");
    if (lks_json_equals(doc, kdf, "scrypt"))
        err = read_scrypt(doc, params, file);
    else if (lks_json_equals(doc, kdf, "pbkdf2"))
        err = read_pbkdf2(doc, params, file);
    else
        err = lks_fail(LKS_REFUSED, "key file: the key derivation must be scrypt or pbkdf2");
    if (err || (err = read_u64(doc, lks_json_member(doc, params, "dklen"), "dklen", &derived)))
        return err;
    if (derived != DERIVED)
        return lks_fail(LKS_REFUSED, "key file: dklen must be %d", DERIVED);
    if ((err = read_hex(doc, lks_json_member(doc, params, "salt"), "salt", file->salt, MAX_SALT,
                        &file->salt_len)) ||
        (err = read_hex_exact(doc, lks_json_path(doc, crypto, "cipherparams.iv"), "iv", file->iv,
                              16)) ||
        (err = read_hex_exact(doc, lks_json_member(doc, crypto, "ciphertext"), "ciphertext",
                              file->ciphertext, 32)))
        return err;
    return read_hex_exact(doc, lks_json_member(doc, crypto, "mac"), "mac", file->mac, 32);
}

static lks_err derive(uint8_t derived[DERIVED], const key_file *file, const void *password,
                      size_t password_len)
{
    if (password_len > INT_MAX)
        return lks_fail(LKS_BADARGS, "the password is too long");
    if (file->scrypt)
        return lks_scrypt(derived, DERIVED, password, password_len, file->salt, file->salt_len,
                          file->n, (uint32_t)file->r, (uint32_t)file->p);
    if (PKCS5_PBKDF2_HMAC(password_len ? password : "", (int)password_len, file->salt,
                          (int)file->salt_len, (int)file->rounds, EVP_sha256(), DERIVED,
                          derived) == 1)
        return LKS_OK;
    ERR_clear_error();
    return lks_fail(LKS_NOMEM, "out of memory for a key derivation");
}

static void make_mac(uint8_t mac[32], const uint8_t derived[DERIVED], const uint8_t ciphertext[32])
{
    lks_keccak keccak;
    lks_keccak_init(&keccak);
    lks_keccak_update(&keccak, derived + 16, 16);
    lks_keccak_update(&keccak, ciphertext, 32);
    lks_keccak_final(&keccak, mac);
    lks_wipe(&keccak, sizeof keccak);
}

/* Encrypts and decrypts: counter mode is its own inverse. */
static lks_err apply_cipher(uint8_t out[32], const uint8_t in[32], const uint8_t key[16],
                            const uint8_t iv[16])
{
    int len = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool good = context && EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
                EVP_EncryptUpdate(context, out, &len, in, 32) == 1 && len == 32;
    EVP_CIPHER_CTX_free(context);
    if (good)
        return LKS_OK;
    ERR_clear_error();
    return lks_fail(LKS_INTERNAL, "AES-128-CTR failed");
}

/* Checks that key32 is a key and, when the file names an address, that it is this key's. */
static lks_err check_key(const uint8_t key32[32], const lks_json *doc)
{
    lks_signer *signer;
    uint8_t address[20];
    lks_err err = lks_signer_new(&signer, key32);
    if (err)
        return err == LKS_BADARGS ? lks_fail_in(LKS_CORRUPT, "key file") : err;
    if (lks_json_member(doc, 0, "address") != LKS_JSON_NONE) {
        err = lks_keystore_address(doc, address);
        if (!err && memcmp(address, lks_signer_address(signer), 20))
            err = lks_fail(LKS_CORRUPT, "key file: its address is not that of its key");
    }
    lks_signer_free(signer);
    return err;
}

static lks_err wrong_password(const lks_json *doc)
{
    uint8_t address[20];
    char text[LKS_ADDRESS_SIZE] = "this key file";
    if (!lks_keystore_address(doc, address))
        lks_address_format(text, address);
    return lks_fail(LKS_AUTH, "wrong password for %s", text);
}

lks_err lks_keystore_decrypt(uint8_t key32[32], const char *json, size_t len, const void *password,
                             size_t password_len)
{
    lks_json doc;
    key_file file;
    uint8_t derived[DERIVED], mac[32];
    memset(key32, 0, 32);
    lks_err err = lks_json_parse(&doc, json, len, 1000);
    if (err)
        return lks_fail_in(err, "key file");
    if ((err = read_key_file(&doc, &file)) ||
        (err = derive(derived, &file, password, password_len)))
        goto out;
    make_mac(mac, derived, file.ciphertext);
    if (CRYPTO_memcmp(mac, file.mac, 32)) {
        err = wrong_password(&doc);
        goto out;
    }
    if (!(err = apply_cipher(key32, file.ciphertext, derived, file.iv)))
        err = check_key(key32, &doc);
out:
    if (err)
        lks_wipe(key32, 32);
    lks_wipe(derived, sizeof derived);
    lks_json_free(&doc);
    return err;
}

static void put_hex(lks_json_writer *w, const char *name, const void *data, size_t len)
{
    char text[LKS_HEX_SIZE(64)];
    lks_hex_encode(text, data, len);
    lks_json_put_name(w, name);
    lks_json_put_text(w, text + 2);
}

/* Source of the id: RFC 4122, version 4. */
static void put_id(lks_json_writer *w, uint8_t id[16])
{
    char hex[LKS_HEX_SIZE(16)], text[37];
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    lks_hex_encode(hex, id, 16);
    snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex + 2, hex + 10, hex + 14, hex + 18,
             hex + 22);
    lks_json_put_name(w, "id");
    lks_json_put_text(w, text);
}

static void put_key_file(lks_buf *json, const key_file *file, const uint8_t address[20],
                         uint8_t id[16])
{
    lks_json_writer w = {.out = json};
    lks_json_begin_object(&w);
    put_hex(&w, "address", address, 20);
    lks_json_put_name(&w, "crypto");
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "cipher");
    lks_json_put_text(&w, "aes-128-ctr");
    put_hex(&w, "ciphertext", file->ciphertext, 32);
    lks_json_put_name(&w, "cipherparams");
    lks_json_begin_object(&w);
    put_hex(&w, "iv", file->iv, 16);
    lks_json_end_object(&w);
    lks_json_put_name(&w, "kdf");
    lks_json_put_text(&w, "scrypt");
    lks_json_put_name(&w, "kdfparams");
    lks_json_begin_object(&w);
    lks_json_put_name(&w, "dklen");
    lks_json_put_u64(&w, DERIVED);
    lks_json_put_name(&w, "n");
    lks_json_put_u64(&w, file->n);
    lks_json_put_name(&w, "p");
    lks_json_put_u64(&w, file->p);
    lks_json_put_name(&w, "r");
    lks_json_put_u64(&w, file->r);
    put_hex(&w, "salt", file->salt, file->salt_len);
    lks_json_end_object(&w);
    put_hex(&w, "mac", file->mac, 32);
    lks_json_end_object(&w);
    put_id(&w, id);
    lks_json_put_name(&w, "version");
    lks_json_put_u64(&w, 3);
    lks_json_end_object(&w);
}

lks_err lks_keystore_encrypt(lks_buf *json, const uint8_t key32[32], const void *password,
                             size_t password_len, lks_keystore_cost cost)
{
    bool light = cost == LKS_KEYSTORE_LIGHT;
    key_file file = {.scrypt = true,
                     .n = light ? 1u << 12 : 1u << 18,
                     .r = 8,
                     .p = light ? 6 : 1,
                     .salt_len = 32};
    uint8_t derived[DERIVED] = {0}, id[16];
    lks_signer *signer;
    lks_err err = lks_signer_new(&signer, key32);
    if (err)
        return err;
    if ((err = lks_random(file.salt, file.salt_len)) || (err = lks_random(file.iv, 16)) ||
        (err = lks_random(id, 16)) || (err = derive(derived, &file, password, password_len)) ||
        (err = apply_cipher(file.ciphertext, key32, derived, file.iv)))
        goto out;
    make_mac(file.mac, derived, file.ciphertext);
    put_key_file(json, &file, lks_signer_address(signer), id);
    err = lks_buf_error(json);
out:
    lks_wipe(derived, sizeof derived);
    lks_signer_free(signer);
    return err;
}
