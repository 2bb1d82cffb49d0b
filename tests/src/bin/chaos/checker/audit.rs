//! I18: the audit, recomputed by code of our own, and what people were told was done.

use std::collections::BTreeSet;

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use sqlx::Row;

use super::{Accepted, Verdict};
use crate::scene::Scene;

/// Goes through the whole chain.
///
/// # Errors
/// When the database is away.
pub(super) async fn check(scene: &Scene, accepted: &Accepted, verdict: &mut Verdict) -> Result<()> {
    let chain = "select sequence, actor, action, subject, digest,
                        jsonb_build_array(sequence, (extract(epoch from at) * 1000000)::bigint, actor, role,
                                          action, subject, detail)::text as deed
                   from audit_entry
                  order by sequence";
    let (mut before, mut deeds) = (Vec::new(), BTreeSet::new());
    for (place, row) in sqlx::query(chain).fetch_all(scene.database.pool()).await?.iter().enumerate() {
        let (sequence, deed): (i64, String) = (row.try_get("sequence")?, row.try_get("deed")?);
        let own = digest(&SHA256, &[before.as_slice(), deed.as_bytes()].concat());
        before = row.try_get("digest")?;
        if own.as_ref() != before || usize::try_from(sequence)? != place + 1 {
            verdict.accuse("I18", format!("the audit is broken at its entry {sequence}"));
        }
        if row.try_get::<String, _>("action")? == "approve" {
            deeds.insert((row.try_get("subject")?, row.try_get("actor")?));
        }
    }
    verdict.audited = deeds.len();
    for (about, who) in accepted.approvals.difference(&deeds) {
        verdict.accuse("I18", format!("{who} approved of {about}, and the audit says nothing of it"));
    }
    Ok(())
}
