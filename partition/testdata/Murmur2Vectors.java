import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/** Prints murmur2.txt: java -cp kafka-clients-4.4.0.jar:slf4j-api.jar Murmur2Vectors.java > murmur2.txt */
public class Murmur2Vectors {
    static final int[] COUNTS = {1, 2, 3, 6, 17, 100, 1000, 10007, Integer.MAX_VALUE};

    static void print(byte[] key) {
        StringBuilder line = new StringBuilder(key.length == 0 ? "-" : HexFormat.of().formatHex(key));
        line.append(' ').append(Utils.murmur2(key));
        for (int partitions : COUNTS) {
            line.append(' ').append(BuiltInPartitioner.partitionForKey(key, partitions));
        }
        System.out.println(line);
    }

    static byte[] filled(int length, int value) {
        byte[] key = new byte[length];
        Arrays.fill(key, (byte) value);
        return key;
    }

    public static void main(String[] args) {
        System.out.println("# murmur2 of kafka-clients 4.4.0: key in hex (- is the empty key), Utils.murmur2(key),");
        System.out.println("# then BuiltInPartitioner.partitionForKey(key, n) for n = 1 2 3 6 17 100 1000 10007 2147483647.");
        print(new byte[0]);
        for (String key : new String[] {"a", "ab", "abc", "abcd", "kafka", "hejsan", "23456", "giberish123456789",
            "orders-42", "\u00e9t\u00e9", "\u65e5\u672c\u8a9e", "the quick brown fox jumps over the lazy dog"}) {
            print(key.getBytes(StandardCharsets.UTF_8));
        }
        Random random = new Random(794);
        for (int length = 1; length <= 33; length++) {
            print(filled(length, 0));
            print(filled(length, 0xff));
            print(filled(length, 0x80));
            byte[] key = new byte[length];
            for (int i = 0; i < 4; i++) {
                random.nextBytes(key);
                print(key);
            }
            random.nextBytes(key);
            for (int i = 0; i < length; i++) {
                key[i] |= (byte) 0x80; // a byte is signed in Java: this is where ports go wrong
            }
            print(key);
        }
        for (int length : new int[] {63, 64, 65, 127, 128, 129, 255, 256, 1000}) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            print(key);
        }
    }
}
