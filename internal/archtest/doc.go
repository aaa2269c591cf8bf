// Package archtest holds no code, only tests of how the packages of this module may use each other:
// which may import which, which may read the clock or start a goroutine, what may never become a
// dependency, how long a file may grow, and what is exported.
package archtest
