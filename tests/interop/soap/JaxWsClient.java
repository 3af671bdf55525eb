import java.io.PrintStream;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.soap.SOAPFaultException;
import sms.Sms;
import sms.Trunkline;

/** One call with JAX-WS's generated port; arguments, input and output as zeep_client.py's. */
public final class JaxWsClient {
    private static String json(String text) {
        StringBuilder found = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            found.append(c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
        }
        return found.append('"').toString();
    }

    private static String list(Iterable<?> items) throws IllegalAccessException {
        List<String> found = new ArrayList<>();
        for (Object item : items) {
            found.add(plain(item));
        }
        return "[" + String.join(", ", found) + "]";
    }

    /** JSON of a generated class by its fields; numbers and dates as texts, what is null left out. */
    private static String plain(Object value) throws IllegalAccessException {
        if (value instanceof Iterable) {
            return list((Iterable<?>) value);
        }
        if (!value.getClass().getName().startsWith("sms.")) {
            return json(value.toString());
        }
        List<String> found = new ArrayList<>();
        for (Field field : value.getClass().getDeclaredFields()) {
            field.setAccessible(true);
            if (field.get(value) != null) {
                found.add(json(field.getName()) + ": " + plain(field.get(value)));
            }
        }
        return "{" + String.join(", ", found) + "}";
    }

    private static Map<String, String> values() throws Exception {
        String[] words = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\0", -1);
        Map<String, String> found = new HashMap<>();
        for (int i = 0; i + 1 < words.length; i += 2) {
            found.put(words[i], words[i + 1]);
        }
        return found;
    }

    private static Object call(Sms port, String operation, Map<String, String> given) {
        String user = given.get("user");
        String password = given.get("password");
        switch (operation) {
            case "sendsms":
                return port.sendsms(user, password, given.get("from"), given.get("to"), given.get("sms"), null, null);
            case "getdeliverystatus":
                return port.getdeliverystatus(user, password, given.get("messages"));
            case "getcontacts":
                return port.getcontacts(user, password, given.get("idgroup"), null, null);
            default:
                return port.getbalance(user, password);
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        String operation = arguments[2];
        if (operation.equals("operations")) {
            out.println(list(Arrays.stream(Sms.class.getMethods()).map(m -> m.getName())
                    .collect(Collectors.toCollection(TreeSet::new))));
            return;
        }
        boolean older = arguments[1].equals("1.1");
        Trunkline service = new Trunkline(new URL(arguments[0]));
        Sms port = older ? service.getSmsSoap11() : service.getSmsSoap12();
        if (arguments.length > 3) {
            Map<String, Object> context = ((BindingProvider) port).getRequestContext();
            context.put(BindingProvider.SOAPACTION_USE_PROPERTY, true);
            context.put(BindingProvider.SOAPACTION_URI_PROPERTY, arguments[3]);
        }
        try {
            out.println(plain(call(port, operation, values())));
        } catch (SOAPFaultException fault) {
            out.println("{\"fault\": " + json(fault.getFault().getFaultCode()) + ", \"text\": "
                    + json(fault.getFault().getFaultString()) + "}");
        }
    }
}
