//! Somebody with a token, who decides over HTTP: what they did must stand in the audit.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::json;
use uuid::Uuid;

use crate::fleet::product;
use crate::scene::Scene;

/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// An approver.
pub(crate) struct Person {
    http: Client,
    door: String,
    token: String,
    name: &'static str,
}

impl Person {
    /// Gives somebody a token.
    ///
    /// # Errors
    /// When the product gives none.
    pub(crate) async fn join(scene: &Scene, name: &'static str) -> Result<Self> {
        let mut command = product(&scene.orders(None).settings);
        command.args(["operator", "add", name, "--role", "approver", "--by", "chaos"]);
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} got no token: {complaint}");
        let token = String::from_utf8(output.stdout).context("a token is a text")?.trim().to_owned();
        let http = Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { http, door: format!("http://{}", scene.door), token, name })
    }

    /// Their name.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Approves of an effect. True when that was answered: then it was done.
    pub(crate) async fn approve(&self, about: Uuid, effect: &[u8]) -> bool {
        let wish =
            json!({ "decision": "approve", "reason": "looked at", "effect_digest": hex::encode(effect) });
        let url = format!("{}/v1/withdrawals/{about}/decisions", self.door);
        let call = self.http.post(url).bearer_auth(&self.token).header("content-type", "application/json");
        // The same key as that of the message that follows where no answer comes.
        let call = call.header("idempotency-key", format!("{about}-{}", self.name));
        call.body(wish.to_string()).send().await.is_ok_and(|it| it.status().is_success())
    }
}
