"""Java 11 and later with java.net.http; one file that `java Example.java` runs."""

from gateway.frontends.reference.examples.call import Call, block, lines, quoted

LANGUAGE = "Java"
LABEL = "Java"


def source(call: Call) -> str:
    """The class."""
    return block(
        [
            "import java.net.URI;",
            "import java.net.URLEncoder;",
            "import java.net.http.HttpClient;",
            "import java.net.http.HttpRequest;",
            "import java.net.http.HttpResponse;",
            "import java.nio.charset.StandardCharsets;",
            "import java.util.Base64;" if call.basic else None,
            "import java.util.LinkedHashMap;",
            "import java.util.stream.Collectors;",
            "",
            "public class Example {",
            "    public static void main(String[] arguments) throws Exception {",
            "        var parameters = new LinkedHashMap<String, String>();",
            *_parameters(call),
            "        var form = parameters.entrySet().stream()",
            '            .map(entry -> encoded(entry.getKey()) + "=" + encoded(entry.getValue()))',
            '            .collect(Collectors.joining("&"));',
            _credentials(call),
            f"        var request = HttpRequest.newBuilder(URI.create({quoted(call.url)}))",
            '            .header("Content-Type", "application/x-www-form-urlencoded")',
            _authorization(call),
            "            .POST(HttpRequest.BodyPublishers.ofString(form))",
            "            .build();",
            "        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());",
            "        System.out.println(answer.body());",
            "    }",
            "",
            "    static String encoded(String text) {",
            "        return URLEncoder.encode(text, StandardCharsets.UTF_8);",
            "    }",
            "}",
        ]
    )


def _parameters(call: Call) -> list[str]:
    return lines(call, lambda name, value: f"        parameters.put({quoted(name)}, {quoted(value)});").splitlines()


def _credentials(call: Call) -> str | None:
    if call.basic is None:
        return None
    text = quoted(":".join(call.basic))
    return (
        f"        var credentials = {text}.getBytes(StandardCharsets.UTF_8);\n"
        '        var basic = "Basic " + Base64.getEncoder().encodeToString(credentials);'
    )


def _authorization(call: Call) -> str | None:
    if call.basic is not None:
        return '            .header("Authorization", basic)'
    if call.bearer is not None:
        return f'            .header("Authorization", {quoted(f"Bearer {call.bearer}")})'
    return None
