/* Integer, control-flow, memory and code-cache kernels. */
#include "gb.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- core: CoreMark-like mixture: linked list, int matrix, state machine, crc16 ---- */
struct node {
	struct node *next;
	int16_t key, val;
};
static NOINLINE uint16_t crc16(uint16_t c, uint16_t v) {
	for (int i = 0; i < 16; i++) {
		uint16_t b = (c ^ v) & 1;
		v >>= 1;
		c >>= 1;
		if (b)
			c ^= 0xA001;
	}
	return c;
}
static NOINLINE struct node *lrev(struct node *l) {
	struct node *p = 0;
	while (l) {
		struct node *n = l->next;
		l->next = p;
		p = l;
		l = n;
	}
	return p;
}
static NOINLINE struct node *lfind(struct node *l, int k) {
	while (l && l->key != k)
		l = l->next;
	return l;
}
static NOINLINE int cmpk(struct node *a, struct node *b) { return a->key - b->key; }
static NOINLINE int cmpv(struct node *a, struct node *b) { return a->val - b->val; }
static NOINLINE struct node *lsort(struct node *l, int (*cmp)(struct node *, struct node *)) {
	if (!l || !l->next)
		return l;
	struct node *s = l, *f = l->next;
	while (f && f->next) {
		s = s->next;
		f = f->next->next;
	}
	struct node *r = s->next;
	s->next = 0;
	l = lsort(l, cmp);
	r = lsort(r, cmp);
	struct node h, *t = &h;
	while (l && r) {
		if (cmp(l, r) <= 0) {
			t->next = l;
			l = l->next;
		} else {
			t->next = r;
			r = r->next;
		}
		t = t->next;
	}
	t->next = l ? l : r;
	return h.next;
}
#define MN 12
static int16_t ma[MN][MN], mb[MN][MN];
static int32_t mc[MN][MN];
static NOINLINE int32_t matrix(int v) {
	int32_t s = 0;
	for (int i = 0; i < MN; i++)
		for (int j = 0; j < MN; j++) {
			int32_t a = 0;
			for (int k = 0; k < MN; k++)
				a += (int32_t)ma[i][k] * mb[k][j];
			mc[i][j] = a + v;
		}
	for (int i = 0; i < MN; i++)
		for (int j = 0; j < MN; j++) {
			s += mc[i][j] >> ((i + j) & 7);
			if (s > 1000000)
				s -= 999983;
		}
	return s;
}
enum { ST, SIGN, INT, FLT, EXP, ESGN, ENUM, INV, NS };
static NOINLINE void states(const char *p, uint32_t *cnt) {
	int st = ST;
	for (; *p; p++) {
		char c = *p;
		if (c == ',') {
			cnt[st]++;
			st = ST;
			continue;
		}
		switch (st) {
		case ST:
			st = (c >= '0' && c <= '9')   ? INT
			     : (c == '+' || c == '-') ? SIGN
			     : c == '.'		      ? FLT
						      : INV;
			break;
		case SIGN:
			st = (c >= '0' && c <= '9') ? INT : c == '.' ? FLT : INV;
			break;
		case INT:
			if (c == '.')
				st = FLT;
			else if (!(c >= '0' && c <= '9'))
				st = INV;
			break;
		case FLT:
			if (c == 'e' || c == 'E')
				st = EXP;
			else if (!(c >= '0' && c <= '9'))
				st = INV;
			break;
		case EXP:
			st = (c == '+' || c == '-') ? ESGN : INV;
			break;
		case ESGN:
			st = (c >= '0' && c <= '9') ? ENUM : INV;
			break;
		case ENUM:
			if (!(c >= '0' && c <= '9'))
				st = INV;
			break;
		default:
			break;
		}
	}
	cnt[st]++;
}
static const char stin[] = "5012,+874,-122,.1,35.54400,1.e+32,-.123,+22,7000,T0.3e-1F,-110.700,5."
			   "500e+3,1.7e-2,+0.9,x7,12.34e+1q,8888,-9,0.5,,7e,+1.25,-44.5e-9,64,32";
void b_core(void) {
	static struct node pool[200];
	uint32_t s = 4711;
	uint16_t crc = 0;
	for (int i = 0; i < MN; i++)
		for (int j = 0; j < MN; j++) {
			ma[i][j] = rnd(&s) % 255;
			mb[i][j] = rnd(&s) % 255 - 128;
		}
	for (int i = 0; i < 200; i++) {
		pool[i].key = rnd(&s) % 1000;
		pool[i].val = rnd(&s);
		pool[i].next = i < 199 ? pool + i + 1 : 0;
	}
	struct node *l = pool;
	unsigned n = iters(7000);
	begin();
	for (unsigned r = 0; r < n; r++) {
		for (int i = 0; i < 8; i++) {
			struct node *f = lfind(l, (r * 7 + i * 131) % 1000);
			crc = crc16(crc, f ? f->val : 0);
			l = lrev(l);
		}
		l = lsort(l, (r & 1) ? cmpk : cmpv);
		crc = crc16(crc, l->key);
		crc = crc16(crc, matrix(r));
		uint32_t cnt[NS] = {0};
		states(stin, cnt);
		states(stin + 5, cnt);
		for (int i = 0; i < NS; i++)
			crc = crc16(crc, cnt[i]);
	}
	end(crc);
}
/* ---- dhry: Dhrystone-like mixture: records, strings, calls, enums ---- */
struct rec {
	struct rec *p;
	int d, e;
	int ic;
	char sc[31];
};
static struct rec ga, gb_;
static int Ig;
static char C1g, C2g;
static int A1[50], A2[50][50];
static NOINLINE int dfn1(char a, char b) {
	char x = a;
	if (x != b)
		return 0;
	C1g = x;
	return 1;
}
static NOINLINE int dstrcmp(const char *a, const char *b) {
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}
static NOINLINE void dstrcpy(char *d, const char *s) {
	while ((*d++ = *s++))
		;
}
static NOINLINE int dfn2(const char *a, const char *b) {
	int i = 1;
	char c = 'A';
	while (i <= 1)
		if (dfn1(a[i], b[i + 1]) == 0) {
			c = 'A';
			i++;
		} else
			i++;
	if (c >= 'W' && c < 'Z')
		i = 7;
	if (c == 'R')
		return 1;
	if (dstrcmp(a, b) > 0) {
		Ig = i + 7;
		return 1;
	}
	return 0;
}
static NOINLINE void dp7(int a, int b, int *o) { *o = b + a + 2; }
static NOINLINE void dp8(int *a, int (*b)[50], int i, int j) {
	int k = i + 5;
	a[k] = j;
	a[k + 1] = a[k];
	a[k + 30] = k;
	for (int x = k; x <= k + 1; x++)
		b[k][x] = k;
	b[k][k - 1]++;
	b[k + 20][k] = a[k];
	Ig = 5;
}
static NOINLINE void dp6(int e, int *o) {
	*o = e;
	if (e != 2)
		*o = 3;
	switch (e) {
	case 0:
		*o = 0;
		break;
	case 1:
		*o = Ig > 100 ? 0 : 3;
		break;
	case 2:
		*o = 1;
		break;
	case 4:
		*o = 2;
	}
}
static NOINLINE void dp3(struct rec **p) {
	if (gb_.p)
		*p = gb_.p->p;
	dp7(10, Ig, &gb_.ic);
}
static NOINLINE void dp1(struct rec *p) {
	struct rec *n = p->p;
	*n = gb_;
	p->ic = 5;
	n->ic = p->ic;
	n->p = p->p;
	dp3(&n->p);
	if (n->d == 0) {
		n->ic = 6;
		dp6(p->e, &n->e);
		n->p = gb_.p;
		dp7(n->ic, 10, &n->ic);
	} else
		*p = *n;
}
void b_dhry(void) {
	gb_.p = &ga;
	gb_.d = 0;
	gb_.e = 2;
	gb_.ic = 40;
	dstrcpy(gb_.sc, "GOV86 PROGRAM, SOME STRING");
	char s1[31], s2[31];
	dstrcpy(s1, "GOV86 PROGRAM, 1'ST STRING");
	uint32_t sum = 0;
	unsigned n = iters(1100000);
	ga.p = &ga;
	begin();
	for (unsigned r = 1; r <= n; r++) {
		int i1 = 2, i2 = 3, i3 = 0;
		C1g = 'A';
		C2g = 'B';
		dstrcpy(s2, "GOV86 PROGRAM, 2'ND STRING");
		int b = !dfn2(s1, s2);
		while (i1 < i2) {
			i3 = 5 * i1 - i2;
			dp7(i1, i2, &i3);
			i1++;
		}
		dp8(A1, A2, i1, i3);
		dp1(&gb_);
		for (char c = 'A'; c <= C2g; c++)
			if (b == dfn1(c, 'C')) {
				int t;
				dp6(0, &t);
				dstrcpy(s2, "GOV86 PROGRAM, 3'RD STRING");
				i2 = r;
				Ig = r;
			}
		i2 = i2 * i1;
		i1 = i2 / i3;
		i2 = 7 * (i2 - i3) - i1;
		sum += i1 + i2 + A1[7] + gb_.ic;
	}
	end(sum);
}
void b_sieve(void) {
	static unsigned char f[1 << 18];
	unsigned n = iters(100), cnt = 0;
	begin();
	for (unsigned r = 0; r < n; r++) {
		memset(f, 1, sizeof f);
		cnt = 0;
		for (unsigned i = 2; i < sizeof f; i++)
			if (f[i]) {
				cnt++;
				for (unsigned j = i + i; j < sizeof f; j += i)
					f[j] = 0;
			}
		CLOBBER();
	}
	end(cnt);
}
/* ---- sha256 ---- */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
#define RR(x, n) ((x >> n) | (x << (32 - n)))
static NOINLINE void sha_block(uint32_t *h, const unsigned char *p) {
	uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6],
			x = h[7];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 |
		       p[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = RR(w[i - 15], 7) ^ RR(w[i - 15], 18) ^ (w[i - 15] >> 3),
			 s1 = RR(w[i - 2], 17) ^ RR(w[i - 2], 19) ^ (w[i - 2] >> 10);
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = x + (RR(e, 6) ^ RR(e, 11) ^ RR(e, 25)) + ((e & f) ^ (~e & g)) + K[i] +
			      w[i],
			 t2 = (RR(a, 2) ^ RR(a, 13) ^ RR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		x = g;
		g = f;
		f = e;
		e = d + t1;
		d = c;
		c = b;
		b = a;
		a = t1 + t2;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
	h[5] += f;
	h[6] += g;
	h[7] += x;
}
void b_sha256(void) {
	static unsigned char buf[65536];
	uint32_t s = 1, h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	for (unsigned i = 0; i < sizeof buf; i++)
		buf[i] = rnd(&s);
	unsigned n = iters(480);
	begin();
	for (unsigned r = 0; r < n; r++)
		for (unsigned i = 0; i < sizeof buf; i += 64)
			sha_block(h, buf + i);
	end(h[0] ^ h[7]);
}
void b_crc32(void) {
	static unsigned char buf[65536];
	static uint32_t t[256];
	uint32_t s = 3, c = ~0u;
	for (int i = 0; i < 256; i++) {
		uint32_t x = i;
		for (int k = 0; k < 8; k++)
			x = x & 1 ? x >> 1 ^ 0xEDB88320 : x >> 1;
		t[i] = x;
	}
	for (unsigned i = 0; i < sizeof buf; i++)
		buf[i] = rnd(&s);
	unsigned n = iters(3000);
	begin();
	for (unsigned r = 0; r < n; r++)
		for (unsigned i = 0; i < sizeof buf; i++)
			c = t[(c ^ buf[i]) & 255] ^ (c >> 8);
	end(~c);
}
/* ---- quicksort with compare callback ---- */
static NOINLINE int icmp(const int *a, const int *b) { return *a < *b ? -1 : *a > *b; }
static void qs(int *a, int n, int (*cmp)(const int *, const int *)) {
	while (n > 8) {
		int p = a[n / 2], i = 0, j = n - 1;
		for (;;) {
			while (cmp(a + i, &p) < 0)
				i++;
			while (cmp(a + j, &p) > 0)
				j--;
			if (i >= j)
				break;
			int t = a[i];
			a[i] = a[j];
			a[j] = t;
			i++;
			j--;
		}
		int k = j + 1;
		if (k < n - k) {
			qs(a, k, cmp);
			a += k;
			n -= k;
		} else {
			qs(a + k, n - k, cmp);
			n = k;
		}
	}
	for (int i = 1; i < n; i++) {
		int v = a[i], j = i;
		while (j > 0 && a[j - 1] > v) {
			a[j] = a[j - 1];
			j--;
		}
		a[j] = v;
	}
}
void b_qsort(void) {
	enum { N = 20000 };
	static int a[N];
	uint32_t s = 42, sum = 0;
	unsigned n = iters(50);
	int (*volatile c)(const int *, const int *) = icmp;
	begin();
	for (unsigned r = 0; r < n; r++) {
		for (int i = 0; i < N; i++)
			a[i] = rnd(&s);
		qs(a, N, c);
		for (int i = 0; i < N; i += 1000)
			sum = sum * 31 + a[i];
	}
	end(sum);
}
/* ---- interpreter loops ---- */
enum { I_LDI, I_ADD, I_SUB, I_MUL, I_XOR, I_SHR, I_LD, I_ST, I_DEC, I_JNZ, I_MOV, I_JLT, I_HALT };
struct ins {
	uint8_t op, a, b, c;
	int32_t imm;
};
static const struct ins prog[] = {{I_LDI, 0, 0, 0, 1}, {I_LDI, 1, 0, 0, 7}, {I_LDI, 2, 0, 0, 1000},
				  {I_LDI, 3, 0, 0, 0}, {I_ADD, 3, 3, 0, 0}, {I_MUL, 4, 3, 1, 0},
				  {I_XOR, 0, 0, 4, 0}, {I_SHR, 5, 0, 0, 3}, {I_ST, 5, 2, 0, 0},
				  {I_LD, 6, 2, 0, 0},  {I_ADD, 3, 3, 6, 0}, {I_JLT, 3, 1, 0, 13},
				  {I_SUB, 3, 3, 5, 0}, {I_MOV, 1, 1, 0, 0}, {I_DEC, 2, 0, 0, 0},
				  {I_JNZ, 2, 0, 0, 4}, {I_HALT, 0, 0, 0, 0}};
static NOINLINE uint32_t vm_switch(const struct ins *p, uint32_t *mem) {
	uint32_t r[8] = {0};
	unsigned pc = 0;
	for (;;) {
		const struct ins *i = p + pc++;
		switch (i->op) {
		case I_LDI:
			r[i->a] = i->imm;
			break;
		case I_ADD:
			r[i->a] = r[i->b] + r[i->c];
			break;
		case I_SUB:
			r[i->a] = r[i->b] - r[i->c];
			break;
		case I_MUL:
			r[i->a] = r[i->b] * r[i->c];
			break;
		case I_XOR:
			r[i->a] = r[i->b] ^ r[i->c];
			break;
		case I_SHR:
			r[i->a] = r[i->b] >> i->imm;
			break;
		case I_LD:
			r[i->a] = mem[r[i->b] & 1023];
			break;
		case I_ST:
			mem[r[i->b] & 1023] = r[i->a];
			break;
		case I_DEC:
			r[i->a]--;
			break;
		case I_JNZ:
			if (r[i->a])
				pc = i->imm;
			break;
		case I_MOV:
			r[i->a] = r[i->b];
			break;
		case I_JLT:
			if ((int)r[i->a] < (int)r[i->b])
				pc = i->imm;
			break;
		case I_HALT:
			return r[0] ^ r[3];
		}
	}
}
__attribute__((noinline, noclone, optimize("no-gcse", "no-crossjumping"))) static uint32_t
vm_thread(const struct ins *p, uint32_t *mem) {
	static const void *const T[] = {&&LDI, &&ADD, &&SUB, &&MUL, &&XOR, &&SHR, &&LD,
					&&ST,  &&DEC, &&JNZ, &&MOV, &&JLT, &&HALT};
	uint32_t r[8] = {0};
	const struct ins *i = p - 1, *b = p;
#define NX                                                                                         \
	i++;                                                                                       \
	goto *T[i->op]
	NX;
LDI:
	r[i->a] = i->imm;
	NX;
ADD:
	r[i->a] = r[i->b] + r[i->c];
	NX;
SUB:
	r[i->a] = r[i->b] - r[i->c];
	NX;
MUL:
	r[i->a] = r[i->b] * r[i->c];
	NX;
XOR:
	r[i->a] = r[i->b] ^ r[i->c];
	NX;
SHR:
	r[i->a] = r[i->b] >> i->imm;
	NX;
LD:
	r[i->a] = mem[r[i->b] & 1023];
	NX;
ST:
	mem[r[i->b] & 1023] = r[i->a];
	NX;
DEC:
	r[i->a]--;
	NX;
JNZ:
	if (r[i->a])
		i = b + i->imm - 1;
	NX;
MOV:
	r[i->a] = r[i->b];
	NX;
JLT:
	if ((int)r[i->a] < (int)r[i->b])
		i = b + i->imm - 1;
	NX;
HALT:
	return r[0] ^ r[3];
}
void b_interp_sw(void) {
	static uint32_t m[1024];
	uint32_t s = 0;
	unsigned n = iters(2200);
	begin();
	for (unsigned r = 0; r < n; r++)
		s += vm_switch(prog, m);
	end(s);
}
void b_interp_th(void) {
	static uint32_t m[1024];
	uint32_t s = 0;
	unsigned n = iters(2200);
	begin();
	for (unsigned r = 0; r < n; r++)
		s += vm_thread(prog, m);
	end(s);
}
static NOINLINE unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static unsigned (*volatile fibp)(unsigned) = fib;
/* -O2 turns fib into a partly iterative form; use asm-opaque plain recursion */
__attribute__((noinline, noclone, optimize("O1"))) static unsigned fibr(unsigned n) {
	if (n < 2)
		return n;
	unsigned a = fibr(n - 1);
	OPAQUE(a);
	return a + fibr(n - 2);
}
void b_fib(void) {
	unsigned n = iters(60), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++) {
		s += fibr(27);
	}
	end(s);
	(void)fibp;
}
/* ---- virtual calls ---- */
struct obj {
	int (*f)(struct obj *, int);
	int v;
};
#define VF(n, e)                                                                                   \
	static NOINLINE int vf##n(struct obj *o, int x) { return e; }
VF(0, x + o->v)
VF(1, x ^ o->v) VF(2, x - o->v) VF(3, (x << 1) + o->v) VF(4, x * 5 + o->v) VF(5, (x >> 1) ^ o->v)
    VF(6, x | o->v) VF(7, x - 2 * o->v) void b_vcall(void) {
	static int (*const fs[8])(struct obj *, int) = {vf0, vf1, vf2, vf3, vf4, vf5, vf6, vf7};
	static struct obj o[256];
	uint32_t s = 5;
	int x = 0;
	for (int i = 0; i < 256; i++) {
		o[i].v = rnd(&s) & 255;
		o[i].f = fs[rnd(&s) & 7];
	}
	unsigned n = iters(100000);
	begin();
	for (unsigned r = 0; r < n; r++)
		for (int i = 0; i < 256; i++)
			x = o[i].f(o + i, x);
	end(x);
}
/* ---- pointer chases: 16 KB (cache), 32 MB page-strided (TLB and cache misses) ---- */
static NOINLINE void chase(size_t slots, size_t stride, unsigned n) {
	char *m =
	    mmap(0, slots * stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t s = 77;
	uint32_t *perm = malloc(slots * 4);
	for (size_t i = 0; i < slots; i++)
		perm[i] = i;
	for (size_t i = slots - 1; i > 0; i--) {
		size_t j = rnd(&s) % i;
		uint32_t t = perm[i];
		perm[i] = perm[j];
		perm[j] = t;
	}
	for (size_t i = 0; i < slots; i++)
		*(uint32_t *)(m + i * stride + (stride > 64 ? (i * 64) % (stride - 64) : 0)) =
		    perm[i];
	uint32_t p = 0, sum = 0;
	begin();
	if (stride > 64)
		for (unsigned r = 0; r < n; r++) {
			p = *(uint32_t *)(m + p * stride + (p * 64) % (stride - 64));
			sum += p;
		}
	else
		for (unsigned r = 0; r < n; r++) {
			p = *(uint32_t *)(m + p * stride);
			sum += p;
		}
	end(sum);
	munmap(m, slots * stride);
	free(perm);
}
void b_chase_l1(void) { chase(1024, 16, iters(100000000)); }
void b_chase_tlb(void) { chase(8192, 4096, iters(5000000)); }
/* ---- 64-bit arithmetic through 32-bit code, bignum with adc chains ---- */
void b_div64(void) {
	volatile uint64_t seed = 0x123456789abcdefULL;
	uint64_t x = seed, t = 0;
	unsigned n = iters(9000000);
	begin();
	for (unsigned r = 0; r < n; r++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		t += x / ((x >> 40) | 1);
		t ^= (uint32_t)x % ((r | 1) & 0xffff);
	}
	end((uint32_t)(t ^ t >> 32));
}
static NOINLINE void bigmul(uint32_t *r, const uint32_t *a, const uint32_t *b, int n) {
	memset(r, 0, 8 * n);
	for (int i = 0; i < n; i++) {
		uint32_t c = 0;
		for (int j = 0; j < n; j++) {
			uint64_t t = (uint64_t)a[i] * b[j] + r[i + j] + c;
			r[i + j] = t;
			c = t >> 32;
		}
		r[i + n] = c;
	}
}
static NOINLINE uint32_t bigadd(uint32_t *d, const uint32_t *a, int n) {
	uint32_t c;
	__asm__ volatile("xor %%eax,%%eax\n1: mov (%[a]),%%eax\n adc %%eax,(%[d])\n lea "
			 "4(%[a]),%[a]\n lea 4(%[d]),%[d]\n dec %[n]\n jnz 1b\n sbb %[c],%[c]"
			 : [a] "+r"(a), [d] "+r"(d), [n] "+r"(n), [c] "=r"(c)::"eax", "cc",
			   "memory");
	return c;
}
void b_bignum(void) {
	static uint32_t a[64], b[64], r[128], d[128];
	uint32_t s = 9;
	for (int i = 0; i < 64; i++) {
		a[i] = rnd(&s);
		b[i] = rnd(&s);
	}
	unsigned n = iters(20000), c = 0;
	begin();
	for (unsigned k = 0; k < n; k++) {
		bigmul(r, a, b, 64);
		c += bigadd(d, r, 128);
		a[k & 63] ^= d[5];
	}
	end(c ^ d[3] ^ d[100]);
}
void b_collatz(void) {
	unsigned n = iters(3000000), s = 0;
	begin();
	for (unsigned i = 1; i <= n; i++) {
		unsigned x = i, k = 0;
		while (x != 1 && k < 60) {
			if (x & 1)
				x = x + (x >> 1) + 1;
			else
				x >>= 1;
			k++;
		}
		s += k;
	}
	end(s);
}
/* ---- memory bandwidth: rep string operations and plain moves ---- */
#define BIG (4 << 20)
static char *mem2(void) {
	char *p = mmap(0, 2 * BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t s = 8;
	for (unsigned i = 0; i < 2 * BIG; i += 4)
		*(uint32_t *)(p + i) = rnd(&s);
	return p;
}
void b_movs_big(void) {
	char *p = mem2();
	unsigned n = iters(60);
	begin();
	for (unsigned r = 0; r < n; r++) {
		void *d = p + ((r & 1) ? BIG : 0), *s = p + ((r & 1) ? 0 : BIG);
		uint32_t c = BIG / 4;
		__asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(c)::"memory");
	}
	end(*(uint32_t *)(p + 123456));
}
void b_stos_big(void) {
	char *p = mem2();
	unsigned n = iters(100);
	begin();
	for (unsigned r = 0; r < n; r++) {
		void *d = p;
		uint32_t c = 2 * BIG / 4;
		__asm__ volatile("rep stosl" : "+D"(d), "+c"(c) : "a"(r) : "memory");
	}
	end(*(uint32_t *)(p + 123456));
}
void b_movsb_big(void) {
	char *p = mem2();
	unsigned n = iters(12);
	begin();
	for (unsigned r = 0; r < n; r++) {
		void *d = p + ((r & 1) ? BIG : 0), *s = p + ((r & 1) ? 0 : BIG);
		uint32_t c = BIG;
		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(c)::"memory");
	}
	end(*(uint32_t *)(p + 123456));
}
void b_movs_small(void) {
	char *p = mem2();
	unsigned n = iters(6000000);
	begin();
	for (unsigned r = 0; r < n; r++) {
		void *d = p + ((r * 64) & 0x3fff), *s = p + 0x10000 + ((r * 32) & 0x3fff);
		uint32_t c = 10;
		__asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(c)::"memory");
	}
	end(*(uint32_t *)(p + 1234));
}
void b_copy_loop(void) {
	char *p = mem2();
	unsigned n = iters(250);
	begin();
	for (unsigned r = 0; r < n; r++) {
		uint32_t *d = (uint32_t *)(p + ((r & 1) ? BIG : 0)),
			 *s = (uint32_t *)(p + ((r & 1) ? 0 : BIG));
		for (unsigned i = 0; i < BIG / 4; i += 4) {
			uint32_t a = s[i], b = s[i + 1], c = s[i + 2], e = s[i + 3];
			d[i] = a;
			d[i + 1] = b;
			d[i + 2] = c;
			d[i + 3] = e;
		}
		CLOBBER();
	}
	end(*(uint32_t *)(p + 123456));
}
void b_scasb(void) {
	static char t[4096];
	memset(t, 'a', 4095);
	unsigned n = iters(60000), s = 0;
	begin();
	for (unsigned r = 0; r < n; r++) {
		void *d = t;
		uint32_t c = ~0u;
		__asm__ volatile("repne scasb" : "+D"(d), "+c"(c) : "a"(0) : "memory", "cc");
		s += ~c - 1;
	}
	end(s);
}
void b_strbyte(void) {
	static char t[64][64];
	uint32_t x = 6;
	for (int i = 0; i < 64; i++) {
		int l = 8 + rnd(&x) % 50;
		for (int j = 0; j < l; j++)
			t[i][j] = 'a' + (j < 6 ? 0 : rnd(&x) % 3);
		t[i][l] = 0;
	}
	unsigned n = iters(900), s = 0;
	begin();
	for (unsigned r = 0; r < n; r++)
		for (int i = 0; i < 64; i++)
			for (int j = 0; j < 64; j++)
				s += dstrcmp(t[i], t[j]) > 0;
	end(s);
}
/* ---- dynamic code ---- */
static unsigned char *code(size_t n) {
	return mmap(0, n, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
/* smc: patch an immediate, then call the function once: worst case of a translator */
void b_smc(void) {
	unsigned char *c = code(4096);
	unsigned n = iters(200000);
	uint32_t s = 0;
	c[0] = 0xb8;
	c[5] = 0x83;
	c[6] = 0xc0;
	c[7] = 1;
	c[8] = 0xc3;
	begin();
	for (unsigned r = 0; r < n; r++) {
		*(volatile uint32_t *)(c + 1) = r * 3;
		CLOBBER();
		s += ((uint32_t(*)(void))c)();
	}
	end(s);
}
/* smcdata: data word on the same page as running code is written (never the code bytes) */
void b_smcdata(void) {
	unsigned char *c = code(4096);
	unsigned n = iters(200000);
	uint32_t s = 0;
	c[0] = 0xb8;
	*(uint32_t *)(c + 1) = 7;
	c[5] = 0x83;
	c[6] = 0xc0;
	c[7] = 1;
	c[8] = 0xc3;
	begin();
	for (unsigned r = 0; r < n; r++) {
		*(volatile uint32_t *)(c + 2048) = r;
		CLOBBER();
		s += ((uint32_t(*)(void))c)() + *(volatile uint32_t *)(c + 2048);
	}
	end(s);
}
/* jitgen: emit 1 MB of fresh functions, run each `reps` times, drop, repeat */
static size_t emit(unsigned char *p, uint32_t *s) {
	unsigned char *q = p;
	*q++ = 0x8b;
	*q++ = 0x44;
	*q++ = 0x24;
	*q++ = 4; /* mov eax,[esp+4] */
	for (int blk = 0; blk < 6; blk++) {
		for (int i = 0; i < 4; i++) {
			uint32_t k = rnd(s);
			switch (k & 7) {
			case 0:
				*q++ = 0x05;
				*(uint32_t *)q = k;
				q += 4;
				break; /* add eax,imm */
			case 1:
				*q++ = 0x35;
				*(uint32_t *)q = k;
				q += 4;
				break; /* xor eax,imm */
			case 2:
				*q++ = 0xc1;
				*q++ = 0xc0;
				*q++ = (k >> 8 & 15) + 1;
				break; /* rol eax,n  */
			case 3:
				*q++ = 0x89;
				*q++ = 0xc2;
				*q++ = 0x01;
				*q++ = 0xd0;
				break; /* mov edx,eax; add eax,edx */
			case 4:
				*q++ = 0x2d;
				*(uint32_t *)q = k;
				q += 4;
				break; /* sub eax,imm */
			case 5:
				*q++ = 0x69;
				*q++ = 0xc0;
				*(uint32_t *)q = k | 1;
				q += 4;
				break; /* imul eax,eax,imm */
			case 6:
				*q++ = 0x8d;
				*q++ = 0x44;
				*q++ = 0x80;
				*q++ = k >> 8 & 63;
				break; /* lea eax,[eax+eax*4+d] */
			case 7:
				*q++ = 0xf7;
				*q++ = 0xd0;
				break;
			}
		} /* not eax */
		*q++ = 0xa8;
		*q++ = 1 << (rnd(s) & 7);
		*q++ = 0x75;
		*q++ = 1;
		*q++ = 0x40; /* test al,m ; jnz +1 ; inc eax */
	}
	*q++ = 0xc3;
	return q - p;
}
static void jit(unsigned reps, unsigned n) {
	enum { NF = 1000 };
	unsigned char *c = code(2 << 20);
	static uint32_t off[NF];
	uint32_t s = 31337, x = 0;
	begin();
	for (unsigned r = 0; r < n; r++) {
		size_t o = 0;
		for (int i = 0; i < NF; i++) {
			off[i] = o;
			o += emit(c + o, &s);
		}
		CLOBBER();
		for (unsigned k = 0; k < reps; k++)
			for (int i = 0; i < NF; i++)
				x = ((uint32_t(*)(uint32_t))(c + off[i]))(x);
	}
	end(x);
}
void b_jitgen1(void) { jit(1, iters(24)); }
void b_jitgen50(void) { jit(50, iters(12)); }
