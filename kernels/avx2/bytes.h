/* Sum of the 32 signed bytes at p; whether one of them is negative. In registers of 256 bits, which
 * AVX-512 has too. */

INLINE int32_t v_sum_of_32(const int8_t *p)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1),
                                         _mm256_loadu_si256((const __m256i *)(const void *)p));
    __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}
INLINE int v_negative_in_32(const int8_t *p)
{
    return _mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)(const void *)p)) != 0;
}
