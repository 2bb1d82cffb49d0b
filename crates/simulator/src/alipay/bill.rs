//! `alipay.data.dataservice.bill.downloadurl.query` and the file behind it.

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use encoding_rs::GBK;
use rand::Rng as _;
use serde::Deserialize;
use serde_json::Value;

use super::failure::Failure;
use super::{Answer, member};
use crate::book::{Kind, Ledger};
use crate::channel::Channel;
use crate::clock::{beijing, spaced};
use crate::control::problem;
use crate::json_text::Object;
use crate::money::yuan;
use crate::statement::{Availability, Download, availability, day, lines, month};
use crate::world::{Shared, World};
use crate::zip::archive;

/// How long an address is good.
const ADDRESS_MS: i64 = 30_000;

const HEADER: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,\
卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

/// The span of a bill: its name, its moments, and how both are written.
struct Span {
    compact: String,
    time: std::ops::Range<i64>,
}

/// Makes a bill and says where it can be fetched.
pub(super) fn address(world: &World, biz: &Value) -> Result<Answer, Failure> {
    let absent = || Failure::new("40004", "isp.bill_not_exist", "账单不存在");
    if member(biz, "bill_type") != "trade" {
        return Err(absent());
    }
    let span = span(world, &member(biz, "bill_date"))?.ok_or_else(absent)?;
    let now_ms = world.clock.now_ms();
    let csv = world.book.enter(now_ms, |ledger| detail(ledger, world, &span)).ok_or_else(absent)?;
    let account = format!("{}0156", world.keys.settings.alipay.seller_id);
    let name = |kind: &str| gbk(&format!("{account}_{}_{kind}.csv", span.compact));
    let bytes = archive(&[(name("业务明细"), gbk(&csv.detail)), (name("业务明细(汇总)"), gbk(&csv.summary))]);
    let token = format!("{:032x}", rand::rng().random::<u128>());
    let url =
        format!("{}/_alipay_bill/downloadBillFile.resource?bizType=trade&token={token}", world.base_url);
    let content_type = "application/octet-stream;charset=gbk";
    world.downloads.keep(token, Download { content_type, bytes, expires_ms: now_ms + ADDRESS_MS });
    let node = Object::new().text("code", "10000").text("msg", "Success").text("bill_download_url", &url);
    Ok(Answer::plain(node.finish()))
}

fn gbk(text: &str) -> Vec<u8> {
    GBK.encode(text).0.into_owned()
}

/// Reads `yyyy-MM-dd` or `yyyy-MM`; `None` when there is no bill yet.
fn span(world: &World, text: &str) -> Result<Option<Span>, Failure> {
    let whole_month = text.len() == 7;
    let first = if whole_month { format!("{text}-01") } else { text.to_owned() };
    let date: NaiveDate =
        first.parse().map_err(|_| Failure::business("INVALID_PARAMETER", "参数无效：bill_date"))?;
    if availability(world, date) != Availability::Ready && !whole_month {
        return Ok(None);
    }
    let time = if whole_month { month(date) } else { day(date) };
    Ok(Some(Span { compact: text.replace('-', ""), time }))
}

struct Csv {
    detail: String,
    summary: String,
}

/// Payments and refunds of the span; `None` when there are none.
fn detail(ledger: &Ledger, world: &World, span: &Span) -> Option<Csv> {
    let mut rows = String::new();
    let (mut paid, mut refunded) = ((0, 0), (0, 0));
    let accounts = ledger.accounts().iter().filter(|it| it.trade.channel == Channel::Alipay);
    for account in accounts.filter(|it| span.time.contains(&it.paid_ms)) {
        let trade = &account.trade;
        paid = (paid.0 + 1, paid.1 + trade.total_fen);
        let numbers = [trade.trade_no.as_str(), &trade.out_trade_no, "", ""];
        rows.push_str(&row("交易", numbers, (account.paid_ms, trade.total_fen)));
    }
    for line in lines(ledger, Channel::Alipay, &span.time) {
        let Some(account) = ledger.trade(Channel::Alipay, [&line.order.placed.trade_no, ""]) else {
            continue;
        };
        if line.kind == Kind::Return {
            continue;
        }
        let trade = &account.trade;
        refunded = (refunded.0 + 1, refunded.1 + line.amount_fen);
        let reason = line.order.placed.echo.get("reason").map_or("", String::as_str);
        let numbers = [trade.trade_no.as_str(), &trade.out_trade_no, &line.number, reason];
        rows.push_str(&row("退款", numbers, (line.at_ms, -line.amount_fen)));
    }
    if rows.is_empty() {
        return None;
    }
    Some(Csv { detail: frame(world, span, (&rows, paid, refunded)), summary: summary(paid, refunded) })
}

/// One line; text columns end with a tab.
fn row(kind: &str, numbers: [&str; 4], (at_ms, amount_fen): (i64, i64)) -> String {
    let [trade_no, out_trade_no, request_no, reason] = numbers;
    let (time, amount) = (spaced(at_ms), yuan(amount_fen));
    let reason = reason.replace([',', '\r', '\n'], " ");
    format!(
        "{trade_no}\t,{out_trade_no}\t,{kind}\t,账户充值,{time},{time},\t,\t,\t,\t,*测(159****5620)\t,{amount},{amount},\
         0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{request_no}\t,0.00,0.00,{reason}\r\n"
    )
}

fn frame(world: &World, span: &Span, (rows, paid, refunded): (&str, (i64, i64), (i64, i64))) -> String {
    let moment = |ms: i64| beijing(ms).format("%Y年%m月%d日 %H:%M:%S").to_string();
    let mut totals = String::new();
    if paid.0 > 0 {
        totals = format!("#交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n", paid.0, yuan(paid.1));
    }
    format!(
        "#支付宝业务明细查询\r\n#账号：[{}0156]\r\n#起始日期：[{}]   终止日期：[{}]\r\n\
         #-----------------------------------------业务明细列表----------------------------------------\r\n\
         {HEADER}\r\n{rows}\
         #-----------------------------------------业务明细列表结束------------------------------------\r\n\
         {totals}#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n#导出时间：[{}]\r\n",
        world.keys.settings.alipay.seller_id,
        moment(span.time.start),
        moment(span.time.end),
        refunded.0,
        yuan(-refunded.1),
        moment(world.clock.now_ms()),
    )
}

fn summary(paid: (i64, i64), refunded: (i64, i64)) -> String {
    format!(
        "#支付宝业务汇总查询\r\n门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,实收净额（元）\r\n\
         合计\t,\t,{},{},{},{net},{net}\r\n",
        paid.0,
        refunded.0,
        yuan(paid.1),
        net = yuan(paid.1 - refunded.1),
    )
}

/// The token of an address.
#[derive(Debug, Deserialize)]
pub(super) struct Fetch {
    token: String,
}

/// The file: a plain GET without signature.
pub(super) async fn download(State(world): State<Shared>, Query(fetch): Query<Fetch>) -> Response {
    match world.downloads.fetch(&fetch.token, world.clock.now_ms()) {
        Some(file) => ([(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response(),
        None => problem(StatusCode::NOT_FOUND, "the address has expired"),
    }
}
