package protocol

// blockCutter cuts a chain of chunks into blocks, for formats that compress each block on its own.
type blockCutter struct {
	size    int      // bytes of a block at most
	alone   int      // a block shorter than size has at least so many bytes, or is the last; 0: only the last block is shorter
	chunks  [][]byte // what is left; the first from at on
	at      int
	scratch []byte // holds a block that lies in more than one chunk
}

// cut begins with a chain of chunks. They stay the caller's, and are not changed.
func (c *blockCutter) cut(chunks [][]byte) { c.chunks, c.at = chunks, 0 }

// next returns the next block, or nil at the end. At the end it forgets the chain. The block is valid until the next call. The
// rest of a chunk is a block by itself if it is long enough: to fill it up, all of it would be copied.
func (c *blockCutter) next() []byte {
	piece := c.piece(c.size)
	if len(piece) == c.size || len(c.chunks) == 0 || c.alone > 0 && len(piece) >= c.alone {
		return piece
	}
	if c.scratch == nil {
		c.scratch = make([]byte, 0, c.size)
	}
	c.scratch = append(c.scratch[:0], piece...)
	for len(c.scratch) < c.size && len(c.chunks) > 0 {
		c.scratch = append(c.scratch, c.piece(c.size-len(c.scratch))...)
	}
	return c.scratch
}

// piece returns the next bytes, at least one and at most limit, that lie in one chunk, or nil at the end.
func (c *blockCutter) piece(limit int) []byte {
	c.dropEmpty()
	if len(c.chunks) == 0 {
		return nil
	}
	p := c.chunks[0][c.at:]
	p = p[:min(len(p), limit)]
	c.at += len(p)
	c.dropEmpty()
	return p
}

func (c *blockCutter) dropEmpty() {
	for len(c.chunks) > 0 && c.at == len(c.chunks[0]) {
		c.chunks, c.at = c.chunks[1:], 0
	}
	if len(c.chunks) == 0 {
		c.chunks = nil
	}
}
