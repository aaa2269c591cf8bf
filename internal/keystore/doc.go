// Package keystore reads private keys and trusted certificates from the files that Java's programs have: JKS, PKCS#12 and PEM.
// It tells by the content what a file is. Java opens a PKCS#12 store under the type JKS and the other way round, so the types
// in configurations mean little.
//
// It opens no files, and knows no settings. An [Error] says which of its inputs is wrong, so that the caller can name the
// setting. No error and no notice shows a password or a key.
//
// It reads JKS and PKCS#12 with the standard library alone. The modules that exist do not bound what a damaged file makes them
// allocate or compute. They also give up on stores with several keys, with a key and a trusted certificate, without a MAC or a
// password, or in BER.
package keystore
