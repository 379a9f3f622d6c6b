/* gov86 bench: common header (written for this project; free to reuse) */
#ifndef GB_H
#define GB_H
#include <stddef.h>
#include <stdint.h>
void begin(void);	       /* prints "@@B name", starts the guest clock   */
void end(uint32_t sum);	       /* prints "@@E name guest_us checksum"         */
unsigned iters(unsigned base); /* base scaled by the scale percentage, >= 1 */
#define NOINLINE __attribute__((noinline, noclone))
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))
#define CLOBBER() __asm__ volatile("" ::: "memory")
static inline uint32_t rnd(uint32_t *s) {
	uint32_t x = *s;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *s = x;
}
#endif
