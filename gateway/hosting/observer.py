"""What the pipeline tells of every call: to the metrics and to the process's own log."""

from time import perf_counter_ns

from gateway import logs, metrics
from gateway.operations.catalogue import Operation
from gateway.pipeline.call import Call, Reply


class Observer:
    """Counts and logs each call once."""

    def call(self, call: Call, reply: Reply, operation: Operation | None) -> None:
        """A call was answered."""
        metrics.call(call.protocol, operation.name if operation is not None else "unknown", reply.outcome)
        access = call.access
        logs.info(
            "call",
            protocol=call.protocol,
            operation=operation.name if operation is not None else None,
            outcome=reply.outcome,
            account=access.account.id if access is not None else None,
            access=access.id if access is not None else None,
            source_ip=call.source_ip,
            duration_us=(perf_counter_ns() - call.started) // 1000,
            request_id=call.request_id,
        )

    def failure(self, call: Call, error: BaseException) -> None:
        """A call was answered INTERNAL_ERROR because of this."""
        logs.failure("call failed", error, request_id=call.request_id)
