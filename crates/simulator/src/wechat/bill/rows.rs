//! The lines of both bills: UTF-8, CRLF, a backtick before every value, yuan.

use chrono::NaiveDate;

use super::super::Failure;
use crate::book::{Account, Kind, Ledger, Order, State};
use crate::channel::Channel;
use crate::clock::spaced;
use crate::keys::WechatSettings;
use crate::money::yuan;
use crate::statement::{Line, day, lines};

/// The columns of a refund that a bill of payments lacks.
const REFUND_COLUMNS: &str = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态";
/// Where the balance of the account begins, in fen.
const OPENING_FEN: i64 = 10_000_000_000;

/// The header of a bill type; refunds alone add their two times.
fn header(bill_type: &str) -> String {
    let (refund, asked, remark) = match bill_type {
        "SUCCESS" => (String::new(), "", ",费率备注"),
        "REFUND" => (format!("退款申请时间,退款成功时间,{REFUND_COLUMNS},"), ",申请退款金额", ",费率备注"),
        _ => (format!("{REFUND_COLUMNS},"), ",申请退款金额", ",费率备注"),
    };
    format!(
        "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
         应结订单金额,代金券金额,{refund}商品名称,商户数据包,手续费,费率,订单金额{asked}{remark}"
    )
}

/// A trade bill, or `None` when the day has no lines.
pub(super) fn trade(
    ledger: &Ledger,
    settings: &WechatSettings,
    (date, bill_type): (NaiveDate, &str),
) -> Result<Option<String>, Failure> {
    let (payments, refunds) = match bill_type {
        "" | "ALL" => (true, true),
        "SUCCESS" => (true, false),
        "REFUND" => (false, true),
        _ => return Err(Failure::new(400, "PARAM_ERROR", "参数错误：bill_type")),
    };
    let header = header(bill_type);
    let time = day(date);
    let mut rows = Vec::new();
    let (mut paid_fen, mut refunded_fen) = (0, 0);
    let accounts = ledger.accounts().iter().filter(|it| it.trade.channel == Channel::Wechat);
    for account in accounts.filter(|it| payments && time.contains(&it.paid_ms)) {
        paid_fen += account.trade.total_fen;
        rows.push(row(&header, |column| payment(column, settings, account)));
    }
    for line in lines(ledger, Channel::Wechat, &time) {
        let account = ledger.trade(Channel::Wechat, [&line.order.placed.trade_no, ""]);
        let (Some(account), true, Kind::Payout) = (account, refunds, line.kind) else { continue };
        refunded_fen += line.amount_fen;
        rows.push(row(&header, |column| refund(column, settings, (&line, account))));
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let summary = format!(
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n\
         `{},`{paid},`{refunded},`0.00,`0.00000,`{paid},`{refunded}\r\n",
        rows.len(),
        paid = yuan(paid_fen),
        refunded = yuan(refunded_fen),
    );
    Ok(Some(format!("{header}\r\n{}{summary}", rows.concat())))
}

fn row(header: &str, value: impl Fn(&str) -> String) -> String {
    let values: Vec<String> = header.split(',').map(|column| format!("`{}", value(column))).collect();
    format!("{}\r\n", values.join(","))
}

/// A column that payments and refunds fill alike.
fn common(column: &str, settings: &WechatSettings, account: &Account) -> String {
    match column {
        "公众账号ID" => settings.appid.clone(),
        "商户号" => settings.mchid.clone(),
        "特约商户号" => "0".to_owned(),
        "微信订单号" => account.trade.trade_no.clone(),
        "商户订单号" => account.trade.out_trade_no.clone(),
        "用户标识" => "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".to_owned(),
        "交易类型" => "NATIVE".to_owned(),
        "付款银行" => "OTHERS".to_owned(),
        "货币种类" => "CNY".to_owned(),
        "商品名称" => "账户充值".to_owned(),
        "手续费" => "0.00000".to_owned(),
        "费率" => "0.60%".to_owned(),
        "设备号" | "商户数据包" | "费率备注" => String::new(),
        _ => "0.00".to_owned(),
    }
}

fn payment(column: &str, settings: &WechatSettings, account: &Account) -> String {
    match column {
        "交易时间" => spaced(account.paid_ms),
        "交易状态" => "SUCCESS".to_owned(),
        "应结订单金额" | "订单金额" => yuan(account.trade.total_fen),
        "微信退款单号" | "商户退款单号" => "0".to_owned(),
        "退款类型" | "退款状态" => String::new(),
        _ => common(column, settings, account),
    }
}

fn refund(column: &str, settings: &WechatSettings, (line, account): (&Line, &Account)) -> String {
    let placed = &line.order.placed;
    match column {
        "交易时间" | "退款申请时间" => spaced(placed.created_ms),
        "退款成功时间" => spaced(line.at_ms),
        "交易状态" => "REFUND".to_owned(),
        "微信退款单号" => placed.reference.clone(),
        "商户退款单号" => line.number.clone(),
        "退款金额" | "申请退款金额" => yuan(line.amount_fen),
        "退款类型" => "ORIGINAL".to_owned(),
        "退款状态" => status(&line.order).to_owned(),
        _ => common(column, settings, account),
    }
}

/// The bill's own words, which are not those of the interface.
fn status(order: &Order) -> &'static str {
    match order.state {
        State::Pending => "PROCESSING",
        State::Paid => "SUCCESS",
        State::Refused(..) => "FAIL",
        State::Returned(_) => "CHANGE",
    }
}

/// A fund flow bill, or `None` when the day has no lines.
pub(super) fn fund_flow(ledger: &Ledger, mchid: &str, date: NaiveDate) -> Option<String> {
    let time = day(date);
    let signed = |line: &Line| if line.kind == Kind::Payout { -line.amount_fen } else { line.amount_fen };
    let before: i64 = lines(ledger, Channel::Wechat, &(i64::MIN..time.start)).iter().map(signed).sum();
    let mut balance_fen = OPENING_FEN + before;
    let mut rows = String::new();
    let (mut incoming, mut outgoing) = ((0, 0), (0, 0));
    for line in lines(ledger, Channel::Wechat, &time) {
        balance_fen += signed(&line);
        let sums = if line.kind == Kind::Payout { &mut outgoing } else { &mut incoming };
        *sums = (sums.0 + 1, sums.1 + line.amount_fen);
        let placed = &line.order.placed;
        let direction = if line.kind == Kind::Payout { "支出" } else { "收入" };
        let flow = format!("{mchid}{}", placed.reference.get(8..).unwrap_or_default());
        let values = [
            &spaced(line.at_ms),
            &placed.reference,
            &flow,
            "退款",
            "退款",
            direction,
            &yuan(line.amount_fen),
            &yuan(balance_fen),
            "system",
            "",
            &format!("REF{}", placed.trade_no),
        ];
        rows.push_str(&values.map(|value| format!("`{value}")).join(","));
        rows.push_str("\r\n");
    }
    if rows.is_empty() {
        return None;
    }
    let header = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
    let summary = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";
    Some(format!(
        "{header}\r\n{rows}{summary}\r\n`{},`{},`{},`{},`{}\r\n",
        incoming.0 + outgoing.0,
        incoming.0,
        yuan(incoming.1),
        outgoing.0,
        yuan(outgoing.1)
    ))
}
