// Package pbe decrypts what was encrypted with a password, by the schemes of key stores and private keys: PBES2 of PKCS#5 (RFC
// 8018), and the older schemes of PKCS#12 (RFC 7292, appendix B and C). It also checks the MAC of a PKCS#12 file.
//
// It only reads. The old schemes are weak, and files that use them exist all the same: Java wrote them until version 8u301, and
// `openssl pkcs12 -legacy` does.
//
// A file says itself how often a hash is to be repeated, so a hostile one could keep a processor busy for years. All work for
// one file is done by one Reader, which has a budget.
package pbe
