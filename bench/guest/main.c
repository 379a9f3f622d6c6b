/* gov86 bench driver: `bench NAME [SCALE%]`, plus small file-system helpers. */
#define _GNU_SOURCE
#include "gb.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static const char *name;
static unsigned scale = 100;
static struct timespec t0;
static unsigned it_n = 1, it_base = 1;
unsigned iters(unsigned b) {
	uint64_t v = (uint64_t)b * scale / 100;
	it_base = b;
	return it_n = v ? v : 1;
}
static void put(const char *s) {
	size_t n = strlen(s);
	while (n) {
		ssize_t w = write(1, s, n);
		if (w <= 0)
			break;
		s += w;
		n -= w;
	}
}
void begin(void) {
	char b[80];
	snprintf(b, sizeof b, "@@B %s\n", name);
	put(b);
	clock_gettime(CLOCK_MONOTONIC, &t0);
}
void end(uint32_t sum) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	long long us = (t.tv_sec - t0.tv_sec) * 1000000LL + (t.tv_nsec - t0.tv_nsec) / 1000;
	char b[128];
	snprintf(b, sizeof b, "@@E %s %lld %08x %u/%u\n", name, us, sum, it_n, it_base);
	put(b);
}
#define T(n) extern void b_##n(void);
#define LIST                                                                                       \
	T(core)                                                                                    \
	T(dhry) T(sieve) T(sha256) T(crc32) T(qsort) T(interp_sw) T(interp_th) T(fib) T(vcall)     \
	    T(chase_l1) T(chase_tlb) T(div64) T(bignum) T(collatz) T(movs_big) T(stos_big)         \
		T(movsb_big) T(movs_small) T(copy_loop) T(scasb) T(strbyte) T(smc) T(smcdata)      \
		    T(jitgen1) T(jitgen50) T(sys_int80) T(sys_fast) T(ctxsw) T(fork) T(forkexec)   \
			T(pagefault) T(mprotect) T(signal) T(sigsegv) T(clock) T(rdtsc) T(sleep)   \
			    T(cpuid) T(pio) T(piodev) T(vgatext) T(getattr)
LIST extern void matmul_x87(void), matmul_sse2(void), mandel_x87(void), mandel_sse2(void),
    nbody_x87(void), nbody_sse2(void), simd_sse2(void), trig_x87(void);
#undef T
#define T(n) {#n, b_##n},
static const struct {
	const char *n;
	void (*f)(void);
} tab[] = {LIST{"matmul_x87", matmul_x87}, {"matmul_sse2", matmul_sse2}, {"mandel_x87", mandel_x87},
	   {"mandel_sse2", mandel_sse2},   {"nbody_x87", nbody_x87},	 {"nbody_sse2", nbody_sse2},
	   {"simd_sse2", simd_sse2},	   {"trig_x87", trig_x87}};
void trig_x87(void) {
	unsigned n = iters(1500000);
	double acc = 0, x = 0.1;
	begin();
	for (unsigned i = 0; i < n; i++) {
		double s, c, a;
		__asm__ volatile("fsincos" : "=t"(c), "=u"(s) : "0"(x));
		__asm__ volatile("fpatan" : "=t"(a) : "0"(c), "u"(s) : "st(1)");
		acc += s + a;
		x += 0.001;
		if (x > 3)
			x -= 5.9;
	}
	end((uint32_t)(int64_t)(acc * 1000));
}
/* text-like compressible data, deterministic */
static void gentext(const char *f, unsigned kb) {
	static const char *w[] = {"the", "kernel", "page",	"fault",     "register",
				  "of",	 "and",	   "translate", "block",     "emulator",
				  "a",	 "to",	   "device",	"interrupt", "memory",
				  "in",	 "cache",  "state",	"is",	     "guest"};
	int fd = open(f, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	uint32_t s = 2024;
	static char b[65536];
	unsigned left = kb * 1024;
	while (left) {
		unsigned n = left < sizeof b ? left : sizeof b, i = 0;
		while (i < n) {
			uint32_t r = rnd(&s);
			const char *p = w[(r >> 5) % 20];
			while (*p && i < n)
				b[i++] = *p++;
			if (i < n)
				b[i++] = (r & 31) == 0 ? '\n' : (r & 31) == 1 ? '.' : ' ';
			if ((r & 63) == 7 && i + 8 < n)
				i += sprintf(b + i, "%u", (unsigned)(r >> 9) % 100000);
		}
		if (write(fd, b, n) != (ssize_t)n)
			exit(1);
		left -= n;
	}
	close(fd);
}
static void mkfiles(const char *d, unsigned n, unsigned size) {
	char p[256], b[65536];
	memset(b, 'x', sizeof b);
	for (unsigned i = 0; i < n; i++) {
		if (i % 100 == 0) {
			snprintf(p, sizeof p, "%s/d%03u", d, i / 100);
			mkdir(p, 0755);
		}
		snprintf(p, sizeof p, "%s/d%03u/f%05u", d, i / 100, i);
		int fd = open(p, O_CREAT | O_TRUNC | O_WRONLY, 0644);
		if (fd < 0) {
			perror(p);
			exit(1);
		}
		unsigned sz = size ? size / 2 + (i * 2654435761u >> 16) % size : 0;
		if (sz > sizeof b)
			sz = sizeof b;
		if (sz && write(fd, b, sz) != (ssize_t)sz)
			exit(1);
		close(fd);
	}
}
static void rmfiles(const char *d, unsigned n) {
	char p[256];
	for (unsigned i = 0; i < n; i++) {
		snprintf(p, sizeof p, "%s/d%03u/f%05u", d, i / 100, i);
		unlink(p);
		if (i % 100 == 99 || i == n - 1) {
			snprintf(p, sizeof p, "%s/d%03u", d, i / 100);
			rmdir(p);
		}
	}
}
static void seqw(const char *f, unsigned mb, unsigned bs) {
	char *b = mmap(0, bs, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(b, 'y', bs);
	int fd = open(f, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	if (fd < 0) {
		perror(f);
		exit(1);
	}
	unsigned long long left = (unsigned long long)mb << 20;
	while (left) {
		ssize_t w = write(fd, b, bs);
		if (w <= 0) {
			perror("write");
			exit(1);
		}
		left -= w;
	}
	fsync(fd);
	close(fd);
}
static void seqr(const char *f, unsigned bs) {
	char *b = mmap(0, bs, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(f, O_RDONLY);
	if (fd < 0) {
		perror(f);
		exit(1);
	}
	ssize_t r;
	unsigned long long t = 0;
	while ((r = read(fd, b, bs)) > 0)
		t += r;
	close(fd);
}
/* Prints the names that appear in a directory, until nobody wants more. */
static void watch(const char *d) {
	char b[4096] __attribute__((aligned(8)));
	int fd = inotify_init();
	ssize_t n;
	if (inotify_add_watch(fd, d, IN_CREATE) < 0) {
		perror(d);
		exit(1);
	}
	while ((n = read(fd, b, sizeof b)) > 0)
		for (char *p = b; p < b + n;) {
			struct inotify_event *e = (struct inotify_event *)p;
			put(e->name);
			put("\n");
			p += sizeof *e + e->len;
		}
}
static void statall(const char *d, unsigned n) {
	char p[256];
	struct stat st;
	unsigned ok = 0;
	for (unsigned i = 0; i < n; i++) {
		snprintf(p, sizeof p, "%s/d%03u/f%05u", d, i / 100, i);
		ok += stat(p, &st) == 0;
	}
	if (ok != n)
		fprintf(stderr, "stat %u/%u\n", ok, n);
}
int main(int c, char **v) {
	if (c < 2) {
		for (size_t i = 0; i < sizeof tab / sizeof *tab; i++)
			printf("%s ", tab[i].n);
		puts("");
		return 0;
	}
	if (!strcmp(v[1], "gentext") && c > 3) {
		gentext(v[2], atoi(v[3]));
		return 0;
	}
	if (!strcmp(v[1], "mkfiles") && c > 4) {
		mkfiles(v[2], atoi(v[3]), atoi(v[4]));
		return 0;
	}
	if (!strcmp(v[1], "rmfiles") && c > 3) {
		rmfiles(v[2], atoi(v[3]));
		return 0;
	}
	if (!strcmp(v[1], "seqw") && c > 4) {
		seqw(v[2], atoi(v[3]), atoi(v[4]));
		return 0;
	}
	if (!strcmp(v[1], "seqr") && c > 3) {
		seqr(v[2], atoi(v[3]));
		return 0;
	}
	if (!strcmp(v[1], "watch") && c > 2) {
		watch(v[2]);
		return 0;
	}
	if (!strcmp(v[1], "statall") && c > 3) {
		statall(v[2], atoi(v[3]));
		return 0;
	}
	if (!strcmp(v[1], "touchmem") && c > 2) {
		size_t n = (size_t)atoi(v[2]) << 20;
		char *p = mmap(0, n, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uint32_t s = 5;
		for (size_t i = 0; i < n; i += 4)
			*(uint32_t *)(p + i) = rnd(&s);
		put("@@TOUCHED\n");
		pause();
		return 0;
	}
	name = v[1];
	if (c > 2) {
		int x = atoi(v[2]);
		scale = x > 0 ? x : 1;
	}
	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++)
		if (!strcmp(tab[i].n, v[1])) {
			tab[i].f();
			return 0;
		}
	fprintf(stderr, "unknown bench %s\n", v[1]);
	return 2;
}
