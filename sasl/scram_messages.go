package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MinIterations is the least number of hashing rounds that a broker may ask of a SCRAM client (RFC 7677).
	MinIterations = 4096

	// MaxIterations is the greatest number of hashing rounds that a broker may ask of a SCRAM client. It bounds the work that a
	// hostile broker can cause. Kafka creates no user with more than 16384.
	MaxIterations = 1_000_000
)

// mostOfScram bounds a message of the broker's, in bytes. Kafka's have about 200.
const mostOfScram = 4096

type serverFirst struct {
	nonce      string
	salt       string // decoded
	iterations int
}

// parseServerFirst reads r=NONCE,s=SALT,i=ITERATIONS. It passes over extensions that follow.
func parseServerFirst(message string) (serverFirst, error) {
	parts, err := scramParts(message)
	if err != nil {
		return serverFirst{}, err
	}
	if len(parts) < 3 {
		return serverFirst{}, notScram(message)
	}
	nonce, hasNonce := strings.CutPrefix(parts[0], "r=")
	encoded, hasSalt := strings.CutPrefix(parts[1], "s=")
	rounds, hasRounds := strings.CutPrefix(parts[2], "i=")
	salt, err := base64.StdEncoding.DecodeString(encoded)
	if !hasNonce || !hasSalt || !hasRounds || err != nil || len(salt) == 0 || !printable(nonce) {
		return serverFirst{}, notScram(message)
	}
	iterations, err := strconv.Atoi(rounds)
	switch {
	case errors.Is(err, strconv.ErrRange) && !strings.HasPrefix(rounds, "-"), iterations > MaxIterations:
		return serverFirst{}, Final(fmt.Errorf("the broker asks for %s rounds of hashing, and %d is the limit", Quoted(rounds), MaxIterations))
	case err != nil || iterations < 1:
		return serverFirst{}, notScram(message)
	case iterations < MinIterations:
		return serverFirst{}, Final(fmt.Errorf("the broker asks for %d rounds of hashing, and fewer than %d are not safe: create the user's credentials again with iterations=%d",
			iterations, MinIterations, MinIterations))
	}
	return serverFirst{nonce, string(salt), iterations}, nil
}

// parseServerFinal reads v=SIGNATURE, or e=ERROR, which Kafka never sends.
func parseServerFinal(message string) ([]byte, error) {
	parts, err := scramParts(message)
	if err != nil {
		return nil, err
	}
	encoded, found := strings.CutPrefix(parts[0], "v=")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil {
		return nil, notScram(message)
	}
	return signature, nil
}

func scramParts(message string) ([]string, error) {
	if len(message) > mostOfScram {
		return nil, fmt.Errorf("the broker's answer has %d bytes, and is no SCRAM message", len(message))
	}
	parts := strings.Split(message, ",")
	if code, found := strings.CutPrefix(parts[0], "e="); found {
		return nil, &RefusedError{Words: code}
	}
	if strings.HasPrefix(parts[0], "m=") {
		return nil, Final(errors.New("the broker demands an extension of SCRAM (m=), and no such extension is known here"))
	}
	return parts, nil
}

func notScram(message string) error {
	return fmt.Errorf("the broker's answer is no SCRAM message: %s", Quoted(message))
}

// printable reports whether nonce has only what SCRAM allows. The comma is not looked at, since it has divided the message.
func printable(nonce string) bool {
	for i := range len(nonce) {
		if nonce[i] < 0x21 || nonce[i] > 0x7e {
			return false
		}
	}
	return nonce != ""
}
