/* Keccak-f[1600] over words or over vectors of words, one message a lane. The including file defines
 *   V, XOR(a, b), XOR3(a, b, c) = a ^ b ^ c, CHI(a, b, c) = a ^ (~b & c), ROL(a, constant), SPLAT(constant).
 * All 25 words are named and every rotation is by a constant, so that nothing needs an index at run time.
 */
#include <stdint.h>

#define RATE 136

static const uint64_t round_constants[24] = {
    0x0000000000000001u, 0x0000000000008082u, 0x800000000000808au, 0x8000000080008000u, 0x000000000000808bu,
    0x0000000080000001u, 0x8000000080008081u, 0x8000000000008009u, 0x000000000000008au, 0x0000000000000088u,
    0x0000000080008009u, 0x000000008000000au, 0x000000008000808bu, 0x800000000000008bu, 0x8000000000008089u,
    0x8000000000008003u, 0x8000000000008002u, 0x8000000000000080u, 0x000000000000800au, 0x800000008000000au,
    0x8000000080008081u, 0x8000000000008080u, 0x0000000080000001u, 0x8000000080008008u,
};

/* rho, pi and chi of one plane of the next state e, from the words of a that pi brings there, in order: column, turned by. */
#define PLANE(a, e, y, w0, x0, n0, w1, x1, n1, w2, x2, n2, w3, x3, n3, w4, x4, n4)                                             \
    b0 = ROL(XOR(a##w0, d##x0), n0), b1 = ROL(XOR(a##w1, d##x1), n1), b2 = ROL(XOR(a##w2, d##x2), n2), b3 = ROL(XOR(a##w3, d##x3), n3), \
    b4 = ROL(XOR(a##w4, d##x4), n4);                                                                                          \
    e##y##0 = CHI(b0, b1, b2), e##y##1 = CHI(b1, b2, b3), e##y##2 = CHI(b2, b3, b4), e##y##3 = CHI(b3, b4, b0), e##y##4 = CHI(b4, b0, b1)

/* One round from the words a to the words e; theta first. */
#define ROUND(a, e, constant)                                                                                                 \
    c0 = XOR3(XOR3(a##00, a##10, a##20), a##30, a##40), c1 = XOR3(XOR3(a##01, a##11, a##21), a##31, a##41);                     \
    c2 = XOR3(XOR3(a##02, a##12, a##22), a##32, a##42), c3 = XOR3(XOR3(a##03, a##13, a##23), a##33, a##43);                     \
    c4 = XOR3(XOR3(a##04, a##14, a##24), a##34, a##44);                                                                       \
    d0 = XOR(c4, ROL(c1, 1)), d1 = XOR(c0, ROL(c2, 1)), d2 = XOR(c1, ROL(c3, 1)), d3 = XOR(c2, ROL(c4, 1)), d4 = XOR(c3, ROL(c0, 1)); \
    b0 = XOR(a##00, d0), b1 = ROL(XOR(a##11, d1), 44), b2 = ROL(XOR(a##22, d2), 43), b3 = ROL(XOR(a##33, d3), 21), b4 = ROL(XOR(a##44, d4), 14); \
    e##00 = XOR(CHI(b0, b1, b2), SPLAT(constant)), e##01 = CHI(b1, b2, b3), e##02 = CHI(b2, b3, b4), e##03 = CHI(b3, b4, b0), e##04 = CHI(b4, b0, b1); \
    PLANE(a, e, 1, 03, 3, 28, 14, 4, 20, 20, 0, 3, 31, 1, 45, 42, 2, 61);                                                      \
    PLANE(a, e, 2, 01, 1, 1, 12, 2, 6, 23, 3, 25, 34, 4, 8, 40, 0, 18);                                                        \
    PLANE(a, e, 3, 04, 4, 27, 10, 0, 36, 21, 1, 10, 32, 2, 15, 43, 3, 56);                                                     \
    PLANE(a, e, 4, 02, 2, 62, 13, 3, 55, 24, 4, 39, 30, 0, 41, 41, 1, 2)

/* Word s[5 * y + x] is a<y><x>. Two rounds a turn, so that no word moves. */
static inline __attribute__((always_inline)) void permute(V s[25])
{
    V a00 = s[0], a01 = s[1], a02 = s[2], a03 = s[3], a04 = s[4];
    V a10 = s[5], a11 = s[6], a12 = s[7], a13 = s[8], a14 = s[9];
    V a20 = s[10], a21 = s[11], a22 = s[12], a23 = s[13], a24 = s[14];
    V a30 = s[15], a31 = s[16], a32 = s[17], a33 = s[18], a34 = s[19];
    V a40 = s[20], a41 = s[21], a42 = s[22], a43 = s[23], a44 = s[24];
    V e00, e01, e02, e03, e04, e10, e11, e12, e13, e14, e20, e21, e22, e23, e24, e30, e31, e32, e33, e34, e40, e41, e42, e43, e44;
    V b0, b1, b2, b3, b4, c0, c1, c2, c3, c4, d0, d1, d2, d3, d4;
    for (int round = 0; round < 24; round += 2) {
        ROUND(a, e, round_constants[round]);
        ROUND(e, a, round_constants[round + 1]);
    }
    s[0] = a00, s[1] = a01, s[2] = a02, s[3] = a03, s[4] = a04;
    s[5] = a10, s[6] = a11, s[7] = a12, s[8] = a13, s[9] = a14;
    s[10] = a20, s[11] = a21, s[12] = a22, s[13] = a23, s[14] = a24;
    s[15] = a30, s[16] = a31, s[17] = a32, s[18] = a33, s[19] = a34;
    s[20] = a40, s[21] = a41, s[22] = a42, s[23] = a43, s[24] = a44;
}
