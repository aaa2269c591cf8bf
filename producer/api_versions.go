package producer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/internal/properties"
	"github.com/epistle-kafka/epistle/protocol"
)

// setMaxAPIVersions takes Name=version, several separated by commas. Validate refuses what cannot be read.
func setMaxAPIVersions(c *Config, v string) {
	c.MaxAPIVersions = nil
	for _, item := range properties.List(v) {
		name, text, _ := strings.Cut(item, "=")
		version, err := strconv.ParseInt(strings.TrimSpace(text), 10, 16)
		if err != nil || version < 0 {
			name, version = item, unreadable
		}
		if c.MaxAPIVersions == nil {
			c.MaxAPIVersions = map[string]int16{}
		}
		c.MaxAPIVersions[strings.TrimSpace(name)] = int16(version)
	}
}

// unreadable is the version of an item that is not Name=version.
const unreadable = -1

func (c *Config) checkAPIVersions(k *checker) {
	for _, name := range slices.Sorted(maps.Keys(c.MaxAPIVersions)) {
		version := c.MaxAPIVersions[name]
		api, known := apiNamed(name)
		value := fmt.Sprintf("%s=%d", protocol.Shown(name), version)
		switch {
		case version < 0:
			k.fail("MaxAPIVersions", protocol.Quoted(name), "must be the name of a request, and a version from 0 on: Produce=9")
		case !known:
			k.fail("MaxAPIVersions", value, "must name a request as Kafka does: one of "+strings.Join(apiNames(), ", "))
		case version < api.Min:
			k.fail("MaxAPIVersions", value, fmt.Sprintf("must be at least %d, the lowest version of %s that this library speaks (to %d)", api.Min, name, api.Max))
		}
	}
}

// maxVersions returns the caps by API key.
func (c *Config) maxVersions() map[int16]int16 {
	byKey := make(map[int16]int16, len(c.MaxAPIVersions))
	for name, version := range c.MaxAPIVersions {
		if api, known := apiNamed(name); known {
			byKey[api.Key] = version
		}
	}
	return byKey
}

func apiNamed(name string) (api protocol.API, known bool) {
	for _, api := range protocol.APIs() {
		if api.Name == name {
			return api, true
		}
	}
	return protocol.API{}, false
}

func apiNames() []string {
	var names []string
	for _, api := range protocol.APIs() {
		names = append(names, api.Name)
	}
	return names
}
