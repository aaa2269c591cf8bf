// Driver in C: librdkafka by rd_kafka_produce, or rd_kafka_produce_batch, with a delivery report for each message, which
// says which one it is of, and which a thread of its own serves. It is linked with the library that the module confluent-kafka-go ships.
#include "driver.h"
#include "rdkafka.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct options o;
static struct ring values, keys;
static rd_kafka_t *rk;
static rd_kafka_topic_t *topic;
static atomic_llong acked, failed;
static atomic_int first_error, ended;
static atomic_llong first_failed; // its id

struct waiter {
	sem_t done;
	rd_kafka_resp_err_t err;
};

// id is a record's own: a thread's number, and how many it has sent. It is not 0.
static void *id(int thread, int64_t sent) { return (void *)(intptr_t)(((int64_t)thread << 40) + sent + 1); }

// delivered is called for each message. Its opaque is its id, or when it should have been sent, or who waits for it.
static void delivered(rd_kafka_t *rk_, const rd_kafka_message_t *m, void *opaque) {
	(void)rk_, (void)opaque;
	if (m->err) {
		int none = 0;
		if (atomic_compare_exchange_strong(&first_error, &none, m->err)) first_failed = (long long)(intptr_t)m->_private;
		atomic_fetch_add(&failed, 1);
	} else {
		atomic_fetch_add_explicit(&acked, 1, memory_order_relaxed);
	}
	if (o.wait) {
		struct waiter *w = m->_private;
		w->err = m->err;
		sem_post(&w->done);
	} else if (o.rate) {
		latency_add((now() - (int64_t)(intptr_t)m->_private) / 1000);
	}
}

static void *poll_loop(void *unused) {
	(void)unused;
	while (!ended) rd_kafka_poll(rk, 100);
	return NULL;
}

static void conf_set(rd_kafka_conf_t *conf, const char *key, const char *value) {
	char text[512];
	if (rd_kafka_conf_set(conf, key, value, text, sizeof text) != RD_KAFKA_CONF_OK) fatal("%s=%s: %s", key, value, text);
}

static void conf_number(rd_kafka_conf_t *conf, const char *key, double value) {
	char text[32];
	snprintf(text, sizeof text, "%.6g", value);
	if (value == (double)(int64_t)value) snprintf(text, sizeof text, "%lld", (long long)value);
	conf_set(conf, key, text);
}

static void open_client(void) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	conf_set(conf, "bootstrap.servers", o.bootstrap);
	conf_set(conf, "client.id", o.client);
	conf_set(conf, "enable.idempotence", "true");
	conf_set(conf, "acks", "all");
	conf_set(conf, "compression.type", o.codec);
	conf_set(conf, "partitioner", "murmur2_random");
	conf_number(conf, "max.in.flight.requests.per.connection", o.in_flight);
	conf_number(conf, "queue.buffering.max.kbytes", o.memory >> 10);
	conf_number(conf, "queue.buffering.max.messages", o.max_messages ? o.max_messages : o.memory / (int)(o.value_size + o.key_size));
	if (o.linger >= 0) conf_number(conf, "linger.ms", (double)o.linger / 1e6);
	if (o.batch) conf_number(conf, "batch.size", o.batch);
	if (o.batch_num_messages) conf_number(conf, "batch.num.messages", o.batch_num_messages);
	if (o.send_buffer) conf_number(conf, "socket.send.buffer.bytes", o.send_buffer);
	rd_kafka_conf_set_dr_msg_cb(conf, delivered);
	char text[512];
	if (!(rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text))) fatal("%s", text);
	if (!(topic = rd_kafka_topic_new(rk, o.topic, NULL))) fatal("topic: %s", rd_kafka_err2str(rd_kafka_last_error()));
}

struct turn {
	size_t value, key;
};

static void advance(struct turn *t) {
	if (++t->value == values.count) t->value = 0;
	if (++t->key == keys.count) t->key = 0;
}

static void *value_at(const struct turn *t) { return values.bytes + t->value * values.size; }
static void *key_at(const struct turn *t) { return keys.size ? keys.bytes + t->key * keys.size : NULL; }

// flags have the call wait while the queue is full, unless this thread is the one that empties it.
static int flags(void) { return (o.copy ? RD_KAFKA_MSG_F_COPY : 0) | (o.poll_inline ? 0 : RD_KAFKA_MSG_F_BLOCK); }

static void produce(const struct turn *t, void *opaque) {
	while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, flags(), value_at(t), values.size, key_at(t), keys.size, opaque)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) fatal("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_poll(rk, 1);
	}
}

static void produce_many(struct turn *t, rd_kafka_message_t *m, int thread, int64_t sent) {
	for (int i = 0; i < o.call; i++) {
		m[i] = (rd_kafka_message_t){.payload = value_at(t), .len = values.size, .key = key_at(t), .key_len = keys.size, ._private = id(thread, sent + i)};
		advance(t);
	}
	for (int taken = 0;;) {
		taken += rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA, flags(), m + taken, o.call - taken);
		if (taken == o.call) return;
		if (m[taken].err != RD_KAFKA_RESP_ERR__QUEUE_FULL) fatal("produce: %s", rd_kafka_err2str(m[taken].err));
		rd_kafka_poll(rk, 1);
	}
}

struct part {
	int index;
	int64_t until, records, sent;
};

static void *flood(void *argument) {
	struct part *p = argument;
	struct turn t = {(size_t)p->index * values.count / (size_t)o.threads, (size_t)p->index * keys.count / (size_t)o.threads};
	rd_kafka_message_t *many = o.call > 1 ? calloc((size_t)o.call, sizeof *many) : NULL;
	for (int64_t i = 0;; i++) {
		if (p->records ? p->sent >= p->records : i % 64 == 0 && now() > p->until) break;
		if (many) {
			produce_many(&t, many, p->index, p->sent);
			p->sent += o.call;
		} else {
			produce(&t, id(p->index, p->sent));
			advance(&t);
			p->sent++;
		}
		if (o.poll_inline && i % 256 == 0) rd_kafka_poll(rk, 0);
	}
	free(many);
	return NULL;
}

static void *waiting(void *argument) {
	struct part *p = argument;
	struct turn t = {(size_t)p->index * values.count / (size_t)o.threads, (size_t)p->index * keys.count / (size_t)o.threads};
	struct waiter w;
	sem_init(&w.done, 0, 0);
	for (int64_t then = now(); p->records ? p->sent < p->records : then < p->until; p->sent++) {
		produce(&t, &w);
		advance(&t);
		sem_wait(&w.done);
		int64_t at = now();
		latency_add((at - then) / 1000);
		then = at;
	}
	return NULL;
}

static int64_t paced(int64_t last) {
	int64_t start = now(), interval = 1000000000 / o.rate, sent = 0;
	struct turn t = {0, 0};
	for (; sent * interval < last; sent++) {
		nap_until(start + sent * interval);
		produce(&t, (void *)(intptr_t)(start + sent * interval));
		advance(&t);
	}
	return sent;
}

static int64_t together(int64_t last, int64_t records) {
	struct part *parts = calloc((size_t)o.threads, sizeof *parts);
	pthread_t *threads = calloc((size_t)o.threads, sizeof *threads);
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	int64_t until = now() + last, sent = 0;
	for (int i = 0; i < o.threads; i++) {
		parts[i] = (struct part){i, until, (records + i) / o.threads, 0};
		if (pthread_create(&threads[i], &small, o.wait ? waiting : flood, &parts[i])) fatal("no thread %d", i);
	}
	for (int i = 0; i < o.threads; i++) {
		pthread_join(threads[i], NULL);
		sent += parts[i].sent;
	}
	free(parts);
	free(threads);
	return sent;
}

// phase sends for that long, or that many records, and waits until all are acknowledged.
static int64_t phase(int64_t last, int64_t records) {
	if (last <= 0 && !records) return 0;
	int64_t sent = o.rate ? paced(last) : together(last, records);
	if (rd_kafka_flush(rk, 60000)) fatal("flush: not everything was acknowledged within a minute");
	return sent;
}

int main(int argc, char **argv) {
	parse_options(&o, argc, argv);
	if (o.wait || o.rate) o.poll_inline = 0; // they do not call often enough to poll
	values = load_ring(o.values_file, o.value_size);
	keys = load_ring(o.keys_file, o.key_size);
	struct result r = {0};
	if (o.alone) {
		codec_alone(&o, &values, &r);
		print_result(rd_kafka_version_str(), &r);
		return 0;
	}
	open_client();
	pthread_t poller;
	if (!o.poll_inline) pthread_create(&poller, NULL, poll_loop, NULL);
	phase(o.warmup, 0);
	latency_reset();
	int64_t from = now();
	double cpu = cpu_time();
	r.records = phase(o.duration, o.records);
	r.cpu = cpu_time() - cpu;
	r.wall = (double)(now() - from) / 1e9;
	r.errors = failed;
	r.acknowledged = acked;
	if (failed) fatal("%lld records failed, the first one, %lld, with: %s", (long long)failed, (long long)first_failed, rd_kafka_err2str(first_error));
	if (o.rate || o.wait) r.p50 = latency_quantile(0.5), r.p99 = latency_quantile(0.99), r.p999 = latency_quantile(0.999);
	ended = 1;
	if (!o.poll_inline) pthread_join(poller, NULL);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(rk);
	print_result(rd_kafka_version_str(), &r);
	return 0;
}
