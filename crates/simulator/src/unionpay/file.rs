//! The reconciliation file, `txnType` 76: fixed widths in bytes, GBK, zipped and
//! deflated once more.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{Datelike as _, Months, NaiveDate};
use encoding_rs::GBK;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::form::Form;
use super::{Answer, Code};
use crate::behaviour::Reply;
use crate::book::Kind;
use crate::channel::Channel;
use crate::clock::beijing;
use crate::statement::{Availability, Line, availability, day, lines};
use crate::world::World;
use crate::zip::archive;

/// The widths of the 42 fields, in bytes.
const WIDTHS: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15,
    32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];
/// The clearing day ends an hour before the calendar day.
const EARLIER_MS: i64 = 3_600_000;

/// Gives the file of a clearing day.
pub(super) fn transfer(world: &World, form: &Form) -> Result<Answer, Code> {
    if form.get("txnSubType") != "01" || form.get("fileType") != "00" {
        return Err(Code::new("10", "报文格式错误"));
    }
    let none = || Code::new("98", "文件不存在");
    let date = settle_date(world, form.get("settleDate")).ok_or_else(|| Code::new("10", "报文格式错误"))?;
    if availability(world, date) != Availability::Ready {
        return Err(none());
    }
    let mer_id = &world.keys.settings.unionpay.mer_id;
    let time = day(date);
    let time = time.start - EARLIER_MS..time.end - EARLIER_MS;
    let rows = world.book.enter(world.clock.now_ms(), |ledger| {
        let payouts =
            lines(ledger, Channel::Unionpay, &time).into_iter().filter(|it| it.kind == Kind::Payout);
        let row_of = |line: Line| {
            let original = ledger.trade(Channel::Unionpay, [&line.order.placed.trade_no, ""]);
            row(mer_id, &line, original.map_or("", |account| &account.trade.out_trade_no))
        };
        payouts.flat_map(row_of).collect::<Vec<u8>>()
    });
    if rows.is_empty() {
        return Err(none());
    }
    let member = format!("INN{}88ZM_{mer_id}", date.format("%y%m%d"));
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&archive(&[(member.into_bytes(), rows)])).expect("writing to memory does not fail");
    let content = encoder.finish().expect("writing to memory does not fail");
    let fields = vec![
        ("fileType", "00".to_owned()),
        ("settleDate", form.get("settleDate").to_owned()),
        ("fileName", format!("{mer_id}_{}.zip", date.format("%Y%m%d"))),
        ("fileContent", STANDARD.encode(content)),
    ];
    Ok(Answer { reply: Reply::Truth, fields, code: Code::ok() })
}

/// `MMDD` of the newest year in which that day has come.
fn settle_date(world: &World, text: &str) -> Option<NaiveDate> {
    let today = beijing(world.clock.now_ms() + EARLIER_MS).date_naive();
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (month, day) = (text.get(..2)?.parse().ok()?, text.get(2..)?.parse().ok()?);
    let date = NaiveDate::from_ymd_opt(today.year(), month, day).filter(|_| digits)?;
    Some(if date > today { date - Months::new(12) } else { date })
}

fn row(mer_id: &str, line: &Line, original_order_id: &str) -> Vec<u8> {
    let placed = &line.order.placed;
    let amount = format!("{:012}", line.amount_fen);
    let debit = format!("D{amount}");
    let time = beijing(placed.created_ms).format("%m%d%H%M%S").to_string();
    let kind = placed.echo.get("bizType").map_or("000201", String::as_str);
    let mut fields = [""; 42];
    // Positions as the format counts them, from one.
    for (position, value) in [
        (1, "S30"),
        (2, "00010000"),
        (3, "00010000"),
        (4, &placed.reference[14..20]),
        (5, &time),
        (6, "6221********0000"),
        (7, &amount),
        (8, "5411"),
        (9, "07"),
        (10, &placed.reference),
        (12, &line.number),
        (13, "01"),
        (16, "D000000000000"),
        (17, &debit),
        (18, "0001"),
        (20, "04"),
        (21, "00"),
        (22, kind),
        (27, &placed.trade_no),
        (28, mer_id),
        (33, &debit),
        (41, original_order_id),
    ] {
        fields[position - 1] = value;
    }
    let mut row = Vec::new();
    for (width, value) in WIDTHS.into_iter().zip(fields) {
        let mut bytes = GBK.encode(value).0.into_owned();
        bytes.resize(width, b' ');
        row.extend_from_slice(&bytes);
        row.push(b' ');
    }
    row.pop();
    row.extend_from_slice(b"\r\n");
    row
}
