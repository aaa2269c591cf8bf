import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.config.ConfigData;
import org.apache.kafka.common.config.ConfigTransformer;
import org.apache.kafka.common.config.provider.ConfigProvider;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/**
 * Writes what Java's clients make of sasl.jaas.config and of references to config providers, for the tests of package
 * properties to compare with:
 *
 *   java -cp kafka-clients-4.4.0.jar:slf4j-api.jar:CLASSES LoginVectors ..
 */
public class LoginVectors {
    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        ProducerVectors.write(dir.resolve("java-jaas.json"), jaas());
        ProducerVectors.write(dir.resolve("java-references.json"), references());
    }

    static List<Object> jaas() {
        String[] inputs = {
            "", " ", ";", "M", "M required", "M required;", "M REQUIRED;", "M requisite;", "M Sufficient;", "M optional;", "M must;", "M =;",
            "com.example.My_Module$Inner required ;", "\"M\" required;", "M \"required\";", "1M required;", "_M required;", "$M required;", "-M required;", ".M required;",
            "M required a=b;", "M required a=b c=d;", "M required a = b;", "M required a=\"b\" c='d';", "M required a=\"b\"c='d';", "M required a=b", "M required a=;",
            "M required a;", "M required a b;", "M required a=b c;", "M required =b;", "M required a==b;", "M required a=b,c=d;", "M required a=\"\";", "M required a='';",
            "M required a=true;", "M required a=12345;", "M required a=1abc;", "M required a=-x;", "M required a=.x;", "M required a=x1.2-3_4$5;", "M required a=$x;", "M required a=_x;",
            "M required a=b@c;", "M required a=@c;", "M required a=b:c;", "M required a=b#c;", "M required a=b/c;\n;", "M required a=/etc/x;", "M required a=/etc/x;\n\"y\";",
            "M required a=\u00e9t\u00e9;", "M required a=\u20ac;", "M required a=\u0085;", "M required a=\u00a0;", "M required a=\"\u20ac\";",
            "M required a=\"b\\\"c\";", "M required a='b\\'c';", "M required a=\"b'c\";", "M required a='b\"c';", "M required a=\"b\\\\c\";", "M required a=\"\\n\\t\\r\\a\\b\\f\\v\\q\";",
            "M required a=\"\\101\\60\\0\\400\\377\\8\";", "M required a=\"\\u0041\";", "M required a=\"b;c\";", "M required a=\"b//c\";", "M required a=\"b/*c\";", "M required a=\"b=c d\";",
            "M required a=\"b\" \n  c=\"d\"\n;", "M required\ta=b\r\n;", "M required // comment\n a=b;", "M required /* x\n y */ a=b;", "M required /* x a=b;", "M required / x\n a=b;", "M required // a=b;",
            "M required a=b; // end", "M required a=b; N required;", "M required a=b;;", "M required a=b; x", "# c\nM required a=b;",
            "M required a=b a=c;", "M required \"a b\"=c;", "M required 'a'=\"b\";", "M required 1=b;", "M required a=\"b", "M required a='b;", "M required a=\"b\\", "M required a=\"b\nc=d;",
            "M required username=\"$ConnectionString\" password=\"Endpoint=sb://x.example.com/;SharedAccessKeyName=n;SharedAccessKey=k=\";",
            "M required useKeyTab=true keyTab=\"/opt/c/u.keytab\" principal=\"u@REALM\";", "M required a=b.c-d;e=f;", "M required a=b;\u0000", "M required a=\"\u0000\";", "M required a*b=c;", "M required a=\"x\"y=z;",
        };
        List<Object> rows = new ArrayList<>();
        for (String input : inputs) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("input", input);
            try {
                Map<String, Object> config = Map.of("sasl.jaas.config", new Password(input));
                AppConfigurationEntry entry = JaasContext.loadClientContext(config).configurationEntries().get(0);
                row.put("module", entry.getLoginModuleName());
                TreeMap<String, Object> options = new TreeMap<>(java.util.Comparator.comparing(k -> k == null ? "" : k));
                options.putAll((Map<String, Object>) entry.getOptions());
                if (options.containsKey(null) || options.containsKey("null")) continue; // nothing that anybody could read back
                row.put("options", options);
            } catch (RuntimeException e) {
                row.put("error", String.valueOf(e.getMessage()));
            }
            rows.add(row);
        }
        return rows;
    }

    /** What a value becomes where a provider p answers PATH:KEY to each key but "missing". */
    static List<Object> references() {
        String[] inputs = {
            "x", "${p:k}", "${p:path:k}", "a${p:k}b", "${p:k}${p:l}", "${p::k}", "${p:}", "${p:a:}", "${p:a:b:c}", "${p:C:\\x:k}", "${q:k}", "${p:missing}", "${pk}", "$p:k", "${p:k", "${p:k}}",
            "${${p:k}}", "${p:${p:k}}", "$${p:k}", "${ p:k}", "${p: k }", "${p:a b:c d}", "${p:\n:k}", "${p:k}\n", "{p:k}", "${:k}", "${:a:k}", "${p:again}", "${}", "${:}", "${::}",
        };
        ConfigProvider p = new ConfigProvider() {
            public ConfigData get(String path) { throw new UnsupportedOperationException(); }
            public ConfigData get(String path, Set<String> keys) {
                Map<String, String> data = new HashMap<>();
                for (String key : keys)
                    if (!key.equals("missing")) data.put(key, key.equals("again") ? "${p:k}" : "<" + path + "|" + key + ">");
                return new ConfigData(data);
            }
            public void configure(Map<String, ?> configs) { }
            public void close() { }
        };
        List<Object> rows = new ArrayList<>();
        for (String input : inputs) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("input", input);
            row.put("output", new ConfigTransformer(Map.of("p", p)).transform(Map.of("x", input)).data().get("x"));
            rows.add(row);
        }
        return rows;
    }
}
