// Package doctor is `epistle doctor`: it prints what producer.Diagnose finds.
package doctor
