package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

// features are the cluster's finalised features as the broker told them when the connection was made.
type features struct {
	epoch int64 // -1 = unknown
	level map[string]int16
}

// Version returns the newest version of an API that the broker and we both speak, and whether there is one.
func (c *Conn) Version(apiKey int16) (newest int16, ok bool) {
	return c.versions.newest(apiKey)
}

// Features returns the levels of the cluster's finalised features, and the epoch of that knowledge: of two brokers' answers the
// one with the higher epoch holds. The epoch is -1 where the broker did not tell. The map is shared; do not change it.
func (c *Conn) Features() (finalizedEpoch int64, finalized map[string]int16) {
	return c.features.epoch, c.features.level
}

// HandshakeThrottle returns for how long the answer to ApiVersions asked that nothing be sent; 0 if it did not.
func (c *Conn) HandshakeThrottle() time.Duration { return c.handshakeThrottle }

// negotiation is what ApiVersions brought.
type negotiation struct {
	versions       versions
	offered        []protocol.ApiVersion // as the broker said it
	features       features
	throttledUntil time.Time
	throttle       time.Duration // what the broker has asked for
}

// negotiate asks the broker what it speaks, first by the newest version of ApiVersions. An older broker answers in version 0
// that it does not know that version, and since Kafka 2.4 also which it knows (KIP-511). Some answer so that only the refusal
// can be read, and some hang up: see firstVersion.
func negotiate(ctx context.Context, hs *handshake) (negotiation, error) {
	req := &protocol.ApiVersionsRequest{
		ClientSoftwareName: hs.cfg.SoftwareName, ClientSoftwareVersion: hs.cfg.SoftwareVersion, NodeID: -1,
	}
	if hs.peer.ClusterID != "" && hs.peer.NodeID >= 0 { // a broker refuses the one without the other
		req.ClusterID, req.NodeID = &hs.peer.ClusterID, hs.peer.NodeID
	}
	resp := new(protocol.ApiVersionsResponse)
	version := hs.firstVersion(req.API())
	for {
		hs.asked = version
		frame, err := hs.frame(ctx, version, req)
		if err != nil {
			return negotiation{}, err
		}
		_, err = protocol.DecodeResponse(frame, version, resp)
		if !isUnsupportedVersion(frame) {
			if err != nil {
				return negotiation{}, err
			}
			break
		}
		hs.refused = true
		if err != nil { // only the refusal can be read, so version 0 is next
			*resp = protocol.ApiVersionsResponse{ErrorCode: protocol.UnsupportedVersion}
		}
		next := max(0, newVersions(resp.APIKeys)[req.API().Key].max) // 0 where a broker before 2.4 does not say
		if version == 0 {
			return negotiation{}, fmt.Errorf("the broker does not know any version of ApiVersions: %w", resp.ErrorCode)
		}
		hs.cfg.logger().Debug("broker is older than this client", "addr", protocol.Shown(hs.peer.Addr),
			"refused", version, "next", min(next, version-1))
		version = min(next, version-1)
	}
	if err := resp.ErrorCode.Err(); err != nil {
		return negotiation{}, err
	}
	if len(resp.APIKeys) == 0 {
		return negotiation{}, errors.New("the broker says that it knows no request at all")
	}
	if err := checkRanges(resp.APIKeys); err != nil {
		return negotiation{}, err
	}
	n := negotiation{versions: newVersions(resp.APIKeys), offered: resp.APIKeys, features: features{epoch: resp.FinalizedFeaturesEpoch}}
	n.versions.cap(hs.cfg.MaxVersions)
	n.versions.cap(map[int16]int16{req.API().Key: version}) // this version works; on a newer one the broker may hang up
	n.features.level = make(map[string]int16, len(resp.FinalizedFeatures))
	for _, f := range resp.FinalizedFeatures {
		n.features.level[f.Name] = f.MaxVersionLevel
	}
	if d := throttle(version, resp); d > 0 {
		n.throttle = d
		n.throttledUntil = time.Now().Add(hs.cfg.granted(d))
	}
	return n, nil
}

// hangUpsPerVersion is after how many hang-ups on ApiVersions an older version is tried: a broker that restarts hangs up, too.
const hangUpsPerVersion = 2

// firstVersion returns the version of ApiVersions to begin with. That is our newest, unless the other end has hung up on it
// several times without a word. Then it is 3, the first flexible version, then 0, which everybody knows, and then the newest
// again.
func (hs *handshake) firstVersion(api protocol.API) int16 {
	newest := api.Max
	if most, ok := hs.cfg.MaxVersions[api.Key]; ok {
		newest = min(newest, most)
	}
	ladder := [...]int16{newest, 3, 0}
	return min(newest, ladder[hs.peer.HungUp/hangUpsPerVersion%len(ladder)])
}

// isUnsupportedVersion reports whether an answer to ApiVersions begins with UNSUPPORTED_VERSION, whatever follows.
func isUnsupportedVersion(frame []byte) bool {
	return len(frame) >= 6 && protocol.ErrorCode(binary.BigEndian.Uint16(frame[4:])) == protocol.UnsupportedVersion
}
