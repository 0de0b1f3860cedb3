#include "chain/address.h"

#include <string.h>

#include "chain/hex.h"
#include "chain/keccak.h"
#include "chain/rlp.h"

void lks_address_format(char text[LKS_ADDRESS_SIZE], const uint8_t address20[20])
{
    uint8_t hash[32];
    lks_hex_encode(text, address20, 20);
    lks_keccak256(hash, text + 2, 40);
    for (int i = 0; i < 40; i++) {
        int nibble = i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4;
        if (text[2 + i] >= 'a' && nibble >= 8)
            text[2 + i] = (char)(text[2 + i] - 'a' + 'A');
    }
}

lks_err lks_address_parse(uint8_t address20[20], const char *text)
{
    char expected[LKS_ADDRESS_SIZE];
    uint8_t address[20];
    bool upper = false, lower = false;
    if (strlen(text) != 42 || lks_hex_decode(address, 20, text, 42))
        return lks_fail(LKS_BADARGS,
                        "\"%.80s\" is not an address: 0x and 40 hexadecimal digits are needed",
                        text);
    for (int i = 2; i < 42; i++) {
        upper |= text[i] >= 'A' && text[i] <= 'F';
        lower |= text[i] >= 'a' && text[i] <= 'f';
    }
    lks_address_format(expected, address);
    if (upper && lower && strcmp(text, expected))
        return lks_fail(LKS_BADARGS,
                        "the address %.42s is mistyped: its checksum (EIP-55) is wrong", text);
    memcpy(address20, address, 20);
    return LKS_OK;
}

lks_err lks_address_of_contract(uint8_t address20[20], const uint8_t sender20[20], uint64_t nonce)
{
    lks_buf rlp = {0};
    uint8_t hash[32];
    size_t list = lks_rlp_list_begin(&rlp);
    lks_rlp_put_bytes(&rlp, sender20, 20);
    lks_rlp_put_u64(&rlp, nonce);
    lks_rlp_list_end(&rlp, list);
    lks_err err = lks_buf_error(&rlp);
    if (!err) {
        lks_keccak256(hash, rlp.data, rlp.len);
        memcpy(address20, hash + 12, 20);
    }
    lks_buf_free(&rlp);
    return err;
}
