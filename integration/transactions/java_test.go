package transactions_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/epistle-kafka/epistle/integration/kafka"
	"github.com/epistle-kafka/epistle/integration/reader"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

// A handed batch is what Handover.java writes, a line each.
type handed struct {
	Group, Member, Instance string
	Generation              int32
	Records                 []struct {
		Topic       string
		Partition   int32
		Offset      int64
		LeaderEpoch int32
		Value       []byte
	}
}

// pass writes what was handed over to a topic, with the offsets of the consumer that has read it.
func (b *handed) pass(ctx context.Context, p *producer.Producer, to string) error {
	return p.Transact(ctx, func(tx *producer.Tx) error {
		next := map[producer.TopicPartition]producer.OffsetAndMetadata{}
		for _, in := range b.Records {
			tx.Send(ctx, producer.Record{Topic: to, Value: in.Value})
			next[producer.TopicPartition{Topic: in.Topic, Partition: in.Partition}] = producer.OffsetAndMetadata{Offset: in.Offset + 1, LeaderEpoch: in.LeaderEpoch}
		}
		return tx.SendOffsets(ctx, next, producer.ConsumerGroupMetadata{
			GroupID: b.Group, GenerationID: b.Generation, MemberID: b.Member, GroupInstanceID: b.Instance,
		})
	})
}

// javaConsumer starts Handover.java, and returns its lines and how to answer them.
func javaConsumer(t *testing.T, bootstrap, topic, group string) (lines *bufio.Scanner, answers io.WriteCloser, ended func() error) {
	t.Helper()
	java, classpath, err := kafka.JavaClient(t.Context(), "")
	if errors.Is(err, kafka.ErrUnavailable) {
		kafka.NotRun(t, err.Error())
	}
	do(t, err)
	cmd := exec.CommandContext(t.Context(), java, "-cp", classpath, "testdata/Handover.java", bootstrap, topic, group)
	stdin, err := cmd.StdinPipe()
	do(t, err)
	stdout, err := cmd.StdoutPipe()
	do(t, err)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	do(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		if t.Failed() {
			t.Logf("the consumer says:\n%s", complaints.String())
		}
	})
	lines = bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	return lines, stdin, cmd.Wait
}

// TestAConsumerOfJavaHandsOver has Java's consumer read, and our producer write: each record is there once, also where a
// transaction was aborted and its records were handed over again, and the group stands behind all of them.
func TestAConsumerOfJavaHandsOver(t *testing.T) {
	s := newSite(t, kafka.Shared(t))
	topics, group := s.topics(t, 2), unique(t)
	from, to := topics[0], topics[1]
	const many = 100
	source, err := producer.New(producer.DefaultConfig(strings.Split(s.cluster.Bootstrap(), ",")...))
	do(t, err)
	want := make([]string, many)
	for i := range many {
		want[i] = fmt.Sprintf("value %03d", i)
		source.Send(soon(t), producer.Record{Topic: from, Value: []byte(want[i])})
	}
	do(t, source.Close(soon(t)))

	p, ctx := s.start(t), soon(t)
	lines, answers, ended := javaConsumer(t, s.cluster.Bootstrap(), from, group)
	var last handed
	failed := false
	for passed := 0; passed < many; {
		if !lines.Scan() {
			t.Fatalf("the consumer has ended after %d records: %v", passed, lines.Err())
		}
		if !strings.HasPrefix(lines.Text(), "{") {
			continue // of its log
		}
		last = handed{}
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		to := to
		if !failed && passed > 0 { // to a topic that there cannot be, once
			failed, to = true, "no such topic"
		}
		err := last.pass(ctx, p, to)
		if (err == nil) != (to != "no such topic") {
			t.Fatalf("to %q: %v", to, err)
		}
		answer := "false"
		if err == nil {
			passed += len(last.Records)
			answer = "true"
		}
		if passed == many {
			answer = "end"
		}
		fmt.Fprintln(answers, answer)
	}
	do(t, answers.Close())
	do(t, ended())

	// The consumer has left the group, which takes no offsets of it any more.
	err = last.pass(ctx, p, to)
	if f := failure(t, "Transact", err); f.Next != producer.NextAbort || !errors.Is(err, protocol.UnknownMemberID) {
		t.Errorf("offsets of a consumer that is gone: %v", err)
	}
	partitions, err := reader.Topic(ctx, s.cluster.Bootstrap(), to, reader.Options{Committed: true})
	do(t, err)
	var got []string
	for _, records := range partitions {
		for _, r := range records {
			got = append(got, string(r.Value))
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%d records are there, want %d, each once: %q", len(got), many, got)
	}
	ends, err := s.admin.CommittedEnds(ctx, from)
	do(t, err)
	offsets, err := s.admin.GroupOffsets(ctx, group, from)
	do(t, err)
	for partition, end := range ends[from] {
		if at, ok := offsets.Lookup(from, partition); end.Offset > 0 && (!ok || at.At != end.Offset) {
			t.Errorf("partition %d: the group is at %d, want the end, %d", partition, at.At, end.Offset)
		}
	}
}

// TestTheJavaOfTheGuide has what docs/exactly-once.md shows of Java be a part of that program.
func TestTheJavaOfTheGuide(t *testing.T) {
	page, err := os.ReadFile("../../docs/exactly-once.md")
	do(t, err)
	program, err := os.ReadFile("testdata/Handover.java")
	do(t, err)
	plain := regexp.MustCompile(`(?m)^ +`)
	blocks := regexp.MustCompile("(?s)```java\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) == 0 {
		t.Error("the page shows no Java")
	}
	for _, block := range blocks {
		if !strings.Contains(plain.ReplaceAllString(string(program), ""), plain.ReplaceAllString(block[1], "")) {
			t.Errorf("testdata/Handover.java does not have\n%s", block[1])
		}
	}
}
