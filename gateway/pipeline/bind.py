"""Parameters as the operation declares them, from the text of the wire."""

from pydantic import ValidationError

from gateway.operations.catalogue import Operation, Parameters
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call


def bind(operation: Operation, call: Call) -> Parameters:
    """The call's parameters, checked. Empty values count as not given, unknown ones are ignored.

    Raises `Refusal`: MISSING_COMPULSORY_PARAM naming all that are missing, then INCORRECT_PARAM naming one
    and what is wrong with it.
    """
    given = {name: value for name, value in call.parameters.items() if value}
    if call.problem is not None and call.unreadable:
        raise call.problem
    try:
        parameters = operation.parameters.model_validate(given)
    except ValidationError as error:
        raise _refusal(operation, error, call.problem) from None
    if call.problem is not None:
        raise call.problem
    return parameters


def _refusal(operation: Operation, error: ValidationError, problem: Refusal | None) -> Refusal:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [str(one["loc"][0]) for one in problems if one["type"] == "missing"]
    if missing:
        return Refusal(
            Code.MISSING_COMPULSORY_PARAM, f"{', '.join(missing)}: compulsory for {operation.name} and not given."
        )
    if problem is not None:
        return problem
    first = problems[0]
    return Refusal(Code.INCORRECT_PARAM, f"{first['loc'][0]}: {first['msg'].rstrip('.')}.")
