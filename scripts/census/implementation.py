"""An implementation of the focal loss, and how one is taken from a package that does not start here."""

import ast
import inspect
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import Callable


@dataclass
class Implementation:
    library: str
    version: str | None
    variant: str | None  # of several that a library offers
    source: str  # PACKAGE, FUNCTION or FORMULA
    signature: Callable | None  # whose defaults are told; None: it has none
    evaluate: Callable  # as measure.py calls it
    focal: tuple = (1, 0)  # labels of which it is the focal loss; of others, faults are looked for and errors are not

    def description(self):
        parameters = inspect.signature(self.signature).parameters if self.signature else {}
        told = {name: parameter.default for name, parameter in parameters.items()}
        defaults = {name: told.get(name) for name in ('gamma', 'alpha')}
        defaults = {name: None if value is inspect.Parameter.empty else value for name, value in defaults.items()}
        return {
            'library': self.library,
            'version': self.version,
            'variant': self.variant,
            'source': self.source,
            'defaultGamma': defaults['gamma'],
            'defaultAlpha': defaults['alpha'],
        }


PACKAGE = 'package'
FUNCTION = 'function of the package'  # its source as installed, without the rest of the package
FORMULA = 'formula'  # not a package: written down here


def definitions(package, file, names, given):
    """Functions and classes as an installed package defines them, for where importing it would need much that they do not.

    @param file  inside the package's folder
    @param given  the names that they refer to
    @returns `given`, and what is called `names`
    """
    tree = ast.parse(distribution(package).locate_file(file).read_text())
    found = [node for node in tree.body if getattr(node, 'name', None) in names]
    missing = set(names) - {node.name for node in found}
    if missing:
        raise LookupError(f'{file} of {package} does not define {", ".join(sorted(missing))}')
    namespace = dict(given)
    exec(compile(ast.Module(found, type_ignores=[]), file, 'exec'), namespace)
    return namespace
