package fpu

// F2XM1, FYL2X, FYL2XP1, and the constants.

// Constants to 128 bits.
var (
	log2ten  = number{hi: 0xd49a784bcd1b8afe, lo: 0x492bf6ff4dafdb4c, exp: 1}
	log2e    = number{hi: 0xb8aa3b295c17f0bb, lo: 0xbe87fed0691d3e88, exp: 0}
	log10two = number{hi: 0x9a209a84fbcff798, lo: 0x8f8959ac0b7c9178, exp: -2}
	ln2      = number{hi: 0xb17217f7d1cf79ab, lo: 0xc9e3b39803f2f6af, exp: -1}
)

// constant rounds a constant as the environment says, and raises nothing.
func (e *Env) constant(n number) F80 {
	sig, _, _ := round(n.hi, n.lo, 64, e.rounding(), false)
	return F80{sig, uint16(n.exp + bias)}
}

// Log2Ten is FLDL2T.
func Log2Ten(e *Env) F80 { return e.constant(log2ten) }

// Log2E is FLDL2E.
func Log2E(e *Env) F80 { return e.constant(log2e) }

// Pi is FLDPI.
func Pi(e *Env) F80 { return e.constant(pi) }

// Log10Two is FLDLG2.
func Log10Two(e *Env) F80 { return e.constant(log10two) }

// LnTwo is FLDLN2.
func LnTwo(e *Env) F80 { return e.constant(ln2) }

// Coefficients: 1/(2(n+1)!) and 1/(2(2n+1)).
var expSeries, logSeries = func() (exp [30]fraction, log [25]fraction) {
	c := unity.over(2)
	for i := range exp {
		c = c.over(uint64(i + 1))
		exp[i] = c
	}
	for i := range log {
		log[i] = unity.over(uint64(4*i + 2))
	}
	return exp, log
}()

// Exp2M1 is F2XM1: 2^a - 1, for a from -1 to 1. Beyond, where the SDM leaves the
// result undefined, it is a, except for the infinities.
func Exp2M1(e *Env, a F80) F80 {
	k := a.kind()
	switch {
	case k >= quietNaN:
		return e.nan(a, a)
	case k == zeroKind:
		return a
	case k == infinite && a.neg():
		return one.signed(true)
	case k == infinite || e.denormals(k, k):
		return a
	case a.SE&^sign >= bias:
		if a == one.signed(true) {
			return F80{integer, bias - 1}.signed(true)
		}
		return a
	}
	y := a.number().times(ln2)
	sum := seriesUp
	if y.neg {
		sum = series
	}
	r := y.times(sum(expSeries[:], y.fraction()).number())
	r.exp++
	return e.deliver(r.inexact(), 64)
}

// log1 is log2((1+s)/(1-s)), for |s| up to 0.172.
func log1(s number) number {
	r := s.times(seriesUp(logSeries[:], s.times(s).fraction()).number()).times(log2e)
	r.exp += 2
	return r
}

// log2 is the logarithm of a positive number that is no power of two.
func log2(x number) number {
	exp := x.exp
	x.exp = 0
	if x.hi >= 0xb504f333f9de6484 { // √2
		x.exp, exp = -1, exp+1
	}
	unit := number{hi: integer}
	less := unit
	less.neg = true
	r := log1(x.plus(less).over(x.plus(unit)))
	return FromInt64(int64(exp)).number().plus(r)
}

// Log2 is FYL2X: y · log2(x).
func Log2(e *Env, x, y F80) F80 {
	kx, ky := x.kind(), y.kind()
	if kx >= quietNaN || ky >= quietNaN {
		return e.nan(x, y)
	}
	switch {
	case kx == zeroKind && ky == zeroKind, kx != zeroKind && x.neg(),
		kx == infinite && ky == zeroKind, ky == infinite && x == one:
		return e.invalid()
	case kx == zeroKind && ky != infinite:
		e.Status |= ZE
		return infinity(!y.neg())
	case e.denormals(kx, ky):
		return x
	}
	below := x.SE < bias // x < 1
	switch {
	case kx == infinite || ky == infinite:
		return infinity(y.neg() != below)
	case ky == zeroKind || x == one:
		return zero(y.neg() != below)
	}
	n := x.number()
	if n.hi == integer {
		return e.deliver(product(FromInt64(int64(n.exp)).number(), y.number()), 64)
	}
	return e.deliver(log2(n).times(y.number()).inexact(), 64)
}

// Log2P1 is FYL2XP1: y · log2(x + 1). Where x is below -1 + √2/2 or above
// √2 - 1 the SDM leaves the result undefined; here it is right, and invalid
// from -1 downwards.
func Log2P1(e *Env, x, y F80) F80 {
	kx, ky := x.kind(), y.kind()
	if kx >= quietNaN || ky >= quietNaN {
		return e.nan(x, y)
	}
	switch {
	case x.neg() && x.SE&^sign >= bias, kx == infinite && ky == zeroKind, kx == zeroKind && ky == infinite:
		return e.invalid()
	case e.denormals(kx, ky):
		return x
	case kx == infinite || ky == infinite:
		return infinity(x.neg() != y.neg())
	case kx == zeroKind || ky == zeroKind:
		return zero(x.neg() != y.neg())
	}
	n := x.number()
	r := number{hi: integer, exp: 1}.plus(n) // 2 + x
	if n.exp < -2 {
		r = log1(n.over(r))
	} else if r = (number{hi: integer}).plus(n); r.hi == integer && r.lo == 0 {
		return e.deliver(product(FromInt64(int64(r.exp)).number(), y.number()), 64)
	} else {
		r = log2(r)
	}
	return e.deliver(r.times(y.number()).inexact(), 64)
}
