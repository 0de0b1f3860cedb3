/* Key files: Web3 secret storage, version 3, as geth and every wallet read them.
 * Read: scrypt and PBKDF2-HMAC-SHA-256 with AES-128-CTR and the Keccak-256 MAC. Written: scrypt.
 * Passwords are bytes with a length, never logged, never part of a message. Deriving a key takes
 * about a second and the memory that the file asks for; more than 1 GiB, or more than 10 million
 * PBKDF2 rounds, is refused. Thread rule: no shared state; safe to call from any thread.
 */
#ifndef LKS_CHAIN_KEYSTORE_H
#define LKS_CHAIN_KEYSTORE_H

#include "chain/address.h"
#include "chain/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lks_keystore_cost {
    LKS_KEYSTORE_STANDARD = 0, /* scrypt n = 2^18, r = 8, p = 1: 256 MiB, geth's default */
    LKS_KEYSTORE_LIGHT /* scrypt n = 2^12, r = 8, p = 6: 4 MiB; for keys of a test network only */
} lks_keystore_cost;

/* Decrypts the text of a key file. Out: key32, which the caller wipes.
 * Returns: LKS_OK; LKS_AUTH (wrong password); LKS_CORRUPT; LKS_REFUSED (another version, cipher or
 * derivation, or costs above the bounds); LKS_NOMEM. On failure key32 is zero. */
lks_err lks_keystore_decrypt(uint8_t key32[32], const char *json, size_t len, const void *password,
                             size_t password_len) LKS_MUST_USE;

/* Appends the text of a key file for key32, with fresh salt, IV and id. Returns: LKS_OK;
 * LKS_BADARGS (not a key); LKS_NOMEM; LKS_IO. */
lks_err lks_keystore_encrypt(lks_buf *json, const uint8_t key32[32], const void *password,
                             size_t password_len, lks_keystore_cost cost) LKS_MUST_USE;

/* Reads and decrypts a file. Returns: as lks_keystore_decrypt; LKS_NOTFOUND, LKS_IO. The reason
 * names the file. */
lks_err lks_keystore_load(uint8_t key32[32], const char *path, const void *password,
                          size_t password_len) LKS_MUST_USE;

/* Encrypts key32 into a new file of the directory, which is made with mode 0700 when it is missing.
 * The file has mode 0600, appears whole or not at all, and is named as geth does:
 * UTC--2024-01-02T03-04-05.000000006Z--<40 digits>. Out: path, appended, when it is not NULL.
 * Returns: LKS_OK; LKS_REFUSED (a file for this address exists); LKS_IO; LKS_NOMEM. */
lks_err lks_keystore_create(lks_buf *path, const char *directory, const uint8_t key32[32],
                            const void *password, size_t password_len,
                            lks_keystore_cost cost) LKS_MUST_USE;

typedef struct lks_keystore_entry {
    uint8_t address[20];
    char *path; /* owned by the list */
} lks_keystore_entry;

/* Lists a directory's key files by name order, oldest first as geth names them. Files that are not
 * key files are passed over. The address is what the file's "address" member says; it is only
 * proved when the key is decrypted. Out: *entries, *count; free with lks_keystore_list_free.
 * Returns: LKS_OK; LKS_NOTFOUND (no such directory); LKS_IO; LKS_NOMEM. */
lks_err lks_keystore_list(lks_keystore_entry **entries, size_t *count,
                          const char *directory) LKS_MUST_USE;
void lks_keystore_list_free(lks_keystore_entry *entries, size_t count);

/* Out: path, appended: the file of the directory for this address. Returns: LKS_OK; LKS_NOTFOUND;
 * as lks_keystore_list. */
lks_err lks_keystore_find(lks_buf *path, const char *directory,
                          const uint8_t address20[20]) LKS_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
