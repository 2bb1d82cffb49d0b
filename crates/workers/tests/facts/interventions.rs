//! What people do about an account that its facts have stopped.

use chrono::TimeDelta;
use workers::facts::{Blocked, Refused, Standing, Wish, check_totals, end_stop, report_gaps, skip, status};

use crate::world::{World, billed, credited, noon, upserted};

fn wish(account: &str) -> Wish {
    Wish {
        account_id: account.to_owned(),
        reason: "the upstream lost it".to_owned(),
        actor: "ops.li".to_owned(),
        role: "cli".to_owned(),
    }
}

/// What the audit says of interventions, oldest first.
const AUDITED: &str = "select concat_ws(' | ', concat_ws(' ', actor, role, action, subject), detail ->> 'reason', \
                       detail ->> 'version') from audit_entry order by sequence";

impl World {
    async fn standing(&self, account: &str) -> Standing {
        status(&self.desk.database, account).await.unwrap().expect("a known account")
    }

    async fn report_gaps(&self) {
        let later = noon() + TimeDelta::hours(1);
        report_gaps(&self.desk, later, TimeDelta::minutes(15)).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_version_is_skipped_once_and_what_waited_is_applied() {
    let world = World::new().await;
    world
        .deliver(&[
            upserted("a", 1),
            credited("a", 2, "t", "10.00", 1),
            billed("a", 3, "99.00"),
            billed("a", 4, "1.00"),
        ])
        .await;
    let before = world.standing("a").await;
    assert_eq!((before.fact_version, before.blocked), (2, Some(Blocked::Refused { version: 3 })));
    assert_eq!((before.refused.len(), before.first_waiting.map(|it| it.waiting)), (1, Some(1)));

    for (version, expected) in
        [(2, "version 2 is not in the way; version 3 is"), (4, "version 4 is not in the way; version 3 is")]
    {
        let refused = skip(&world.desk, &wish("a"), version, noon()).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    let nobody = skip(&world.desk, &wish("b"), 1, noon()).await.unwrap_err();
    assert!(matches!(nobody, Refused::UnknownAccount(_)), "{nobody}");
    let silent = Wish { reason: " ".to_owned(), ..wish("a") };
    let silent = skip(&world.desk, &silent, 3, noon()).await.unwrap_err();
    assert_eq!(silent.to_string(), "the reason must not be empty");
    assert_eq!(world.standing("a").await, before, "nothing was done");

    let after = skip(&world.desk, &wish("a"), 3, noon()).await.unwrap();
    assert_eq!((after.fact_version, after.blocked, after.stopped_because), (4, None, None));
    assert_eq!(world.remaining("a").await, "t 900");
    let audit = "select concat_ws(' | ', action, version, reason, actor, split_part(stopped, ':', 1)) from account_intervention";
    assert_eq!(world.text(audit).await, "skip_fact | 3 | the upstream lost it | ops.li | fact_refused");
    assert_eq!(
        world.texts(AUDITED).await,
        ["ops.li cli skip_fact a | the upstream lost it | 3"],
        "and what was refused is not there"
    );

    // Its place is taken for ever, and nothing is in the way any more.
    world.deliver(&[billed("a", 3, "1.00")]).await;
    assert_eq!(world.dead_letters().await.last().map(String::as_str), Some("version_conflict"));
    let again = skip(&world.desk, &wish("a"), 5, noon()).await.unwrap_err();
    assert!(matches!(again, Refused::NothingBlocks { known: 4 }), "{again}");
}

#[tokio::test]
async fn missing_versions_are_skipped_one_by_one_and_the_stop_stands_until_the_last() {
    let world = World::new().await;
    world.deliver(&[upserted("a", 1), credited("a", 4, "t", "1.00", 1)]).await;
    let early = skip(&world.desk, &wish("a"), 2, noon()).await.unwrap_err();
    assert!(matches!(early, Refused::NothingBlocks { known: 1 }), "they may still come: {early}");
    world.report_gaps().await;
    assert_eq!(world.standing("a").await.blocked, Some(Blocked::Missing { first: 2, last: 3 }));
    let after = skip(&world.desk, &wish("a"), 2, noon()).await.unwrap();
    assert_eq!(after.blocked, Some(Blocked::Missing { first: 3, last: 3 }));
    assert_eq!(world.stopped("a").await, "facts_missing: version 3");
    let after = skip(&world.desk, &wish("a"), 3, noon()).await.unwrap();
    assert_eq!((after.fact_version, after.stopped_because), (4, None));
    assert_eq!(world.remaining("a").await, "t 100");
    assert_eq!(after.interventions.len(), 2);
}

#[tokio::test]
async fn a_fact_behind_a_skipped_one_is_judged_as_always() {
    let world = World::new().await;
    world
        .deliver(&[
            upserted("a", 1),
            credited("a", 2, "t", "1.00", 1),
            billed("a", 3, "5.00"),
            billed("a", 4, "6.00"),
        ])
        .await;
    let after = skip(&world.desk, &wish("a"), 3, noon()).await.unwrap();
    assert_eq!((after.fact_version, after.blocked), (3, Some(Blocked::Refused { version: 4 })));
    assert!(world.stopped("a").await.starts_with("fact_refused: version 4 "));
    let after = skip(&world.desk, &wish("a"), 4, noon()).await.unwrap();
    assert_eq!((after.fact_version, after.stopped_because), (4, None), "nothing waits behind it");
}

#[tokio::test]
async fn totals_that_differed_are_released_by_people_once_they_agree() {
    let world = World::new().await;
    world.deliver(&[upserted("a", 1), credited("a", 2, "t", "1.00", 1), billed("a", 3, "5.00")]).await;
    let other = end_stop(&world.desk, &wish("a"), noon()).await.unwrap_err();
    assert!(other.to_string().starts_with("only a stop because of control_total ends by people"), "{other}");

    world.execute("update account set remaining = remaining + 1, stopped_because = null").await;
    check_totals(&world.desk, noon()).await.unwrap();
    let differs = end_stop(&world.desk, &wish("a"), noon()).await.unwrap_err();
    assert!(differs.to_string().contains("free 101 and held 0 of the account, 100 and 0"), "{differs}");
    // A skip does not end what a fact did not begin.
    skip(&world.desk, &wish("a"), 3, noon()).await.unwrap();
    assert!(world.stopped("a").await.starts_with("control_total: "));
    world.deliver(&[billed("a", 4, "5.00")]).await;

    world.execute("update account set remaining = remaining - 1").await;
    let after = end_stop(&world.desk, &wish("a"), noon()).await.unwrap();
    assert_eq!(
        world.texts(AUDITED).await,
        ["ops.li cli skip_fact a | the upstream lost it | 3", "ops.li cli end_stop a | the upstream lost it"]
    );
    assert_eq!(after.blocked, Some(Blocked::Refused { version: 4 }), "a fact stood behind it");
    assert_eq!(world.stopped("a").await, "fact_refused: version 4 was refused");
    let after = skip(&world.desk, &wish("a"), 4, noon()).await.unwrap();
    assert_eq!(after.stopped_because, None);
}

#[tokio::test]
async fn an_account_that_nobody_opened_is_shown_and_cannot_be_skipped_into_life() {
    let world = World::new().await;
    world.deliver(&[credited("a", 2, "t", "1.00", 1)]).await;
    world.report_gaps().await;
    assert_eq!(world.standing("a").await.blocked, Some(Blocked::Missing { first: 1, last: 1 }));
    let refused = skip(&world.desk, &wish("a"), 1, noon()).await.unwrap_err();
    assert!(matches!(refused, Refused::UnknownAccount(_)), "{refused}");
    assert!(status(&world.desk.database, "nobody").await.unwrap().is_none());
}
