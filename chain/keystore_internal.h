/* Shared by the files of the keystore. */
#ifndef LKS_CHAIN_KEYSTORE_INTERNAL_H
#define LKS_CHAIN_KEYSTORE_INTERNAL_H

#include "chain/json.h"
#include "chain/keystore.h"

/* No real key file is a tenth of this. */
#define LKS_KEYSTORE_MAX_FILE 65536

/* Reads the "address" member of a key file's text; with or without 0x. Returns: LKS_OK or
 * LKS_CORRUPT. */
lks_err lks_keystore_address(const lks_json *doc, uint8_t address20[20]) LKS_MUST_USE;

/* Appends a file's bytes. Returns: LKS_OK; LKS_NOTFOUND; LKS_IO; LKS_CORRUPT (over
 * LKS_KEYSTORE_MAX_FILE); LKS_NOMEM. */
lks_err lks_keystore_read_file(lks_buf *out, const char *path) LKS_MUST_USE;

#endif
