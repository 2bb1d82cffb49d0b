//! Magic accounts: the same ending does the same on every channel, and the book
//! tells whether the money moved.

mod client;

use client::World;
use simulator::Channel;

/// What a merchant learns from one call on a channel.
async fn pay(world: &World, channel: &str, ending: &str) -> String {
    match channel {
        "alipay" => {
            let answer = world.alipay_refund(&format!("20260901{ending}"), "WD000001", "12.34").await;
            answer.map_or("none".into(), |answer| match answer["fund_change"].as_str() {
                Some("Y") => "paid".into(),
                Some(_) => "ok".into(),
                None => answer["sub_code"].as_str().map_or_else(|| answer["http"].to_string(), str::to_owned),
            })
        }
        "wechat" => {
            let answer = world.wechat_refund(&format!("42000000{ending}"), "WD000001", 1_234).await;
            answer.map_or("none".into(), |(status, answer)| match answer["status"].as_str() {
                Some("SUCCESS") => "paid".into(),
                Some("PROCESSING") => "ok".into(),
                _ => answer["code"].as_str().map_or_else(|| status.to_string(), str::to_owned),
            })
        }
        "unionpay" => {
            let answer = world.unionpay_refund(&format!("20260901{ending}"), "WD000001", "1234").await;
            answer.map_or("none".into(), |answer| match answer["respCode"].as_str() {
                Some("00") => "ok".into(),
                code => code.map_or_else(|| answer["http"].to_string(), str::to_owned),
            })
        }
        _ => {
            let answer = world.bank_transfer(&format!("62170000{ending}"), "M1", "WD000001").await;
            answer.map_or("none".into(), |(status, report)| match status {
                200 if report.contains("<TxSts>ACSC<") => "paid".into(),
                200 if report.contains("<TxSts>ACSP<") => "ok".into(),
                200 => report.split("<Rsn><Cd>").nth(1).map_or_else(String::new, |rest| rest[..4].to_owned()),
                _ => status.to_string(),
            })
        }
    }
}

/// Every ending, what successive calls learn, and how often the money moved.
#[rstest::rstest]
#[case::paid("0000", ["paid paid ok paid", "", ""], 1)]
#[case::pending("0001", ["ok ok ok ok", "", ""], 0)]
#[case::no_account("0002", ["ACQ.BUYER_NOT_EXIST USER_ACCOUNT_ABNORMAL 61 AC01", "", ""], 0)]
#[case::name("0003", ["ACQ.USER_NOT_MATCH_ERR USER_ACCOUNT_ABNORMAL 66 BE01", "", ""], 0)]
#[case::limit("0004", ["ACQ.REFUND_FEE_ERROR INVALID_REQUEST 33 AM02", "", ""], 0)]
#[case::funds("0005", ["ACQ.SELLER_BALANCE_NOT_ENOUGH NOT_ENOUGH 64 AM04", "", ""], 0)]
#[case::lost_before("0006", ["none none none none", "paid paid ok paid", ""], 1)]
#[case::lost_after("0007", ["none none none none", "ok paid 12 paid", ""], 1)]
#[case::unavailable("0008", ["503 503 503 503", "503 503 503 503", "paid paid ok paid"], 1)]
#[tokio::test]
async fn an_ending_does_the_same_on_every_channel(
    #[case] ending: &str,
    #[case] expected: [&str; 3],
    #[case] payouts: usize,
) {
    let world = World::start().await;
    world.trade("alipay", &format!("20260901{ending}")).await;
    world.trade("wechat", &format!("42000000{ending}")).await;
    world.trade("unionpay", &format!("20260901{ending}")).await;
    for learned in expected.into_iter().filter(|learned| !learned.is_empty()) {
        let mut answers = Vec::new();
        for channel in Channel::ALL {
            answers.push(pay(&world, channel.name(), ending).await);
        }
        assert_eq!(answers.join(" "), learned);
    }
    let book = world.running().book();
    for channel in Channel::ALL {
        assert_eq!(book.totals[channel.name()].payouts, payouts, "{channel:?}");
    }
}

#[tokio::test]
async fn a_pending_order_is_paid_when_the_clock_has_moved() {
    let world = World::start().await;
    world.trade("wechat", "420000000001").await;
    assert_eq!(pay(&world, "wechat", "0001").await, "ok");
    world.advance_ms(2_999);
    assert_eq!(world.wechat_query("WD000001").await.expect("an answer").1["status"], "PROCESSING");
    world.advance_ms(1);
    assert_eq!(world.wechat_query("WD000001").await.expect("an answer").1["status"], "SUCCESS");
    assert_eq!(world.running().book().movements[0].at, "2026-09-29T16:50:03+08:00");
}

#[tokio::test]
async fn the_account_that_never_answers_keeps_no_trace() {
    let world = World::start().await;
    world.trade("wechat", "420000000013").await;
    let call = world.wechat_refund("420000000013", "WD000001", 1);
    tokio::time::timeout(std::time::Duration::from_millis(200), call).await.expect_err("no answer ever");
    assert_eq!(world.wechat_query("WD000001").await.expect("an answer").0, 404);
    assert!(world.running().book().movements.is_empty());
}

#[tokio::test]
async fn a_closed_window_is_said_in_each_channels_own_words() {
    let world = World::start().await;
    world.trade("alipay", "202609010014").await;
    world.trade("wechat", "420000000014").await;
    world.trade("unionpay", "202609010014").await;
    let mut answers = Vec::new();
    for channel in Channel::ALL {
        answers.push(pay(&world, channel.name(), "0014").await);
    }
    // The bank refuses realtime payments only.
    assert_eq!(answers.join(" "), "ACQ.TRADE_HAS_FINISHED INVALID_REQUEST 35 paid");
}
