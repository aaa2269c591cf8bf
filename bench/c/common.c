#include "driver.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void fatal(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

// duration reads one as Go writes it, such as 500ms; of one unit alone.
static int64_t duration(const char *text) {
	char *unit;
	double n = strtod(text, &unit);
	static const struct { const char *name; double ns; } units[] = {
		{"", 1}, {"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"m0s", 60e9},
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(unit, units[i].name)) return (int64_t)(n * units[i].ns);
	fatal("%s is no duration", text);
}

static void set(struct options *o, const char *text) {
	const char *value = strchr(text, '=');
	if (!value) fatal("%s is not key=value", text);
	size_t n = (size_t)(value++ - text);
	struct { const char *key; int *to; } numbers[] = {
		{"copy", &o->copy}, {"poll.inline", &o->poll_inline}, {"batch.num.messages", &o->batch_num_messages},
		{"socket.send.buffer.bytes", &o->send_buffer},
		{"call", &o->call}, {"messages", &o->max_messages},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strlen(numbers[i].key) == n && !strncmp(text, numbers[i].key, n)) {
			*numbers[i].to = atoi(value);
			return;
		}
	fatal("no setting %s", text);
}

void parse_options(struct options *o, int argc, char **argv) {
	*o = (struct options){
		.bootstrap = "127.0.0.1:19092", .topic = "load", .client = "librdkafka", .codec = "none",
		.value_size = 100, .threads = 1, .warmup = 1000000000, .duration = 2000000000, .linger = -1,
		.memory = 32 << 20, .in_flight = 5, .copy = 1, .call = 1,
	};
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + (argv[i][0] == '-') + (!strncmp(argv[i], "--", 2));
		if (!strcmp(name, "wait")) { o->wait = 1; continue; }
		if (!strcmp(name, "alone")) { o->alone = 1; continue; }
		if (++i == argc) fatal("-%s needs a value", name);
		const char *v = argv[i];
		if (!strcmp(name, "b")) o->bootstrap = v;
		else if (!strcmp(name, "topic")) o->topic = v;
		else if (!strcmp(name, "client")) o->client = v;
		else if (!strcmp(name, "values")) o->values_file = v;
		else if (!strcmp(name, "keys")) o->keys_file = v;
		else if (!strcmp(name, "size")) o->value_size = strtoul(v, NULL, 10);
		else if (!strcmp(name, "key")) o->key_size = strtoul(v, NULL, 10);
		else if (!strcmp(name, "goroutines")) o->threads = atoi(v);
		else if (!strcmp(name, "rate")) o->rate = atoll(v);
		else if (!strcmp(name, "warmup")) o->warmup = duration(v);
		else if (!strcmp(name, "duration")) o->duration = duration(v);
		else if (!strcmp(name, "records")) o->records = atoll(v);
		else if (!strcmp(name, "codec")) o->codec = v;
		else if (!strcmp(name, "linger")) o->linger = duration(v);
		else if (!strcmp(name, "batch")) o->batch = atoi(v);
		else if (!strcmp(name, "memory")) o->memory = atoi(v);
		else if (!strcmp(name, "inflight")) o->in_flight = atoi(v);
		else if (!strcmp(name, "set")) set(o, v);
		else if (strcmp(name, "partitions")) fatal("no flag -%s", name);
	}
	if (!o->values_file || (o->key_size && !o->keys_file)) fatal("this driver needs -values, and -keys where -key is given");
}

struct ring load_ring(const char *path, size_t size) {
	struct ring r = {NULL, size, 1};
	if (!size) return r;
	FILE *f = fopen(path, "rb");
	if (!f) fatal("%s cannot be opened", path);
	fseek(f, 0, SEEK_END);
	size_t all = (size_t)ftell(f);
	rewind(f);
	r.count = all / size;
	r.bytes = malloc(all);
	if (!r.count || !r.bytes || fread(r.bytes, 1, all, f) != all) fatal("%s holds no value of %zu bytes", path, size);
	fclose(f);
	return r;
}

int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double cpu_time(void) {
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void nap_until(int64_t then) {
	for (int64_t left; (left = then - now()) > 0;) {
		struct timespec t = {left / 1000000000, left % 1000000000};
		nanosleep(&t, NULL);
	}
}

enum { exact = 64, max_bits = 40, buckets = exact * (max_bits - 5) };
static atomic_llong counts[buckets];

void latency_add(int64_t us) {
	if (us < 0) us = 0;
	if (us >= (1LL << max_bits)) us = (1LL << max_bits) - 1;
	int shift = us < 2 * exact ? 0 : 64 - __builtin_clzll((unsigned long long)us) - 7;
	atomic_fetch_add_explicit(&counts[shift ? shift * exact + (us >> shift) : us], 1, memory_order_relaxed);
}

void latency_reset(void) {
	for (int i = 0; i < buckets; i++) counts[i] = 0;
}

int64_t latency_quantile(double q) {
	int64_t all = 0, seen = 0;
	for (int i = 0; i < buckets; i++) all += counts[i];
	int64_t rank = (int64_t)(q * (double)all + 0.5);
	if (rank < 1) rank = 1;
	for (int i = 0; i < buckets; i++) {
		seen += counts[i];
		if (seen < rank || !counts[i]) continue;
		if (i < 2 * exact) return i;
		int shift = i / exact - 1;
		return ((int64_t)(i - shift * exact + 1) << shift) - 1;
	}
	return 0;
}

static long long peak_memory(void) {
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long long kib = 0;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmHWM: %lld", &kib) == 1) break;
	if (f) fclose(f);
	return kib << 10;
}

void print_result(const char *version, const struct result *r) {
	printf("{\"client\":\"librdkafka\",\"version\":\"%s\",\"records\":%lld,\"errors\":%lld,\"acknowledged\":%lld,"
		"\"wall_seconds\":%.6f,\"cpu_seconds\":%.6f,\"records_per_second\":%.1f,\"records_per_cpu_second\":%.1f,"
		"\"allocations_per_record\":-1,\"bytes_per_record\":-1,\"peak_rss_bytes\":%lld,"
		"\"latency_p50_us\":%lld,\"latency_p99_us\":%lld,\"latency_p999_us\":%lld}\n",
		version, (long long)r->records, (long long)r->errors, (long long)r->acknowledged, r->wall, r->cpu,
		(double)r->records / r->wall, (double)r->records / r->cpu, peak_memory(),
		(long long)r->p50, (long long)r->p99, (long long)r->p999);
}
