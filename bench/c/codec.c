// The codecs that are linked into librdkafka, called as it calls them, on batches as it makes them. The library exports
// them, but ships no header for them.
#include "driver.h"

#include <stdlib.h>
#include <string.h>

struct lz4f_preferences { // LZ4F_preferences_t
	struct {
		int block_size_id, block_mode, content_checksum, frame_type;
		unsigned long long content_size;
		unsigned dict_id;
		int block_checksum;
	} frame;
	int level;
	unsigned auto_flush, favor_decompression_speed, reserved[3];
};

size_t LZ4F_compressFrameBound(size_t size, const struct lz4f_preferences *p);
size_t LZ4F_compressFrame(void *dst, size_t capacity, const void *src, size_t size, const struct lz4f_preferences *p);
void *ZSTD_createCCtx(void);
size_t ZSTD_compressBound(size_t size);
size_t ZSTD_compressCCtx(void *context, void *dst, size_t capacity, const void *src, size_t size, int level);

static char *varint(char *at, int64_t v) {
	uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	for (; u >= 0x80; u >>= 7) *at++ = (char)(u | 0x80);
	*at++ = (char)u;
	return at;
}

// fill writes records of the values from *turn on, as a batch holds them, and returns their size.
static size_t fill(char *dst, size_t size, const struct ring *values, size_t *turn, int64_t *records) {
	char *at = dst;
	for (int64_t i = 0; (size_t)(at - dst) + values->size + 30 < size && *turn < values->count; i++, ++*records) {
		char head[32], *end = head;
		*end++ = 0; // attributes
		end = varint(end, 0);
		end = varint(end, i);
		end = varint(end, -1);
		end = varint(end, (int64_t)values->size);
		at = varint(at, (end - head) + (int64_t)values->size + 1);
		memcpy(at, head, (size_t)(end - head));
		at += end - head;
		memcpy(at, values->bytes + *turn * values->size, values->size);
		at += values->size;
		*at++ = 0; // headers
		++*turn;
	}
	return (size_t)(at - dst);
}

void codec_alone(const struct options *o, const struct ring *values, struct result *r) {
	size_t size = o->batch ? (size_t)o->batch : 1000000;
	int zstd = !strcmp(o->codec, "zstd");
	if (!zstd && strcmp(o->codec, "lz4")) fatal("alone, there is lz4 and zstd");
	struct lz4f_preferences preferences = {.frame = {.block_mode = 1}}; // independent
	size_t capacity = zstd ? ZSTD_compressBound(size) : LZ4F_compressFrameBound(size, &preferences);
	char *batch = malloc(size), *out = malloc(capacity);
	void *context = ZSTD_createCCtx();
	size_t turn = 0;
	// The batches are made beforehand, of all the values: what is measured is their compression.
	struct { char *raw; size_t size; int64_t records; } *all = NULL, *b;
	size_t batches = 0;
	while (turn < values->count) {
		all = realloc(all, (batches + 1) * sizeof *all);
		b = &all[batches++];
		b->records = 0;
		b->size = fill(batch, size, values, &turn, &b->records);
		if (!b->records) fatal("a batch of %zu bytes holds no value", size);
		b->raw = memcpy(malloc(b->size), batch, b->size);
	}
	int64_t from = now();
	double cpu = cpu_time();
	for (size_t i = 0; now() - from < o->duration; i = (i + 1) % batches) {
		b = &all[i];
		size_t n = zstd ? ZSTD_compressCCtx(context, out, capacity, b->raw, b->size, 3)
		                : LZ4F_compressFrame(out, capacity, b->raw, b->size, &preferences);
		if (n > capacity) fatal("%s failed", o->codec);
		r->records += b->records;
	}
	r->wall = (double)(now() - from) / 1e9;
	r->cpu = cpu_time() - cpu;
}
