//go:build !purego

#include "textflag.h"

// func prefetch(p *byte, at int)
TEXT ·prefetch(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD at+8(FP), R1
	ADD  R1, R0
	PRFM 64(R0), PSTL1KEEP
	PRFM 128(R0), PSTL1KEEP
	RET

// func prefetchRange(p *byte, from, to int)
TEXT ·prefetchRange(SB), NOSPLIT, $0-24
	MOVD p+0(FP), R0
	MOVD from+8(FP), R1
	MOVD to+16(FP), R2
	ADD  R0, R1
	ADD  R0, R2

line:
	PRFM (R1), PSTL1KEEP
	ADD  $64, R1
	CMP  R2, R1
	BLO  line
	RET

// func prefetchValues(records *KeyValue, n int)
TEXT ·prefetchValues(SB), NOSPLIT, $0-16
	MOVD records+0(FP), R0
	MOVD n+8(FP), R1

value:
	MOVD 24(R0), R2
	MOVD 32(R0), R3
	ADD  R2, R3
	PRFM (R2), PLDL1KEEP
	PRFM 64(R2), PLDL1KEEP
	SUB  $1, R3
	PRFM (R3), PLDL1KEEP
	ADD  $48, R0
	SUBS $1, R1
	BGT  value
	RET

// func prefetchLines(p *byte, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1

next:
	PRFM (R0), PLDL1KEEP
	ADD  $64, R0
	CMP  R1, R0
	BLO  next
	RET
