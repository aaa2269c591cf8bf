package accumulator

// hugePage is the size of a huge page on most processors, in bytes.
const hugePage = 2 << 20
