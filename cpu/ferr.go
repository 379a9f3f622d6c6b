package cpu

// With CR0.NE clear an x87 error is not exception 16 but the board's business,
// as it was when the FPU was a chip of its own (Intel SDM Vol. 1, "MS-DOS
// Compatibility Sub-mode"). Errors are always deferred: FERR# is asserted by
// the waiting instruction that finds one, not by the one that made it.

// ErrorPins are the two pins through which the board learns of x87 errors.
type ErrorPins interface {
	// FERR drives FERR#. The level may be the one it had.
	FERR(asserted bool)
	// IGNNE is the level of IGNNE#, with which errors are ignored.
	IGNNE() bool
}

// X87Error is what a waiting x87 or MMX instruction does when it finds an
// unmasked error: it traps, or goes on because it is told to ignore it.
func (c *CPU) X87Error() Trap {
	if c.CR0&CR0NE == 0 && c.ErrorPins != nil {
		c.ErrorPins.FERR(true)
		if c.ErrorPins.IGNNE() {
			return NoTrap
		}
	}
	return Exception(VecMF)
}

// X87ErrorGone is for the instruction that cleared or masked the error.
func (c *CPU) X87ErrorGone() {
	if c.ErrorPins != nil {
		c.ErrorPins.FERR(false)
	}
}

// freeze stops before the waiting instruction until an interrupt comes, which
// may be the one that FERR# causes.
func (c *CPU) freeze() { c.Halted = true }

// RecordsFOP reports whether an x87 instruction without an unmasked exception
// leaves its opcode in FOP. From the Pentium 4 on that is for a bit of
// IA32_MISC_ENABLE to say (Intel SDM Vol. 1, "Fopcode Compatibility Sub-mode").
func (c *CPU) RecordsFOP() bool {
	return c.Model.family != 15 || c.MSR.MiscEnable&fopcodeCompatible != 0
}
