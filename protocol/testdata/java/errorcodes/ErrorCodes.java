import java.util.Arrays;
import java.util.Comparator;
import org.apache.kafka.common.errors.ApplicationRecoverableException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.RefreshRetriableException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TransactionAbortableException;
import org.apache.kafka.common.protocol.Errors;

/** Prints number, name and KIP-1050 class of every error code that the Java client knows, for errorcodes.txt. */
public class ErrorCodes {
    public static void main(String[] args) {
        Arrays.stream(Errors.values())
            .sorted(Comparator.comparingInt(Errors::code))
            .forEach(e -> System.out.println(e.code() + " " + e.name() + " " + kind(e.exception())));
    }

    private static String kind(Exception e) {
        if (e == null) return "none";
        if (e instanceof RefreshRetriableException) return "refresh-retriable";
        if (e instanceof RetriableException) return "retriable";
        if (e instanceof TransactionAbortableException) return "abortable";
        if (e instanceof ApplicationRecoverableException) return "application-recoverable";
        if (e instanceof InvalidConfigurationException) return "invalid-configuration";
        return "other";
    }
}
