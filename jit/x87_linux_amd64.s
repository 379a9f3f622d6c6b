#include "textflag.h"

// func frstor(image *x87Image)
TEXT ·frstor(SB), NOSPLIT, $0-8
	MOVQ image+0(FP), AX
	BYTE $0xDD; BYTE $0x20 // FRSTOR (AX)
	RET

// func fnsave(image *x87Image)
TEXT ·fnsave(SB), NOSPLIT, $0-8
	MOVQ image+0(FP), AX
	BYTE $0xDD; BYTE $0x30 // FNSAVE (AX)
	RET
