"""C# 6 and later with HttpClient: .NET, .NET Framework and Mono, whose compiler knows no asynchronous Main."""

from gateway.frontends.reference.examples.call import Call, block, lines, quoted

LANGUAGE = "C#"
LABEL = "C#"


def source(call: Call) -> str:
    """The program."""
    return block(
        [
            "using System;",
            "using System.Collections.Generic;",
            "using System.Net.Http;",
            "using System.Net.Http.Headers;" if call.basic or call.bearer else None,
            "using System.Text;" if call.basic else None,
            "using System.Threading.Tasks;",
            "",
            "class Example",
            "{",
            "    static void Main() => Call().GetAwaiter().GetResult();",
            "",
            "    static async Task Call()",
            "    {",
            "        var client = new HttpClient();",
            _authorization(call),
            _parameters(call),
            "        var form = new FormUrlEncodedContent(parameters);",
            f"        var answer = await client.PostAsync({quoted(call.url)}, form);",
            "        Console.WriteLine(await answer.Content.ReadAsStringAsync());",
            "    }",
            "}",
        ]
    )


def _parameters(call: Call) -> str:
    if not call.parameters:
        return "        var parameters = new Dictionary<string, string>();"
    given = lines(call, lambda name, value: f"            [{quoted(name)}] = {quoted(value)},")
    return f"        var parameters = new Dictionary<string, string>\n        {{\n{given}        }};"


def _authorization(call: Call) -> str | None:
    if call.basic is not None:
        return (
            f"        var credentials = Encoding.UTF8.GetBytes({quoted(':'.join(call.basic))});\n"
            "        client.DefaultRequestHeaders.Authorization =\n"
            '            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(credentials));'
        )
    if call.bearer is not None:
        return (
            "        client.DefaultRequestHeaders.Authorization =\n"
            f'            new AuthenticationHeaderValue("Bearer", {quoted(call.bearer)});'
        )
    return None
