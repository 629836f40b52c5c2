"""What stands in a file, against the port it came for: one module per kind, the same for inputs and outputs.

Invariants
----------
* A file is read once, forward, and within a bound; nothing in it is believed before it was compared with its port.
* Every fault is a `ContractError` that names the port. The errors are called after outputs, whose author must act;
  `host.inputs` says of the same faults what the operator must do.
"""
