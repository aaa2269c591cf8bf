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

// func prefetchRange(p *byte, from, to int)
TEXT ·prefetchRange(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), DX
	MOVQ from+8(FP), AX
	MOVQ to+16(FP), CX
	ADDQ DX, AX
	ADDQ DX, CX

line:
	// PREFETCHW (AX)
	BYTE $0x0f; BYTE $0x0d; BYTE $0x08
	ADDQ $64, AX
	CMPQ AX, CX
	JB   line
	RET

// func prefetchValues(records *KeyValue, n int)
TEXT ·prefetchValues(SB), NOSPLIT, $0-16
	MOVQ records+0(FP), AX
	MOVQ n+8(FP), CX

value:
	MOVQ       24(AX), DX
	MOVQ       32(AX), BX
	ADDQ       DX, BX
	PREFETCHT0 (DX)
	PREFETCHT0 64(DX)
	PREFETCHT0 -1(BX)
	ADDQ       $48, AX
	DECQ       CX
	JG         value
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
