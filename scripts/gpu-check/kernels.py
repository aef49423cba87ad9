"""Which kernels the installed TensorFlow has, asked of its registry: reads operations with their types as JSON from stdin,
writes a row for each. It needs no GPU, only the package with the GPU's kernels."""

import json
import sys

from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import kernels

DTYPES = {
    'bool': 'DT_BOOL',
    'float32': 'DT_FLOAT',
    'int32': 'DT_INT32',
    'int64': 'DT_INT64',
    'string': 'DT_STRING',
    'uint8': 'DT_UINT8',
    'complex64': 'DT_COMPLEX64',
    'resource': 'DT_RESOURCE',
}


def fits(kernel, types):
    """Whether a kernel takes these types; an attribute that it does not constrain may have any."""
    for constraint in kernel.constraint:
        given = types.get(constraint.name)
        allowed = constraint.allowed_values.list.type
        if given is not None and any(types_pb2.DataType.Value(DTYPES[name]) not in allowed for name in given.split(',')):
            return False
    return True


def rows(operations):
    registry = {}
    for operation in operations:
        op, types = operation['op'], operation['types']
        if op not in registry:
            registry[op] = kernels.get_registered_kernels_for_op(op).kernel
        found = {}
        for kernel in registry[op]:
            if fits(kernel, types) and kernel.device_type not in found:
                found[kernel.device_type] = sorted(set(kernel.host_memory_arg))
        yield {
            **operation,
            'cpu': 'CPU' in found,
            'gpu': 'GPU' in found or 'DEFAULT' in found,
            'hostMemory': found.get('GPU', found.get('DEFAULT', [])),
        }


print(json.dumps(list(rows(json.load(sys.stdin)))))
