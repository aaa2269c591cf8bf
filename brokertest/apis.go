package brokertest

import (
	"slices"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// An api is what brokers do with the requests of one API. All differences between APIs are here. A new API is a row of apis,
// and a constant in keys.go.
type api struct {
	kafka4_4, kafka3_9 versionRange // what these releases answer

	// answer lets a request take effect and makes the answer, nil if there is none. It reports false if the connection must be
	// closed. The caller holds Cluster.mu, unless unlocked is set.
	answer   func(k *conn, r *Request, a *Action) (protocol.Response, bool)
	unlocked bool // answer takes Cluster.mu by itself, where it needs it

	// refuse answers with the code of an Action and changes nothing. The caller holds Cluster.mu only if the broker is no
	// longer the coordinator that coordinated asks for. It is nil if answer looks at the Action by itself, since parts of a
	// request may be refused.
	refuse func(k *conn, r *Request, a *Action) (protocol.Response, bool)

	// throttle returns the field of a response that has the throttle time; nil: the API has no such field.
	throttle func(protocol.Response) *time.Duration

	// names reports whether a request is about a topic, and about a partition of it unless index is negative; nil: it never is.
	names func(r *Request, topic string, index int32) bool

	// coordinated reports whether only the coordinator of a transactional ID or a group can answer; nil: any broker can.
	coordinated func(protocol.Request) bool
}

// versionRange is the versions of one API that a broker answers, both ends included.
type versionRange struct{ min, max int16 }

var apis = map[int16]api{
	Produce: {
		kafka4_4: versionRange{3, 13}, kafka3_9: versionRange{3, 11},
		unlocked: true, answer: func(k *conn, r *Request, a *Action) (protocol.Response, bool) {
			return k.b.produce(r, r.Message.(*protocol.ProduceRequest), a)
		},
		throttle: at(func(m *protocol.ProduceResponse) *time.Duration { return &m.ThrottleTime }),
		names: func(r *Request, topic string, index int32) bool {
			return slices.ContainsFunc(r.Batches, func(b ProducedBatch) bool {
				return b.Topic == topic && (index < 0 || b.Partition == index)
			})
		},
	},
	ListOffsets: {
		kafka4_4: versionRange{1, 11}, kafka3_9: versionRange{1, 9},
		answer:   by((*broker).listOffsets),
		refuse:   with(func(m *protocol.ListOffsetsRequest, a *Action) protocol.Response { return refuseOffsets(m, a.code) }),
		throttle: at(func(m *protocol.ListOffsetsResponse) *time.Duration { return &m.ThrottleTime }),
		names: about(func(m *protocol.ListOffsetsRequest, topic string, _ int32) bool {
			return slices.ContainsFunc(m.Topics, func(t protocol.ListOffsetsTopic) bool { return t.Name == topic })
		}),
	},
	Metadata: {
		kafka4_4: versionRange{0, 13}, kafka3_9: versionRange{0, 12},
		answer: by(func(b *broker, m *protocol.MetadataRequest, version int16) protocol.Response {
			return b.c.metadata(m, version, b.c.opts.autoCreate)
		}),
		refuse:   func(k *conn, r *Request, a *Action) (protocol.Response, bool) { return k.b.refuseMetadata(r, a) },
		throttle: at(func(m *protocol.MetadataResponse) *time.Duration { return &m.ThrottleTime }),
		names: about(func(m *protocol.MetadataRequest, topic string, _ int32) bool {
			return m.Topics == nil || slices.ContainsFunc(m.Topics, func(t protocol.MetadataRequestTopic) bool {
				return t.Name != nil && *t.Name == topic
			})
		}),
	},
	FindCoordinator: {
		kafka4_4: versionRange{0, 6}, kafka3_9: versionRange{0, 6},
		answer: by(func(b *broker, m *protocol.FindCoordinatorRequest, version int16) protocol.Response {
			return b.c.findCoordinator(m, version)
		}),
		refuse: func(_ *conn, r *Request, a *Action) (protocol.Response, bool) {
			return refuseCoordinator(r.Message.(*protocol.FindCoordinatorRequest), r.Version, a.code, ""), true
		},
		throttle: at(func(m *protocol.FindCoordinatorResponse) *time.Duration { return &m.ThrottleTime }),
	},
	SaslHandshake: {
		kafka4_4: versionRange{0, 1}, kafka3_9: versionRange{0, 1},
		unlocked: true, answer: func(k *conn, r *Request, _ *Action) (protocol.Response, bool) {
			return k.saslHandshake(r.Message.(*protocol.SaslHandshakeRequest), r.Version), true
		},
		refuse: with(func(_ *protocol.SaslHandshakeRequest, a *Action) protocol.Response {
			return &protocol.SaslHandshakeResponse{ErrorCode: a.code}
		}),
	},
	ApiVersions: {
		kafka4_4: versionRange{0, 5}, kafka3_9: versionRange{0, 4},
		unlocked: true, answer: (*conn).answerAPIVersions,
		refuse: with(func(_ *protocol.ApiVersionsRequest, a *Action) protocol.Response {
			return &protocol.ApiVersionsResponse{ErrorCode: a.code, FinalizedFeaturesEpoch: -1}
		}),
		throttle: at(func(m *protocol.ApiVersionsResponse) *time.Duration { return &m.ThrottleTime }),
	},
	CreateTopics: {
		kafka4_4: versionRange{2, 7}, kafka3_9: versionRange{2, 7},
		answer: by(func(b *broker, m *protocol.CreateTopicsRequest, _ int16) protocol.Response {
			return b.c.createTopics(m)
		}),
		refuse: with(func(m *protocol.CreateTopicsRequest, a *Action) protocol.Response {
			resp := &protocol.CreateTopicsResponse{}
			for i := range m.Topics {
				resp.Topics = append(resp.Topics, notCreated(m.Topics[i].Name, a.code, ""))
			}
			return resp
		}),
		throttle: at(func(m *protocol.CreateTopicsResponse) *time.Duration { return &m.ThrottleTime }),
		names: about(func(m *protocol.CreateTopicsRequest, topic string, _ int32) bool {
			return slices.ContainsFunc(m.Topics, func(t protocol.CreatableTopic) bool { return t.Name == topic })
		}),
	},
	InitProducerID: {
		kafka4_4: versionRange{0, 5}, kafka3_9: versionRange{0, 5},
		answer: by((*broker).initProducerID),
		refuse: with(func(_ *protocol.InitProducerIDRequest, a *Action) protocol.Response {
			return &protocol.InitProducerIDResponse{ErrorCode: a.code, ProducerID: -1, ProducerEpoch: -1}
		}),
		throttle: at(func(m *protocol.InitProducerIDResponse) *time.Duration { return &m.ThrottleTime }),
		coordinated: func(m protocol.Request) bool {
			return m.(*protocol.InitProducerIDRequest).TransactionalID != nil
		},
	},
	AddPartitionsToTxn: {
		// Brokers alone speak versions 4 and 5. A client that does is cut off, as one that is not authorised to act for the
		// cluster should be.
		kafka4_4: versionRange{0, 5}, kafka3_9: versionRange{0, 5},
		answer:   by((*broker).addPartitionsToTxn),
		refuse:   with(refuseToAdd),
		throttle: at(func(m *protocol.AddPartitionsToTxnResponse) *time.Duration { return &m.ThrottleTime }),
		names: about(func(m *protocol.AddPartitionsToTxnRequest, topic string, index int32) bool {
			return slices.ContainsFunc(m.Topics, func(t protocol.AddPartitionsToTxnTopic) bool {
				return t.Name == topic && (index < 0 || slices.Contains(t.Partitions, index))
			})
		}),
		coordinated: always,
	},
	AddOffsetsToTxn: {
		kafka4_4: versionRange{0, 4}, kafka3_9: versionRange{0, 4},
		answer: by((*broker).addOffsetsToTxn),
		refuse: with(func(_ *protocol.AddOffsetsToTxnRequest, a *Action) protocol.Response {
			return &protocol.AddOffsetsToTxnResponse{ErrorCode: a.code}
		}),
		throttle:    at(func(m *protocol.AddOffsetsToTxnResponse) *time.Duration { return &m.ThrottleTime }),
		coordinated: always,
	},
	EndTxn: {
		kafka4_4: versionRange{0, 5}, kafka3_9: versionRange{0, 4},
		answer: by((*broker).endTxn),
		refuse: with(func(_ *protocol.EndTxnRequest, a *Action) protocol.Response {
			return &protocol.EndTxnResponse{ErrorCode: a.code, ProducerID: -1, ProducerEpoch: -1}
		}),
		throttle:    at(func(m *protocol.EndTxnResponse) *time.Duration { return &m.ThrottleTime }),
		coordinated: always,
	},
	TxnOffsetCommit: {
		kafka4_4: versionRange{0, 6}, kafka3_9: versionRange{0, 4},
		answer: by((*broker).txnOffsetCommit),
		refuse: with(func(m *protocol.TxnOffsetCommitRequest, a *Action) protocol.Response {
			return committedOffsets(m, func(*protocol.TxnOffsetCommitTopic, int32) protocol.ErrorCode { return a.code })
		}),
		throttle:    at(func(m *protocol.TxnOffsetCommitResponse) *time.Duration { return &m.ThrottleTime }),
		coordinated: always,
	},
	SaslAuthenticate: {
		kafka4_4: versionRange{0, 2}, kafka3_9: versionRange{0, 2},
		unlocked: true, answer: func(k *conn, r *Request, _ *Action) (protocol.Response, bool) {
			return k.saslAuthenticate(r.Message.(*protocol.SaslAuthenticateRequest))
		},
		refuse: with(func(_ *protocol.SaslAuthenticateRequest, a *Action) protocol.Response {
			return &protocol.SaslAuthenticateResponse{ErrorCode: a.code}
		}),
	},
	DescribeConfigs: {
		kafka4_4: versionRange{1, 4}, kafka3_9: versionRange{1, 4},
		answer: by(func(b *broker, m *protocol.DescribeConfigsRequest, _ int16) protocol.Response {
			return b.describeConfigs(m)
		}),
		refuse:   with(func(m *protocol.DescribeConfigsRequest, a *Action) protocol.Response { return refuseConfigs(m, a.code) }),
		throttle: at(func(m *protocol.DescribeConfigsResponse) *time.Duration { return &m.ThrottleTime }),
		names: about(func(m *protocol.DescribeConfigsRequest, topic string, _ int32) bool {
			return slices.ContainsFunc(m.Resources, func(r protocol.DescribeConfigsResource) bool {
				return r.ResourceType == protocol.ResourceTopic && r.ResourceName == topic
			})
		}),
	},
	DescribeCluster: {
		kafka4_4: versionRange{0, 2}, kafka3_9: versionRange{0, 1},
		answer: by(func(b *broker, m *protocol.DescribeClusterRequest, _ int16) protocol.Response {
			return b.c.describeCluster(m)
		}),
		refuse: with(func(_ *protocol.DescribeClusterRequest, a *Action) protocol.Response {
			return &protocol.DescribeClusterResponse{
				ErrorCode: a.code, EndpointType: protocol.EndpointBrokers, ControllerID: -1, ClusterAuthorizedOperations: noOperations,
			}
		}),
		throttle: at(func(m *protocol.DescribeClusterResponse) *time.Duration { return &m.ThrottleTime }),
	},
	GetTelemetrySubscriptions: {
		answer: by(func(b *broker, m *protocol.GetTelemetrySubscriptionsRequest, _ int16) protocol.Response {
			return b.telemetrySubscriptions(m)
		}),
		refuse: with(func(_ *protocol.GetTelemetrySubscriptionsRequest, a *Action) protocol.Response {
			return &protocol.GetTelemetrySubscriptionsResponse{ErrorCode: a.code}
		}),
		throttle: at(func(m *protocol.GetTelemetrySubscriptionsResponse) *time.Duration { return &m.ThrottleTime }),
	},
	PushTelemetry: {
		answer: func(k *conn, r *Request, _ *Action) (protocol.Response, bool) {
			return k.b.pushTelemetry(r, r.Message.(*protocol.PushTelemetryRequest)), true
		},
		refuse: with(func(_ *protocol.PushTelemetryRequest, a *Action) protocol.Response {
			return &protocol.PushTelemetryResponse{ErrorCode: a.code}
		}),
		throttle: at(func(m *protocol.PushTelemetryResponse) *time.Duration { return &m.ThrottleTime }),
	},
}

// by makes api.answer of a broker's method.
func by[M protocol.Request](answer func(*broker, M, int16) protocol.Response) func(*conn, *Request, *Action) (protocol.Response, bool) {
	return func(k *conn, r *Request, _ *Action) (protocol.Response, bool) {
		return answer(k.b, r.Message.(M), r.Version), true
	}
}

// with makes api.refuse of a function that needs no more than the message and the action. An ApiVersions request of a version
// that is not known has no message, so M may be nil.
func with[M protocol.Request](refuse func(M, *Action) protocol.Response) func(*conn, *Request, *Action) (protocol.Response, bool) {
	return func(_ *conn, r *Request, a *Action) (protocol.Response, bool) {
		m, _ := r.Message.(M)
		return refuse(m, a), true
	}
}

// about makes api.names of a function that needs no more than the message.
func about[M protocol.Request](names func(m M, topic string, index int32) bool) func(*Request, string, int32) bool {
	return func(r *Request, topic string, index int32) bool { return names(r.Message.(M), topic, index) }
}

// at makes api.throttle of a function that knows the type of the response.
func at[M protocol.Response](field func(M) *time.Duration) func(protocol.Response) *time.Duration {
	return func(resp protocol.Response) *time.Duration { return field(resp.(M)) }
}

func always(protocol.Request) bool { return true }

// versionsOf lists what a release answers, by API key.
func versionsOf(release func(api) versionRange) map[int16]versionRange {
	versions := make(map[int16]versionRange, len(apis))
	for key, row := range apis {
		versions[key] = release(row)
	}
	return versions
}

// kafka4_4 returns the versions that Apache Kafka 4.4.0 answers.
func kafka4_4() map[int16]versionRange {
	return versionsOf(func(row api) versionRange { return row.kafka4_4 })
}

// kafka3_9 returns the versions that Apache Kafka 3.9.1 answers, as far as they are kept here: it still takes older ones.
func kafka3_9() map[int16]versionRange {
	return versionsOf(func(row api) versionRange { return row.kafka3_9 })
}
