// Package archtest holds no code, only tests of the repository as a whole: which package may import which, which may read the
// clock or start a goroutine, what may never become a dependency, how long a file may grow, what is exported, that every module
// is looked after, and that citations lead somewhere.
package archtest
