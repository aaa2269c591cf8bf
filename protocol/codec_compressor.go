package protocol

import (
	"fmt"
	"math"
)

// Compressor compresses the records of one batch after another. It makes its encoder at the first batch and keeps it, and
// allocates nothing in proportion to a batch. It is not for concurrent use: each goroutine that compresses needs its own. An
// encoder holds up to about 32 KiB for snappy, 0.3 MiB for lz4 and 1.4 MiB for gzip; for zstd 4 MiB at Java's default, 6 MiB up
// to level 9 and 36 MiB above.
//
// A level is one of Java's. It stands for the nearest that the library here has:
//
//	gzip    -1 (Java's default)  the library's default, its level 5
//	        1 to 9               the same levels
//	snappy  none
//	lz4     9 (Java's default)   the fast compressor: Java, too, has it for 9 alone
//	        1 to 8, 10 to 17     the high compression one with a search of
//	                             2^(level-1) steps, as many as lz4-java's
//	zstd    -131072 to 2         fastest (about zstd's level 1)
//	        3 (Java's default)   default, also 4 and 5
//	        6 to 9               better (about level 7)
//	        10 to 22             best (about level 11)
type Compressor struct {
	codec   Codec
	level   int
	encoder encoder // nil before the first batch
}

// An encoder appends the compressed src, a chain of chunks, to dst.
type encoder interface {
	encode(dst []byte, src [][]byte) ([]byte, error)
}

// LevelDefault stands for the level that Java's producer has by default.
const LevelDefault = math.MinInt32

// NewCompressor returns a compressor for c. It allocates no encoder yet. An error names Java's key, the level and its range;
// snappy and none have no levels.
func NewCompressor(c Codec, level int) (*Compressor, error) {
	if c < CodecNone || c > CodecZstd {
		return nil, fmt.Errorf("unknown compression codec %d", int8(c))
	}
	level, err := checkLevel(c, level)
	if err != nil {
		return nil, err
	}
	return &Compressor{codec: c, level: level}, nil
}

// Compress compresses src, the records of a batch as a chain of chunks, and appends the result to dst. The result may be longer
// than src: the caller decides whether to use it. dst must not overlap src. After an error the bytes of dst behind its length
// are undefined, and the Compressor may be used again.
func (c *Compressor) Compress(dst []byte, src [][]byte) ([]byte, error) {
	if c.encoder == nil {
		e, err := c.newEncoder()
		if err != nil {
			return dst, fmt.Errorf("making a %v encoder: %w", c.codec, err)
		}
		c.encoder = e
	}
	out, err := c.encoder.encode(dst, src)
	if err != nil {
		c.encoder = nil // its state is unknown
		return dst, fmt.Errorf("compressing with %v: %w", c.codec, err)
	}
	return out, nil
}

// newEncoder is called as late as possible, by the goroutine that compresses. A zstd encoder has a channel, which belongs to
// the synctest bubble in which it is made.
func (c *Compressor) newEncoder() (encoder, error) {
	switch c.codec {
	case CodecGzip:
		return newGzipEncoder(c.level)
	case CodecSnappy:
		return &snappyEncoder{}, nil
	case CodecLZ4:
		return newLZ4Encoder(c.level), nil
	case CodecZstd:
		return newZstdEncoder(c.level)
	}
	return copyEncoder{}, nil
}

// checkLevel replaces LevelDefault by Java's default, and refuses the levels that Java refuses.
func checkLevel(c Codec, level int) (int, error) {
	switch c {
	case CodecGzip:
		if level == LevelDefault {
			return gzipLevelDefault, nil
		}
		if level != gzipLevelDefault && (level < 1 || level > 9) {
			return 0, fmt.Errorf("compression.gzip.level is %d, want -1 or 1 to 9", level)
		}
	case CodecLZ4:
		if level == LevelDefault {
			return lz4LevelDefault, nil
		}
		if level < 1 || level > 17 {
			return 0, fmt.Errorf("compression.lz4.level is %d, want 1 to 17", level)
		}
	case CodecZstd:
		if level == LevelDefault {
			return zstdLevelDefault, nil
		}
		if level < -131072 || level > 22 {
			return 0, fmt.Errorf("compression.zstd.level is %d, want -131072 to 22", level)
		}
	default:
		if level != LevelDefault {
			return 0, fmt.Errorf("compression.type %v has no levels, got %d", c, level)
		}
	}
	return level, nil
}

type copyEncoder struct{}

func (copyEncoder) encode(dst []byte, src [][]byte) ([]byte, error) {
	for _, c := range src {
		dst = append(dst, c...)
	}
	return dst, nil
}
