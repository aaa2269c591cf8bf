#!/bin/sh
# Makes the key stores of internal/keystore/testdata anew, with the tools that people make theirs with: keytool of a JDK (17 or
# later), also with Bouncy Castle, which Maven gets, and OpenSSL 3. NEW_KEYTOOL names the keytool of a later JDK, for one of
# the stores. All keys in them are for tests alone. Every run makes new keys; what the tests expect does not depend on them.
set -eu
. "$(dirname "$0")/lib.sh"
cd internal/keystore/testdata
keytool=${KEYTOOL:-keytool}
new_keytool=${NEW_KEYTOOL:-$keytool}
days=36500

java() { "$keytool" "$@" >/dev/null 2>&1 || { echo "keytool $*: failed" >&2; exit 1; }; }
ssl() { openssl "$@" 2>/dev/null || { echo "openssl $*: failed" >&2; exit 1; }; }

rm -f ./*.pem ./*.jks ./*.p12 ./*.jceks ./*.der ./*.p7b

# Two authorities, one of which has issued the certificate of an intermediate one, and that the client's.
authority() { # name subject
    ssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1-key.pem" -out "$1.pem" -days $days -subj "/CN=$2" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
}
issue() { # name subject by extensions key-options...
    name=$1 subject=$2 by=$3 extensions=$4
    shift 4
    ssl req -new -newkey "$@" -nodes -keyout "$name-key.pem" -out "$name.csr" -subj "/CN=$subject"
    printf '%b' "$extensions" >"$name.ext"
    ssl x509 -req -in "$name.csr" -CA "$by.pem" -CAkey "$by-key.pem" -set_serial "0x$(openssl rand -hex 8)" -days $days -extfile "$name.ext" -out "$name.pem"
    rm "$name.csr" "$name.ext"
}
ec="ec -pkeyopt ec_paramgen_curve:P-256"
authority ca "Epistle test authority"
authority other-ca "Another test authority"
# shellcheck disable=SC2086
{
    issue middle "Epistle intermediate" ca 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' $ec
    issue client "client" middle 'extendedKeyUsage=clientAuth,serverAuth\n' $ec
    issue second "second" other-ca 'extendedKeyUsage=clientAuth\n' rsa:2048
    issue ed25519 "ed25519" ca 'extendedKeyUsage=clientAuth\n' ed25519
}
cat middle.pem ca.pem >chain.pem

# PKCS12 by OpenSSL.
p12() { # out options...
    out=$1
    shift
    ssl pkcs12 -export -out "$out" "$@"
}
key="-inkey client-key.pem -in client.pem -certfile chain.pem -name client"
# shellcheck disable=SC2086
{
    p12 openssl.p12 $key -passout pass:changeit
    p12 openssl-legacy.p12 $key -passout pass:changeit -legacy
    p12 openssl-empty.p12 $key -passout pass:
    p12 openssl-nomac.p12 $key -passout pass:changeit -nomac
    p12 openssl-plain.p12 $key -passout pass:changeit -nomac -keypbe NONE -certpbe NONE
    p12 openssl-sha512.p12 $key -passout pass:changeit -macalg sha512 -keypbe AES-128-CBC -certpbe AES-192-CBC
    p12 openssl-unicode.p12 $key -passout pass:grün
    p12 openssl-unicode-legacy.p12 $key -passout pass:grün -legacy
    p12 second.p12 -inkey second-key.pem -in second.pem -certfile other-ca.pem -name second -passout pass:changeit
}
cat ca.pem other-ca.pem >authorities.pem
p12 openssl-nokeys.p12 -nokeys -in authorities.pem -passout pass:changeit

# PKCS12 and JKS by keytool.
copy() { java -importkeystore -noprompt -srckeystore "$1" -srcstorepass changeit -destkeystore "$2" -deststoretype "$3" -deststorepass changeit; }
trust() { # store type authority
    java -importcert -noprompt -keystore "$1" -storetype "$2" -storepass changeit -alias "$3" -file "$3.pem"
}
copy openssl.p12 keytool.p12 PKCS12
"$new_keytool" -importkeystore -noprompt -srckeystore openssl.p12 -srcstorepass changeit -destkeystore keytool-new.p12 -deststoretype PKCS12 \
    -deststorepass changeit >/dev/null 2>&1
java -J-Dkeystore.pkcs12.legacy -importkeystore -noprompt -srckeystore openssl.p12 -srcstorepass changeit -destkeystore keytool-legacy.p12 \
    -deststoretype PKCS12 -deststorepass changeit
trust keytool-trust.p12 PKCS12 ca
trust keytool-trust.p12 PKCS12 other-ca
cp keytool.p12 keytool-mixed.p12
copy second.p12 keytool-mixed.p12 PKCS12
trust keytool-mixed.p12 PKCS12 other-ca
copy openssl.p12 key.jks JKS
cp key.jks keypass.jks
java -keypasswd -keystore keypass.jks -storepass changeit -alias client -keypass changeit -new other-secret
trust trust.jks JKS ca
trust trust.jks JKS other-ca
cp key.jks mixed.jks
copy second.p12 mixed.jks JKS
trust mixed.jks JKS other-ca
copy openssl.p12 store.jceks JCEKS
java -genseckey -keystore secret.p12 -storetype PKCS12 -storepass changeit -alias s -keyalg AES -keysize 128
rm second.p12

# PKCS12 by Bouncy Castle.
mvn -q -B dependency:copy -Dartifact=org.bouncycastle:bcprov-jdk18on:1.80 -DoutputDirectory="$scratch" >&2
provider="-providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath $scratch/bcprov-jdk18on-1.80.jar"
# shellcheck disable=SC2086
{
    java -importkeystore -noprompt -srckeystore openssl.p12 -srcstorepass changeit -destkeystore bouncycastle.p12 -deststoretype PKCS12 \
        -deststorepass changeit -destprovidername BC $provider
    for authority in ca other-ca; do
        java -importcert -noprompt -keystore bouncycastle-trust.p12 -storetype PKCS12 -storepass changeit -alias $authority -file $authority.pem \
            -providername BC $provider
    done
}

# Encrypted keys in PEM; the password is changeit.
pkcs8() { ssl pkcs8 -topk8 -in "$1" -out "$2" -passout pass:changeit "$3" "$4" ${5+"$5"} ${6+"$6"}; }
pkcs8 client-key.pem key-aes256.pem -v2 aes-256-cbc
pkcs8 client-key.pem key-aes192.pem -v2 aes-192-cbc
pkcs8 client-key.pem key-aes128.pem -v2 aes-128-cbc
pkcs8 client-key.pem key-des3.pem -v2 des3
pkcs8 client-key.pem key-prf-sha1.pem -v2 aes-256-cbc -v2prf hmacWithSHA1
pkcs8 client-key.pem key-prf-sha384.pem -v2 aes-256-cbc -v2prf hmacWithSHA384
pkcs8 client-key.pem key-prf-sha512.pem -v2 aes-256-cbc -v2prf hmacWithSHA512
pkcs8 client-key.pem key-v1-3des.pem -v1 PBE-SHA1-3DES
pkcs8 second-key.pem key-rsa.pem -v2 aes-256-cbc
pkcs8 ed25519-key.pem key-ed25519.pem -v2 aes-256-cbc
ssl pkcs8 -topk8 -in client-key.pem -out key-scrypt.pem -passout pass:changeit -scrypt
ssl pkcs8 -topk8 -in client-key.pem -out key-v1-md5.pem -passout pass:changeit -v1 PBE-MD5-DES -provider legacy -provider default
ssl rsa -in second-key.pem -traditional -aes256 -passout pass:changeit -out key-rsa-traditional.pem
ssl rsa -in second-key.pem -traditional -out key-rsa-pkcs1.pem
ssl ec -in client-key.pem -aes256 -passout pass:changeit -out key-ec-traditional.pem
ssl ec -in client-key.pem -out key-ec-plain.pem

ssl x509 -in ca.pem -outform DER -out ca.der
ssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out ca.p7b
ssl x509 -in ca.pem -addtrust serverAuth -trustout -out trusted.pem
rm middle-key.pem other-ca-key.pem ca-key.pem
