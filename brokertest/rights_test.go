package brokertest

import (
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// Rights that are taken away are so for the requests that need them, and in what is told of rights; and they can be given back.
func TestRights(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	id, name := "tx", "t"
	find := func() protocol.ErrorCode {
		resp := ask(k, 6, &protocol.FindCoordinatorRequest{KeyType: transactionKey, CoordinatorKeys: []string{id}}, &protocol.FindCoordinatorResponse{})
		return resp.Coordinators[0].ErrorCode
	}
	find() // which makes the coordinators' topic
	questions := map[string]func() protocol.ErrorCode{
		"InitProducerId": func() protocol.ErrorCode {
			return ask(k, 5, &protocol.InitProducerIDRequest{ProducerID: -1, ProducerEpoch: -1}, &protocol.InitProducerIDResponse{}).ErrorCode
		},
		"InitProducerId of tx": func() protocol.ErrorCode {
			return ask(k, 5, &protocol.InitProducerIDRequest{TransactionalID: &id, TransactionTimeout: time.Minute, ProducerID: -1, ProducerEpoch: -1}, &protocol.InitProducerIDResponse{}).ErrorCode
		},
		"FindCoordinator of tx": find,
		"EndTxn of tx": func() protocol.ErrorCode {
			return ask(k, 5, &protocol.EndTxnRequest{TransactionalID: id, ProducerID: 1 << 40}, &protocol.EndTxnResponse{}).ErrorCode
		},
		"DescribeConfigs": func() protocol.ErrorCode {
			m := &protocol.DescribeConfigsRequest{Resources: []protocol.DescribeConfigsResource{{ResourceType: protocol.ResourceTopic, ResourceName: name}}}
			return ask(k, 4, m, &protocol.DescribeConfigsResponse{}).Results[0].ErrorCode
		},
		"write": func() protocol.ErrorCode {
			m := &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{{Name: &name}}, IncludeTopicAuthorizedOperations: true}
			if ask(k, 13, m, &protocol.MetadataResponse{}).Topics[0].TopicAuthorizedOperations&opWrite == 0 {
				return protocol.TopicAuthorizationFailed
			}
			return protocol.NoError
		},
		"write idempotently": func() protocol.ErrorCode {
			m := &protocol.DescribeClusterRequest{IncludeClusterAuthorizedOperations: true, EndpointType: protocol.EndpointBrokers}
			if ask(k, 2, m, &protocol.DescribeClusterResponse{}).ClusterAuthorizedOperations&opIdempotentWrite == 0 {
				return protocol.ClusterAuthorizationFailed
			}
			return protocol.NoError
		},
	}
	healthy := map[string]protocol.ErrorCode{"EndTxn of tx": protocol.InvalidProducerIDMapping}
	for _, step := range []struct {
		title string
		do    func()
		want  map[string]protocol.ErrorCode
	}{
		{"all are there", func() {}, nil},
		{"no idempotence", func() { c.AllowIdempotentWrite(false) }, map[string]protocol.ErrorCode{
			"InitProducerId": protocol.ClusterAuthorizationFailed, "write idempotently": protocol.ClusterAuthorizationFailed,
		}},
		{"no transactions", func() { c.AllowIdempotentWrite(true); c.AllowTransactionalID(id, false) }, map[string]protocol.ErrorCode{
			"InitProducerId of tx": protocol.TransactionalIDAuthorizationFailed, "FindCoordinator of tx": protocol.TransactionalIDAuthorizationFailed,
			"EndTxn of tx": protocol.TransactionalIDAuthorizationFailed,
		}},
		{"no settings, no writing", func() { c.AllowTransactionalID(id, true); c.AllowDescribeConfigs(false); c.DenyWrite(name) }, map[string]protocol.ErrorCode{
			"DescribeConfigs": protocol.TopicAuthorizationFailed, "write": protocol.TopicAuthorizationFailed,
		}},
		{"all are back", func() { c.AllowDescribeConfigs(true); c.AllowTopic(name) }, nil},
	} {
		step.do()
		for question, ask := range questions {
			want := healthy[question]
			if code, ok := step.want[question]; ok {
				want = code
			}
			if got := ask(); got != want {
				t.Errorf("%s: %s gets %v, want %v", step.title, question, got, want)
			}
		}
	}
}

// A setting that is changed is told, and obeyed.
func TestSetTopicConfig(t *testing.T) {
	c := New(t, InMemory(), Topic("t", 1))
	k := dial(t, c, 1)
	for _, wrong := range [][2]string{{"max.message.bytes", "many"}, {"no.such.key", "1"}} {
		if err := c.SetTopicConfig("t", wrong[0], wrong[1]); err == nil {
			t.Errorf("%s=%s is taken", wrong[0], wrong[1])
		}
	}
	if err := c.SetTopicConfig("elsewhere", "max.message.bytes", "10"); err == nil {
		t.Error("a topic that is not there is configured")
	}
	if err := c.SetTopicConfig("t", "max.message.bytes", "10"); err != nil {
		t.Fatal(err)
	}
	m := &protocol.DescribeConfigsRequest{Resources: []protocol.DescribeConfigsResource{
		{ResourceType: protocol.ResourceTopic, ResourceName: "t", ConfigurationKeys: []string{"max.message.bytes"}},
	}}
	got := ask(k, 4, m, &protocol.DescribeConfigsResponse{}).Results[0].Configs
	if len(got) != 1 || *got[0].Value != "10" || got[0].ConfigSource != ofTopic {
		t.Errorf("told is %+v", got)
	}
	wantCode(t, k.produce(c, "t", plainBatch("a")), protocol.MessageTooLarge)
}
