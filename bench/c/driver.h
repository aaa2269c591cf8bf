// What the files of this driver share.
#ifndef DRIVER_H
#define DRIVER_H

#include <stddef.h>
#include <stdint.h>

// The flags, which are those of the drivers in Go: see driver/options.go.
struct options {
	const char *bootstrap, *topic, *client, *codec;
	const char *values_file, *keys_file;
	size_t value_size, key_size;
	int threads, wait, alone;
	int64_t rate, records;
	int64_t warmup, duration, linger; // nanoseconds; linger below 0 = the client's default
	int batch, memory, in_flight;
	// -set of this client alone.
	int copy, poll_inline, batch_num_messages, send_buffer, call, max_messages;
};

struct ring {
	char *bytes;
	size_t size, count; // of a value, and of values
};

struct result {
	int64_t records, errors, acknowledged;
	double wall, cpu; // seconds
	int64_t p50, p99, p999; // microseconds
};

void parse_options(struct options *o, int argc, char **argv);
struct ring load_ring(const char *path, size_t size);
void print_result(const char *version, const struct result *r);
void fatal(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
int64_t now(void);      // nanoseconds
double cpu_time(void);  // seconds
void nap_until(int64_t then);

// Latencies in microseconds, to within 1.6 %, as in driver/histogram.go.
void latency_add(int64_t us);
void latency_reset(void);
int64_t latency_quantile(double q);

// The codecs of librdkafka alone, over the batches that it would make.
void codec_alone(const struct options *o, const struct ring *values, struct result *r);

#endif
