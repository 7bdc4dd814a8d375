# ruff: noqa: INP001 -- a program, no part of a package
"""Ask two solvers whether a query of the symbolic checker can be met: `solve.py QUERY.smt2` prints the first answer.

The checker first leaves multiplication and division open (`declare-fun`), and spells them out (`define-fun`) where that
does not suffice. What they leave open is told here as far as 256-bit arithmetic makes it true:

* a product with 0 or 1 is nothing or the other factor (the contracts' branchless arithmetic multiplies by comparisons);
* an open product does not depend on the order of its factors;
* factors below 2^128 do not overflow: dividing the product by one gives the other, and it grows with each of them.

yices thinks in bits and finds counterexamples; cvc5 turns the bits into integers and is quick where sums are long. It
answers here only that there is no counterexample. Both stand in the environment of this interpreter.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import z3

WORD = "(_ BitVec 256)"
OPEN = f"(declare-fun f_evm_bvmul_256 ({WORD} {WORD}) {WORD})"
SPELT_OUT = f"(define-fun f_evm_bvmul_256 ((x {WORD}) (y {WORD})) {WORD} (bvmul x y))"
PRODUCT = f"""(define-fun f_evm_bvmul_256 ((x {WORD}) (y {WORD})) {WORD}
  (ite (= x (_ bv0 256)) (_ bv0 256) (ite (= x (_ bv1 256)) y
  (ite (= y (_ bv0 256)) (_ bv0 256) (ite (= y (_ bv1 256)) x REST)))))"""
IN_ORDER = "(ite (bvule x y) (f_evm_product x y) (f_evm_product y x))"

CVC5 = """
import sys, cvc5
solver = cvc5.Solver(cvc5.TermManager())
solver.setOption("solve-bv-as-int", "sum")
parser = cvc5.InputParser(solver)
parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.argv[1])
names = parser.getSymbolManager()
while not (command := parser.nextCommand()).isNull():
    if command.invoke(solver, names).strip() == "unsat":
        print("unsat", flush=True)
        break
"""


def rewrite(text: str) -> str:
    """The same query with multiplication told as above."""
    if SPELT_OUT in text:
        return text.replace(SPELT_OUT, PRODUCT.replace("REST", "(bvmul x y)"))
    if OPEN not in text:
        return text
    asserted = "".join(f"(assert {fact.sexpr()})\n" for fact in list_facts(text))
    raw = f"(declare-fun f_evm_product ({WORD} {WORD}) {WORD})\n"
    text = text.replace(OPEN, raw + PRODUCT.replace("REST", IN_ORDER))
    return text.replace("(check-sat)", f"{asserted}(check-sat)", 1)


def list_facts(text: str) -> Iterator[z3.BoolRef]:
    """What is true of the open products and quotients in a query."""
    terms = {
        name: list(find_terms(z3.parse_smt2_string(text), name)) for name in ("f_evm_bvmul_256", "f_evm_bvudiv_256")
    }
    products = terms["f_evm_bvmul_256"]
    for quotient in terms["f_evm_bvudiv_256"]:
        for product in products:
            x, y = product.children()
            if not quotient.arg(0).eq(product):
                continue
            for divisor, other in ((x, y), (y, x)):
                if quotient.arg(1).eq(divisor):
                    yield z3.Implies(z3.And(is_small(x), is_small(y), divisor != 0), quotient == other)
    for product, another in combinations(products, 2):
        for common, x in ((product.arg(0), product.arg(1)), (product.arg(1), product.arg(0))):
            for same, y in ((another.arg(0), another.arg(1)), (another.arg(1), another.arg(0))):
                if common.eq(same):
                    small = z3.And(is_small(common), is_small(x), is_small(y))
                    yield z3.Implies(z3.And(small, z3.ULE(x, y)), z3.ULE(product, another))
                    yield z3.Implies(z3.And(small, z3.ULE(y, x)), z3.ULE(another, product))


def find_terms(assertions: z3.AstVector, name: str) -> Iterator[z3.ExprRef]:
    """All different applications of the function called `name`."""
    seen: set[int] = set()
    waiting = list(assertions)
    while waiting:
        term = waiting.pop()
        if term.get_id() in seen:
            continue
        seen.add(term.get_id())
        waiting.extend(term.children())
        if term.decl().name() == name:
            yield term


def is_small(term: z3.BitVecRef) -> z3.BoolRef:
    """Whether a product of two such terms fits a word."""
    return z3.ULT(term, 1 << 128)


def main(query: str) -> int:
    """Race the solvers; the slower one is stopped."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "query.smt2"
        file.write_text(rewrite(Path(query).read_text()))
        tools = Path(sys.executable).parent
        commands = [[str(tools / "yices-smt2"), str(file)], [sys.executable, "-c", CVC5, str(file)]]
        running = {
            start(command, Path(folder) / f"{i}.out"): Path(folder) / f"{i}.out" for i, command in enumerate(commands)
        }
        try:
            while running:
                for process in [process for process in running if process.poll() is not None]:
                    text = running.pop(process).read_text()
                    if text.startswith(("sat", "unsat")):
                        sys.stdout.write(text)
                        return 0
                time.sleep(0.01)
        finally:
            for process in running:
                process.kill()
                process.wait()
    sys.stdout.write("unknown\n")
    return 1


def start(command: list[str], output: Path) -> subprocess.Popen[bytes]:
    """Run a solver; into a file, since nobody empties a pipe before it ends."""
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own solvers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
