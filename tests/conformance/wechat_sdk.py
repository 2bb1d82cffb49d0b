"""wechatpayv3, unmodified, against the simulator: both of its key modes.

The SDK fetches certificates while it is made, before its address can be changed,
so the address is changed below it: requests to the real host go to the simulator.
"""

import gzip
import json
import time

import requests
from wechatpayv3 import WeChatPay, WeChatPayType

import world
from world import holds

REAL = "https://api.mch.weixin.qq.com"
OWN = world.SETTINGS["wechat"]


def to_the_simulator(method, url, original=requests.api.request, **more):
    return original(method, url.replace(REAL, world.URL, 1), **more)


requests.api.request = to_the_simulator


def sdk(public_key_mode, url):
    trust = {}
    if public_key_mode:
        trust = {"public_key": world.key("wechat/wxp_pub.pem"), "public_key_id": OWN["pub_key_id"]}
    return WeChatPay(
        WeChatPayType.NATIVE,
        mchid=OWN["mchid"],
        private_key=world.key("wechat/merchant_key.pem"),
        cert_serial_no=OWN["merchant_serial"],
        appid="wx0000000000000001",
        apiv3_key=OWN["apiv3_key"],
        notify_url=url,
        **trust,
    )


def walk(mode, make):
    """Refund, repeat, changed repeat, query, unknown order and number."""
    inbox = world.Inbox(b"")
    client = make(inbox.url)
    order, number = f"42000020{mode}0000", f"WR{mode}0001"
    world.register("wechat", order, 10_000)

    def refund(fen, of=order):
        amount = {"refund": fen, "total": 10_000, "currency": "CNY"}
        status, text = client.refund(out_refund_no=number, amount=amount, transaction_id=of, reason="提现退款")
        return status, json.loads(text)

    status, first = refund(1_234)
    holds(f"{mode}: refund", (status, first["status"], first["amount"]["refund"]), (200, "SUCCESS", 1_234))
    status, again = refund(1_234)
    holds(f"{mode}: repeat", (status, again["refund_id"]), (200, first["refund_id"]))
    status, changed = refund(1_235)
    holds(f"{mode}: changed repeat", (status, changed["code"]), (400, "INVALID_REQUEST"))
    status, text = client.query_refund(number)
    holds(f"{mode}: query", (status, json.loads(text)["refund_id"]), (200, first["refund_id"]))
    status, text = client.query_refund("WRnever001")
    holds(f"{mode}: unknown number", (status, json.loads(text)["code"]), (404, "RESOURCE_NOT_EXISTS"))
    amount = {"refund": 1, "total": 10_000, "currency": "CNY"}
    status, text = client.refund(out_refund_no="WRnever002", amount=amount, transaction_id="4299")
    holds(f"{mode}: unknown order", (status, json.loads(text)["code"]), (404, "RESOURCE_NOT_EXISTS"))
    holds(f"{mode}: movements", world.movements(number), 1)

    headers, body = inbox.next()
    notice = client.callback(headers, body)
    told = notice["resource"]
    holds(
        f"{mode}: notice",
        (notice["event_type"], told["out_refund_no"], told["amount"]["refund"]),
        ("REFUND.SUCCESS", number, 1_234),
    )
    holds(f"{mode}: changed notice", client.callback(headers, body.replace(b"REFUND.SUCCESS", b"REFUND.CLOSED")), None)
    return client, number


def bill(client, numbers):
    """The bill of the day has the refunds; its digest is that of the unpacked file."""
    status, text = client.trade_bill(world.TODAY, bill_type="ALL", tar_type="GZIP")
    holds("bill", status, 200)
    url = json.loads(text)["download_url"]
    path = url[url.index("/v3/"):]
    status, packed = client.download_bill(path)
    holds("bill download", status, 200)
    data = packed if isinstance(packed, bytes) else packed.encode("latin-1")
    lines = gzip.decompress(data).decode("utf-8-sig")
    missing = [number for number in numbers if number not in lines]
    holds("bill has every refund", missing, [])


def certificates(client):
    """The SDK decrypted the platform certificate by itself."""
    serials = [f"{it.serial_number:X}" for it in client._core._certificates]
    holds("certificate download", len(serials), 1)


def main():
    client, first = walk("pub", lambda url: sdk(True, url))
    time.sleep(1.1)  # six refused requests a second are all that a merchant may make
    other, second = walk("cert", lambda url: sdk(False, url))
    certificates(other)
    bill(client, [first, second])


main()
