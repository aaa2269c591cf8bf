import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryExporterProvider;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;

/**
 * Receives the metrics of clients inside a broker, and writes each push into a file of the directory receiver.directory: a line
 * about the push, a line for each attribute of a resource, and a line for each data point, as OpenTelemetry's own classes read it.
 */
public class Receiver implements MetricsReporter, ClientTelemetryExporterProvider {
    private final Path directory = Path.of(System.getProperty("receiver.directory"));
    private final AtomicInteger pushes = new AtomicInteger();

    @Override public void init(List<KafkaMetric> metrics) { }
    @Override public void metricChange(KafkaMetric metric) { }
    @Override public void metricRemoval(KafkaMetric metric) { }
    @Override public void close() { }
    @Override public void configure(Map<String, ?> configs) { }

    @Override public ClientTelemetryExporter clientTelemetryExporter() {
        return this::receive;
    }

    private void receive(ClientTelemetryContext context, ClientTelemetryPayload payload) {
        List<String> lines = new ArrayList<>();
        lines.add(String.join("\t", "push", context.authorizableRequestContext().clientId(), payload.clientInstanceId().toString(),
                String.valueOf(payload.isTerminating()), payload.contentType(), String.valueOf(payload.data().remaining())));
        try {
            for (ResourceMetrics resource : MetricsData.parseFrom(payload.data().duplicate()).getResourceMetricsList()) {
                resource.getResource().getAttributesList().forEach(a -> lines.add("resource\t" + text(List.of(a))));
                for (ScopeMetrics scope : resource.getScopeMetricsList()) {
                    scope.getMetricsList().forEach(metric -> add(lines, metric));
                }
            }
            // Beside and renamed, so that nobody reads half of it.
            String name = String.format("%06d", pushes.incrementAndGet());
            Path file = Files.write(directory.resolve(name + ".part"), lines);
            Files.move(file, directory.resolve(name + ".txt"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void add(List<String> lines, Metric metric) {
        String kind = "gauge";
        if (metric.hasSum()) {
            kind = (metric.getSum().getIsMonotonic() ? "" : "up and down ") + metric.getSum().getAggregationTemporality();
        }
        List<NumberDataPoint> points = metric.hasSum() ? metric.getSum().getDataPointsList() : metric.getGauge().getDataPointsList();
        for (NumberDataPoint point : points) {
            double value = point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
            lines.add(String.join("\t", "point", metric.getName(), kind, text(point.getAttributesList()), String.valueOf(value),
                    String.valueOf(point.getStartTimeUnixNano()), String.valueOf(point.getTimeUnixNano())));
        }
    }

    private static String text(List<KeyValue> attributes) {
        Map<String, String> sorted = new TreeMap<>();
        attributes.forEach(a -> sorted.put(a.getKey(), a.getValue().getStringValue()));
        return sorted.toString();
    }
}
