//! What people see who watch and change nothing: `dry-run`, `status`,
//! `watch` and `why`.

use serde_json::Value;

use super::{Terminal, request};

impl Terminal {
    /// What a request would come to is foretold and not done, and what is under way is seen.
    pub(super) fn oversees(&self, known: &str) {
        let count = self.list().len();
        let foretold = |request: Value| {
            let (status, out, said) = self.enter(&["dry-run", "-", "--output", "json"], &request.to_string());
            let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{said}"));
            (status, told[0].clone())
        };
        let (status, told) = foretold(request("foretold"));
        assert_eq!((status, &told["result"]), (Some(0), &"accepted".into()), "{told}");
        assert_eq!(
            (&told["legs"][0]["top_up_id"], &told["legs"][0]["amount"]),
            (&"T1".into(), &"12.34".into())
        );
        assert!(told["legs"][0]["deadline_at"].is_string(), "{told}");
        let (status, told) = foretold(request("late"));
        assert_eq!((status, &told["result"]), (Some(0), &"same".into()), "{told}");
        assert_eq!(told["withdrawal_id"], known);
        let mut much = request("much");
        much["data"]["amount"] = "9999.00".into();
        let (status, told) = foretold(much);
        assert_eq!((status, &told["result"]), (Some(4), &"rejected".into()), "{told}");
        assert_eq!(told["reasons"][0]["code"], "exceeds_withdrawable");
        assert_eq!(self.list().len(), count, "nothing was written");

        let (status, told) = self.tell(&["status"]);
        assert_eq!((status, &told["broker"]), (Some(0), &Value::Null), "{told}");
        let counts = told["withdrawals"].as_array().expect("counts");
        assert!(
            counts.iter().any(|it| it["state"] == "approved" && it["count"].as_i64() > Some(0)),
            "{told}"
        );
        let queues = told["queues"].as_array().expect("queues");
        assert!(queues.iter().all(|it| it["exists"] == true), "{told}");
        let (status, page) = self.run(&["status"]);
        assert!(
            status == Some(0) && page.contains("approved") && page.contains("outflow.requests"),
            "{page}"
        );

        let canceled = self.list().into_iter().find(|it| it["state"] == "canceled").expect("a canceled one");
        let id = canceled["withdrawal_id"].as_str().expect("a number");
        let (status, moves) = self.run(&["watch", id]);
        assert_eq!(status, Some(4), "it ended without a payment");
        assert!(moves.contains("pending_approval") && moves.contains("canceled"), "{moves}");
        assert_eq!(self.run(&["watch", "00000000-0000-7000-8000-000000000000"]).0, Some(3));
    }
}

impl Terminal {
    /// A switch is thrown and lifted once, and each time the audit has its row (S07, S13).
    pub(super) fn stops_a_channel(&self, database: &str) {
        let switch = |verb: &str, reason: &str| {
            self.run(&["channel", verb, "wechat", "--by", "zhao.lei", "--reason", reason])
        };
        assert_eq!(switch("resume", "nothing is stopped").0, Some(4));
        assert_eq!(switch("pause", "a drill").0, Some(0));
        assert_eq!(switch("pause", "again").0, Some(4));
        let (_, page) = self.run(&["channel", "list"]);
        assert!(page.contains("wechat") && page.contains("a drill"), "{page}");
        assert_eq!(switch("resume", "the drill is over").0, Some(0));

        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let entries = runtime.block_on(async {
            let database = store::Database::connect(database, 1).await.expect("the database");
            let mut tx = database.begin().await.expect("a transaction");
            store::audit::page(&mut tx, Some("wechat"), None, 10).await.expect("the audit")
        });
        let deeds: Vec<_> = entries
            .iter()
            .map(|it| (it.deed.actor.as_str(), it.deed.action.as_str(), it.deed.detail["reason"].as_str()))
            .collect();
        let deed = |action, reason| ("zhao.lei", action, Some(reason));
        assert_eq!(deeds, [deed("resume", "the drill is over"), deed("pause", "a drill")]);
    }

    /// Why, what next and when, and that no money is at risk.
    pub(super) fn explains(&self, id: &str) {
        let (status, page) = self.run(&["why", id]);
        assert_eq!(status, Some(0));
        for words in [
            "12.34 CNY of acct-1 is approved",
            "Why these top-ups",
            "of T1 by bank",
            "not before",
            "no: nothing",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let (_, told) = self.tell(&["why", id]);
        assert_eq!((&told["state"], &told["risk"]), (&"approved".into(), &"none".into()), "{told}");
        assert_eq!(self.run(&["why", "00000000-0000-7000-8000-000000000000"]).0, Some(3));
    }
}
