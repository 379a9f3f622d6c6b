/* SSE2 integer SIMD: 4-lane ChaCha-like quarter rounds plus pmaddwd dot products. */
#include "gb.h"
#include <emmintrin.h>
#define ROT(x, n) _mm_or_si128(_mm_slli_epi32(x, n), _mm_srli_epi32(x, 32 - n))
#define QR(a, b, c, d)                                                                             \
	a = _mm_add_epi32(a, b);                                                                   \
	d = ROT(_mm_xor_si128(d, a), 16);                                                          \
	c = _mm_add_epi32(c, d);                                                                   \
	b = ROT(_mm_xor_si128(b, c), 12);                                                          \
	a = _mm_add_epi32(a, b);                                                                   \
	d = ROT(_mm_xor_si128(d, a), 8);                                                           \
	c = _mm_add_epi32(c, d);                                                                   \
	b = ROT(_mm_xor_si128(b, c), 7)
void simd_sse2(void) {
	static uint32_t buf[4096] __attribute__((aligned(16)));
	uint32_t s = 7;
	for (int i = 0; i < 4096; i++)
		buf[i] = rnd(&s);
	unsigned n = iters(5000);
	begin();
	__m128i acc = _mm_setzero_si128();
	for (unsigned r = 0; r < n; r++) {
		for (int i = 0; i < 4096; i += 16) {
			__m128i a = _mm_load_si128((__m128i *)(buf + i)),
				b = _mm_load_si128((__m128i *)(buf + i + 4)),
				c = _mm_load_si128((__m128i *)(buf + i + 8)),
				d = _mm_load_si128((__m128i *)(buf + i + 12));
			for (int k = 0; k < 2; k++) {
				QR(a, b, c, d);
				b = _mm_shuffle_epi32(b, 0x39);
				c = _mm_shuffle_epi32(c, 0x4e);
				d = _mm_shuffle_epi32(d, 0x93);
				QR(a, b, c, d);
			}
			acc = _mm_add_epi32(
			    acc, _mm_madd_epi16(_mm_add_epi32(a, c), _mm_sub_epi32(b, d)));
			_mm_store_si128((__m128i *)(buf + i), _mm_xor_si128(a, acc));
		}
	}
	uint32_t o[4];
	_mm_storeu_si128((__m128i *)o, acc);
	end(o[0] ^ o[1] ^ o[2] ^ o[3]);
}
