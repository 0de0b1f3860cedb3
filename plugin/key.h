/* The operator's key, from the files that the configuration names. Password and key bytes are wiped
 * after use.
 */
#ifndef LKS_PLUGIN_KEY_H
#define LKS_PLUGIN_KEY_H

#include "chain/signer.h"
#include "plugin/config.h"

/* Returns: LKS_OK, *out is to be freed; LKS_REFUSED (others can read the password file); LKS_IO;
 * what lks_keystore_load returns. */
lks_err lks_key_load(lks_signer **out, const lks_config *config) LKS_MUST_USE;
/* The same for the second account, which must be another one than `account20`. Out: NULL when none
 * is configured. Returns also: LKS_BADARGS: it is the same. */
lks_err lks_key_load_moves(lks_signer **out, const lks_config *config,
                           const uint8_t account20[20]) LKS_MUST_USE;

#endif
