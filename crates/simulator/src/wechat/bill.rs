//! `tradebill` and `fundflowbill`: an address and a hash first, then the file.

mod rows;

use std::io::Write as _;

use aws_lc_rs::digest;
use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::{Answer, Failure};
use crate::json_text::Object;
use crate::nonce::random_hex;
use crate::statement::{Availability, Download, availability};
use crate::world::World;

/// How long an address is good.
const ADDRESS_MS: i64 = 5 * 60_000;

/// Which bill.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bill {
    Trade,
    FundFlow,
}

/// The query of both calls.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    bill_date: String,
    #[serde(default)]
    bill_type: String,
    #[serde(default)]
    account_type: String,
    #[serde(default)]
    tar_type: String,
}

/// Makes a bill and says where it can be fetched.
pub(super) fn apply(world: &World, bill: Bill, asked: &Asked) -> Result<Answer, Failure> {
    let date: NaiveDate =
        asked.bill_date.parse().map_err(|_| Failure::new(400, "PARAM_ERROR", "参数错误：bill_date"))?;
    match availability(world, date) {
        Availability::Ready => {}
        Availability::Creating => {
            return Err(Failure::new(400, "STATEMENT_CREATING", "账单生成中，请稍后再试"));
        }
        Availability::Never => return Err(Failure::new(400, "INVALID_REQUEST", "账单日期不合法")),
    }
    let text = world.book.enter(world.clock.now_ms(), |ledger| {
        let settings = &world.keys.settings.wechat;
        match bill {
            Bill::Trade => rows::trade(ledger, settings, (date, &asked.bill_type)),
            Bill::FundFlow if !["", "BASIC"].contains(&asked.account_type.as_str()) => Ok(None),
            Bill::FundFlow => Ok(rows::fund_flow(ledger, &settings.mchid, date)),
        }
    })?;
    let text = text.ok_or_else(|| Failure::new(400, "NO_STATEMENT_EXIST", "账单不存在"))?;
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let file = file(text, &asked.tar_type, world.clock.now_ms() + ADDRESS_MS)?;
    let token = random_hex(16);
    let url = format!("{}/v3/billdownload/file?token={token}", world.base_url);
    world.downloads.keep(token, file);
    let body = Object::new()
        .text("hash_type", "SHA1")
        .text("hash_value", &hex::encode(hash))
        .text("download_url", &url)
        .finish();
    Ok(Answer::ok(body))
}

fn file(text: String, tar_type: &str, expires_ms: i64) -> Result<Download, Failure> {
    match tar_type {
        "" => Ok(Download { content_type: "text/plain", bytes: text.into_bytes(), expires_ms }),
        "GZIP" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text.as_bytes()).expect("writing to memory does not fail");
            let bytes = encoder.finish().expect("writing to memory does not fail");
            Ok(Download { content_type: "application/x-gzip", bytes, expires_ms })
        }
        _ => Err(Failure::new(400, "PARAM_ERROR", "参数错误：tar_type")),
    }
}

/// The file of a token.
pub(super) fn fetch(world: &World, token: &str) -> Result<Download, Failure> {
    let expired = || Failure::new(404, "RESOURCE_NOT_EXISTS", "账单下载地址已失效");
    world.downloads.fetch(token, world.clock.now_ms()).ok_or_else(expired)
}
