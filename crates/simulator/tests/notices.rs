//! Notices: their signatures, their schedules, their faults.

mod client;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::World;
use client::inbox::{Inbox, joined, verifies, verifies_by_certificate};
use serde_json::Value;
use simulator::{Callbacks, Certificates};

async fn world_with(inbox: &Inbox) -> World {
    let mut world = World::start_with(|options| {
        options.callbacks = Callbacks {
            alipay: Some(format!("{}/alipay", inbox.url)),
            bank: Some(format!("{}/bank", inbox.url)),
        };
    })
    .await;
    world.notices.clone_from(&inbox.url);
    world
}

#[tokio::test]
async fn an_alipay_notice_is_a_form_signed_without_its_sign_type() {
    let inbox = Inbox::open((200, "success")).await;
    let world = world_with(&inbox).await;
    world.trade("alipay", "20260000").await;
    world.alipay_refund("20260000", "WD1", "12.34").await.expect("an answer");
    let form = inbox.expect(1).await[0].form();
    let text = joined(&form, &["sign", "sign_type"]);
    assert!(verifies("alipay/gateway_public.pem", &text, &form["sign"]), "{text}");
    for (name, value) in [
        ("out_biz_no", "WD1"),
        ("refund_fee", "12.34"),
        ("trade_status", "TRADE_SUCCESS"),
        ("gmt_refund", "2026-09-29 16:50:00.000"),
        ("notify_type", "trade_status_sync"),
    ] {
        assert_eq!(form[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_notice_can_name_another_amount_under_our_signature_and_the_book_stays_right() {
    let inbox = Inbox::open((200, "success")).await;
    let world = world_with(&inbox).await;
    world.trade("alipay", "20260000").await;
    let scenario = "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nsteps = [{ amount = \"off\" }]";
    world.running().load_scenario(scenario).expect("a scenario");
    world.alipay_refund("20260000", "WD1", "12.34").await.expect("an answer");
    let form = inbox.expect(1).await[0].form();
    let text = joined(&form, &["sign", "sign_type"]);
    assert!(verifies("alipay/gateway_public.pem", &text, &form["sign"]), "{text}");
    assert_eq!(form["refund_fee"], "12.35");
    assert_eq!(world.running().book().movements[0].amount_fen, 1_234);
}

#[tokio::test]
async fn an_alipay_notice_is_repeated_under_its_number_until_success_is_said() {
    let inbox = Inbox::open((200, "fail")).await;
    let world = world_with(&inbox).await;
    world.trade("alipay", "20260000").await;
    world.alipay_refund("20260000", "WD1", "12.34").await.expect("an answer");
    inbox.expect(1).await;
    for (minutes, count) in [(4, 2), (10, 3), (10, 4), (60, 5), (120, 6), (360, 7)] {
        // The round that queued the repeat must be over before the clock moves.
        world.waits_for_notices(1).await;
        world.advance_ms(minutes * 60_000 - 1);
        world.advance_ms(1);
        inbox.expect(count).await;
    }
    inbox.answer((200, "success"));
    world.waits_for_notices(1).await;
    world.advance_ms(15 * 3_600_000);
    let arrived = inbox.expect(8).await;
    world.waits_for_notices(0).await;
    let mut numbers: Vec<String> = arrived.iter().map(|it| it.form()["notify_id"].clone()).collect();
    numbers.dedup();
    assert_eq!((arrived.len(), numbers.len()), (8, 1));
}

#[tokio::test]
async fn a_wechat_notice_is_encrypted_inside_and_signed_outside() {
    let inbox = Inbox::open((204, "")).await;
    let world = world_with(&inbox).await;
    world.trade("wechat", "42000000").await;
    world.wechat_refund("42000000", "WD1", 1_234).await.expect("an answer");
    let notice = inbox.expect(1).await.remove(0);
    let text = format!(
        "{}\n{}\n{}\n",
        notice.header("Wechatpay-Timestamp"),
        notice.header("Wechatpay-Nonce"),
        notice.body
    );
    assert!(verifies("wechat/wxp_pub.pem", &text, notice.header("Wechatpay-Signature")));
    assert_eq!(notice.header("Wechatpay-Serial"), "4BD1A7E23C5F60718293A4B5C6D7E8F90A1B2C3D");
    let body: Value = serde_json::from_str(&notice.body).expect("JSON");
    assert_eq!(body["event_type"], "REFUND.SUCCESS");
    let part = |name: &str| body["resource"][name].as_str().expect("text").to_owned();
    let key = UnboundKey::new(&AES_256_GCM, b"0123456789abcdefGHIJKLMNOPQRSTUV").expect("a key");
    let nonce = Nonce::try_assume_unique_for_key(part("nonce").as_bytes()).expect("12 bytes");
    let mut sealed = STANDARD.decode(part("ciphertext")).expect("base64");
    let aad = part("associated_data");
    assert_eq!(aad, "refund");
    let plain = LessSafeKey::new(key).open_in_place(nonce, Aad::from(aad.as_bytes()), &mut sealed);
    let plain: Value = serde_json::from_slice(plain.expect("it opens")).expect("JSON");
    assert_eq!(
        (plain["out_refund_no"].as_str(), plain["refund_status"].as_str()),
        (Some("WD1"), Some("SUCCESS"))
    );
    assert_eq!(plain["amount"]["refund"], 1_234);
}

#[tokio::test]
async fn a_unionpay_notice_is_url_encoded_and_carries_its_certificate() {
    let inbox = Inbox::open((200, "ok")).await;
    let world = world_with(&inbox).await;
    world.trade("unionpay", "20260001").await;
    world.unionpay_refund("20260001", "WD000001", "1234").await.expect("an answer");
    world.advance_ms(3_000);
    let form = inbox.expect(1).await[0].form();
    assert_eq!((form["respCode"].as_str(), form["orderId"].as_str()), ("00", "WD000001"));
    assert!(form["signPubKeyCert"].contains("\r\n"));
    let text = joined(&form, &["signature"]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    assert!(verifies_by_certificate(&form["signPubKeyCert"], &hex::encode(digest), &form["signature"]));
}

#[tokio::test]
async fn what_was_not_told_is_told_after_a_restart_under_the_same_number() {
    let inbox = Inbox::open((200, "fail")).await;
    let mut world = world_with(&inbox).await;
    world.trade("alipay", "20260000").await;
    world.trade("alipay", "20270000").await;
    world.alipay_refund("20260000", "WD1", "12.34").await.expect("an answer");
    let first = inbox.expect(1).await.remove(0).form();
    world.waits_for_notices(1).await;
    inbox.answer((200, "success"));
    world.restart().await;
    let again = inbox.expect(2).await.remove(1).form();
    taken(&world, 1).await;
    assert_eq!((&again["out_biz_no"], &again["notify_id"]), (&first["out_biz_no"], &first["notify_id"]));
    // Another refund on the same day is another notice, also after a restart.
    world.restart().await;
    world.alipay_refund("20270000", "WD2", "12.34").await.expect("an answer");
    let other = inbox.expect(3).await.remove(2).form();
    assert_eq!(other["out_biz_no"], "WD2");
    assert_ne!(other["notify_id"], first["notify_id"]);
    taken(&world, 1).await;
    world.restart().await;
    world.advance_ms(48 * 3_600_000);
    world.alipay_refund("20270000", "WD3", "1.00").await.expect("an answer");
    let forms: Vec<_> = inbox.expect(4).await.iter().map(|it| it.form()["out_biz_no"].clone()).collect();
    assert_eq!(forms, ["WD1", "WD1", "WD2", "WD3"], "what was taken is not told again");
}

/// Waits until the simulator has noted that so many notices were taken.
async fn taken(world: &World, count: usize) {
    for _ in 0..500 {
        let seen: Value = world
            .http
            .get(world.url("/_sim/requests"))
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let notes = seen["newest"].as_array().expect("a list");
        if notes.iter().filter(|it| it["method"] == "NOTICE" && it["status"] == 200).count() >= count {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{count} notices were never taken");
}

#[tokio::test]
async fn a_merchant_with_the_public_key_alone_gets_no_certificates() {
    for (certificates, status) in [(Certificates::HandedOut, 200), (Certificates::None, 404)] {
        let world = World::start_with(|options| options.switches.certificates = certificates).await;
        let (answered, body) = world.wechat("GET", "/v3/certificates", "").await.expect("an answer");
        assert_eq!(answered, status, "{body}");
    }
}

#[tokio::test]
async fn a_returned_bank_payment_is_told_three_working_days_later() {
    let inbox = Inbox::open((200, "")).await;
    let world = world_with(&inbox).await;
    // Tuesday, two days before the National Day holiday of seven days.
    let (_, report) = world.bank_transfer("62170009", "M1", "WD1").await.expect("an answer");
    assert!(report.contains("<TxSts>ACSC<"));
    world.advance_ms(24 * 3_600_000 * 10 - 1);
    assert_eq!(world.running().book().returned_fen, 0);
    world.advance_ms(1);
    let notice = inbox.expect(1).await.remove(0);
    assert_eq!(world.running().book().returned_fen, 1_234);
    assert!(verifies("bank/bank_pub.pem", &notice.body, notice.header("X-Signature")));
    for part in ["camt.054.001.08", "<RvslInd>true<", "<EndToEndId>WD1<", "<MsgId>M1<", "<Cd>AC04<", "12.34"]
    {
        assert!(notice.body.contains(part), "{part} in {}", notice.body);
    }
}

#[tokio::test]
async fn endings_repeat_a_notice_and_send_it_before_the_reply() {
    let inbox = Inbox::open((200, "")).await;
    let world = world_with(&inbox).await;
    world.trade("wechat", "42000011").await;
    world.wechat_refund("42000011", "WD1", 1).await.expect("an answer");
    assert_eq!(inbox.arrived().len(), 1, "it was there before the reply");
    world.wechat_refund("42000011", "WD1", 1).await.expect("an answer");
    assert_eq!(inbox.arrived().len(), 1, "a repeat has nothing new to tell");
    world.trade("wechat", "42000010").await;
    world.wechat_refund("42000010", "WD2", 1).await.expect("an answer");
    assert_eq!(inbox.expect(4).await.len(), 4);
}

#[tokio::test]
async fn a_bank_tells_of_a_paid_transfer_where_its_ending_wants_it() {
    let inbox = Inbox::open((200, "")).await;
    let world = world_with(&inbox).await;
    for (account, number, told) in [("62170000", "WD0", 0), ("62170011", "WD1", 1)] {
        let (_, report) = world.bank_transfer(account, number, number).await.expect("an answer");
        assert!(report.contains("<TxSts>ACSC<"), "{report}");
        assert_eq!(inbox.arrived().len(), told, "before the reply to {account}");
    }
    world.bank_transfer("62170010", "WD2", "WD2").await.expect("an answer");
    let arrived = inbox.expect(4).await;
    let about = |number: &str| arrived.iter().filter(|it| it.body.contains(number)).count();
    assert_eq!((about(">WD0<"), about("<EndToEndId>WD1<"), about("<EndToEndId>WD2<")), (0, 1, 3));
    assert!(arrived[0].body.contains("<CdtDbtInd>DBIT<"), "{}", arrived[0].body);
}

#[tokio::test]
async fn a_transfer_that_failed_was_never_booked_and_is_not_told() {
    let inbox = Inbox::open((200, "")).await;
    let world = world_with(&inbox).await;
    let scenario = "name = \"x\"\n[[on]]\nchannel = \"bank\"\npayee = \"*0420\"\n\
        steps = [{ reply = \"pending\" }, { after = \"1 working day\", notify = \"failed\" }]";
    world.running().load_scenario(scenario).expect("a scenario");
    world.bank_transfer("62170420", "M1", "WDFAILS1").await.expect("an answer");
    world.advance_ms(26 * 3_600_000);
    world.bank_transfer("62170001", "M2", "WDPAYS01").await.expect("an answer");
    world.advance_ms(3_000);
    let arrived = inbox.expect(1).await;
    assert_eq!(arrived.len(), 1);
    assert!(arrived[0].body.contains("<EndToEndId>WDPAYS01<"), "{}", arrived[0].body);
    assert_eq!(world.running().book().movements.len(), 1);
}
