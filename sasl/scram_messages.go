package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MinIterations is how often a broker has to have SCRAM passwords hashed: fewer are refused (RFC 7677).
	MinIterations = 4096

	// MaxIterations bounds the work that a broker can ask of a SCRAM client. Kafka creates no user with more than 16384.
	MaxIterations = 1_000_000
)

// mostOfScram bounds a message of the broker's, in bytes. Kafka's have about 200.
const mostOfScram = 4096

type serverFirst struct {
	nonce      string
	salt       string // decoded
	iterations int
}

// parseServerFirst reads r=NONCE,s=SALT,i=ITERATIONS. What follows is of extensions, which nobody has to know.
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
		return serverFirst{}, Final(fmt.Errorf("the broker wants passwords to be hashed %s times, and more than %d are not done for it", shown(rounds), MaxIterations))
	case err != nil || iterations < 1:
		return serverFirst{}, notScram(message)
	case iterations < MinIterations:
		return serverFirst{}, Final(fmt.Errorf("the broker wants passwords to be hashed %d times, and fewer than %d are not safe: have the user's credentials made anew with iterations=%d",
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
		return nil, fmt.Errorf("the broker has answered with %d bytes, which is no message of SCRAM", len(message))
	}
	parts := strings.Split(message, ",")
	if code, found := strings.CutPrefix(parts[0], "e="); found {
		return nil, &RefusedError{Words: code}
	}
	if strings.HasPrefix(parts[0], "m=") {
		return nil, Final(errors.New("the broker demands an extension of SCRAM, and none is known that has to be"))
	}
	return parts, nil
}

func notScram(message string) error {
	return fmt.Errorf("the broker has answered what is no message of SCRAM: %s", shown(message))
}

// printable is what SCRAM allows in a nonce, but for the comma, which the message has been divided at.
func printable(nonce string) bool {
	for i := range len(nonce) {
		if nonce[i] < 0x21 || nonce[i] > 0x7e {
			return false
		}
	}
	return nonce != ""
}
