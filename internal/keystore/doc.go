// Package keystore reads private keys and trusted certificates out of the files that Java's programs have: JKS, PKCS#12 and
// PEM. What a file is, it tells by the content: Java opens a PKCS#12 store under the type JKS and the other way round, so
// the types that stand in configurations mean little.
//
// It opens no files, and knows no settings. An [Error] says which of the things that it was given is wrong, so that the
// caller can name the setting. No error and no notice shows a password or a key.
//
// It reads JKS and PKCS#12 with the standard library. The modules that there are do not bound what a damaged file makes
// them allocate or compute, and give up on stores with several keys, with a key and a trusted certificate, without a MAC
// or without a password, or in BER.
package keystore
