package brokertest

import (
	"github.com/epistle-kafka/epistle/protocol"
)

// rights are what is denied to every client, besides topics. Guarded by Cluster.mu.
type rights struct {
	noIdempotence bool
	noSettings    bool
	noTransaction map[string]bool // by transactional ID
}

// AllowIdempotentWrite says whether clients may write idempotently. The default is true. If false, InitProducerId without a
// transactional ID gets CLUSTER_AUTHORIZATION_FAILED, as for a client that has neither IDEMPOTENT_WRITE on the cluster nor
// WRITE on any topic.
func (c *Cluster) AllowIdempotentWrite(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rights.noIdempotence = !on
}

// AllowTransactionalID says whether clients may use a transactional ID. The default is true. If false, all requests about the
// ID get TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
func (c *Cluster) AllowTransactionalID(id string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rights.noTransaction == nil {
		c.rights.noTransaction = map[string]bool{}
	}
	c.rights.noTransaction[id] = !on
}

// AllowDescribeConfigs says whether clients may read the settings of topics and brokers. The default is true. If false,
// DescribeConfigs gets TOPIC_AUTHORIZATION_FAILED, or CLUSTER_AUTHORIZATION_FAILED for brokers.
func (c *Cluster) AllowDescribeConfigs(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rights.noSettings = !on
}

// forbids returns the code for a request that is denied altogether. The caller holds c.mu.
func (r *rights) forbids(m protocol.Request) protocol.ErrorCode {
	denied := func(id string) protocol.ErrorCode {
		if r.noTransaction[id] {
			return protocol.TransactionalIDAuthorizationFailed
		}
		return protocol.NoError
	}
	switch m := m.(type) {
	case *protocol.InitProducerIDRequest:
		if m.TransactionalID != nil {
			return denied(*m.TransactionalID)
		}
		if r.noIdempotence {
			return protocol.ClusterAuthorizationFailed
		}
	case *protocol.AddPartitionsToTxnRequest:
		return denied(m.TransactionalID)
	case *protocol.AddOffsetsToTxnRequest:
		return denied(m.TransactionalID)
	case *protocol.EndTxnRequest:
		return denied(m.TransactionalID)
	case *protocol.TxnOffsetCommitRequest:
		return denied(m.TransactionalID)
	case *protocol.FindCoordinatorRequest:
		if m.KeyType != transactionKey {
			return protocol.NoError
		}
		for _, id := range append(m.CoordinatorKeys, m.Key) {
			if code := denied(id); code != protocol.NoError {
				return code
			}
		}
	}
	return protocol.NoError
}

// The operations that a client may be authorized for, as bits of the sets that brokers tell (AclOperation).
const (
	opRead            = 1 << 3
	opWrite           = 1 << 4
	opCreate          = 1 << 5
	opDelete          = 1 << 6
	opAlter           = 1 << 7
	opDescribe        = 1 << 8
	opClusterAction   = 1 << 9
	opDescribeConfigs = 1 << 10
	opAlterConfigs    = 1 << 11
	opIdempotentWrite = 1 << 12

	opsOfTopic   = opRead | opWrite | opCreate | opDelete | opAlter | opDescribe | opDescribeConfigs | opAlterConfigs
	opsOfCluster = opCreate | opAlter | opDescribe | opClusterAction | opDescribeConfigs | opAlterConfigs | opIdempotentWrite
)

// topicOperations is what clients may do with a topic. The caller holds c.mu.
func (c *Cluster) topicOperations(name string) int32 {
	ops := int32(opsOfTopic)
	if c.denied[name].write {
		ops &^= opWrite
	}
	if c.rights.noSettings {
		ops &^= opDescribeConfigs
	}
	return ops
}

// clusterOperations is what clients may do with the cluster. The caller holds c.mu.
func (c *Cluster) clusterOperations() int32 {
	ops := int32(opsOfCluster)
	if c.rights.noIdempotence {
		ops &^= opIdempotentWrite
	}
	if c.rights.noSettings {
		ops &^= opDescribeConfigs
	}
	return ops
}

// authorize tells what the client may do, if it asks for that. The caller holds c.mu.
func (c *Cluster) authorize(m *protocol.MetadataRequest, version int16, resp *protocol.MetadataResponse) *protocol.MetadataResponse {
	if m.IncludeClusterAuthorizedOperations && version >= 8 && version <= 10 {
		resp.ClusterAuthorizedOperations = c.clusterOperations()
	}
	if !m.IncludeTopicAuthorizedOperations {
		return resp
	}
	for i := range resp.Topics {
		if t := &resp.Topics[i]; (t.ErrorCode == protocol.NoError || t.ErrorCode == protocol.UnknownTopicOrPartition) && t.Name != nil {
			t.TopicAuthorizedOperations = c.topicOperations(*t.Name)
		}
	}
	return resp
}
