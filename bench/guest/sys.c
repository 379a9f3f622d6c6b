/* Kernel-crossing kernels: system calls, processes, faults, signals, clocks, port and device
 * access. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include "gb.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static inline int int80(int nr) {
	int r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(nr) : "memory");
	return r;
}
void b_sys_int80(void) {
	unsigned n = iters(1000000), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++)
		s += int80(SYS_getppid) != 0;
	end(s);
}
/* __kernel_vsyscall: sysenter where the CPU has it */
void b_sys_fast(void) {
	unsigned n = iters(1000000), s = 0;
	unsigned long v = 0;
	__asm__ volatile("mov %%gs:0x10,%0" : "=r"(v)); /* glibc keeps AT_SYSINFO at gs:0x10 */
	begin();
	for (unsigned i = 0; i < n; i++) {
		int r;
		__asm__ volatile("call *%1" : "=a"(r) : "r"(v), "a"(SYS_getppid) : "memory");
		s += r != 0;
	}
	end(s);
}
void b_ctxsw(void) {
	int a[2], b[2];
	char c = 1;
	unsigned n = iters(25000);
	if (pipe(a) || pipe(b))
		exit(1);
	pid_t p = fork();
	if (!p) {
		for (unsigned i = 0; i < n; i++) {
			if (read(a[0], &c, 1) != 1)
				_exit(1);
			if (write(b[1], &c, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	begin();
	for (unsigned i = 0; i < n; i++) {
		if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1)
			exit(1);
	}
	end(n);
	waitpid(p, 0, 0);
}
void b_fork(void) {
	unsigned n = iters(800), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++) {
		pid_t p = fork();
		if (!p)
			_exit(i & 63);
		int st;
		waitpid(p, &st, 0);
		s += WEXITSTATUS(st);
	}
	end(s);
}
void b_forkexec(void) {
	unsigned n = iters(200), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++) {
		pid_t p = fork();
		if (!p) {
			execl("/bin/busybox", "true", (char *)0);
			_exit(9);
		}
		int st;
		waitpid(p, &st, 0);
		s += WEXITSTATUS(st) == 0;
	}
	end(s);
}
void b_pagefault(void) {
	unsigned n = iters(100), s = 0;
	enum { SZ = 1 << 20 };
	begin();
	for (unsigned r = 0; r < n; r++) {
		volatile char *p =
		    mmap(0, SZ, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (unsigned i = 0; i < SZ; i += 4096) {
			p[i] = i >> 12;
			s += p[i + 1] == 0;
		}
		munmap((void *)p, SZ);
	}
	end(s);
}
void b_mprotect(void) {
	unsigned n = iters(60000);
	volatile char *p =
	    mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p[0] = 1;
	begin();
	for (unsigned i = 0; i < n; i++) {
		mprotect((void *)p, 4096, PROT_READ);
		mprotect((void *)p, 4096, PROT_READ | PROT_WRITE);
		p[0]++;
	}
	end((unsigned char)p[0]);
}
static volatile unsigned sigs;
static void onsig(int x) {
	(void)x;
	sigs++;
}
void b_signal(void) {
	unsigned n = iters(120000);
	signal(SIGUSR1, onsig);
	pid_t me = getpid();
	begin();
	for (unsigned i = 0; i < n; i++)
		kill(me, SIGUSR1);
	end(sigs);
}
/* SIGSEGV handler unprotects the page: fault path to user and back */
static char *sgp;
static void onsegv(int x, siginfo_t *si, void *u) {
	(void)x;
	(void)u;
	sigs++;
	mprotect((void *)((uintptr_t)si->si_addr & ~4095u), 4096, PROT_READ | PROT_WRITE);
}
void b_sigsegv(void) {
	unsigned n = iters(50000);
	struct sigaction sa = {0};
	sa.sa_sigaction = onsegv;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &sa, 0);
	sigs = 0;
	sgp = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	begin();
	for (unsigned i = 0; i < n; i++) {
		*(volatile char *)sgp = i;
		mprotect(sgp, 4096, PROT_READ);
	}
	end(sigs);
}
void b_clock(void) {
	unsigned n = iters(400000), s = 0;
	struct timespec t;
	begin();
	for (unsigned i = 0; i < n; i++) {
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
		s += t.tv_nsec != -1;
	}
	end(s);
}
void b_rdtsc(void) {
	unsigned n = iters(12000000), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++) {
		unsigned lo, hi;
		__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
		s += (lo | hi) != 0;
	}
	end(s);
}
/* sleep: 50 sleeps of 20 ms; nominal 1.0 s of guest time; shows timer fidelity, not speed */
void b_sleep(void) {
	unsigned n = 50;
	begin();
	for (unsigned i = 0; i < n; i++) {
		struct timespec t = {0, 20000000};
		nanosleep(&t, 0);
	}
	end(n);
}
void b_cpuid(void) {
	unsigned n = iters(1000000), s = 0;
	begin();
	for (unsigned i = 0; i < n; i++) {
		unsigned a = 0, b, c = 0, d;
		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		s += b != 0;
	}
	end(s);
}
void b_pio(void) {
	unsigned n = iters(2000000);
	if (iopl(3)) {
		begin();
		end(0);
		return;
	}
	begin();
	for (unsigned i = 0; i < n; i++)
		__asm__ volatile("outb %%al,$0x80" ::"a"(i));
	end(n);
}
/* reading the 16550 line-status register: a device model answers */
void b_piodev(void) {
	unsigned n = iters(1500000), s = 0;
	if (iopl(3)) {
		begin();
		end(0);
		return;
	}
	begin();
	for (unsigned i = 0; i < n; i++) {
		unsigned char v;
		__asm__ volatile("inb %%dx,%%al" : "=a"(v) : "d"(0x3fd));
		s += v != 0xff;
	}
	end(s);
}
/* text-mode video memory: 16-bit stores to B8000h, one screen at a time */
void b_vgatext(void) {
	unsigned n = iters(3000);
	int f = open("/dev/mem", O_RDWR | O_SYNC);
	volatile uint16_t *p =
	    f < 0 ? MAP_FAILED : mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0xb8000);
	if (p == MAP_FAILED) {
		begin();
		end(0);
		return;
	}
	begin();
	for (unsigned r = 0; r < n; r++)
		for (int i = 0; i < 1920; i++)
			p[i] = 0x0700 | ('A' + ((r + i) & 31));
	end(n);
}

/* stat of a file in the shared directory, whose attributes are not cached */
void b_getattr(void) {
	unsigned n = iters(50000), ok = 0;
	struct stat st;
	begin();
	for (unsigned i = 0; i < n; i++)
		ok += stat("/mnt/probe", &st) == 0;
	end(ok);
}
