import java.io.PrintStream;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPElement;
import javax.xml.soap.SOAPEnvelope;
import javax.xml.soap.SOAPException;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.handler.Handler;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.handler.soap.SOAPHandler;
import javax.xml.ws.handler.soap.SOAPMessageContext;
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

    /** A WS-Security UsernameToken in every request: JAX-WS itself has none, and handlers are its way to add headers. */
    private static final class Token implements SOAPHandler<SOAPMessageContext> {
        private static final String WSSE =
                "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
        private final String user;
        private final String password;

        private Token(String user, String password) {
            this.user = user;
            this.password = password;
        }

        @Override
        public boolean handleMessage(SOAPMessageContext context) {
            if ((Boolean) context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY)) {
                try {
                    SOAPEnvelope envelope = context.getMessage().getSOAPPart().getEnvelope();
                    SOAPElement security = (envelope.getHeader() == null ? envelope.addHeader() : envelope.getHeader())
                            .addChildElement(new QName(WSSE, "Security", "wsse"));
                    SOAPElement token = security.addChildElement("UsernameToken", "wsse");
                    token.addChildElement("Username", "wsse").addTextNode(user);
                    token.addChildElement("Password", "wsse").addTextNode(password);
                } catch (SOAPException problem) {
                    throw new IllegalStateException(problem);
                }
            }
            return true;
        }

        @Override
        public boolean handleFault(SOAPMessageContext context) {
            return true;
        }

        @Override
        public void close(MessageContext context) {}

        @Override
        public Set<QName> getHeaders() {
            return Set.of();
        }
    }

    /** Takes user and password out of the values where they do not go as elements. */
    @SuppressWarnings("rawtypes")
    private static void secure(BindingProvider port, Map<String, String> values) {
        String credentials = System.getenv("CREDENTIALS");
        if (credentials.equals("elements")) {
            return;
        }
        String user = values.remove("user");
        String password = values.remove("password");
        if (credentials.equals("basic")) {
            port.getRequestContext().put(BindingProvider.USERNAME_PROPERTY, user);
            port.getRequestContext().put(BindingProvider.PASSWORD_PROPERTY, password);
        } else {
            List<Handler> handlers = port.getBinding().getHandlerChain();
            handlers.add(new Token(user, password));
            port.getBinding().setHandlerChain(handlers);
        }
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
        Map<String, String> values = values();
        secure((BindingProvider) port, values);
        try {
            out.println(plain(call(port, operation, values)));
        } catch (SOAPFaultException fault) {
            out.println("{\"fault\": " + json(fault.getFault().getFaultCode()) + ", \"text\": "
                    + json(fault.getFault().getFaultString()) + "}");
        }
    }
}
