// Sink is a broker that only acknowledges. It gives every producer an id,
// knows every topic, and answers every Produce request with the next offsets,
// without looking at the records: what is measured against it is the client.
//
//	sink -listen 127.0.0.1:19092 -partitions 12
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:19092", "address to listen on, on the loopback")
	partitions := flag.Int("partitions", 12, "partitions of every topic")
	delay := flag.Duration("delay", 0, "time from a request to its answer; requests overlap")
	level := flag.Int("transaction.version", 2, "which protocol of transactions it speaks: 1 or 2")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	s := &sink{addr: l.Addr().(*net.TCPAddr), partitions: int32(*partitions), delay: *delay, level: int16(*level), ids: map[string]protocol.UUID{}}
	fmt.Println("listening on", l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go s.serve(c)
	}
}

type sink struct {
	addr       *net.TCPAddr
	partitions int32
	delay      time.Duration
	level      int16 // of transaction.version

	mu     sync.Mutex
	lastID int64
	offset int64
	ids    map[string]protocol.UUID // of topics
}

// An answer is one response and when it may leave.
type answer struct {
	frame []byte
	at    time.Time
}

func (s *sink) serve(c net.Conn) {
	defer c.Close()
	answers := make(chan answer, 64)
	defer close(answers)
	go write(c, answers)
	r := bufio.NewReaderSize(c, 1<<20)
	var frame []byte
	for {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint32(size[:]))
		if cap(frame) < n {
			frame = make([]byte, n)
		}
		frame = frame[:n]
		if _, err := io.ReadFull(r, frame); err != nil {
			return
		}
		h, req, err := protocol.DecodeRequest(frame)
		if err != nil {
			log.Print(err)
			return
		}
		if resp := s.answer(req); resp != nil {
			answers <- answer{protocol.AppendResponse(nil, h.Version, h.CorrelationID, resp), time.Now().Add(s.delay)}
		}
	}
}

func write(c net.Conn, answers <-chan answer) {
	for a := range answers {
		time.Sleep(time.Until(a.at))
		if _, err := c.Write(a.frame); err != nil {
			c.Close()
		}
	}
}

func (s *sink) answer(req protocol.Request) protocol.Response {
	switch req := req.(type) {
	case *protocol.ApiVersionsRequest:
		return versions(s.level)
	case *protocol.MetadataRequest:
		return s.metadata(req)
	case *protocol.InitProducerIDRequest:
		return s.initProducerID(req)
	case *protocol.FindCoordinatorRequest:
		return s.findCoordinator(req)
	case *protocol.AddPartitionsToTxnRequest:
		return addPartitions(req)
	case *protocol.EndTxnRequest:
		return s.endTxn(req)
	case *protocol.ProduceRequest:
		return s.produce(req)
	}
	return nil
}

func versions(level int16) protocol.Response {
	resp := &protocol.ApiVersionsResponse{FinalizedFeaturesEpoch: 1, FinalizedFeatures: []protocol.FinalizedFeature{
		{Name: "transaction.version", MaxVersionLevel: level, MinVersionLevel: level},
	}}
	for _, m := range []protocol.Request{
		new(protocol.ProduceRequest), new(protocol.MetadataRequest),
		new(protocol.ApiVersionsRequest), new(protocol.InitProducerIDRequest), new(protocol.FindCoordinatorRequest),
		new(protocol.AddPartitionsToTxnRequest), new(protocol.EndTxnRequest),
	} {
		a := m.API()
		resp.APIKeys = append(resp.APIKeys, protocol.ApiVersion{APIKey: a.Key, MinVersion: a.Min, MaxVersion: a.Max})
	}
	return resp
}

func (s *sink) metadata(req *protocol.MetadataRequest) protocol.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	cluster := "sink"
	resp := &protocol.MetadataResponse{
		ClusterID: &cluster, ControllerID: 1,
		Brokers: []protocol.MetadataBroker{{NodeID: 1, Host: s.addr.IP.String(), Port: int32(s.addr.Port)}},
	}
	for _, t := range req.Topics {
		id, ok := s.ids[*t.Name]
		if !ok {
			copy(id[:], "sink-"+strconv.Itoa(len(s.ids)+1))
			s.ids[*t.Name] = id
		}
		topic := protocol.MetadataTopic{Name: t.Name, TopicID: id}
		for i := range s.partitions {
			topic.Partitions = append(topic.Partitions, protocol.MetadataPartition{
				PartitionIndex: i, LeaderID: 1, ReplicaNodes: []int32{1}, ISRNodes: []int32{1},
			})
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

func (s *sink) produce(req *protocol.ProduceRequest) protocol.Response {
	if req.Acks == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	resp := new(protocol.ProduceResponse)
	for _, t := range req.Topics {
		topic := protocol.ProduceTopicResponse{Name: t.Name, TopicID: t.TopicID}
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, protocol.ProducePartitionResponse{
				Index: p.Index, BaseOffset: s.offset, LogAppendTime: -1,
				CurrentLeader: protocol.LeaderIDAndEpoch{LeaderID: -1, LeaderEpoch: -1},
			})
			s.offset++
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}
