package fpu

// Add is FADD.
func Add(e *Env, a, b F80) F80 { return e.add(a, b, 0) }

// Sub is FSUB: a - b.
func Sub(e *Env, a, b F80) F80 { return e.add(a, b, sign) }

// add adds a and b, the sign of b changed by flip.
func (e *Env) add(a, b F80, flip uint16) F80 {
	if !a.isNormal() || !b.isNormal() {
		ka, kb := a.kind(), b.kind()
		if ka >= quietNaN || kb >= quietNaN {
			return e.nan(a, b)
		}
		if ka == infinite && kb == infinite && (a.SE^b.SE^flip)&sign != 0 {
			return e.invalid()
		}
		if e.denormals(ka, kb) {
			return a
		}
		if ka == infinite {
			return a
		}
		if kb == infinite {
			b.SE ^= flip
			return b
		}
	}
	b.SE ^= flip
	return e.deliver(sum(a.number(), b.number(), e.rounding()), e.precision())
}

// Mul is FMUL.
func Mul(e *Env, a, b F80) F80 {
	if !a.isNormal() || !b.isNormal() {
		neg := a.neg() != b.neg()
		ka, kb := a.kind(), b.kind()
		if ka >= quietNaN || kb >= quietNaN {
			return e.nan(a, b)
		}
		if ka == infinite && kb == zeroKind || ka == zeroKind && kb == infinite {
			return e.invalid()
		}
		if e.denormals(ka, kb) {
			return a
		}
		if ka == infinite || kb == infinite {
			return infinity(neg)
		}
		if ka == zeroKind || kb == zeroKind {
			return zero(neg)
		}
	}
	return e.deliver(product(a.number(), b.number()), e.precision())
}

// Div is FDIV: a / b.
func Div(e *Env, a, b F80) F80 {
	if !a.isNormal() || !b.isNormal() {
		neg := a.neg() != b.neg()
		ka, kb := a.kind(), b.kind()
		if ka >= quietNaN || kb >= quietNaN {
			return e.nan(a, b)
		}
		if ka == kb && (ka == infinite || ka == zeroKind) {
			return e.invalid()
		}
		if kb == zeroKind && ka != infinite {
			e.Status |= ZE
			return infinity(neg)
		}
		if e.denormals(ka, kb) {
			return a
		}
		if ka == infinite {
			return infinity(neg)
		}
		if ka == zeroKind || kb == infinite {
			return zero(neg)
		}
	}
	return e.deliver(quotient(a.number(), b.number()), e.precision())
}

// Sqrt is FSQRT.
func Sqrt(e *Env, a F80) F80 {
	if k := a.kind(); k != normal || a.neg() {
		switch {
		case k >= quietNaN:
			return e.nan(a, a)
		case k == zeroKind:
			return a
		case a.neg():
			return e.invalid()
		case k == infinite:
			return a
		}
		if e.denormals(k, k) {
			return a
		}
	}
	return e.deliver(root(a.number()), e.precision())
}
