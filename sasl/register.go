package sasl

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Settings are what a properties file says of SASL, for a builder of mechanisms. Values are resolved: escapes, providers and
// the syntax of JAAS are behind them. It may get further fields.
type Settings struct {
	Mechanism string            // sasl.mechanism
	Login     Login             // of sasl.jaas.config
	Keys      map[string]string // all keys that begin with "sasl.", and their values as written; those not set are missing
}

// A Login is the one entry of a JAAS configuration.
type Login struct {
	Module  string // the Java class; "" if nothing was configured
	Options map[string]Secret
}

// A Builder makes a mechanism of what properties say. Its error names the key or the option of the login module that
// cannot be taken, what is wrong and what to do, and no secret.
type Builder func(*Settings) (Mechanism, error)

var (
	buildersMu sync.RWMutex
	builders   = map[string]Builder{}
)

// Register makes a mechanism reachable from properties, by its name in sasl.mechanism. A module that brings a mechanism calls
// it in an init function, so that an import is all that a program needs. It panics if the name is taken.
func Register(mechanism string, build Builder) {
	buildersMu.Lock()
	defer buildersMu.Unlock()
	if _, taken := builders[mechanism]; taken || build == nil {
		panic(fmt.Sprintf("sasl: Register(%q): the name is taken, or there is no builder", mechanism))
	}
	builders[mechanism] = build
}

// Lookup returns what [Register] was given for a mechanism, nil if nobody has registered it.
func Lookup(mechanism string) Builder {
	buildersMu.RLock()
	defer buildersMu.RUnlock()
	return builders[mechanism]
}

// Registered lists the mechanisms that properties can reach, sorted.
func Registered() []string {
	buildersMu.RLock()
	defer buildersMu.RUnlock()
	return slices.Sorted(maps.Keys(builders))
}
