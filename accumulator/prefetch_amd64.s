//go:build !purego

#include "textflag.h"

// func prefetch(p *byte, at int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	ADDQ at+8(FP), AX
	// PREFETCHW 64(AX) and 128(AX), which the assembler does not know: a
	// processor without it takes it for nothing.
	BYTE $0x0f; BYTE $0x0d; BYTE $0x48; BYTE $0x40
	BYTE $0x0f; BYTE $0x0d; BYTE $0x88; LONG $0x80
	RET

// func prefetchLines(p *byte, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ n+8(FP), CX
	ADDQ AX, CX

next:
	PREFETCHT0 (AX)
	ADDQ       $64, AX
	CMPQ       AX, CX
	JB         next
	RET
