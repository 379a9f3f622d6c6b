/* Floating-point kernels; compiled twice: x87 (-mfpmath=387) and SSE2. */
#include "gb.h"
#include <string.h>
#define CAT2(a, b) a##b
#define CAT(a, b) CAT2(a, b)
#define F(n) CAT(n, SUF)

#define N 80
static double A[N][N], B[N][N], C[N][N];
void F(matmul)(void) {
	uint32_t s = 12345;
	double t = 0;
	int i, j, k;
	uint32_t sum;
	for (i = 0; i < N; i++)
		for (j = 0; j < N; j++) {
			A[i][j] = (rnd(&s) % 1000) / 8.0;
			B[i][j] = (rnd(&s) % 1000) / 16.0;
		}
	unsigned n = iters(25);
	begin();
	for (unsigned r = 0; r < n; r++) {
		for (i = 0; i < N; i++)
			for (j = 0; j < N; j++) {
				double a = 0;
				for (k = 0; k < N; k++)
					a += A[i][k] * B[k][j];
				C[i][j] = a;
			}
		CLOBBER();
	}
	for (i = 0; i < N; i++)
		for (j = 0; j < N; j++)
			t += C[i][j];
	sum = (uint32_t)(int64_t)t;
	end(sum);
}
void F(mandel)(void) {
	unsigned n = iters(1000);
	uint32_t sum = 0;
	begin();
	for (unsigned y = 0; y < n; y++) {
		double ci = -1.25 + 2.5 * (y % 256) / 256.0;
		for (int x = 0; x < 160; x++) {
			double cr = -2.0 + 2.5 * x / 160.0, zr = 0, zi = 0;
			int it = 0;
			while (it < 128) {
				double r2 = zr * zr, i2 = zi * zi;
				if (r2 + i2 > 4.0)
					break;
				zi = 2 * zr * zi + ci;
				zr = r2 - i2 + cr;
				it++;
			}
			sum += it;
		}
	}
	end(sum);
}
/* n-body: divide and square root per pair */
void F(nbody)(void) {
	double p[5][3], v[5][3], m[5];
	uint32_t s = 99;
	for (int i = 0; i < 5; i++) {
		m[i] = 1.0 / (i + 1);
		for (int k = 0; k < 3; k++) {
			p[i][k] = (double)(rnd(&s) % 2000) / 100.0 - 10;
			v[i][k] = (double)(rnd(&s) % 200) / 1000.0 - 0.1;
		}
	}
	unsigned n = iters(100000);
	begin();
	for (unsigned r = 0; r < n; r++) {
		for (int i = 0; i < 5; i++)
			for (int j = i + 1; j < 5; j++) {
				double dx = p[i][0] - p[j][0], dy = p[i][1] - p[j][1],
				       dz = p[i][2] - p[j][2];
				double d2 = dx * dx + dy * dy + dz * dz + 0.01, d;
				__asm__("" : "+m"(d2));
				d = __builtin_sqrt(d2);
				double mag = 0.001 / (d2 * d);
				v[i][0] -= dx * m[j] * mag;
				v[i][1] -= dy * m[j] * mag;
				v[i][2] -= dz * m[j] * mag;
				v[j][0] += dx * m[i] * mag;
				v[j][1] += dy * m[i] * mag;
				v[j][2] += dz * m[i] * mag;
			}
		for (int i = 0; i < 5; i++)
			for (int k = 0; k < 3; k++)
				p[i][k] += 0.001 * v[i][k];
	}
	double e = 0;
	for (int i = 0; i < 5; i++)
		e += m[i] * (v[i][0] * v[i][0] + v[i][1] * v[i][1] + v[i][2] * v[i][2]);
	end((uint32_t)(int64_t)(e * 1e6));
}
