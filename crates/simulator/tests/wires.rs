//! The four wires from the merchant's side: refunds, repeats, queries, refusals.

mod client;

use client::{World, pain001};
use serde_json::json;

#[tokio::test]
async fn alipay_pays_once_per_trade_and_number() {
    let world = World::start().await;
    world.trade("alipay", "2026090122000000").await;
    let first = world.alipay_refund("2026090122000000", "WD1", "12.34").await.expect("an answer");
    assert_eq!((first["code"].as_str(), first["fund_change"].as_str()), (Some("10000"), Some("Y")));
    assert_eq!(first["refund_fee"], "12.34");
    let repeat = world.alipay_refund("2026090122000000", "WD1", "12.34").await.expect("an answer");
    assert_eq!((repeat["code"].as_str(), repeat["fund_change"].as_str()), (Some("10000"), Some("N")));
    let changed = world.alipay_refund("2026090122000000", "WD1", "12.35").await.expect("an answer");
    assert_eq!(changed["sub_code"], "ACQ.DISCORDANT_REPEAT_REQUEST");
    world.advance_ms(3_000);
    let over = world.alipay_refund("2026090122000000", "WD2", "87.67").await.expect("an answer");
    assert_eq!(over["sub_code"], "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    let unknown = world.alipay_refund("1", "WD2", "1.00").await.expect("an answer");
    assert_eq!(unknown["sub_code"], "ACQ.TRADE_NOT_EXIST");
    let query = world.alipay_query("2026090122000000", "WD1").await.expect("an answer");
    assert_eq!(
        (query["refund_status"].as_str(), query["refund_amount"].as_str()),
        (Some("REFUND_SUCCESS"), Some("12.34"))
    );
    let absent = world.alipay_query("2026090122000000", "WD9").await.expect("an answer");
    assert_eq!((absent["code"].as_str(), absent.get("refund_status")), (Some("10000"), None));
    assert_eq!(world.running().book().paid_out_fen, 1_234);
}

#[tokio::test]
async fn alipay_wants_three_seconds_between_refunds_of_a_trade() {
    let world = World::start().await;
    world.trade("alipay", "2026090122000000").await;
    for (wait_ms, number, expected) in [(0, "A", "10000"), (2_999, "B", "40005"), (1, "B", "10000")] {
        world.advance_ms(wait_ms);
        let answer = world.alipay_refund("2026090122000000", number, "1.00").await.expect("an answer");
        assert_eq!(answer["code"], expected, "{number} after {wait_ms} ms");
    }
}

#[tokio::test]
async fn alipay_refunds_a_trade_for_twelve_months() {
    let world = World::start().await;
    world.trade("alipay", "20260000").await;
    // The last second of the first of September 2027; the trade was paid a year before.
    world.advance_ms(337 * 24 * 3_600_000 + (7 * 3_600 + 9 * 60 + 59) * 1_000);
    let last = world.alipay_refund("20260000", "A1", "12.34").await.expect("an answer");
    assert_eq!(last["fund_change"], "Y", "{last}");
    world.advance_ms(1_000);
    let late = world.alipay_refund("20260000", "A2", "12.34").await.expect("an answer");
    assert_eq!(late["sub_code"], "ACQ.TRADE_HAS_FINISHED");
    let repeat = world.alipay_refund("20260000", "A1", "12.34").await.expect("an answer");
    assert_eq!(repeat["fund_change"], "N", "what was done is still told");
}

#[tokio::test]
async fn alipays_query_tells_what_it_was_asked_for() {
    let world = World::start().await;
    world.trade("alipay", "20260000").await;
    world.alipay_refund("20260000", "A1", "12.34").await.expect("an answer");
    for (option, expected) in [
        (
            "refund_detail_item_list",
            json!([{"amount": "12.34", "fund_channel": "ALIPAYACCOUNT", "real_amount": "12.34"}]),
        ),
        ("gmt_refund_pay", json!("2026-09-29 16:50:00")),
        ("deposit_back_info", json!({"has_deposit_back": "false"})),
    ] {
        let biz = json!({"trade_no": "20260000", "out_request_no": "A1", "query_options": [option]});
        let told = world.alipay("alipay.trade.fastpay.refund.query", &biz).await.expect("an answer");
        assert_eq!(told[option], expected, "{told}");
    }
}

#[tokio::test]
async fn a_trade_that_cannot_be_registered_is_refused_with_the_reason() {
    let world = World::start().await;
    let trade =
        |change: &str| format!("{{\"channel\":\"alipay\",\"out_trade_no\":\"O1\",\"total_fen\":1{change}}}");
    for (body, status, reason) in [
        (trade(""), 400, "trade_no"),
        (trade(",\"trade_no\":\"1\",\"colour\":\"red\""), 400, "colour"),
        (format!("[{}]", trade(",\"trade_no\":1")), 400, "line 1 column"),
        (trade(",\"trade_no\":\"1\",\"paid_at\":\"yesterday\""), 409, "paid_at is not RFC 3339"),
        (format!("[{}]", trade(",\"trade_no\":\"1\"")), 201, "registered"),
    ] {
        let answer = world.http.post(world.url("/_sim/trades")).body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{reason}");
        let text = answer.text().await.expect("a body");
        assert!(text.contains(reason), "{reason}: {text}");
    }
}

#[tokio::test]
async fn wechat_pays_once_per_number() {
    let world = World::start().await;
    world.trade("wechat", "4200000000000000").await;
    let (status, first) = world.wechat_refund("4200000000000000", "WD1", 1_234).await.expect("an answer");
    assert_eq!((status, first["status"].as_str()), (200, Some("SUCCESS")));
    let (_, repeat) = world.wechat_refund("4200000000000000", "WD1", 1_234).await.expect("an answer");
    assert_eq!(repeat["refund_id"], first["refund_id"]);
    for (trade_no, number, fen, expected) in [
        ("4200000000000000", "WD1", 1_235, (400, "INVALID_REQUEST")),
        ("4200000000000000", "WD2", 8_767, (400, "INVALID_REQUEST")),
        ("4200000000000000", "WD 2", 1, (400, "PARAM_ERROR")),
        ("4200000000000009", "WD2", 1, (404, "RESOURCE_NOT_EXISTS")),
    ] {
        let (status, body) = world.wechat_refund(trade_no, number, fen).await.expect("an answer");
        assert_eq!((status, body["code"].as_str()), (expected.0, Some(expected.1)), "{number} {fen}");
    }
    let (status, query) = world.wechat_query("WD1").await.expect("an answer");
    assert_eq!((status, query["status"].as_str()), (200, Some("SUCCESS")));
    assert_eq!(world.wechat_query("WD9").await.expect("an answer").0, 404);
    assert_eq!(world.running().book().paid_out_fen, 1_234);
}

#[tokio::test]
async fn wechat_refuses_an_order_older_than_a_year_and_a_fifty_first_refund() {
    let world = World::start().await;
    world.trade("wechat", "4200000000000000").await;
    for count in 0..50 {
        let (status, _) =
            world.wechat_refund("4200000000000000", &format!("WD{count}"), 1).await.expect("an answer");
        assert_eq!(status, 200, "refund {count}");
    }
    let (status, body) = world.wechat_refund("4200000000000000", "WD50", 1).await.expect("an answer");
    assert_eq!((status, body["code"].as_str()), (400, Some("INVALID_REQUEST")));
    world.trade("wechat", "4200000000000010").await;
    world.advance_ms(365 * 24 * 3_600_000);
    let (status, _) = world.wechat_refund("4200000000000010", "WD51", 1).await.expect("an answer");
    assert_eq!(status, 400);
}

#[tokio::test]
async fn unionpay_refuses_a_repeat_and_tells_the_result_in_the_query() {
    let world = World::start().await;
    world.trade("unionpay", "202609010000000000000").await;
    let first = world.unionpay_refund("202609010000000000000", "WD000001", "1234").await.expect("an answer");
    assert_eq!(first["respCode"], "00");
    assert!(first["signPubKeyCert"].as_str().expect("text").contains("\r\n"));
    for (trade_no, number, fen, expected) in [
        ("202609010000000000000", "WD000001", "1234", "12"),
        ("202609010000000000000", "WD000002", "8767", "36"),
        ("202609010000000000000", "WD-00002", "1", "10"),
        ("202609010000000000009", "WD000002", "1", "35"),
    ] {
        let answer = world.unionpay_refund(trade_no, number, fen).await.expect("an answer");
        assert_eq!(answer["respCode"], expected, "{number} {fen}");
    }
    let query = world.unionpay_query("WD000001").await.expect("an answer");
    assert_eq!((query["respCode"].as_str(), query["origRespCode"].as_str()), (Some("00"), Some("00")));
    assert_eq!((query["queryId"].clone(), query["txnType"].as_str()), (first["queryId"].clone(), Some("04")));
    assert_eq!(world.unionpay_query("WD000009").await.expect("an answer")["respCode"], "34");
    assert_eq!(world.running().book().paid_out_fen, 1_234);
}

#[tokio::test]
async fn the_seventh_query_of_an_open_unionpay_order_is_refused() {
    let world = World::start().await;
    world.trade("unionpay", "202609010000000000001").await;
    world.unionpay_refund("202609010000000000001", "WD000001", "1").await.expect("an answer");
    for _ in 0..6 {
        let query = world.unionpay_query("WD000001").await.expect("an answer");
        assert_eq!((query["respCode"].as_str(), query["origRespCode"].as_str()), (Some("00"), Some("05")));
    }
    assert_eq!(world.unionpay_query("WD000001").await.expect("an answer")["respCode"], "37");
    world.advance_ms(3_000);
    assert_eq!(world.unionpay_query("WD000001").await.expect("an answer")["origRespCode"], "00");
}

#[tokio::test]
async fn the_bank_knows_a_file_by_number_and_bytes_and_a_transfer_by_number() {
    let world = World::start().await;
    let file = pain001("M1", &[("WD1", "12.34", "62170000"), ("WD2", "1.00", "62170002")]);
    let (status, report) = world.bank(&file).await.expect("an answer");
    assert_eq!(status, 200);
    assert!(report.contains("<GrpSts>PART</GrpSts>"), "{report}");
    assert!(report.contains("<OrgnlEndToEndId>WD1</OrgnlEndToEndId><TxSts>ACSC</TxSts>"));
    assert!(report.contains("<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn>"));
    assert_eq!(world.bank(&file).await, Some((200, report.clone())), "the same bytes, the same answer");
    let (_, conflict) = world.bank(&file.replace("12.34", "12.35")).await.expect("an answer");
    assert!(conflict.contains("<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd>"), "{conflict}");
    let (_, known) = world.bank_transfer("62170000", "M2", "WD1").await.expect("an answer");
    assert!(known.contains("<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM05</Cd>"), "{known}");
    let (_, again) = world.bank_transfer("62170000", "M3", "WD2").await.expect("an answer");
    assert!(again.contains("<TxSts>ACSC</TxSts>"), "a refused transfer may be sent again: {again}");
    assert_eq!(world.bank_status("msgId=M1").await, (200, report), "a refusal stays with its file");
    for (number, file) in [("WD1", "M1"), ("WD2", "M3")] {
        let (status, report) = world.bank_status(&format!("endToEndId={number}")).await;
        assert_eq!(status, 200);
        assert!(
            report.contains(&format!("<OrgnlMsgId>{file}<")),
            "{number} was taken on by {file}: {report}"
        );
    }
    assert_eq!(world.bank_status("msgId=M9").await.0, 404);
    let (status, fault) = world.bank("<Document/>").await.expect("an answer");
    assert_eq!((status, fault.contains("<Cd>FF01</Cd>")), (400, true));
    let forged = world.http.post(world.url("/bank/pain001")).header("X-Signature", "AAAA").body(file);
    assert_eq!(forged.send().await.expect("an answer").status(), 401);
}
