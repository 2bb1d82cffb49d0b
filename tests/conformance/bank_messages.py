"""The bank's messages, as adapter and simulator write them, against ISO 20022.

ADAPTER_FILES is a folder of pain.001 files that the adapter wrote. They are valid,
the simulator takes them, and so is everything that it answers.
"""

import base64
import importlib.util
import os
import re
import typing
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path

import xmlschema
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from pyiso20022.pain.pain_002_001_10 import pain_002_001_10 as pain002

import world
from world import holds

OWN_KEY = serialization.load_pem_private_key(world.key("bank/corporate_key.pem").encode(), None)
BANK_KEY = serialization.load_pem_public_key(world.key("bank/bank_pub.pem").encode())
SCHEMAS = {
    "pain.001.001.09": ("sepaxml", "schemas/pain.001.001.09.xsd"),
    "camt.053.001.08": ("camt053", "xsd/camt.053.001.08.xsd"),
    "camt.054.001.08": ("camt053", "xsd/camt.054.001.08.xsd"),
}


def check(what, text, message):
    """Valid by its schema, and of the message that was expected."""
    root = xml.fromstring(text)
    holds(f"{what} is a {message}", root.tag, f"{{urn:iso:std:iso:20022:tech:xsd:{message}}}Document")
    if message == "pain.002.001.10":
        holds(f"{what} has the shape of its classes", list(misshapen(root, pain002.Document, "Document")), [])
        return root
    package, path = SCHEMAS[message]
    folder = importlib.util.find_spec(package).submodule_search_locations[0]
    schema = xmlschema.XMLSchema(str(Path(folder) / path))
    holds(f"{what} is valid", [str(error.reason) for error in schema.iter_errors(xml.ElementTree(root))], [])
    return root


def misshapen(node, kind, path):
    """Where an element is not what the class generated from its schema says."""
    hints = typing.get_type_hints(kind, vars(pain002))
    members = [(it, hints[it.name], it.metadata) for it in fields(kind)]
    elements = [it for it in members if it[2].get("type") == "Element"]
    order = [it[2]["name"] for it in elements]
    names = [child.tag.rpartition("}")[2] for child in node]
    places = [order.index(name) for name in names if name in order]
    yield from (f"{path}/{name} is unknown" for name in names if name not in order)
    if places != sorted(places):
        yield f"{path}: {names} is out of order"
    for _, hint, metadata in members:
        name, value_kind = metadata.get("name"), plain(hint)
        if metadata.get("type") == "Element":
            children = [child for child in node if child.tag.rpartition("}")[2] == name]
            if metadata.get("required") and not children:
                yield f"{path}/{name} is missing"
            if len(children) > 1 and typing.get_origin(hint) is not list:
                yield f"{path}/{name} comes {len(children)} times"
            for child in children:
                if is_dataclass(value_kind):
                    yield from misshapen(child, value_kind, f"{path}/{name}")
                else:
                    yield from unfit(child.text or "", value_kind, metadata, f"{path}/{name}")
        elif metadata.get("type") == "Attribute":
            value = node.get(name)
            if value is None and metadata.get("required"):
                yield f"{path}@{name} is missing"
            elif value is not None:
                yield from unfit(value, value_kind, metadata, f"{path}@{name}")
        elif metadata.get("type") != "Wildcard":
            yield from unfit(node.text or "", value_kind, metadata, path)


def plain(hint):
    """The one type that stands in `None | T` or `list[T]`."""
    inner = [it for it in typing.get_args(hint) if it is not type(None)]
    return plain(inner[0]) if inner else hint


def unfit(text, kind, metadata, path):
    """Why a text is no value of its type."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        if text not in [it.value for it in kind]:
            yield f"{path}: {text!r} is no word of {kind.__name__}"
        return
    if "pattern" in metadata and not re.fullmatch(metadata["pattern"], text):
        yield f"{path}: {text!r} does not match {metadata['pattern']}"
    if len(text) < metadata.get("min_length", 0) or len(text) > metadata.get("max_length", 1 << 20):
        yield f"{path}: {text!r} is too short or too long"
    if kind is not str:
        try:
            kind.from_string(text) if hasattr(kind, "from_string") else kind(text)
        except (ValueError, ArithmeticError) as error:
            yield f"{path}: {text!r}: {error}"


def genuine(what, headers, body):
    """The bank's signature over the raw bytes."""
    BANK_KEY.verify(base64.b64decode(headers["X-Signature"]), body, padding.PKCS1v15(), hashes.SHA256())
    print(f"ok {what} is signed by the bank")
    return body


def send(what, body):
    """Sends a pain.001 as its owner would; gives the pain.002."""
    signature = base64.b64encode(OWN_KEY.sign(body, padding.PKCS1v15(), hashes.SHA256())).decode()
    headers = {"X-Signature": signature, "Content-Type": "application/xml; charset=utf-8"}
    return ask(what, urllib.request.Request(world.URL + "/bank/pain001", data=body, headers=headers))


def ask(what, request):
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as refused:
        answer = refused
    return genuine(what, answer.headers, answer.read())


def text_of(root, name):
    return next((it.text for it in root.iter() if it.tag.endswith("}" + name)), None)


def orders():
    """Each file of the adapter, its report, its repeat, and its status."""
    for path in sorted(Path(os.environ["ADAPTER_FILES"]).glob("*.xml")):
        name, body = path.stem, path.read_bytes()
        root = check(f"{name}: order", body, "pain.001.001.09")
        report = send(f"{name}: report", body)
        check(f"{name}: report", report, "pain.002.001.10")
        repeat = send(f"{name}: report on a repeat", body)
        holds(f"{name}: the repeat has the same report", repeat == report, True)
        changed = body.replace(b"<InstdAmt Ccy=\"CNY\">", b"<InstdAmt Ccy=\"CNY\">1")
        conflict = check(f"{name}: conflict", send(f"{name}: conflict", changed), "pain.002.001.10")
        holds(f"{name}: a changed repeat is refused", text_of(conflict, "GrpSts"), "RJCT")
        number = text_of(root, "EndToEndId")
        status = ask(f"{name}: status", world.URL + f"/bank/status?endToEndId={number}")
        check(f"{name}: status", status, "pain.002.001.10")
    unknown = ask("an unknown number", world.URL + "/bank/status?endToEndId=WDnever0001")
    check("an unknown number", unknown, "pain.002.001.10")
    check("an unreadable file", send("an unreadable file", b"<Document/>"), "pain.002.001.10")


def checkers_notice():
    """The checker of shapes is our own: it has to see what is wrong."""
    report = ask("a report to spoil", world.URL + "/bank/status?endToEndId=WDnever0001").decode()
    head = report[report.index("<MsgId>"):report.index("</MsgId>") + 8]
    spoilt = [report.replace(head, ""), report.replace(head, "<MsgId></MsgId>"), report.replace("CreDtTm", "CreDt")]
    wrong = [list(misshapen(xml.fromstring(it), pain002.Document, "Document")) for it in spoilt]
    holds("what is spoilt is noticed", [bool(it) for it in wrong], [True] * 3)


def told(inbox, count):
    """Notices of what took its time, and of what came back."""
    world.call("/_sim/clock", {"advance_ms": 60_000})
    world.call("/_sim/clock", {"advance_ms": 15 * 86_400_000})
    directions = set()
    for index in range(1, count + 1):
        headers, body = inbox.next()
        root = check(f"notice {index}", genuine(f"notice {index}", headers, body), "camt.054.001.08")
        directions.add(text_of(root, "CdtDbtInd"))
    holds("money out and money back were told", directions, {"DBIT", "CRDT"})


def statements(days):
    """A day of payments, a day of returns, and a day of nothing."""
    for day in days:
        check(f"statement {day}", ask(f"statement {day}", world.URL + f"/bank/camt053?date={day}"), "camt.053.001.08")


inbox = world.Inbox(b"")
world.call("/_sim/callbacks", {"bank": inbox.url})
orders()
checkers_notice()
told(inbox, 2)
statements(["2026-09-28", "2026-09-29", "2026-10-09"])
