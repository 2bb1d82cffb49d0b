"""python-alipay-sdk, unmodified, against the simulator: both of its key modes."""

import csv
import io
import time
import urllib.request
import zipfile
from urllib.parse import parse_qsl

from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException
from Cryptodome.PublicKey import RSA

import world
from world import holds

APP = world.SETTINGS["alipay"]["app_id"]
PRIVATE = world.key("alipay/app_private_pkcs1.pem")


def public_key_mode():
    return AliPay(APP, app_private_key_string=PRIVATE, alipay_public_key_string=world.key("alipay/gateway_public.pem"))


def certificate_mode():
    return DCAliPay(
        APP,
        app_private_key_string=PRIVATE,
        app_public_key_cert_string=world.key("alipay/app_cert.pem"),
        alipay_public_key_cert_string=world.key("alipay/gateway_cert.pem"),
        alipay_root_cert_string=world.key("alipay/root_cert.pem"),
    )


def walk(mode, sdk):
    """Refund, repeat, changed repeat, query, unknown order, over-refund."""
    sdk._gateway = world.URL + "/gateway.do"
    trade, number = f"20261123{mode}0000", f"WD{mode}0001"
    inbox = world.Inbox(b"success")
    world.register("alipay", trade, 10_000, notify_url=inbox.url)

    def refund(amount, of=trade, under=number):
        return sdk.api_alipay_trade_refund(amount, trade_no=of, out_request_no=under, refund_reason="提现退款")

    first = refund("12.34")
    holds(f"{mode}: refund", (first["code"], first["fund_change"], first["refund_fee"]), ("10000", "Y", "12.34"))
    again = refund("12.34")
    holds(f"{mode}: repeat", (again["code"], again["fund_change"], again["refund_fee"]), ("10000", "N", "12.34"))
    holds(f"{mode}: changed repeat", refund("12.35")["sub_code"], "ACQ.DISCORDANT_REPEAT_REQUEST")
    found = sdk.api_alipay_trade_fastpay_refund_query(number, trade_no=trade)
    holds(f"{mode}: query", (found["refund_status"], found["refund_amount"]), ("REFUND_SUCCESS", "12.34"))
    nothing = sdk.api_alipay_trade_fastpay_refund_query("WDnever001", trade_no=trade)
    holds(f"{mode}: query of an unknown number", ("refund_status" in nothing, nothing["code"]), (False, "10000"))
    holds(f"{mode}: unknown order", refund("1.00", of="209900000000")["sub_code"], "ACQ.TRADE_NOT_EXIST")
    time.sleep(3.1)  # two refunds of one trade are three seconds apart
    more = refund("100.00", under=f"WD{mode}0002")
    holds(f"{mode}: more than the order", more["sub_code"], "ACQ.REASON_TRADE_REFUND_FEE_ERR")
    holds(f"{mode}: movements", world.movements(number), 1)
    told(mode, sdk, inbox, number)
    return number


def told(mode, sdk, inbox, number):
    """The SDK verifies the notice, and only the one that was sent."""
    form = dict(parse_qsl(inbox.next()[1].decode()))
    sign = form.pop("sign")
    holds(f"{mode}: notice", (form["out_biz_no"], sdk.verify(dict(form), sign)), (number, True))
    holds(f"{mode}: changed notice", sdk.verify(form | {"refund_fee": "0.01"}, sign), False)


def bill(sdk, numbers):
    """The bill of the day has the refunds."""
    method = "alipay.data.dataservice.bill.downloadurl.query"
    asked = sdk.server_api(method, {"bill_type": "trade", "bill_date": world.TODAY})
    packed = urllib.request.urlopen(asked["bill_download_url"], timeout=10).read()
    # The names are GBK without a flag, which Python reads as cp437.
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = {name.encode("cp437").decode("gbk"): name for name in archive.namelist()}
        detail = next(names[name] for name in names if name.endswith("_业务明细.csv"))
        lines = archive.read(detail).decode("gbk").splitlines()
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    column = {name.strip(): index for index, name in enumerate(rows[0])}
    refunds = {row[column["退款批次号/请求号"]].strip(): row[column["商家实收（元）"]].strip() for row in rows[1:]}
    holds("bill", {number: refunds.get(number) for number in numbers}, dict.fromkeys(numbers, "-12.34"))


def strangers():
    """Another key, and another application."""
    sdk = public_key_mode()
    sdk._gateway = world.URL + "/gateway.do"
    world.register("alipay", "202611239990000", 10_000)
    key = sdk._app_private_key
    sdk._app_private_key = RSA.generate(2048)
    answer = sdk.api_alipay_trade_refund("1.00", trade_no="202611239990000", out_request_no="WDforged01")
    holds("another key", answer["sub_code"], "isv.invalid-signature")
    sdk._app_private_key, sdk._appid = key, "2099000000000000"
    try:
        sdk.api_alipay_trade_refund("1.00", trade_no="202611239990000", out_request_no="WDforged02")
        holds("another application", "answered", "refused without a signature")
    except AliPayException as refused:
        holds("another application", "isv.invalid-app-id" in str(refused), True)
    holds("strangers move nothing", world.movements("WDforged01") + world.movements("WDforged02"), 0)


plain = public_key_mode()
numbers = [walk("pub", plain), walk("cert", certificate_mode())]
bill(plain, numbers)
strangers()
