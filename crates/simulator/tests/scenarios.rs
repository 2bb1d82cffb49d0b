//! Scenarios: what is scripted happens, and the verdict comes from the book.

mod client;

use client::World;
use client::inbox::Inbox;

/// The name, a rule for WeChat and what is expected.
fn scenario(rule: &str, expect: &str) -> String {
    format!(
        "name = \"x\"\nseed = 7\n[[on]]\nchannel = \"wechat\"\npayee = \"*0420\"\n{rule}\n[expect]\n{expect}\n"
    )
}

async fn world(toml: &str) -> World {
    let world = World::start().await;
    world.trade("wechat", "42000420").await;
    let answer = world.http.post(world.url("/_sim/scenario")).body(toml.to_owned()).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("a body"));
    world
}

async fn refund(world: &World) -> Option<(u16, String)> {
    let (status, body) = world.wechat_refund("42000420", "WD1", 1_234).await?;
    let status_or_code = body["code"].as_str().or(body["status"].as_str()).unwrap_or_default();
    Some((status, status_or_code.to_owned()))
}

#[tokio::test]
async fn money_moves_or_not_whatever_the_reply_says() {
    for (step, reply, payouts) in [
        ("commit = true, reply = \"drop\"", None, 1),
        ("reply = \"drop\"", None, 0),
        ("reply = \"reset\"", None, 0),
        ("commit = true, reply = \"reset\"", None, 1),
        ("commit = true, reply = \"http-503\"", Some((503, "")), 1),
        ("reply = \"http-503\"", Some((503, "")), 0),
        ("commit = true, reply = \"SYSTEM_ERROR\"", Some((500, "SYSTEM_ERROR")), 1),
        ("reply = \"NOT_ENOUGH\"", Some((403, "NOT_ENOUGH")), 0),
        ("commit = true, reply = \"garbage\"", Some((200, "")), 1),
        ("reply = \"slow:10ms\"", Some((200, "SUCCESS")), 1),
        ("commit = false", Some((500, "SYSTEM_ERROR")), 0),
        ("reply = \"pending\"", Some((200, "PROCESSING")), 0),
    ] {
        let world = world(&scenario(&format!("steps = [{{ attempt = 1, {step} }}]"), "")).await;
        let expected = reply.map(|(status, word)| (status, word.to_owned()));
        assert_eq!(refund(&world).await, expected, "{step}");
        assert_eq!(world.running().book().movements.len(), payouts, "{step}");
        assert!(refund(&world).await.is_some(), "the next attempt is not scripted: {step}");
    }
}

#[tokio::test]
async fn the_example_of_the_language_runs_to_its_verdict() {
    let example = "name = \"response lost after the money moved\"\nseed = 7\nclock = \"2026-09-29T16:50:00+08:00\"\n\
        [[on]]\nchannel = \"bank\"\nop = \"transfer\"\npayee = \"*0420\"\nsteps = [\n\
        { attempt = 1, commit = true, reply = \"drop\" },\n{ attempt = 2, reply = \"duplicate\" },\n\
        { after = \"2 working days\", notify = \"settled\", times = 2 },\n]\n\
        [expect]\nmovements_per_payout_number = 1\nfinal_state = \"paid\"\nwithin = \"7 working days\"\n";
    let inbox = Inbox::open((200, "")).await;
    let world = world(example).await;
    world.running().set_callbacks(simulator::Callbacks { bank: Some(inbox.url.clone()), alipay: None });
    assert_eq!(world.bank_transfer("62170420", "M1", "WD1").await, None);
    let (status, report) = world.bank_transfer("62170420", "M1", "WD1").await.expect("an answer");
    assert!(status == 200 && report.contains("<TxSts>ACSC<"), "{report}");
    world.waits_for_notices(2).await;
    assert!(inbox.arrived().is_empty(), "two working days later, and not before");
    world.advance_ms(20 * 24 * 3_600_000);
    assert_eq!(inbox.expect(2).await.len(), 2);
    assert_eq!(world.running().verdict(), (true, vec![]));
}

#[tokio::test]
async fn the_number_of_an_alipay_refund_that_failed_may_be_used_again() {
    let toml = "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nsteps = [\n\
        { attempt = 1, reply = \"pending\" },\n{ after = \"1h\", notify = \"failed\" },\n]\n";
    let inbox = Inbox::open((200, "success")).await;
    let world = world(toml).await;
    world.running().set_callbacks(simulator::Callbacks { alipay: Some(inbox.url.clone()), bank: None });
    world.trade("alipay", "20260420").await;
    let mut changes = Vec::new();
    for _ in 0..3 {
        let answer = world.alipay_refund("20260420", "A1", "12.34").await.expect("an answer");
        changes.push(answer["fund_change"].as_str().unwrap_or_default().to_owned());
        world.advance_ms(2 * 3_600_000);
    }
    assert_eq!(changes, ["N", "Y", "N"]);
    assert_eq!(world.running().book().movements.len(), 1);
    let arrived = inbox.expect(1).await;
    assert_eq!(
        (arrived.len(), arrived[0].form()["refund_fee"].as_str()),
        (1, "12.34"),
        "only what moved is told"
    );
}

#[tokio::test]
async fn the_verdict_says_what_is_missing() {
    let expect = "movements_per_payout_number = 1\nfinal_state = \"paid\"\nwithin = \"2 working days\"";
    let rule = "steps = [{ reply = \"pending\" }, { after = \"3 working days\", notify = \"settled\" }]";
    let world = world(&scenario(rule, expect)).await;
    let judged = || world.running().verdict();
    assert_eq!(judged(), (false, vec!["no call met a rule of the scenario".to_owned()]));
    refund(&world).await.expect("an answer");
    let (passed, failures) = judged();
    assert_eq!((passed, failures.len()), (false, 3), "{failures:?}");
    world.advance_ms(20 * 24 * 3_600_000);
    let (passed, failures) = judged();
    assert_eq!(
        (passed, failures),
        (false, vec!["WD1 was not final by 2026-10-08T16:50:00+08:00".to_owned()])
    );
    let patient = scenario(rule, &expect.replace("2 working", "3 working"));
    world.running().load_scenario(&patient).expect("a scenario");
    world.wechat_refund("42000420", "WD2", 1).await.expect("an answer");
    world.advance_ms(20 * 24 * 3_600_000);
    assert_eq!(judged(), (true, vec![]));
}

#[tokio::test]
async fn an_outage_ends_and_a_rate_lets_some_through() {
    let world = world(&scenario("outage = { after = \"1s\", for = \"20s\" }", "")).await;
    let mut statuses = Vec::new();
    for wait_ms in [0, 999, 1, 19_999, 1] {
        world.advance_ms(wait_ms);
        statuses.push(refund(&world).await.expect("an answer").0);
    }
    assert_eq!(statuses, [200, 200, 503, 503, 200]);
    world.running().load_scenario(&scenario("rate = 2", "")).expect("a scenario");
    let mut statuses = Vec::new();
    for wait_ms in [0, 0, 0, 1_000] {
        world.advance_ms(wait_ms);
        statuses.push(refund(&world).await.expect("an answer").0);
    }
    assert_eq!(statuses, [200, 200, 429, 200]);
}

#[tokio::test]
async fn chance_is_drawn_from_the_seed_and_not_from_the_order_of_calls() {
    let toml = "name = \"x\"\nseed = SEED\n[[on]]\nchannel = \"bank\"\nchance = 0.5\nsteps = [{ reply = \"AC04\" }]\n";
    let mut drawn = Vec::new();
    for (seed, reversed) in [("1", 0), ("1", 1), ("2", 0)] {
        let world = World::start().await;
        world.running().load_scenario(&toml.replace("SEED", seed)).expect("a scenario");
        let mut numbers: Vec<u32> = (0..40).collect();
        if reversed == 1 {
            numbers.reverse();
        }
        let mut refused = Vec::new();
        for number in numbers {
            let (_, report) = world
                .bank_transfer("62170000", &format!("M{number}"), &format!("N{number}"))
                .await
                .expect("an answer");
            if report.contains("AC04") {
                refused.push(number);
            }
        }
        refused.sort_unstable();
        drawn.push(refused);
    }
    assert!((10..30).contains(&drawn[0].len()), "{:?}", drawn[0]);
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], drawn[2]);
}

#[tokio::test]
async fn notices_come_late_twice_reordered_and_forged() {
    let inbox = Inbox::open((200, "")).await;
    let steps = "steps = [{ notify = \"settled\", times = 2, delay = \"5m\" }]";
    let mut world = world(&scenario(steps, "")).await;
    world.notices.clone_from(&inbox.url);
    refund(&world).await.expect("an answer");
    world.waits_for_notices(2).await;
    assert!(inbox.arrived().is_empty());
    world.advance_ms(5 * 60_000);
    inbox.expect(2).await;
    world
        .running()
        .load_scenario(&scenario("number = \"A\"\nsteps = [{ order = \"after-next\" }]", ""))
        .expect("a scenario");
    for number in ["A", "B"] {
        world.wechat_refund("42000420", number, 1).await.expect("an answer");
        world.advance_ms(60_000);
    }
    inbox.expect(4).await;
    world.running().load_scenario(&scenario("steps = [{ sign = \"bad\" }]", "")).expect("a scenario");
    world.wechat_refund("42000420", "C", 1).await.expect("an answer");
    let arrived = inbox.expect(5).await;
    let text = |index: usize| {
        let it = &arrived[index];
        format!("{}\n{}\n{}\n", it.header("Wechatpay-Timestamp"), it.header("Wechatpay-Nonce"), it.body)
    };
    let good = |index: usize| {
        client::inbox::verifies(
            "wechat/wxp_pub.pem",
            &text(index),
            arrived[index].header("Wechatpay-Signature"),
        )
    };
    assert_eq!((0..5).map(good).collect::<Vec<_>>(), [true, true, true, true, false]);
}

#[tokio::test]
async fn a_statement_deviates_where_the_scenario_says_so() {
    for (word, expected) in
        [("missing", vec![]), ("amount-off", vec!["12.35"]), ("extra", vec!["12.34", "12.34"])]
    {
        let world = world(&scenario(&format!("steps = [{{ statement = \"{word}\" }}]"), "")).await;
        refund(&world).await.expect("an answer");
        let target = "/v3/bill/fundflowbill?bill_date=2026-09-29";
        let (_, answer) = world.wechat("GET", target, "").await.expect("an answer");
        let amounts = match answer["download_url"].as_str() {
            None => Vec::new(),
            Some(url) => {
                let path = url.strip_prefix(world.running().base_url()).expect("the same host");
                let text = String::from_utf8(world.wechat_bytes(path).await).expect("UTF-8");
                let rows = text.lines().skip(1).take_while(|line| line.starts_with('`'));
                rows.map(|row| row.split(",`").nth(6).expect("a column").to_owned()).collect()
            }
        };
        assert_eq!(amounts, expected, "{word}");
    }
}

#[tokio::test]
async fn a_broken_scenario_is_refused_with_a_caret_and_changes_nothing() {
    let world = world(&scenario("", "")).await;
    let body = "name = \"y\"\n[[on]]\nchannel = \"bnak\"\n";
    let answer = world.http.post(world.url("/_sim/scenario")).body(body).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
    let text = answer.text().await.expect("a body");
    assert!(
        text.contains("line 3, column 11")
            && text.contains("^^^^^^")
            && text.contains("unknown channel `bnak`"),
        "{text}"
    );
    let shown = world.http.get(world.url("/_sim/scenario")).send().await.expect("an answer");
    assert!(shown.text().await.expect("a body").contains("\"name\":\"x\""));
}

#[tokio::test]
async fn six_failing_requests_in_a_second_throttle_wechat() {
    let world = World::start().await;
    let mut statuses = Vec::new();
    for wait_ms in [0, 0, 0, 0, 0, 0, 0, 1_000] {
        world.advance_ms(wait_ms);
        statuses.push(world.wechat_query("WD9").await.expect("an answer").0);
    }
    assert_eq!(statuses, [404, 404, 404, 404, 404, 404, 429, 404]);
}
