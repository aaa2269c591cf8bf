package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// classed packages decide by an error code's class and reach (protocol/errorcode_table.go), so that a code which Kafka adds
// needs no change in them.
var classed = []string{"wire", "accumulator", "metadata", "idempotent", "txn", "sender", "producer"}

// comparedAlone has each error code that a classed package compares with by itself, and why no class says the same.
var comparedAlone = map[string]string{
	"metadata: RebootstrapRequired":              "it alone asks for the bootstrap servers (KIP-1102)",
	"metadata: ReplicaNotAvailable":              "it is about followers, and the leader can be written to",
	"metadata: UnknownTopicOrPartition":          "it alone says that there is no such topic, so that the topic's age decides",
	"producer: InvalidProducerEpoch":             "from a leader it says that the transaction is over, and another attempt may go well; its class is for a coordinator's answer",
	"producer: InvalidTxnState":                  "as InvalidProducerEpoch: its class is fatal for the producer, and Transact begins the transaction anew",
	"sender: ClusterAuthorizationFailed":         "reasons of metrics are names: ReasonAuthorization",
	"sender: ConcurrentTransactions":             "the transaction before is being completed, which takes less than a backoff",
	"sender: DelegationTokenAuthorizationFailed": "reasons of metrics are names: ReasonAuthorization",
	"sender: DuplicateSequenceNumber":            "it alone of the codes about sequences means that the batch is in the log",
	"sender: GroupAuthorizationFailed":           "reasons of metrics are names: ReasonAuthorization",
	"sender: IllegalSaslState":                   "reasons of metrics are names: ReasonAuthentication",
	"sender: InvalidProducerEpoch":               "outside of a transaction it is about the numbers of a batch, and its class, Java's, is not",
	"sender: InvalidProducerIDMapping":           "it may pass while the producer id is fresh, and not later",
	"sender: MessageTooLarge":                    "a batch can be split, and no class says so",
	"sender: NotLeaderOrFollower":                "its text would suggest that another broker leads, where none does",
	"sender: RecordListTooLarge":                 "as MessageTooLarge",
	"sender: SaslAuthenticationFailed":           "reasons of metrics are names: ReasonAuthentication",
	"sender: TopicAuthorizationFailed":           "reasons of metrics are names: ReasonAuthorization",
	"sender: TransactionalIDAuthorizationFailed": "reasons of metrics are names: ReasonAuthorization",
	"sender: UnsupportedSaslMechanism":           "reasons of metrics are names: ReasonAuthentication",
	"txn: ConcurrentTransactions":                "the transaction before is being completed, which takes less than a backoff",
	"txn: InvalidProducerEpoch":                  "old coordinators say it for ProducerFenced",
	"txn: InvalidProducerIDMapping":              "it may pass while the producer id is fresh, and not later",
	"txn: InvalidTransactionTimeout":             "a setting mends it; its class, Java's, is fatal",
	"txn: InvalidTxnState":                       "from the coordinator it says that nothing is open, which the old protocol has to find out so",
	"txn: OperationNotAttempted":                 "it says nothing of its partition: the code of another one decides",
	"txn: ProducerFenced":                        "it alone has an error of its own, ErrFenced",
	"txn: RequestTimedOut":                       "the coordinator is looked up again, though its class asks for no refresh",
	"txn: TransactionAbortable":                  "it may come of a transaction that was open for too long, which the error then says",
	"txn: UnknownTopicID":                        "offsets go by the topic's name then; and it is about a topic, not about the coordinator",
	"txn: UnknownTopicOrPartition":               "it is about a topic, and no reason to look up the coordinator again",
	"wire: IllegalSaslState":                     "brokers refuse a login by it; its class is that of wrong settings of any kind",
	"wire: InvalidRequest":                       "hints are about single mistakes: a broker refuses the client's name with it",
	"wire: RebootstrapRequired":                  "hints are about single mistakes: the broker belongs to another cluster",
	"wire: SaslAuthenticationFailed":             "as IllegalSaslState",
	"wire: UnsupportedSaslMechanism":             "as IllegalSaslState",
	"wire: UnsupportedVersion":                   "the answer has another layout then (KIP-511)",
}

// TestCodesAreComparedByClass finds each comparison of those packages with a single error code: an operand of == and !=, a case
// of a switch, an argument of errors.Is. NoError is no error, and free.
func TestCodesAreComparedByClass(t *testing.T) {
	codes := errorCodes(t)
	found := map[string]bool{}
	for _, p := range listPackages(t) {
		if !slices.Contains(classed, p.name()) {
			continue
		}
		for _, file := range p.GoFiles {
			for _, at := range findings(t, filepath.Join(p.Dir, file), func(_ *ast.File, node ast.Node) string {
				return strings.Join(comparedWith(node, codes), " ")
			}) {
				position, names, _ := strings.Cut(at, ": ")
				for name := range strings.FieldsSeq(names) {
					key := p.name() + ": " + name
					found[key] = true
					if comparedAlone[key] == "" {
						t.Errorf("%s/%s compares a code with protocol.%s: if its class or reach will not do, give the reason in comparedAlone", p.name(), position, name)
					}
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(comparedAlone)) {
		if !found[key] {
			t.Errorf("comparedAlone has %q, which no code does any more", key)
		}
	}
}

// comparedWith lists the codes that node, if it is a comparison, compares something with.
func comparedWith(node ast.Node, codes []string) (names []string) {
	var operands []ast.Expr
	switch node := node.(type) {
	case *ast.BinaryExpr:
		if node.Op == token.EQL || node.Op == token.NEQ {
			operands = []ast.Expr{node.X, node.Y}
		}
	case *ast.CaseClause:
		operands = node.List
	case *ast.CallExpr:
		if f, ok := node.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Is" {
			operands = node.Args
		}
	}
	for _, operand := range operands {
		if selector, ok := operand.(*ast.SelectorExpr); ok && slices.Contains(codes, selector.Sel.Name) {
			if x, ok := selector.X.(*ast.Ident); ok && x.Name == "protocol" {
				names = append(names, selector.Sel.Name)
			}
		}
	}
	return names
}

// errorCodes lists the names of protocol's constants for error codes, without NoError.
func errorCodes(t *testing.T) (names []string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "protocol", "errorcode_names.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range tree.Decls {
		constants, ok := decl.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.Name != "NoError" {
					names = append(names, name.Name)
				}
			}
		}
	}
	if len(names) < 100 {
		t.Fatalf("protocol has %d error codes, and Kafka more than 100", len(names))
	}
	return names
}
