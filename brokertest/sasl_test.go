package brokertest

import (
	"crypto/pbkdf2"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// shake sends SaslHandshake, and returns the answer.
func (k *client) shake(mechanism string) *protocol.SaslHandshakeResponse {
	return ask(k, 1, &protocol.SaslHandshakeRequest{Mechanism: mechanism}, &protocol.SaslHandshakeResponse{})
}

// present sends a token, and returns the answer.
func (k *client) present(token string) *protocol.SaslAuthenticateResponse {
	return ask(k, 2, &protocol.SaslAuthenticateRequest{AuthBytes: []byte(token)}, &protocol.SaslAuthenticateResponse{})
}

// alive asks for metadata, and fails unless an answer comes.
func (k *client) alive() {
	k.t.Helper()
	ask(k, 13, &protocol.MetadataRequest{}, &protocol.MetadataResponse{})
}

func (k *client) wantRefusal(resp *protocol.SaslAuthenticateResponse, words string) {
	k.t.Helper()
	if resp.ErrorCode != protocol.SaslAuthenticationFailed || resp.ErrorMessage == nil || *resp.ErrorMessage != words || len(resp.AuthBytes) > 0 {
		k.t.Errorf("got %v %v %q, want SASL_AUTHENTICATION_FAILED %q", resp.ErrorCode, text(resp.ErrorMessage), resp.AuthBytes, words)
	}
	k.isCut()
}

func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// What Kafka 4.4.0 says of each PLAIN token that it does not take.
func TestPlainRefusals(t *testing.T) {
	for token, words := range map[string]string{
		"\x00alice\x00guess":      "Authentication failed: Invalid username or password",
		"\x00nobody\x00secret":    "Authentication failed: Invalid username or password",
		"bob\x00alice\x00secret":  "Authentication failed: Client requested an authorization id that is different from username",
		"\x00alice\x00":           "Authentication failed: password not specified",
		"\x00\x00secret":          "Authentication failed: username not specified",
		"\x00alice":               "Invalid SASL/PLAIN response: expected 3 tokens, got 2",
		"\x00alice\x00sec\x00ret": "Invalid SASL/PLAIN response: expected 3 tokens, got 4",
	} {
		inBubble(t, fmt.Sprintf("%q", token), func(t *testing.T) {
			c := New(t, InMemory(), SASL(Plain("alice", "secret")))
			k := dial(t, c, 1)
			k.shake("PLAIN")
			begin := time.Now()
			resp := k.present(token)
			if took := time.Since(begin); took != 100*time.Millisecond {
				t.Errorf("told after %v, want it held back for 100ms", took)
			}
			k.wantRefusal(resp, words)
		})
	}
}

// The vectors of SCRAM that Kafka's own classes have computed, with the salts and nonces that they name, are what the server
// computes.
func TestScramVectors(t *testing.T) {
	for _, v := range []struct{ mechanism, password, salt, bare, first, final, proof, signature string }{
		{scram256, "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", "n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
		{scram512, "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", "n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
			"gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
			"ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
	} {
		salt, err := base64.StdEncoding.DecodeString(v.salt)
		if err != nil {
			t.Fatal(err)
		}
		s := &scramServer{mechanism: v.mechanism, bare: v.bare, first: v.first, known: credential{keys: newScramKeys(v.mechanism, v.password, salt)}}
		_, nonce, _ := strings.Cut(v.final, "r=")
		s.nonce = nonce
		got, err := s.end(v.final + ",p=" + v.proof)
		if err != nil || string(got) != "v="+v.signature {
			t.Errorf("%s: got %q and %v, want v=%s", v.mechanism, got, err, v.signature)
		}
		if _, err := s.end(v.final + ",p=" + v.signature); err == nil {
			t.Errorf("%s: a wrong proof was taken", v.mechanism)
		}
	}
}

// scram plays a client's part with the keys of the server's own package: it returns the last answer.
func (k *client) scram(mechanism, user, password, extensions string) *protocol.SaslAuthenticateResponse {
	k.t.Helper()
	k.shake(mechanism)
	bare := "n=" + user + ",r=nonce" + extensions
	resp := k.present("n,," + bare)
	if resp.ErrorCode != protocol.NoError {
		return resp
	}
	first := string(resp.AuthBytes)
	var nonce, salt64 string
	var i int
	for _, attr := range strings.Split(first, ",") {
		switch attr[0] {
		case 'r':
			nonce = attr[2:]
		case 's':
			salt64 = attr[2:]
		case 'i':
			fmt.Sscan(attr[2:], &i)
		}
	}
	if i != iterations || !strings.HasPrefix(nonce, "nonce") {
		k.t.Fatalf("server-first %q", first)
	}
	salt, _ := base64.StdEncoding.DecodeString(salt64)
	final := "c=biws,r=" + nonce
	return k.present(final + ",p=" + base64.StdEncoding.EncodeToString(clientProof(mechanism, password, salt, bare+","+first+","+final)))
}

// SCRAM's users are those of each mechanism, and a refusal says no more than the mechanism.
func TestScram(t *testing.T) {
	const words = "Authentication failed during authentication due to invalid credentials with SASL mechanism "
	for _, c := range []struct {
		name, mechanism, user, password, extensions string
		in                                          bool
	}{
		{"right", scram256, "alice", "pencil", "", true},
		{"right, 512", scram512, "bob", "crayon", "", true},
		{"wrong password", scram256, "alice", "guess", "", false},
		{"unknown", scram256, "nobody", "pencil", "", false},
		{"a user of the other mechanism", scram512, "alice", "pencil", "", false},
		{"not ASCII", scram256, "älice", "pencil", "", false},
		{"a delegation token", scram512, "tokenid", "hmac", ",tokenauth=true", true},
		{"a delegation token as a user", scram512, "tokenid", "hmac", "", false},
		{"a user as a delegation token", scram256, "alice", "pencil", ",tokenauth=true", false},
	} {
		inBubble(t, c.name, func(t *testing.T) {
			kafka := New(t, InMemory(), SASL(SCRAM256("alice", "pencil"), SCRAM512("bob", "crayon"), DelegationToken("tokenid", "hmac", "carol", time.Now().Add(time.Hour))))
			k := dial(t, kafka, 1)
			resp := k.scram(c.mechanism, c.user, c.password, c.extensions)
			if !c.in {
				k.wantRefusal(resp, words+c.mechanism)
				return
			}
			if resp.ErrorCode != protocol.NoError || !strings.HasPrefix(string(resp.AuthBytes), "v=") {
				t.Fatalf("got %v %q", resp.ErrorCode, resp.AuthBytes)
			}
			if want := c.extensions != ""; (resp.SessionLifetime > 59*time.Minute) != want {
				t.Errorf("lifetime %v", resp.SessionLifetime)
			}
			k.alive()
		})
	}
}

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}

// OAUTHBEARER: a refusal comes in two steps, and the session ends with the token.
func TestOAuthBearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), SASL(OAuthBearer(func(token string) error {
			if token == "wrong" {
				return errors.New("not signed by us")
			}
			return nil
		})))
		first := func(token string) string { return "n,,\x01auth=Bearer " + token + "\x01\x01" }
		for _, token := range []string{"wrong", jwt(`{"sub":"alice","exp":1}`)} {
			k := dial(t, c, 1)
			k.shake("OAUTHBEARER")
			resp := k.present(first(token))
			if resp.ErrorCode != protocol.NoError || string(resp.AuthBytes) != invalidToken {
				t.Errorf("got %v %q, want no error and %s", resp.ErrorCode, resp.AuthBytes, invalidToken)
			}
			k.wantRefusal(k.present("\x01"), invalidToken)
		}
		for _, message := range []string{"hello", "n,,\x01auth=Basic abc\x01\x01", "y,,\x01auth=Bearer abc\x01\x01", first("a b")} {
			k := dial(t, c, 1)
			k.shake("OAUTHBEARER")
			k.send(2, &protocol.SaslAuthenticateRequest{AuthBytes: []byte(message)})
			k.isCut()
		}
		for message, lifetime := range map[string]time.Duration{
			first("opaque"): 0,
			"n,a=alice,\x01auth=bearer " + jwt(fmt.Sprintf(`{"sub":"alice","exp":%d}`, time.Now().Add(time.Hour).Unix())) + "\x01logicalCluster=lkc-1\x01\x01": time.Hour,
		} {
			k := dial(t, c, 1)
			k.shake("OAUTHBEARER")
			if resp := k.present(message); resp.ErrorCode != protocol.NoError || len(resp.AuthBytes) > 0 || resp.SessionLifetime.Round(time.Minute) != lifetime {
				t.Errorf("got %v %q for %v, want to be let in for %v", resp.ErrorCode, resp.AuthBytes, resp.SessionLifetime, lifetime)
			}
			k.alive()
		}
	})
}

// Whom a broker lets in it tells an empty text, and not null, as Kafka does: a client must not take it for words.
func TestASuccessHasAnEmptyText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), SASL(Plain("alice", "secret"), OAuthBearer(nil)))
		for mechanism, message := range map[string]string{"PLAIN": string(token("alice", "secret")), "OAUTHBEARER": "n,,\x01auth=Bearer opaque\x01\x01"} {
			k := dial(t, c, 1)
			k.shake(mechanism)
			resp := k.present(message)
			if resp.ErrorCode != protocol.NoError || resp.ErrorMessage == nil || *resp.ErrorMessage != "" {
				t.Errorf("%s: got %v with the text %q, want an empty one", mechanism, resp.ErrorCode, text(resp.ErrorMessage))
			}
		}
	})
}

// What comes out of turn before the end of authentication.
func TestOutOfTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(t, InMemory(), Topic("t", 1), SASL(Plain("alice", "secret")))
		versions := &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1", NodeID: -1}

		k := dial(t, c, 1) // a second ApiVersions
		ask(k, 4, versions, &protocol.ApiVersionsResponse{})
		k.send(4, versions)
		k.isCut()

		k = dial(t, c, 1) // a token without a handshake
		k.send(2, &protocol.SaslAuthenticateRequest{AuthBytes: token("alice", "secret")})
		k.isCut()

		k = dial(t, c, 1) // another request in the middle: it is answered with an error
		k.shake("PLAIN")
		ask(k, 1, &protocol.FindCoordinatorRequest{Key: "g"}, &protocol.FindCoordinatorResponse{})
		k.isCut()

		// Metadata in the place of a token is answered, as Kafka does, and tells nothing: not who is in the cluster, nor what
		// topics there are.
		name := "t"
		for _, topics := range [][]protocol.MetadataRequestTopic{{}, nil, {{Name: &name}}} {
			k = dial(t, c, 1)
			k.shake("PLAIN")
			began := time.Now()
			resp := ask(k, 12, &protocol.MetadataRequest{Topics: topics}, &protocol.MetadataResponse{})
			if len(resp.Brokers) > 0 || resp.ClusterID != nil || resp.ControllerID != -1 {
				t.Errorf("%d topics: got %+v, want nothing of the cluster", len(topics), resp)
			}
			for _, topic := range resp.Topics {
				if topic.ErrorCode != protocol.IllegalSaslState || len(topic.Partitions) > 0 {
					t.Errorf("got %+v, want ILLEGAL_SASL_STATE and no partitions", topic)
				}
			}
			if took := time.Since(began); took != 100*time.Millisecond {
				t.Errorf("told after %v, want it held back as a refusal is", took)
			}
			k.isCut()
		}

		k = dial(t, c, 1) // after the end, without a lifetime
		k.shake("PLAIN")
		k.present(string(token("alice", "secret")))
		if resp := k.shake("PLAIN"); resp.ErrorCode != protocol.IllegalSaslState || len(resp.Mechanisms) > 0 {
			t.Errorf("got %v %q, want ILLEGAL_SASL_STATE and no mechanisms", resp.ErrorCode, resp.Mechanisms)
		}
		if resp := k.present("x"); resp.ErrorCode != protocol.IllegalSaslState {
			t.Errorf("got %v, want ILLEGAL_SASL_STATE", resp.ErrorCode)
		}
		k.alive()
	})
}

// Sessions end (KIP-368): what a client may do, when, and as whom.
func TestSessionLifetime(t *testing.T) {
	begin := func(t *testing.T, options ...SASLMechanism) (*Cluster, *client) {
		c := New(t, InMemory(), SessionLifetime(10*time.Second), SASL(append(options, Plain("alice", "secret"), Plain("bob", "secret"))...))
		k := dial(t, c, 1)
		k.shake("PLAIN")
		if resp := k.present(string(token("alice", "secret"))); resp.SessionLifetime != 10*time.Second {
			t.Errorf("lifetime %v, want 10s", resp.SessionLifetime)
		}
		return c, k
	}
	inBubble(t, "it is renewed, also when it is over", func(t *testing.T) {
		_, k := begin(t)
		for _, after := range []time.Duration{9 * time.Second, 11 * time.Second, time.Hour} {
			time.Sleep(after)
			if resp := k.shake("PLAIN"); resp.ErrorCode != protocol.NoError {
				t.Fatalf("after %v: %v", after, resp.ErrorCode)
			}
			if resp := k.present(string(token("alice", "secret"))); resp.ErrorCode != protocol.NoError || resp.SessionLifetime != 10*time.Second {
				t.Fatalf("after %v: %v, lifetime %v", after, resp.ErrorCode, resp.SessionLifetime)
			}
			k.alive()
		}
	})
	inBubble(t, "it is over", func(t *testing.T) {
		_, k := begin(t)
		time.Sleep(9 * time.Second)
		k.alive()
		time.Sleep(time.Second)
		k.send(13, &protocol.MetadataRequest{})
		k.isCut()
	})
	inBubble(t, "too soon", func(t *testing.T) {
		_, k := begin(t)
		k.shake("PLAIN") // the first may come at once
		k.present(string(token("alice", "secret")))
		time.Sleep(900 * time.Millisecond)
		if resp := k.shake("PLAIN"); resp.ErrorCode != protocol.IllegalSaslState || len(resp.Mechanisms) > 0 {
			t.Errorf("got %v %q, want ILLEGAL_SASL_STATE and no mechanisms", resp.ErrorCode, resp.Mechanisms)
		}
		k.alive()
		time.Sleep(100 * time.Millisecond)
		k.shake("PLAIN")
		k.present(string(token("alice", "secret")))
		k.alive()
	})
	inBubble(t, "another principal", func(t *testing.T) {
		_, k := begin(t)
		k.shake("PLAIN")
		k.wantRefusal(k.present(string(token("bob", "secret"))), "Cannot change principals during re-authentication from User.alice: User.bob")
	})
	inBubble(t, "another mechanism", func(t *testing.T) {
		_, k := begin(t, SCRAM256("alice", "secret"))
		if resp := k.shake("SCRAM-SHA-256"); resp.ErrorCode != protocol.NoError {
			t.Errorf("%v", resp.ErrorCode)
		}
		k.send(2, &protocol.SaslAuthenticateRequest{AuthBytes: []byte("n,,n=alice,r=x")})
		k.isCut()
	})
	inBubble(t, "a new password", func(t *testing.T) {
		c, k := begin(t)
		c.SetPassword("PLAIN", "alice", "other")
		k.alive() // what is open goes on
		k.shake("PLAIN")
		k.present(string(token("alice", "other")))
		k.alive()
		c.RemoveUser("PLAIN", "alice")
		time.Sleep(time.Second)
		k.shake("PLAIN")
		k.wantRefusal(k.present(string(token("alice", "other"))), "Authentication failed: Invalid username or password")
	})
}

// clientProof is what a client of SCRAM proves its password by.
func clientProof(mechanism, password string, salt []byte, message string) []byte {
	h := scramHash(mechanism)
	salted, err := pbkdf2.Key(h, password, salt, iterations, h().Size())
	if err != nil {
		panic(err)
	}
	key := keyed(h, salted, "Client Key")
	stored := h()
	stored.Write(key)
	signature := keyed(h, stored.Sum(nil), message)
	for i := range key {
		key[i] ^= signature[i]
	}
	return key
}
