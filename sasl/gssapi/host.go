package gssapi

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// principalHost returns the host of a broker's principal. What DNS does not know is an error that time may mend.
func principalHost(ctx context.Context, resolve resolver, how Canonicalize, host string) (string, error) {
	address, err := netip.ParseAddr(host)
	isAddress := err == nil
	switch {
	case how == CanonicalizeNever, how == CanonicalizeIP && !isAddress:
	case isAddress && (how == CanonicalizeIP || how == CanonicalizeReverse):
		return reverse(ctx, resolve, address.WithZone("").String())
	case how == CanonicalizeReverse:
		addresses, err := resolve.LookupHost(ctx, host)
		if err != nil {
			return "", fmt.Errorf("look up the broker's principal: %w", err)
		}
		if len(addresses) > 0 {
			return reverse(ctx, resolve, addresses[0])
		}
	case how == CanonicalizeForward && !isAddress:
		name, err := resolve.LookupCNAME(ctx, host)
		if err != nil {
			return "", fmt.Errorf("look up the broker's principal: %w", err)
		}
		host = name
	}
	return tidyHost(host), nil
}

func reverse(ctx context.Context, resolve resolver, address string) (string, error) {
	names, err := resolve.LookupAddr(ctx, address)
	if err != nil || len(names) == 0 {
		if err == nil {
			err = &net.DNSError{Err: "no name", Name: address, IsNotFound: true}
		}
		return "", fmt.Errorf("the broker's principal is not known: its host is the IP address %s, and that has no name (%w); "+
			"have brokers advertise host names, or connect by name", address, err)
	}
	return tidyHost(names[0]), nil
}

// tidyHost writes a host as principals have it: in lower case, without the dot of DNS at its end.
func tidyHost(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }
