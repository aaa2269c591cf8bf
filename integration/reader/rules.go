package reader

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Deny forbids the principal, such as "User:ANONYMOUS", to write to a topic; Allow takes that back.
// ErrNoAuthorizer says that the cluster keeps no such rules.
func (a *Admin) Deny(ctx context.Context, topic, principal string) error {
	return a.deny(ctx, writeRule(principal).Topics(topic))
}

// Allow removes the rule that Deny made.
func (a *Admin) Allow(ctx context.Context, topic, principal string) error {
	return a.allow(ctx, writeRule(principal).Topics(topic))
}

// DenyTransactionalID is Deny for a transactional id.
func (a *Admin) DenyTransactionalID(ctx context.Context, id, principal string) error {
	return a.deny(ctx, writeRule(principal).TransactionalIDs(id))
}

// AllowTransactionalID removes the rule that DenyTransactionalID made.
func (a *Admin) AllowTransactionalID(ctx context.Context, id, principal string) error {
	return a.allow(ctx, writeRule(principal).TransactionalIDs(id))
}

func (a *Admin) deny(ctx context.Context, rule *kadm.ACLBuilder) error {
	results, err := a.client.CreateACLs(ctx, rule)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return ruleError(err)
}

func (a *Admin) allow(ctx context.Context, rule *kadm.ACLBuilder) error {
	results, err := a.client.DeleteACLs(ctx, rule)
	for _, r := range results {
		err = errors.Join(err, r.Err)
	}
	return ruleError(err)
}

// ErrNoAuthorizer is returned for a cluster without an authorizer.
var ErrNoAuthorizer = errors.New("the cluster has no authorizer")

func ruleError(err error) error {
	if errors.Is(err, kerr.SecurityDisabled) {
		return ErrNoAuthorizer
	}
	return err
}

func writeRule(principal string) *kadm.ACLBuilder {
	return kadm.NewACLs().ResourcePatternType(kadm.ACLPatternLiteral).
		Operations(kadm.OpWrite).Deny(principal).DenyHosts("*")
}
