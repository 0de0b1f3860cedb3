/* Put in front of llama.cpp's C++ files by bench/peer.sh on machines with AMX. gcc 12's own
 * _tile_loadconfig tells the compiler of 8 of the 64 bytes that the instruction reads, so that the
 * stores to the others are left out and the first tile instruction ends the program (SIGILL).
 */
#include <immintrin.h>

#define _tile_loadconfig(config)                                                                   \
    __asm__ volatile("ldtilecfg %0" ::"m"(*(const char(*)[64])(config)))
