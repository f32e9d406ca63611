"""The application: its commands, and how errors, interrupts and broken pipes end."""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import cleandoc
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, MissingArgumentError, Parameter, UnusedCliTokensError

from alternant import __version__
from alternant.cli import INTERRUPTED, console
from alternant.cli.demo import demo
from alternant.cli.doctor import doctor
from alternant.cli.evaluate import evaluate
from alternant.cli.explain import explain
from alternant.cli.export import export
from alternant.cli.fit import fit
from alternant.cli.fold_in import fold_in
from alternant.cli.inspect import inspect
from alternant.cli.options import UsageError, flag_text
from alternant.cli.plot import plot
from alternant.cli.predict import predict
from alternant.cli.protocol import protocol
from alternant.cli.recommend import recommend
from alternant.cli.similar import similar
from alternant.cli.tune import tune
from alternant.cli.update import update
from alternant.errors import AlternantError

COMMANDS = (
    fit,
    tune,
    evaluate,
    protocol,
    predict,
    recommend,
    similar,
    explain,
    fold_in,
    update,
    inspect,
    plot,
    export,
    doctor,
    demo,
)

_WANTED = {
    "SOURCE": "a ratings file",
    "MODEL": "a model file",
    "HISTORIES": "a file of what the new users rated",
}

_everywhere = Group("Everywhere", sort_key=100)


def build() -> App:
    """Return the application with all commands; ``app.meta`` takes the options that every command has."""
    app = App(
        name="alternant",
        help="Alternating Least Squares recommenders: from a ratings file to recommendations.",
        version=__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
        console=console.out(),
    )
    app.meta.suppress_keyboard_interrupt = False
    for place, command in enumerate(COMMANDS):
        add: Any = app.command  # its overloads hide that a callable may come with a sort_key
        add(command, sort_key=place, help=_unwrapped(command.__doc__ or ""))

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        quiet: Annotated[
            bool,
            Parameter(
                alias="-q",
                negative=(),
                show_default=False,
                group=_everywhere,
                help="Say nothing but results and warnings.",
            ),
        ] = False,
        debug: Annotated[
            bool,
            Parameter(
                negative=(), show_default=False, group=_everywhere, help="Show the traceback of an error."
            ),
        ] = False,
    ) -> Any:
        with _log_to_stderr(logging.WARNING if quiet else logging.INFO):
            return app(tokens, exit_on_error=False, print_error=False, result_action="return_value")

    return app


def _unwrapped(docstring: str) -> str:
    """Return a docstring with one line per paragraph, which the help wraps at the width of the terminal."""
    paragraphs = cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    debug = "--debug" in arguments
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed before we came (`>&-`): nobody wants to hear it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as the process
    try:
        app = build()
        status = app.meta(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except CycloptsError as error:
        return _fail(_usage(error), 2, debug=debug)
    except UsageError as error:
        return _fail(f"{error}; see alternant --help", 2, debug=debug)
    except AlternantError as error:
        return _fail(_in_options(str(error)), 1, debug=debug)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED, debug=debug)
    except MemoryError:
        return _fail("not enough memory; try fewer factors, fewer threads or less data", 1, debug=debug)
    except UnicodeEncodeError as error:
        return _fail(
            f"cannot write {error.object[error.start]!r} in {error.encoding}: set PYTHONIOENCODING=utf-8, or "
            "name a file with --output",
            1,
            debug=debug,
        )
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing to report, and nothing left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" {error.filename!r}" if error.filename else ""
        return _fail(f"{(error.strerror or str(error)).lower()}{where}", 1, debug=debug)


def _fail(message: str, status: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"error: {message}\n")
    return status


def _usage(error: CycloptsError) -> str:
    """Return what is wrong with a command line, and where to read on."""
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        words = " ".join(error.unused_tokens)
        lists = [f"--{name}" for name in ("user", "item") if f"--{name}" in (error.root_input_tokens or ())]
        hint = f"; repeat {' or '.join(lists)} for each id" if lists else ""
        return f"unexpected {words}{hint}; see alternant --help"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        wanted = _WANTED.get(error.argument.name)
        if wanted is not None:
            return f"name {wanted}; see alternant {' '.join(error.command_chain or ())} --help"
    return _one_line(str(error)) + "; see alternant --help"


def _one_line(text: str) -> str:
    text = " ".join(text.split()).split(" Available commands:")[0]
    return (text[:1].lower() + text[1:]).rstrip(".")


def _in_options(message: str) -> str:
    """Say a remedy in the words of the command line: ``user=`` of ``read`` is ``--user-column`` here."""
    message = message.replace("with model.fold_in", "with alternant fold-in")
    message = message.replace("by model.updated", "by alternant update")
    message = re.sub(
        r"\b(user|item)(\b.* with) id_column= of AttributeTable", r"\1\2 --\1-attributes-id", message
    )
    message = re.sub(
        r"(rows of (user|item)s .* as in) AttributeTable\(frame, columns={'(.*)': \"categorical\"}\)",
        r"\1 --\2-attributes-use '\3=categorical'",
        message,
    )
    message = message.replace(
        'event="type", event_weights={"buy": 5}', "--event-column type --event-weights buy=5"
    )
    message = message.replace(
        'duplicates="sum", "mean", "max" or "last"', "--duplicates sum, mean, max or last"
    )
    message = re.sub(r"\bname some with (user|item)s=", r"name some with --\1", message)
    message = re.sub(r"\bin row (\d+)", lambda found: f"in data row {int(found[1]) + 1}", message)
    message = re.sub(r"\b(user|item|value|weight|time|event)=(?=$|[\s,;:])", r"--\1-column", message)
    return re.sub(
        r"\b(duplicates|on_invalid|unknown|mode|refresh)=\"(\w+)\"",
        lambda found: f"{flag_text(found[1])} {found[2]}",
        message,
    )


@contextmanager
def _log_to_stderr(level: int) -> Iterator[None]:
    """Show what the library logs, as plain lines on standard error, while a command runs."""
    logger = logging.getLogger("alternant")
    before = logger.level
    handler = console.LogHandler(_in_options)
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
