//! The book: it survives a restart, and it says itself when money moved twice.

mod client;

use std::fs;
use std::io::Write as _;

use client::World;
use simulator::{Channel, Keys, Signing};

#[tokio::test]
async fn a_restart_forgets_neither_trades_nor_numbers_nor_attempts() {
    let mut world = World::start().await;
    for (channel, trade_no) in
        [("alipay", "20260007"), ("wechat", "42000000"), ("unionpay", "20260001"), ("wechat", "42000008")]
    {
        world.trade(channel, trade_no).await;
    }
    assert!(world.alipay_refund("20260007", "A1", "12.34").await.is_none(), "the answer is lost");
    let (_, paid) = world.wechat_refund("42000000", "W1", 1_234).await.expect("an answer");
    assert_eq!(world.wechat_refund("42000008", "W2", 1_234).await.expect("an answer").0, 503);
    world.unionpay_refund("20260001", "U0000001", "1234").await.expect("an answer");
    let bank = world.bank_transfer("62170000", "M1", "B1").await.expect("an answer");
    world.restart().await;
    world.advance_ms(3_000);
    let repeat = world.alipay_refund("20260007", "A1", "12.34").await.expect("an answer");
    assert_eq!((repeat["code"].as_str(), repeat["fund_change"].as_str()), (Some("10000"), Some("N")));
    let (_, again) = world.wechat_refund("42000000", "W1", 1_234).await.expect("an answer");
    assert_eq!(again, paid);
    assert_eq!(world.wechat_refund("42000008", "W2", 1_234).await.expect("an answer").0, 503);
    assert_eq!(world.wechat_refund("42000008", "W2", 1_234).await.expect("an answer").0, 200);
    let repeat = world.unionpay_refund("20260001", "U0000001", "1234").await.expect("an answer");
    assert_eq!(repeat["respCode"], "12");
    assert_eq!(world.unionpay_query("U0000001").await.expect("an answer")["origRespCode"], "00");
    assert_eq!(world.bank_transfer("62170000", "M1", "B1").await.expect("an answer"), bank);
    let book = world.running().book();
    assert_eq!((book.movements.len(), book.paid_twice, book.paid_out_fen), (5, 0, 5 * 1_234));
}

#[tokio::test]
async fn without_deduplication_the_book_counts_the_second_payment() {
    let mut world = World::start_with(|options| options.switches.no_dedup = Channel::ALL.to_vec()).await;
    for (channel, trade_no) in [("alipay", "20260000"), ("wechat", "42000000"), ("unionpay", "20260000")] {
        world.trade(channel, trade_no).await;
    }
    for _ in 0..2 {
        world.alipay_refund("20260000", "A1", "60.00").await.expect("an answer");
        world.wechat_refund("42000000", "W1", 6_000).await.expect("an answer");
        world.unionpay_refund("20260000", "U0000001", "6000").await.expect("an answer");
        world.bank_transfer("62170000", "M1", "B1").await.expect("an answer");
    }
    let book = world.running().book();
    assert_eq!((book.paid_twice, book.over_refunded), (4, 3));
    assert_eq!(book.paid_twice_numbers, ["A1", "B1", "U0000001", "W1"]);
    world.restart().await;
    assert_eq!(world.running().book().paid_twice, 4);
}

#[tokio::test]
async fn a_line_cut_short_by_a_kill_is_dropped_and_a_broken_one_is_refused() {
    let mut world = World::start().await;
    world.trade("wechat", "42000000").await;
    let path = world.options.book_path.clone();
    let append = |text: &str| {
        let mut file = fs::OpenOptions::new().append(true).open(&path).expect("the book");
        file.write_all(text.as_bytes()).expect("written");
    };
    append("{\"entry\":\"attempt\",\"ke");
    world.restart().await;
    world.trade("wechat", "42000001").await;
    world.restart().await;
    world.running.take().expect("it runs").stop().await;
    append("nonsense\n");
    let refused = simulator::Simulator::start(world.options.clone()).await.err().expect("a broken book");
    let source = std::error::Error::source(&refused).expect("a cause").to_string();
    assert!(source.contains("line 3"), "{source}");
}

#[tokio::test]
async fn a_line_is_dropped_wherever_it_was_cut() {
    let line = "{\"entry\":\"trade\",\"channel\":\"wechat\",\"trade_no\":\"42000002\",\"out_trade_no\":\"O2\",\
        \"total_fen\":1,\"payer_name\":\"张三\"}";
    let within_a_character = line.find('三').expect("a name") + 1;
    for length in [1, within_a_character, line.len()] {
        let mut world = World::start().await;
        world.trade("wechat", "42000000").await;
        let mut file = fs::OpenOptions::new().append(true).open(&world.options.book_path).expect("the book");
        file.write_all(&line.as_bytes()[..length]).expect("written");
        world.restart().await;
        world.trade("wechat", "42000001").await;
        world.restart().await;
        let trades = world.http.get(world.url("/_sim/trades")).send().await.expect("an answer");
        let trades: serde_json::Value = trades.json().await.expect("JSON");
        let numbers: Vec<_> = trades.as_array().expect("a list").iter().map(|it| &it["trade_no"]).collect();
        assert_eq!(numbers, ["42000000", "42000001"], "{length} bytes of the line");
    }
}

#[tokio::test]
async fn a_fresh_key_folder_has_the_whole_layout_and_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Keys::load_or_generate(folder.path(), Signing::On).expect("a key set");
    let id: u64 = keys.settings.unionpay.merchant_cert_id.parse().expect("a number");
    assert!(id < 1 << 53);
    let list = |root: &std::path::Path| {
        let mut names = Vec::new();
        for channel in Channel::ALL {
            for file in fs::read_dir(root.join(channel.name())).expect("a folder per channel") {
                names.push(format!("{}/{}", channel.name(), file.expect("an entry").file_name().display()));
            }
        }
        names.sort();
        names
    };
    assert_eq!(list(folder.path()), list(&client::keys_dir()));
}

#[tokio::test]
async fn the_clock_moves_only_when_it_is_manual() {
    let world = World::start().await;
    let ask = |body: &'static str| world.http.post(world.url("/_sim/clock")).body(body).send();
    assert_eq!(ask("{\"advance_ms\":1000}").await.expect("an answer").status(), 200);
    assert_eq!(world.options.clock.now_ms(), client::START_MS + 1_000);
    assert_eq!(ask("{\"now\":\"2026-10-10T08:00:00+08:00\"}").await.expect("an answer").status(), 200);
    assert_eq!(ask("{\"later\":1}").await.expect("an answer").status(), 400);
    let real = World::start_with(|options| options.clock = simulator::SimClock::Real).await;
    let answer = real.http.post(real.url("/_sim/clock")).body("{\"advance_ms\":1}").send().await;
    assert_eq!(answer.expect("an answer").status(), 409);
}
