"""PHP with its cURL extension."""

from gateway.frontends.reference.examples.call import Call, block, lines, single

LANGUAGE = "PHP"
LABEL = "PHP"


def source(call: Call) -> str:
    """The script."""
    return block(
        [
            "<?php",
            f"$curl = curl_init({single(call.url)});",
            "curl_setopt_array($curl, [",
            "    CURLOPT_RETURNTRANSFER => true,",
            "    CURLOPT_TIMEOUT => 30,",
            _authorization(call),
            _parameters(call),
            "]);",
            "$answer = curl_exec($curl);",
            "if ($answer === false) {",
            '    exit(curl_error($curl) . "\\n");',
            "}",
            'echo $answer, "\\n";',
        ]
    )


def _parameters(call: Call) -> str:
    if not call.parameters:
        return "    CURLOPT_POSTFIELDS => '',"
    given = lines(call, lambda name, value: f"        {single(name)} => {single(value)},")
    return f"    CURLOPT_POSTFIELDS => http_build_query([\n{given}    ]),"


def _authorization(call: Call) -> str | None:
    if call.basic is not None:
        return f"    CURLOPT_USERPWD => {single(':'.join(call.basic))},"
    if call.bearer is not None:
        return f"    CURLOPT_HTTPHEADER => [{single(f'Authorization: Bearer {call.bearer}')}],"
    return None
