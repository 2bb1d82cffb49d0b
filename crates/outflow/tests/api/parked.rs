//! A message that nobody could use: seen, mended and sent again.

use lapin::options::BasicPublishOptions;
use reqwest::Method;
use serde_json::{Value, json};

use super::{NUMBER, World, ask, message};

pub(super) async fn a_message_is_edited_and_sent_again(world: &World) {
    // Its amount is a number: nobody can use it.
    let mut data = ask("1.00");
    data["amount"] = json!(1.5);
    data["requester"] = "li.wei".into();
    data["requested_at"] = "2026-09-23T09:30:00+08:00".into();
    data["bank_account"] = json!({ "number": NUMBER });
    let body = message("parked-1", "withdrawal.requested", &data).to_string();
    let connection =
        lapin::Connection::connect(&world.said["OUTFLOW_AMQP_URL"], lapin::ConnectionProperties::default())
            .await
            .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), lapin::BasicProperties::default());
    channel
        .basic_publish("outflow.work".into(), "outflow.requests".into(), options, body.as_bytes(), properties)
        .await
        .unwrap();
    let list = world
        .until("/v1/parked-messages", |it| it["items"].as_array().is_some_and(|it| !it.is_empty()))
        .await;
    let groups = world.get("/v1/parked-messages/groups").await;
    assert_eq!(
        (&groups["items"][0]["code"], &groups["items"][0]["number"]),
        (&json!("invalid_amount"), &json!(1))
    );
    let path = format!("/v1/parked-messages/{}", list["items"][0]["id"].as_str().unwrap());
    let message = world.get(&path).await;
    let shown = message["body"].as_str().unwrap();
    assert!(shown.contains("****3445"), "{shown}");
    let replay = format!("{path}/replay");
    let place = || (Method::POST, replay.as_str());
    let (status, still) = world.ask("OPERATOR", place(), &json!({ "reason": "again" })).await;
    assert_eq!((status, &still["pointer"]), (422, &json!("/data/amount")), "{still}");
    let stolen = shown.replace("1.5", "\"1.50\"").replace("li.wei", "wang.fang");
    let (status, not) = world.ask("OPERATOR", place(), &json!({ "reason": "mended", "body": stolen })).await;
    assert_eq!((status, &not["code"]), (403, &json!("not_yours")), "{not}");
    let edited = shown.replace("1.5", "\"1.50\"");
    let (status, sent) = world.ask("OPERATOR", place(), &json!({ "reason": "mended", "body": edited })).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!(sent["diff"], json!([{ "pointer": "/data/amount", "before": 1.5, "after": "1.50" }]));
    world.until("/v1/withdrawals?q=parked-1", |it| it["items"][0]["amount"] == "1.50").await;
    let (status, again) = world.ask("OPERATOR", place(), &json!({ "reason": "mended" })).await;
    assert_eq!((status, &again["code"]), (409, &json!("already_resolved")), "{again}");
    let id = list["items"][0]["id"].as_str().unwrap();
    let (code, out) = world.outflow(&["parked", "show", id, "--by", "li.wei"]);
    let kept: Value = serde_json::from_str(&out).expect("what is saved is the message and nothing else");
    assert_eq!((code, &kept["id"]), (Some(0), &json!("parked-1")));
    let (code, out) = world.outflow(&["parked", "list", "--resolved", "--output", "json"]);
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &listed[0]["resolution"], &listed[0]["resolved_by"]),
        (Some(0), &json!("replayed"), &json!("chen.jie"))
    );
}
